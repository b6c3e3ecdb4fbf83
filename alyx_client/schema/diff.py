"""The changes between two surfaces, and the group that each belongs to.

*Breaks callers* is about requests: code that runs now is refused, or silently gets something else.
*Breaks type checks* is about responses: their types differ, and code that reads them needs a review; a type checker
finds the places once the client is regenerated. *Harmless* is everything else.

================================================== ============ =====================================================
Change                                             Group        Reason
================================================== ============ =====================================================
path of the server's address changed               breaking     404
login: another kind, or newly required             breaking     401 or 403
endpoint or action removed; its path changed       breaking     404 or 405
endpoint or action added                           harmless
a lookup key is renamed, or accepts less           breaking     it may mean something else; old keys are not found
a lookup key accepts more                          harmless
pages without a count, a link or a parameter       breaking     one page passes for all of them
filter removed                                     breaking     Alyx silently ignores it and returns every row
several values of a filter sent in another form    breaking     they are read as one value
default of a filter changed                        breaking     calls without the filter return other rows
filter added, optional                             harmless
filter, header or request field added, required;   breaking     400
now required
request field removed, or now read-only            breaking     Alyx silently ignores it, nothing is stored
request field added, optional; now optional        harmless
request: fewer types or values, null not accepted  breaking     400
request: more types or values, null accepted       harmless
request: tighter limit, new format or pattern      breaking     400
request: wider limit, limit removed                harmless
a list, or a single record, is no longer accepted  breaking     400
media type of requests removed                     breaking     415
response field removed                             type-checks  its attribute is gone
response field added                               harmless     records accept new fields
response: other type                               type-checks
response: fewer of the same types                  harmless
response: may now be null or absent                type-checks  its type is a union with None
response: wider limit, limit removed               type-checks  values that code did not expect
response: no longer null; now always present       harmless
response: new value of an enumeration              harmless     enumerations of text or of integers are open in
                                                                responses: ``Literal['PASS'] | str``
response: new value of a mixed enumeration         type-checks  that is a closed ``Literal``
response: enumeration loses values, is added or    harmless
removed
response of another form (record, list, nothing)   type-checks
list no longer paged, or now paged                 harmless     the client reads both
class of requests or responses renamed or replaced type-checks  its import fails, or it is not the declared type
method renamed, for the same path                  type-checks
================================================== ============ =====================================================

An endpoint or action that is added or removed is one change, not one per field. ``docs/reference/diff-rules.md``
compares these groups with the rules of oasdiff.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from alyx_client.schema.action_diff import action_verdicts
from alyx_client.schema.change_names import call_name, endpoint_hint, value_hint, value_name
from alyx_client.schema.keyword_diff import Verdict
from alyx_client.schema.keywords import ALTERNATIVES
from alyx_client.schema.report import Change, Group, Kind, Report, What, sort_key
from alyx_client.schema.routes import PAGING_PARAMETERS, action_rank
from alyx_client.schema.server_diff import SubjectChange, login_changes, server_changes
from alyx_client.schema.surface import Surface, SurfaceAction, Values, ValueSpec
from alyx_client.schema.value_diff import request_verdicts, response_verdicts

__all__ = ["compare_surfaces"]

_CORE_API_NOTE = (
    "A CoreAPI document (servers before Alyx 3.3) does not describe responses; of requests, it lists the fields and "
    "which of them are required, and for some actions not even these. Responses, types, null and values were not "
    "compared."
)
_LISTS = frozenset({"page of records", "list of records"})


def compare_surfaces(old: Surface, new: Surface) -> Report:
    """Return the changes from one surface to another.

    Parameters
    ----------
    old, new
        The surfaces. If either is of a CoreAPI document, only what such a document describes is compared, and the
        report has a note about it.
    """
    is_coarse = "CoreAPI" in (old.source, new.source)
    changes = _merged(_Comparison(old, new, is_coarse=is_coarse).changes())
    return Report(tuple(sorted(changes, key=sort_key)), (_CORE_API_NOTE,) if is_coarse else ())


class _Comparison:
    """The comparison of two surfaces; a coarse one is limited to what a CoreAPI document describes."""

    def __init__(self, old: Surface, new: Surface, *, is_coarse: bool) -> None:
        self._old, self._new, self._is_coarse = old, new, is_coarse
        self._new_classes = {
            name for action in new.actions.values() for name in (action.name.request_class, action.name.response_class)
        }

    def changes(self) -> Iterator[SubjectChange]:
        pairs = _pairs(self._old, self._new)
        matched = set(pairs.values())
        removed = [action for key, action in self._old.actions.items() if key not in pairs]
        added = [action for key, action in self._new.actions.items() if key not in matched]
        before = {action.name.endpoint for action in self._old.actions.values()}
        after = {action.name.endpoint for action in self._new.actions.values()}
        yield from _unmatched("removed", removed, before - after, after - before)
        yield from _unmatched("added", added, after - before, before - after)
        both = [(self._old.actions[old_key], self._new.actions[new_key]) for old_key, new_key in pairs.items()]
        for old, new in both:
            yield from self._action(old, new)
        if not self._is_coarse:
            yield from server_changes(self._old, self._new)
            yield from login_changes(both)

    def _action(self, old: SurfaceAction, new: SurfaceAction) -> Iterator[SubjectChange]:
        for group, words in action_verdicts(old, new, self._new_classes, is_coarse=self._is_coarse):
            name = old.name
            yield "", Change(group, "action", "changed", name.endpoint, (name.action,), call_name(old), words)
        # Those that select a page are part of the change to a list with pages, or to one without.
        paging = PAGING_PARAMETERS if old.response != new.response or self._is_coarse else frozenset[str]()
        yield from self._values("filter", old, new, _without(old.filters, paging), _without(new.filters, paging))
        yield from self._bodies(old, new)
        yield from self._responses(old, new)

    def _bodies(self, old: SurfaceAction, new: SurfaceAction) -> Iterator[SubjectChange]:
        if old.body and new.body:
            yield from self._values("sent", old, new, old.request_fields, new.request_fields)
        elif new.body and not self._is_coarse:
            # A body that is new breaks callers if it has required fields; its others are one change, of the action.
            fields = new.request_fields.items()
            required = {name: value for name, value in fields if value.required and _is_top_level(name)}
            yield from self._values("sent", old, new, {}, required)

    def _responses(self, old: SurfaceAction, new: SurfaceAction) -> Iterator[SubjectChange]:
        if not self._is_coarse and old.response_fields and new.response_fields:
            before, after = old.response_fields, new.response_fields
            # Without fields before or after, the response has another form, which is the change.
            if not before.keys() - {""} or not after.keys() - {""}:
                before, after = ({"": fields[""]} for fields in (before, after))
            yield from self._values("answer", old, new, before, after)

    def _values(
        self, kind: Kind, old: SurfaceAction, new: SurfaceAction, before: Values, after: Values
    ) -> Iterator[SubjectChange]:
        # CoreAPI lists the fields of a record, but not those of records within it.
        if self._is_coarse:
            before, after = _top_level(before), _top_level(after)
        # The fields within a field of another type are part of that change.
        both = before.keys() & after.keys()
        retyped = {name for name in both if _is_retyped(before[name], after[name])}
        if "" in both and _has_alternatives(before[""]) != _has_alternatives(after[""]):
            before, after = {"": before[""]}, {"": after[""]}
        removed = _outermost(before.keys() - after.keys(), retyped)
        added = _outermost(after.keys() - before.keys(), retyped)
        for name in removed:
            group, words = self._removed_value(kind, new, name)
            yield _value_change(kind, "removed", old, name, (group, words + value_hint(name, added, kind, new)))
        for name in added:
            group, words = _added_value(kind, after[name])
            yield _value_change(kind, "added", new, name, (group, words + value_hint(name, removed, kind, old)))
        for name in sorted(before.keys() & after.keys()):
            # Another form of the body as a whole is a change of the action.
            is_other_form = not name and (kind == "answer" or old.body != new.body)
            value = replace(after[name], types=before[name].types) if is_other_form else after[name]
            for verdict in self._changed_value(kind, before[name], value):
                yield _value_change(kind, "changed", new, name, verdict)

    def _changed_value(self, kind: Kind, old: ValueSpec, new: ValueSpec) -> Iterator[Verdict]:
        if self._is_coarse:
            old, new = (
                replace(value, types=("anything",), nullable=True, enum=(), keywords=()) for value in (old, new)
            )
        if kind == "answer":
            return response_verdicts(old, new)
        if kind == "filter":
            # A query cannot hold null, and sends one value as it sends a list of one.
            new = replace(new, types=_with_single_types(old, new), nullable=old.nullable)
        return request_verdicts(old, new, is_filter=kind == "filter")

    def _removed_value(self, kind: Kind, action: SurfaceAction, name: str) -> Verdict:
        if kind == "filter":
            is_list = action.response in _LISTS or action.name.action == "list"
            effect = "returns every row" if is_list else "responds as if it were absent"
            return "breaking", f"removed: the server silently ignores it and {effect}"
        if kind == "answer":
            return "type-checks", "no longer returned"
        # A field that no action of the endpoint accepts any more, but some return, has become read-only.
        siblings = [sibling for sibling in self._new.actions.values() if sibling.name.endpoint == action.name.endpoint]
        is_returned = any(name in sibling.response_fields for sibling in siblings)
        is_read_only = is_returned and not any(name in sibling.request_fields for sibling in siblings)
        return "breaking", f"{'now read-only' if is_read_only else 'removed'}: the server silently ignores what is sent"


def _added_value(kind: Kind, value: ValueSpec) -> Verdict:
    if kind == "answer":
        return "harmless", "new"
    return ("breaking", "new and required") if value.required else ("harmless", "new, optional")


def _value_change(kind: Kind, what: What, action: SurfaceAction, name: str, verdict: Verdict) -> SubjectChange:
    group, words = verdict
    written = value_name(kind, action, name)
    change = Change(group, kind, what, action.name.endpoint, (action.name.action,), written, words)
    return written if kind == "answer" else name, change


def _unmatched(
    what: What, actions: Iterable[SurfaceAction], endpoints: set[str], other_endpoints: set[str]
) -> Iterator[SubjectChange]:
    """Yield the changes for the actions that only one of the surfaces has.

    Parameters
    ----------
    what
        ``removed`` or ``added``.
    actions
        The actions.
    endpoints
        The endpoints that only this surface has.
    other_endpoints
        The endpoints that only the other surface has.
    """
    group: Group = "breaking" if what == "removed" else "harmless"
    actions_of: dict[str, list[str]] = {}
    for action in sorted(actions, key=lambda action: (action.name.endpoint, action.path, action.name.action)):
        name = action.name
        if name.endpoint in endpoints and name.is_method:
            actions_of.setdefault(name.endpoint, []).append(name.action)
            continue
        words = f"{what}: {action.method} {action.path}" if name.is_method else what
        yield name.action, Change(group, "action", what, name.endpoint, (name.action,), name.qualified, words)
    for endpoint, names in actions_of.items():
        hint = endpoint_hint(what, endpoint, other_endpoints)
        words = f"endpoint {what}, with {', '.join(sorted(names))}{hint}"
        yield "", Change(group, "endpoint", what, endpoint, tuple(sorted(names)), f"client.{endpoint}", words)


def _pairs(old: Surface, new: Surface) -> dict[str, str]:
    """Return the routes of the same action in both surfaces: by the route, or else by the method on the client."""
    # A path that was renamed with its endpoint's name intact is the same action, so that only its path is reported.
    pairs = {key: key for key in old.actions if key in new.actions}
    unmatched = {
        _identity(action): key for key, action in new.actions.items() if key not in pairs and action.name.is_method
    }
    for key, action in old.actions.items():
        if key not in pairs and action.name.is_method and _identity(action) in unmatched:
            pairs[key] = unmatched.pop(_identity(action))
    return pairs


def _identity(action: SurfaceAction) -> tuple[str, str, str]:
    return action.method, action.name.endpoint, action.name.action


def _is_retyped(old: ValueSpec, new: ValueSpec) -> bool:
    # A record without fields of its own is an object.
    types = [{name.replace("object", "record") for name in value.types} for value in (old, new)]
    return types[0] != types[1] or _has_alternatives(old) != _has_alternatives(new)


def _has_alternatives(value: ValueSpec) -> bool:
    return ALTERNATIVES in dict(value.keywords)


def _is_top_level(name: str) -> bool:
    return not {".", "[", "{", "<"} & set(name)


def _without(values: Values, names: Collection[str]) -> Values:
    return {name: value for name, value in values.items() if name not in names}


def _top_level(values: Values) -> Values:
    return {name: value for name, value in values.items() if name and _is_top_level(name)}


def _outermost(names: set[str], others: set[str]) -> list[str]:
    """Return the names without those of fields within one of them, or within one of the others."""
    prefixes = tuple(f"{name}{mark}" for name in names | others for mark in ".[{<")
    return sorted(name for name in names if not name.startswith(prefixes))


def _with_single_types(old: ValueSpec, new: ValueSpec) -> tuple[str, ...]:
    single = {name for name in old.types if f"list of {name}" in new.types}
    return tuple(sorted({*new.types, *single}))


def _merged(changes: Iterable[SubjectChange]) -> Iterator[Change]:
    """Yield the changes, equal ones of several actions as one."""
    equal: dict[tuple[str, ...], list[Change]] = {}
    for subject, change in changes:
        key = (change.group, change.kind, change.what, change.endpoint, subject, change.words)
        equal.setdefault(key, []).append(change)
    for group in equal.values():
        ordered = sorted(group, key=lambda change: action_rank(next(iter(change.actions), "")))
        actions = dict.fromkeys(action for change in ordered for action in change.actions)
        yield replace(ordered[0], actions=tuple(actions))
