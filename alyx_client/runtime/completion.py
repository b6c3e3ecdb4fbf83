"""What notebooks complete: types for jedi, which IPython asks for the names after a dot.

For an object, jedi parses the file of its class, and what that imports: seconds the first time, and JupyterLab waits
for one. It parses nothing where that file does not have the class, and takes annotations that are classes instead.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import GenericAlias
from typing import Any, TypeVar, get_origin

from alyx_client.runtime.signatures import copied

__all__ = ["evaluate_results", "rows_of"]

RowsT = TypeVar("RowsT")

_RETURN_ROWS = ("__getitem__", "__iter__")
_CLASSES: dict[tuple[type, type], Any] = {}


def rows_of(rows: type[RowsT], row: object) -> type[RowsT]:
    """Return a subclass whose methods are annotated with the type of a row; the class itself if that is not a class.

    Parameters
    ----------
    rows
        The class of rows.
    row
        The type of a row.
    """
    if not isinstance(row, type):
        return rows
    key = (rows, row)
    made: type[RowsT] = _CLASSES.get(key) or _CLASSES.setdefault(key, _annotated(rows, row))
    return made


def _annotated(rows: type, row: type) -> Any:
    names: dict[str, Any] = {"__module__": rows.__module__, "__doc__": rows.__doc__, "__slots__": ()}
    # As of ``class Name(Results[Row])``, for those who read annotations.
    names["__orig_bases__"] = (GenericAlias(rows, (row,)),)
    for name in _RETURN_ROWS:
        # A copy, since a method that calls another takes longer. Of an iterator, jedi expects the type of the items.
        names[name] = copied(getattr(rows, name))
        names[name].__annotations__ = {**names[name].__annotations__, "return": row}
    return type(rows)(f"{rows.__name__}[{row.__name__}]", (rows,), names)


def evaluate_results(methods: Iterable[Callable[..., object]]) -> None:
    """Have the annotations of methods' results evaluated when jedi looks at them, whatever the module imports.

    Parameters
    ----------
    methods
        The methods.
    """
    for method in methods:
        method.__annotations__ = _Annotations(method.__annotations__, inspect.unwrap(method))


class _Annotations(dict[str, Any]):
    """Annotations, of which `get`, called by jedi alone, returns the class in place of its name."""

    __slots__ = ("_method",)

    def __init__(self, annotations: Mapping[str, Any], method: Callable[..., object]) -> None:
        super().__init__(annotations)
        self._method = method

    def get(self, name: str, default: Any = None, /) -> Any:
        value = super().get(name, default)
        if name != "return" or not isinstance(value, str):
            return value
        try:
            # The text is that of the source.
            result = eval(value, {"__builtins__": {}}, _Names(getattr(self._method, "__globals__", {})))
        except Exception:
            return value
        return get_origin(result) or result


class _Names(dict[str, Any]):
    """Names of a module, with those that it imports for type checkers only."""

    def __missing__(self, name: str) -> Any:
        from alyx_client import runtime

        return getattr(runtime, name, None) or import_module(name)
