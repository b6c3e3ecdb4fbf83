"""What changed between two servers, or two versions of one, and whom it breaks.

*Breaks callers* is about requests: a program that runs now is refused, or gets something else without being told.
*Breaks type checks* is about answers: they look different, and code that reads them has to be looked at; a type checker
finds the places once the client is generated anew. *Harmless* is the rest.

================================================== ============ =====================================================
What happened                                      Group        Why
================================================== ============ =====================================================
endpoint or action removed; its path changed       breaking     404 or 405
endpoint or action added                           harmless
a key of the path is called differently, or takes  breaking     another thing may be meant by it; old keys are not
less                                                            found
a key of the path takes more                       harmless
filter removed                                     breaking     Alyx ignores it silently and answers every row
filter added, optional                             harmless
filter or sent field added, required; now required breaking     400
sent field removed, or read-only now               breaking     Alyx ignores it silently, nothing is stored
sent field added, optional; now optional           harmless
sent: fewer types, fewer values, null no longer    breaking     400
sent: more types, more values, null too            harmless
sent: tighter limit, new format or pattern         breaking     400
sent: wider limit, limit gone                      harmless
a list is no longer taken, or a single record      breaking     400
field answered no longer                           type-checks  its attribute is gone
field answered besides                             harmless     records take new fields
answered: other type                               type-checks
answered: fewer of the same types                  harmless
answered: may be null now; may be left out now     type-checks  its type is a union with None
answered: never null now; always there now         harmless
answered: new value of an enumeration              harmless     enumerations of text or of integers are open in
                                                                answers: ``Literal['PASS'] | str``
answered: new value of a mixed enumeration         type-checks  that is a closed ``Literal``
answered: enumeration loses values, comes or goes  harmless
answer of another form (record, list, nothing)     type-checks
list not paged any more, or paged now              harmless     the client reads both
class of what is sent or answered is another       type-checks  its import fails, or it is not the declared type
method called otherwise, for the same path         type-checks
================================================== ============ =====================================================

What is added or removed as a whole is one change, not one for each field in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from alyx_client.schema.extract import surface_of
from alyx_client.schema.naming import parameter_name
from alyx_client.schema.report import Change, Report, in_order
from alyx_client.schema.surface import Action, Surface, Value, Values
from alyx_client.schema.value_diff import Verdict, answered, sent

__all__ = ["Change", "Report", "changes", "live_report"]

_CORE_API = (
    "A CoreAPI document (servers before Alyx 3.3) describes no answers, and of what is sent only which fields there "
    "are and which are required, and of some actions nothing. Answers, types, null and values were not compared."
)
_RAW = (
    "Compared is the schema as the server publishes it with the schema that this client was generated from, both "
    "before any correction: what the server does but does not say is not seen."
)
_PAGED = {"page of records", "list of records"}
_RANK = {"list": 0, "read": 1, "create": 2, "update": 3, "partial_update": 4, "delete": 5}

Found = tuple[str, Change]
"""A change, and what it is of, whatever the action: changes of one thing in several actions are told as one."""


def changes(old: Surface, new: Surface) -> Report:
    """Return what changed from one surface to another.

    Parameters
    ----------
    old, new
        The surfaces. Where either is of a CoreAPI document, what such a document does not say is left out, and the
        report's notes tell.
    """
    coarse = "CoreAPI" in (old.source, new.source)
    found = list(_Comparison(old, new, coarse).changes())
    return Report(tuple(sorted(_together(found), key=in_order)), (_CORE_API,) if coarse else ())


def live_report(carried: Surface, live_document: Mapping[str, Any]) -> Report:
    """Return what changed on a server since a client was generated for it.

    Both sides are as published, before any correction: corrections need the generator's libraries, and those that no
    longer fit would hide or make changes.

    Parameters
    ----------
    carried
        The surface of the published document that the client was generated from, as its package carries it.
    live_document
        The server's document now, decoded: OpenAPI from ``/api/schema``, or CoreAPI from ``/docs/``.

    Raises
    ------
    UnreadableDocumentError
        The document is in neither form.
    """
    report = changes(carried, surface_of(live_document, carried.names))
    return replace(report, notes=(_RAW, *report.notes), old="client", new="server")


class _Comparison:
    """Two surfaces, side by side."""

    def __init__(self, old: Surface, new: Surface, coarse: bool) -> None:
        self._old, self._new, self._coarse = old, new, coarse
        self._partners = _partners(old, new)

    def changes(self) -> Iterator[Found]:
        paired = set(self._partners.values())
        gone = [each for key, each in self._old.actions.items() if key not in self._partners]
        come = [each for key, each in self._new.actions.items() if key not in paired]
        before = {each.name.endpoint for each in self._old.actions.values()}
        after = {each.name.endpoint for each in self._new.actions.values()}
        lost, won = before - after, after - before
        yield from _whole("removed", gone, lost, won)
        yield from _whole("added", come, won, lost)
        for key, partner in self._partners.items():
            yield from self._action(self._old.actions[key], self._new.actions[partner])

    def _action(self, old: Action, new: Action) -> Iterator[Found]:
        for group, words in self._about(old, new):
            yield "", Change(group, "action", "changed", old.name.endpoint, (old.name.action,), _called(old), words)
        yield from self._values("filter", old, new, old.filters, new.filters)
        if old.takes and new.takes:
            yield from self._values("sent", old, new, old.sent, new.sent)
        elif new.takes and not self._coarse:
            required = {name: each for name, each in new.sent.items() if each.required and _is_outer(name)}
            yield from self._values("sent", old, new, {}, required)
        if not self._coarse and old.answered and new.answered:
            yield from self._values("answer", old, new, old.answered, new.answered)

    def _about(self, old: Action, new: Action) -> Iterator[Verdict]:
        if _keyless(old.path) != _keyless(new.path):
            yield "breaking", f"asked for at {new.path}, no longer at {old.path}"
        for (was, kind), (name, now) in zip(old.keys, new.keys, strict=False):
            if was != name:
                yield "breaking", f"the key is {name} now, was {was}"
            if kind != now and not self._coarse:
                takes = sent(Value(tuple(kind.split(" or "))), Value(tuple(now.split(" or "))))
                for group, words in takes:
                    yield group, f"the key {name}: {words}"
        if self._coarse:
            return
        yield from self._about_body(old, new)
        if {old.answer, new.answer} == _PAGED and old.name.action == "list":
            yield "harmless", "paged now" if new.answer == "page of records" else "not paged any more"
        elif old.answer != new.answer:
            yield "type-checks", f"answers {new.answer} now, was {old.answer}"
        was, now = (each.name.typed.partition("(")[0] for each in (old, new))
        if was != now and old.name.is_method and new.name.is_method:
            yield "type-checks", f"the method is {now} now"
        classes = {each for action in self._new.actions.values() for each in (action.name.sends, action.name.answers)}
        for does, was, now in (
            ("takes", old.name.sends, new.name.sends),
            ("answers", old.name.answers, new.name.answers),
        ):
            # What is changed one by one is given by keywords, and not as this class.
            by_keywords = does == "takes" and new.name.action == "partial_update"
            if was and now and was != now and not by_keywords:
                other = f"{does} {now} now, was {was}"
                renamed = f"the class {was} is called {now} now: its import fails"
                yield "type-checks", other if was in classes else renamed

    def _about_body(self, old: Action, new: Action) -> Iterator[Verdict]:
        if old.takes and not new.takes:
            yield "breaking", "takes no fields any more"
        elif new.takes and not old.takes:
            yield "harmless", "takes fields now"
        else:
            before, after = set(old.takes.split(" or ")), set(new.takes.split(" or "))
            words = {"record": "a single record", "list": "a list of records"}
            for each in sorted(before - after):
                yield "breaking", f"{words[each]} is no longer taken"
            for each in sorted(after - before):
                yield "harmless", f"{words[each]} is taken {'too' if before & after else 'now'}"

    def _values(self, kind: Any, old: Action, new: Action, before: Values, after: Values) -> Iterator[Found]:
        if self._coarse:
            before = {name: each for name, each in before.items() if _is_outer(name)}
            after = {name: each for name, each in after.items() if _is_outer(name)}
        other = {name for name in set(before) & set(after) if before[name].types != after[name].types}
        lost = _outermost(set(before) - set(after), other)
        won = _outermost(set(after) - set(before), other)
        for name in lost:
            group, words = self._lost(kind, old, new, name)
            yield _change(kind, "removed", old, name, group, words + _hint(name, won, kind, new))
        for name in won:
            group, words = _won(kind, after[name])
            yield _change(kind, "added", new, name, group, words + _hint(name, lost, kind, old))
        for name in sorted(set(before) & set(after)):
            for group, words in self._verdicts(kind, before[name], after[name]):
                yield _change(kind, "changed", new, name, group, words)

    def _verdicts(self, kind: str, old: Value, new: Value) -> Iterator[Verdict]:
        if self._coarse:
            old, new = (replace(each, types=("anything",), nullable=True, enum=(), limits=()) for each in (old, new))
        if kind == "filter":
            # Null cannot be sent in a query, and one value is sent as a list of one is.
            new = replace(new, types=_with_single(old, new), nullable=old.nullable)
        return answered(old, new) if kind == "answer" else sent(old, new)

    def _lost(self, kind: str, old: Action, new: Action, name: str) -> Verdict:
        if kind == "filter":
            rows = "answers every row" if new.answer in _PAGED or new.name.action == "list" else "answers as without it"
            return "breaking", f"removed: the server ignores it silently and {rows}"
        if kind == "answer":
            return "type-checks", "no longer answered"
        here = [each for each in self._new.actions.values() if each.name.endpoint == new.name.endpoint]
        read_only = any(name in each.answered for each in here) and not any(name in each.sent for each in here)
        return "breaking", f"{'read-only now' if read_only else 'removed'}: the server ignores what is sent, silently"


def _won(kind: str, value: Value) -> Verdict:
    if kind == "answer":
        return "harmless", "new"
    return ("breaking", "new and required") if value.required else ("harmless", "new, optional")


def _change(kind: Any, what: Any, action: Action, name: str, group: Any, words: str) -> Found:
    typed = _typed(kind, action, name)
    found = Change(group, kind, what, action.name.endpoint, (action.name.action,), typed, words)
    return typed if kind == "answer" else name, found


def _typed(kind: str, action: Action, name: str) -> str:
    """Return what users write for a filter or a field of an action."""
    typed, classes = action.name.typed.partition("(")[0], action.name
    if kind == "filter":
        return f"{typed}({parameter_name(name)}=)"
    if kind == "answer":
        return f"{classes.answers}.{name}" if classes.answers else f"{typed}() .{name}"
    outer = name if name.isidentifier() else name.partition(".")[0].partition("[")[0].partition("{")[0]
    inner = f" {name}" if outer != name else ""
    if action.name.action == "partial_update" or not classes.sends:
        return f"{typed}({parameter_name(outer)}=…){inner}"
    return f"{typed}({classes.sends}({parameter_name(outer)}=…)){inner}"


def _called(action: Action) -> str:
    keys = ", ".join(parameter_name(name) for name, _ in action.keys)
    return f"{action.name.typed.partition('(')[0]}({keys})" if keys and action.name.is_method else action.name.typed


def _whole(what: Any, actions: Iterable[Action], endpoints: set[str], others: set[str]) -> Iterator[Found]:
    """Return the changes for endpoints and actions that only one side has."""
    group: Any = "breaking" if what == "removed" else "harmless"
    of_endpoint: dict[str, list[str]] = {}
    for action in sorted(actions, key=lambda each: (each.name.endpoint, each.path, each.name.action)):
        name = action.name
        if name.endpoint in endpoints and name.is_method:
            of_endpoint.setdefault(name.endpoint, []).append(name.action)
            continue
        words = f"{what}: {action.method} {action.path}" if name.is_method else what
        yield name.action, Change(group, "action", what, name.endpoint, (name.action,), name.typed, words)
    for endpoint, names in of_endpoint.items():
        hint = _perhaps(what, endpoint, others, "client.")
        words = f"endpoint {what}, with {', '.join(sorted(names))}{hint}"
        yield "", Change(group, "endpoint", what, endpoint, tuple(sorted(names)), f"client.{endpoint}", words)


def _hint(name: str, others: Iterable[str], kind: str, action: Action) -> str:
    like = next((each for each in sorted(others) if _alike(each) == _alike(name)), None)
    return f"; perhaps renamed: {_typed(kind, action, like)}" if like else ""


def _perhaps(what: str, name: str, others: Iterable[str], prefix: str) -> str:
    like = next((each for each in sorted(others) if _alike(each) == _alike(name)), None)
    verb = "renamed to" if what == "removed" else "renamed from"
    return f"; perhaps {verb} {prefix}{like}" if like else ""


def _alike(name: str) -> str:
    """Return a name without case, separators and plural, by which a renamed thing is found again."""
    words = [_singular(each) for each in name.lower().replace("-", "_").split("_") if each]
    return _singular("".join(words))


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word.removesuffix("s")


def _partners(old: Surface, new: Surface) -> dict[str, str]:
    """Return the routes that are one action on both sides: by the route, or else by the name that users write."""
    same = {key: key for key in old.actions if key in new.actions}
    left = {_identity(each): key for key, each in new.actions.items() if key not in same and each.name.is_method}
    for key, action in old.actions.items():
        if key not in same and action.name.is_method and _identity(action) in left:
            same[key] = left.pop(_identity(action))
    return same


def _identity(action: Action) -> tuple[str, str, str]:
    return action.method, action.name.endpoint, action.name.action


def _keyless(path: str) -> str:
    return "/".join("{}" if each.startswith("{") else each for each in path.split("/"))


def _is_outer(name: str) -> bool:
    return not {".", "[", "{"} & set(name)


def _outermost(names: set[str], others: set[str]) -> list[str]:
    """Return the names without those of fields within one of them, or within one of the others."""
    outer = tuple(f"{each}{mark}" for each in names | others for mark in ".[{")
    return sorted(name for name in names if not name.startswith(outer))


def _with_single(old: Value, new: Value) -> tuple[str, ...]:
    single = {each for each in old.types if f"list of {each}" in new.types}
    return tuple(sorted({*new.types, *single}))


def _together(found: Iterable[Found]) -> Iterator[Change]:
    """Return the changes with those that hold for several actions as one."""
    merged: dict[tuple[str, ...], list[Change]] = {}
    for subject, change in found:
        key = (change.group, change.kind, change.what, change.endpoint, subject, change.words)
        merged.setdefault(key, []).append(change)
    for same in merged.values():
        ordered = sorted(same, key=lambda each: _RANK.get(each.actions[0], 9))
        actions = dict.fromkeys(action for each in ordered for action in each.actions)
        yield replace(ordered[0], actions=tuple(actions))
