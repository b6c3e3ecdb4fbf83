"""Errors for calls that do not fit a method's parameters, which name the call that was probably meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from alyx_client.errors import ShortTraceback
from alyx_client.http.suggestions import nearest, suggest
from alyx_client.runtime.filters import cache_hint
from alyx_client.runtime.models import Resource

__all__ = ["explained"]

_KEYS = ("read", "update", "partial_update", "delete")
_WRITES = ("create", "update", "partial_update")
_BY_POSITION = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class _WrongCallError(TypeError, ShortTraceback):
    """A call that does not fit the method's parameters."""


def explained(
    method: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], error: TypeError
) -> TypeError:
    """Return the error for a call that does not fit.

    Parameters
    ----------
    method
        The function.
    args, kwargs
        The arguments, with the object itself as the first one.
    error
        Python's own error.
    """
    parameters = list(inspect.signature(method).parameters.values())[1:]
    owner: Any = getattr(args[0], "__class__", None) if args else None
    call = _Call(method, owner, parameters)
    names = [one.name for one in parameters if one.kind is not inspect.Parameter.POSITIONAL_ONLY]
    by_position = [one.name for one in parameters if one.kind in _BY_POSITION]
    # A parameter for all other keywords takes any.
    is_open = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)
    unknown = [] if is_open else [name for name in kwargs if name not in names]
    surplus = len(args) - 1 - len(by_position)
    if unknown:
        advice = call.unknown_keyword(unknown[0], names)
    elif surplus > 0:
        advice = call.too_many(by_position)
    else:
        required = [one.name for one in parameters if one.default is one.empty and one.kind in _BY_POSITION]
        missing = [name for name in required[len(args) - 1 :] if name not in kwargs]
        advice = call.missing(missing[0]) if missing else ""
    return _WrongCallError(f"{call.name}() {advice}" if advice else str(error))


class _Call:
    """A method that was called, and what it is called for.

    Parameters
    ----------
    method
        The function.
    owner
        The class of the object.
    parameters
        Its parameters, without the object.
    """

    def __init__(
        self, method: Callable[..., Any], owner: type[Any] | None, parameters: Collection[inspect.Parameter]
    ) -> None:
        self._owner = owner
        self._parameters = parameters
        self._method = method.__name__
        self._action = method.__name__.removesuffix("_many")
        is_method = owner is not None and hasattr(owner, self._method)
        name = f"{owner.__name__}.{self._method}" if owner is not None and is_method else method.__qualname__
        self.name = name.removesuffix(".__init__")
        descriptor = method.__globals__.get(f"_{self._action.upper()}")  # of a generated module
        self._model: type[Resource] | None = getattr(descriptor, "model", None)

    def unknown_keyword(self, name: str, names: Collection[str]) -> str:
        """Return what is wrong with a keyword that the method does not have."""
        if self._model is not None and (field := self._field(name, names)):
            return self._takes_resource(field)
        if hint := cache_hint(name):
            return f"has no argument {name!r}. {hint}"
        if name == "outbox" and self._action in _WRITES:
            return f"has no argument {name!r}. client.outbox.write(client.….{self._action}, …) lets a write wait."
        filters = self._filters()
        if self._action in _KEYS and name in filters and not nearest(name, names, count=1, cutoff=0.8, parts=False):
            key = next(one.name for one in self._parameters)
            return f"takes the {key} of a record, not {name!r}. list({name}=...) finds records by it."
        return f"has no argument {name!r}. {suggest(name, names)}"

    def too_many(self, names: Sequence[str]) -> str:
        """Return what is wrong with arguments by position that the method does not have."""
        many = f"{self._method}_many"
        if self._has(many) and names:
            several = "{key: changes, ...}" if self._method in ("update", "partial_update") else "[..., ...]"
            return f"takes one record. {many}({several}) takes several."
        taken = f"takes {', '.join(names)} by position" if names else "takes no arguments by position"
        by_name = [one.name for one in self._parameters if one.kind is inspect.Parameter.KEYWORD_ONLY]
        more = f", and by name only: {', '.join(f'{name}=' for name in by_name[:5])}" if by_name else ""
        return f"{taken}{more}{', ...' if len(by_name) > 5 else ''}."

    def missing(self, name: str) -> str:
        """Return what is wrong with a call without an argument that the method needs."""
        first = next(one.name for one in self._parameters)
        if self._action in _KEYS and self._method == self._action and name == first:
            finds = " list(...) finds records." if self._has("list") else ""
            return f"needs {name}, the key of a record, its URL, or the record itself, as the first argument.{finds}"
        if self._model is not None:
            return self._takes_resource("")
        return f"needs {name}."

    def _takes_resource(self, field: str) -> str:
        model = self._model.__name__ if self._model else ""
        one = f"{model}({field}=...)" if field else f"{model}(...)"
        changes = f'{{"{field}": ...}}' if field else "{...}"
        calls = {
            "create": f"{self._method}({one})",
            "create_many": f"create_many([{one}, ...])",
            "update": f"update(key, {one})",
            "update_many": f"update_many({{key: {one}, ...}})",
            "partial_update": f"partial_update(key{f', {field}=...' if field else ''})",
            "partial_update_many": f"partial_update_many({{key: {changes}, ...}})",
        }
        what = "fields by record" if self._action == "partial_update" else f"{model}(...)"
        stray = f", not {field}= itself" if field else ""
        return f"takes {what}{stray}: {calls.get(self._method, one)}."

    def _field(self, name: str, names: Collection[str]) -> str:
        """Return the field of the model that a keyword names; empty if it is nearer to one of the parameters."""
        if self._model is None or nearest(name, names, count=1, cutoff=0.8, parts=False):
            return ""
        fields = self._model.model_fields
        return name if name in fields else next(iter(nearest(name, fields, count=1, cutoff=0.8, parts=False)), "")

    def _filters(self) -> Collection[str]:
        listing: Any = getattr(self._owner, "list", None)
        return inspect.signature(listing).parameters if listing is not None else ()

    def _has(self, name: str) -> bool:
        return hasattr(self._owner, name)
