"""Kinds of values, by the differences between the results of typed calls and those of calls by name."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import date, datetime
from types import NoneType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime import Record, Results

__all__ = ["NOTHING", "PLAIN", "Kind", "kind_of"]

_PLAIN_TYPES = (str, int, float, bool, NoneType, dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a value.

    Parameters
    ----------
    name
        ``plain``: the same value as in a call by name. ``uuid``, ``time``: a UUID, and a date or time, where a call by
        name returns its text. ``record``, and ``rows``, a sequence of records.
        ``other``: a value that differs in a way that depends on its use.
    type_name
        The type of a record, or of a value that differs, for messages.
    model
        The class of the record, or of the rows.
    nullable
        Whether a UUID or a time may be None.
    """

    name: Literal["plain", "uuid", "time", "record", "rows", "other"]
    type_name: str = ""
    model: type[Record] | None = None
    nullable: bool = False
    _fields: dict[str, Kind] = field(default_factory=dict[str, "Kind"], compare=False, repr=False)

    @property
    def fields(self) -> Mapping[str, Kind]:
        """The kinds of the record's fields, by the server's names."""
        if not self._fields and self.model is not None:
            hints = get_type_hints(self.model, include_extras=True)
            for name, info in self.model.model_fields.items():
                self._fields[info.alias or name] = kind_of(hints[name])
        return self._fields

    def is_always_there(self, name: str) -> bool:
        """Return whether every record of this kind has a field, in both kinds of calls.

        Parameters
        ----------
        name
            The server's name of the field.
        """
        infos = self.model.model_fields if self.model else {}
        return all(info.is_required() for attribute, info in infos.items() if (info.alias or attribute) == name)

    @property
    def item(self) -> Kind:
        """The kind of one of the rows."""
        return Kind("record", self.type_name, self.model)

    @property
    def several(self) -> Kind:
        """The kind of a sequence of such records."""
        return Kind("rows", self.type_name, self.model)


PLAIN = Kind("plain")
NOTHING = Kind("other", "None")
"""No result: type checkers refuse every use of it."""
_SCALARS = {UUID: Kind("uuid", "UUID"), datetime: Kind("time", "datetime"), date: Kind("time", "date")}


def kind_of(annotation: Any) -> Kind:
    """Return the kind of values of a type.

    Parameters
    ----------
    annotation
        The type of a field, or of a method's result.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind_of(arguments[0])
    if annotation is Any or annotation in _PLAIN_TYPES or origin is Literal:
        return PLAIN
    if origin is dict:
        is_plain = all(kind_of(argument) == PLAIN for argument in arguments)
        return PLAIN if is_plain else Kind("other", "dict of records")
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return Kind("record", annotation.__name__, annotation)
    if isinstance(annotation, type) and issubclass(annotation, Results):
        # At run time, the class of the rows of some record is one of its own.
        bases: tuple[object, ...] = vars(cast("type", annotation)).get("__orig_bases__", (None,))
        origin, arguments = Results, get_args(bases[0])
    if origin in (list, Results):
        return _kind_of_list(kind_of(arguments[0]), is_results=origin is Results)
    if origin in (Union, types.UnionType):
        kinds = [kind_of(part) for part in arguments if part is not NoneType]
        return _kind_of_union(kinds, nullable=NoneType in arguments)
    return Kind("other", _type_name(cast("object", annotation)))


def _kind_of_list(item: Kind, *, is_results: bool) -> Kind:
    if item.name == "record":
        return item.several
    return item if item == PLAIN and not is_results else Kind("other", f"list of {item.type_name or 'plain values'}")


def _kind_of_union(parts: list[Kind], *, nullable: bool) -> Kind:
    differing = [part for part in parts if part != PLAIN]
    if not differing:
        return PLAIN
    first = differing[0]
    # None and plain values are the same in both calls, and only records have fields to read.
    if first.name in ("record", "rows") and all(part in (first, first.several, first.item) for part in differing):
        return first
    type_name = f"{first.type_name} or None" if nullable else first.type_name
    if len(parts) == 1 and first.name in ("uuid", "time"):
        return replace(first, type_name=type_name, nullable=nullable)
    return Kind("other", type_name)


def _type_name(annotation: object) -> str:
    return cast("str", getattr(annotation, "__name__", str(annotation)))
