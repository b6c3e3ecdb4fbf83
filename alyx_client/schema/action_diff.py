"""Changes of one action: its path, its lookup keys, what it accepts and returns, and its names."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from alyx_client.schema.change_names import method_name
from alyx_client.schema.routes import route
from alyx_client.schema.surface import SurfaceAction, ValueSpec
from alyx_client.schema.value_diff import Verdict, request_verdicts

__all__ = ["action_verdicts"]

_PAGED, _UNPAGED = "page of records", "list of records"
_BODIES = {"record": "a single record", "list": "a list of records"}


def action_verdicts(
    old: SurfaceAction, new: SurfaceAction, new_classes: Collection[str], *, is_coarse: bool
) -> Iterator[Verdict]:
    """Yield the changes of an action as a whole, without those of its filters and fields.

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
        yield from _name_verdicts(old, new, new_classes)


def _key_verdicts(old: SurfaceAction, new: SurfaceAction, *, is_coarse: bool) -> Iterator[Verdict]:
    for (old_name, old_types), (new_name, new_types) in zip(old.keys, new.keys, strict=False):
        if old_name != new_name:
            yield "breaking", f"the lookup key is now {new_name}, was {old_name}"
        if old_types != new_types and not is_coarse:
            before, after = (ValueSpec(tuple(types.split(" or "))) for types in (old_types, new_types))
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
