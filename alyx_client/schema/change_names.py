"""Names of the things that changed, as users write them, and guesses at what a removed thing is called now."""

from __future__ import annotations

import re
from collections.abc import Iterable

from alyx_client.schema.naming import parameter_name
from alyx_client.schema.report import Kind, What
from alyx_client.schema.surface import SurfaceAction

__all__ = ["call_name", "endpoint_hint", "method_name", "value_hint", "value_name"]


def method_name(action: SurfaceAction) -> str:
    """Return an action's method without a lookup key that is part of its name: ``client.cache_info.read``."""
    return action.name.qualified.partition("(")[0]


def call_name(action: SurfaceAction) -> str:
    """Return an action's method with its lookup keys: ``client.labs.read(name)``."""
    keys = ", ".join(parameter_name(name) for name, _ in action.keys)
    return f"{method_name(action)}({keys})" if keys and action.name.is_method else action.name.qualified


def value_name(kind: Kind, action: SurfaceAction, name: str) -> str:
    """Return a filter or a field of an action as users write it: ``client.sessions.list(task_protocol=)``.

    Parameters
    ----------
    kind
        ``filter``, ``sent`` or ``answer``.
    action
        The action.
    name
        The server's name; of a field within a record, with dots; empty for a body as a whole.
    """
    method, classes = method_name(action), action.name
    outer = name if name.isidentifier() else re.split(r"[.\[{<]", name)[0]
    inner = f" {name}" if outer != name else ""
    if kind == "filter":
        place, _, header = name.partition(" ")
        if place in ("header", "cookie") and header:
            return f"{method}() {name}"
        is_nested = bool(inner) and outer in action.filters
        return f"{method}({parameter_name(outer)}=){inner}" if is_nested else f"{method}({parameter_name(name)}=)"
    if kind == "answer":
        if not name:
            return f"{method}() response"
        return f"{classes.response_class}.{name}" if classes.response_class else f"{method}() .{name}"
    if not outer:
        return f"{method}() body{f' {name}' if name else ''}"
    # partial_update takes keywords, the others an instance of the class.
    if classes.action == "partial_update" or not classes.request_class:
        return f"{method}({parameter_name(outer)}=…){inner}"
    return f"{method}({classes.request_class}({parameter_name(outer)}=…)){inner}"


def value_hint(name: str, others: Iterable[str], kind: Kind, action: SurfaceAction) -> str:
    """Return the part of a message that guesses a filter's or a field's other name; empty if there is no guess.

    Parameters
    ----------
    name
        The name that only one side has.
    others
        The names that only the other side has.
    kind, action
        The kind of the value, and the other side's action.
    """
    similar = _similar(name, others)
    return f"; perhaps renamed: {value_name(kind, action, similar)}" if similar else ""


def endpoint_hint(what: What, name: str, others: Iterable[str]) -> str:
    """Return the part of a message that guesses an endpoint's other name; empty if there is no guess."""
    similar = _similar(name, others)
    return f"; perhaps renamed {'to' if what == 'removed' else 'from'} client.{similar}" if similar else ""


def _similar(name: str, others: Iterable[str]) -> str | None:
    return next((other for other in sorted(others) if _folded(other) == _folded(name)), None)


def _folded(name: str) -> str:
    """Return a name without case, separators and plural, in which names of one thing tend to differ."""
    words = [_singular(word) for word in name.lower().replace("-", "_").split("_") if word]
    return _singular("".join(words))


def _singular(word: str) -> str:
    return f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")
