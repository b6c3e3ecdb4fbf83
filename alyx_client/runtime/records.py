"""Base classes of the generated models of what the server sends.

A `Record` preserves what the server sent: unknown fields are stored, nothing is coerced, and it is frozen, since a
changed attribute would not change the server's record.
"""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, cast
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from alyx_client.errors import printable
from alyx_client.runtime.models import PYDANTIC_NAMES, Model, attributes_of
from alyx_client.runtime.record_errors import frozen_field, missing_field, missing_key
from alyx_client.runtime.references import key_of_url
from alyx_client.runtime.tables import ShownRecord

__all__ = ["Record", "WithIdInUrl"]

_REPR_WIDTH = 60
_REPR_FIELDS = 9
_REPR_FIRST = ("id", "nickname", "username", "name", "acronym", "subject", "start_time", "date_time", "number", "lab")


# Records made of rows lack these until they are read: setting them takes as long as all the rest.
_MADE_LATE: Mapping[str, Callable[[Record], object]] = {
    "__pydantic_fields_set__": lambda record: set(vars(record)),
    "__pydantic_extra__": lambda record: {},
    "__pydantic_private__": lambda record: None,
}


class Record(ShownRecord, Model):
    """A record received from the server, or a part of one; its fields are attributes, and it reads like a dictionary.

    Values are what the server sent: date-times have no time zone, and nothing is converted. Fields that this version
    of the client does not know are attributes, too. The keys of the dictionary are the server's names; an attribute has
    another name where Python, pydantic or a method of this class has that name already: ``record["class"]`` is
    ``record.class_``.
    """

    model_config = ConfigDict(
        extra="allow", frozen=True, populate_by_name=True, defer_build=True, protected_namespaces=(), strict=True
    )
    # Compared with a value of NumPy, a record is another thing, and not an array of its fields' names.
    __array_ufunc__: ClassVar[None] = None

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        fields = {"id": getattr(self, "id", None), **vars(self), **(self.model_extra or {})}
        names = dict.fromkeys((*_REPR_FIRST, *fields))
        values = [(name, fields[name]) for name in names if name in fields and fields[name] not in (None, "", [])]
        # Names of fields that the schema lacks are the server's words, as the values are.
        yield from ((printable(name, limit=_REPR_WIDTH), _Abridged(value)) for name, value in values[:_REPR_FIELDS])
        if len(values) > _REPR_FIELDS:
            yield None, _Abridged(...)

    __str__ = BaseModel.__repr__

    if not TYPE_CHECKING:  # a type checker finds these mistakes by itself

        def __getattr__(self, name: str) -> Any:
            if name == "__wrapped__":
                return vars(self)  # jedi takes it for a dictionary, and does not parse the files of pydantic
            if name in _MADE_LATE:
                object.__setattr__(self, name, _MADE_LATE[name](self))
                return object.__getattribute__(self, name)
            try:
                return super().__getattr__(name)
            except AttributeError:
                # Python and notebooks look for names with underscores; a property explains itself.
                if name.startswith("_") or hasattr(type(self), name):
                    raise
            raise missing_field(self, name, {*vars(self), *(self.__pydantic_extra__ or ())})

        def __setattr__(self, name: str, value: object) -> None:
            if name.startswith("_"):
                return super().__setattr__(name, value)
            raise frozen_field(self, name)

        def __delattr__(self, name: str) -> None:
            raise frozen_field(self, name)

    def __dir__(self) -> Iterable[str]:
        # What notebooks complete: the fields, without some twenty methods of pydantic, of which most are deprecated.
        return (name for name in super().__dir__() if name.startswith("_") or name not in PYDANTIC_NAMES)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def __getitem__(self, name: str) -> Any:
        attribute = attributes_of(type(self)).get(name)
        if attribute is not None:
            return self.__dict__[attribute]
        extra = self.__pydantic_extra__ or {}
        if name not in extra:
            raise missing_key(self, name)
        return extra[name]

    def __hash__(self) -> int:
        # Equal records have equal keys; pydantic hashes all fields, of which most are lists in some record.
        fields = self.__dict__
        keys = (fields.get("id"), fields.get("url"), fields.get("name"))
        return hash((type(self), *(key for key in keys if isinstance(key, str | int | UUID))))

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        yield from attributes_of(type(self))
        yield from self.__pydantic_extra__ or ()

    def __len__(self) -> int:
        return len(attributes_of(type(self))) + len(self.__pydantic_extra__ or ())

    def __contains__(self, name: object) -> bool:
        return name in attributes_of(type(self)) or name in (self.__pydantic_extra__ or ())

    def keys(self) -> KeysView[str]:
        """Return the names of the fields, as the server calls them."""
        return KeysView(self._as_mapping())

    def values(self) -> ValuesView[Any]:
        """Return the values of the fields."""
        return ValuesView(self._as_mapping())

    def items(self) -> ItemsView[str, Any]:
        """Return the fields as pairs of name and value."""
        return ItemsView(self._as_mapping())

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a field, or a default if there is no such field."""
        try:
            return self[name]
        except KeyError:
            return default

    def _as_mapping(self) -> Mapping[str, Any]:
        # Registered below: a base class would also replace pydantic's comparison by that of dictionaries.
        return cast("Mapping[str, Any]", self)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """Return the fields as a dictionary; the options are pydantic's."""
        options.setdefault("warnings", False)  # a SchemaDriftWarning was emitted when the response was parsed
        return super().model_dump(**options)

    def model_dump_json(self, **options: Any) -> str:
        """Return the fields as JSON text; the options are pydantic's."""
        options.setdefault("warnings", False)
        return super().model_dump_json(**options)


cast("ABCMeta", Mapping).register(Record)  # pandas makes columns of the fields of mappings alone


class _Abridged:
    """A value whose ``repr`` is cut: records are nested, and a notebook shows each on a line."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        if self._value is ...:
            return "..."
        value = self._value
        if isinstance(value, list) and (count := len(cast("list[object]", value))) > 3:
            return f"[<{count} items>]"
        text = str(self._value) if isinstance(self._value, UUID) else repr(self._value)
        return text if len(text) <= _REPR_WIDTH else text[: _REPR_WIDTH - 1] + "…"


class WithIdInUrl(Record):
    """A record whose ``url`` ends in its UUID, which not every server sends by itself."""

    @property
    def id(self) -> UUID:
        """The record's UUID: as the server sent it, or from the end of its ``url``."""
        url: object = vars(self).get("url")
        sent: object = (self.model_extra or {}).get("id")
        for text in (sent, url):
            with suppress(ValueError):  # neither a UUID nor a URL
                if isinstance(text, str):
                    return UUID(key_of_url(text))
        # An AttributeError, so that hasattr() and getattr() with a default work.
        raise AttributeError(f"this record has no id: its url is {url!r}")
