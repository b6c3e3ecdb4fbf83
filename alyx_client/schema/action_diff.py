"""Changes of one action: its path, its lookup keys, what it accepts and returns, and its names."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from alyx_client.schema.action_facts import NO_LOGIN
from alyx_client.schema.change_names import method_name
from alyx_client.schema.keyword_diff import Verdict, lifecycle_verdicts
from alyx_client.schema.routes import route
from alyx_client.schema.surface import SurfaceAction
from alyx_client.schema.value_diff import request_verdicts

__all__ = ["action_verdicts", "login_verdicts"]

_PAGED, _UNPAGED = "page of records", "list of records"
_BODIES = {"record": "a single record", "list": "a list of records"}


def action_verdicts(
    old: SurfaceAction, new: SurfaceAction, new_classes: Collection[str], *, is_coarse: bool
) -> Iterator[Verdict]:
    """Yield the changes of an action as a whole, without those of its filters, fields and logins.

    Parameters
    ----------
    old, new
        The action before and after.
    new_classes
        All classes of the new surface.
    is_coarse
        Whether to compare only what a CoreAPI document describes: path and names of keys.
    """
    if route("", old.path) != route("", new.path):
        yield "breaking", f"moved to {new.path}, was at {old.path}"
    yield from _key_verdicts(old, new, is_coarse=is_coarse)
    if not is_coarse:
        yield from _body_verdicts(old, new)
        yield from _response_verdicts(old, new)
        yield from _media_type_verdicts(old, new)
        yield from _status_verdicts(old, new)
        yield from _about_verdicts(old, new)
        yield from _name_verdicts(old, new, new_classes)


def _key_verdicts(old: SurfaceAction, new: SurfaceAction, *, is_coarse: bool) -> Iterator[Verdict]:
    for (old_name, before), (new_name, after) in zip(old.keys, new.keys, strict=False):
        if old_name != new_name:
            yield "breaking", f"the lookup key is now {new_name}, was {old_name}"
        if before != after and not is_coarse:
            for group, words in request_verdicts(before, after):
                yield group, f"the lookup key {new_name}: {words}"


def _body_verdicts(old: SurfaceAction, new: SurfaceAction) -> Iterator[Verdict]:
    if old.body and not new.body:
        yield "breaking", "no longer accepts fields"
    elif new.body and not old.body:
        yield "harmless", "now accepts fields"
    elif old.body != new.body:
        before, after = set(old.body.split(" or ")), set(new.body.split(" or "))
        for body in sorted(before - after):
            yield "breaking", f"{_BODIES[body]} is no longer accepted"
        for body in sorted(after - before):
            yield "harmless", f"{_BODIES[body]} is {'also' if before & after else 'now'} accepted"


def _response_verdicts(old: SurfaceAction, new: SurfaceAction) -> Iterator[Verdict]:
    if {old.response, new.response} == {_PAGED, _UNPAGED} and old.name.action == "list":
        yield "harmless", "now paged" if new.response == _PAGED else "no longer paged"
    elif old.response != new.response:
        yield "type-checks", f"now returns {new.response}, was {old.response}"
    elif removed := set(old.facts.paging) - set(new.facts.paging):
        # Without a count or a link to the next page, one page would pass for all of them.
        yield "breaking", f"its pages no longer have the {', the '.join(sorted(removed))}"
    elif added := set(new.facts.paging) - set(old.facts.paging):
        yield "harmless", f"its pages now have the {', the '.join(sorted(added))}"


def _media_type_verdicts(old: SurfaceAction, new: SurfaceAction) -> Iterator[Verdict]:
    # Without one before or after, the body as a whole is new or gone.
    if old.facts.media and new.facts.media:
        for name in _removed(old.facts.media, new.facts.media):
            yield "breaking", f"requests in {name} are no longer accepted"
        for name in _removed(new.facts.media, old.facts.media):
            yield "harmless", f"requests in {name} are now accepted"
    for name in _removed(old.facts.returns, new.facts.returns):
        yield "type-checks", f"no longer returns {name}"
    for name in _removed(new.facts.returns, old.facts.returns):
        yield "harmless", f"now also returns {name}" if old.facts.returns else f"now returns {name}"


def _status_verdicts(old: SurfaceAction, new: SurfaceAction) -> Iterator[Verdict]:
    for status in _removed(old.facts.statuses, new.facts.statuses):
        yield "type-checks" if status.startswith("2") else "harmless", f"no longer responds with status {status}"
    for status in _removed(new.facts.statuses, old.facts.statuses):
        yield "harmless", f"now also responds with status {status}"


def _about_verdicts(old: SurfaceAction, new: SurfaceAction) -> Iterator[Verdict]:
    yield from lifecycle_verdicts(old.facts.about, new.facts.about)
    before, after = dict(old.facts.about), dict(new.facts.about)
    for name in ("operationId", "tags"):
        if before.get(name) != after.get(name):
            yield "harmless", f"{name} in the schema: now {after.get(name, 'none')}, was {before.get(name, 'none')}"


def login_verdicts(old: SurfaceAction, new: SurfaceAction) -> Iterator[Verdict]:
    """Yield the changes of the logins of which an action requires one."""
    before, after = (set(action.facts.security) for action in (old, new))
    # An operation that names no login does not say that it requires none, nor does it refuse one.
    if before == after:
        return
    is_open = not before or NO_LOGIN in before
    if is_open and after and NO_LOGIN not in after:
        yield "breaking", f"now requires a login: {_either(after)}"
    elif not is_open and (not after or NO_LOGIN in after):
        yield "harmless", "no longer requires a login"
    else:
        for login in sorted(before - after):
            # The client sends its token in a header, and no cookie.
            is_used = not login.startswith("cookie ")
            yield "breaking" if is_used else "harmless", f"a login by {login} is no longer accepted"
        for login in sorted(after - before):
            yield "harmless", f"a login by {login} is now accepted"


def _removed(names: Collection[str], others: Collection[str]) -> list[str]:
    return [name for name in names if name not in others]


def _either(names: Collection[str]) -> str:
    return " or ".join(sorted(names))


def _name_verdicts(old: SurfaceAction, new: SurfaceAction, new_classes: Collection[str]) -> Iterator[Verdict]:
    if method_name(old) != method_name(new) and old.name.is_method and new.name.is_method:
        yield "type-checks", f"the method is now {method_name(new)}"
    # Users pass keywords to partial_update, and not an instance of the class.
    if new.name.action != "partial_update":
        yield from _class_verdicts("accepts", old.name.request_class, new.name.request_class, new_classes)
    yield from _class_verdicts("returns", old.name.response_class, new.name.response_class, new_classes)


def _class_verdicts(verb: str, old: str, new: str, new_classes: Collection[str]) -> Iterator[Verdict]:
    if old and new and old != new:
        is_replaced = old in new_classes
        renamed = f"the class {old} is now called {new}: its import fails"
        yield "type-checks", f"now {verb} {new}, was {old}" if is_replaced else renamed
