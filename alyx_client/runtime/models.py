"""Base classes of the generated shapes: what is sent, and what is answered.

A `Resource` is strict: an unknown field, a wrong type or a missing field is an error where the object is made, before
anything is sent. A `Record` is what a server answered: unknown fields are kept, nothing is coerced, and it cannot be
changed, since a changed attribute would not change the server.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, cast, get_args, get_origin
from urllib.parse import unquote, urlsplit
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    ValidationError,
)
from pydantic_core import CoreSchema, PydanticSerializationError

from alyx_client.errors import InvalidFieldError

__all__ = ["UNSET", "DateInput", "DateTimeInput", "Record", "Resource", "UUIDInput", "WithIdInUrl"]


class _Unset:
    """The type of `UNSET`."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


UNSET: Final[Any] = _Unset()
"""Marks a field that was left out: it is not sent, which is neither null nor a default."""


def _as(kind: type) -> GetPydanticSchema:
    """Validate as `kind`, while type checkers see the wider annotation beside it."""

    def schema(_source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(kind)

    return GetPydanticSchema(schema)


def _date_or_text(value: object) -> object:
    if isinstance(value, int | float):
        raise ValueError("a number is not a date; pass a date, a datetime or ISO 8601 text")
    return value


def _naive_datetime(value: object) -> object:
    _date_or_text(value)
    moment = value
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        raise ValueError(
            "has a time zone, but Alyx keeps local times without one and would shift it to UTC; "
            "pass the time as it should be kept, for instance .replace(tzinfo=None)"
        )
    return value


DateTimeInput = Annotated[datetime | str, _as(datetime), BeforeValidator(_naive_datetime)]
"""A date-time to send: a naive `datetime`, or ISO 8601 text."""
DateInput = Annotated[date | str, _as(date), BeforeValidator(_date_or_text)]
"""A date to send: a `date`, or ISO 8601 text."""
UUIDInput = Annotated[UUID | str, _as(UUID)]
"""A UUID to send: a `UUID`, or its text."""


if TYPE_CHECKING:
    _Shape = BaseModel
else:

    class _ShapeMeta(type(BaseModel)):
        """Lets a field be called ``json``, as Alyx calls it, without pydantic's warning about its own old method."""

        def __new__(mcs, name, bases, namespace, **kwargs):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message=r'Field name "json" .*shadows an attribute')
                return super().__new__(mcs, name, bases, namespace, **kwargs)

    class _Shape(BaseModel, metaclass=_ShapeMeta):
        pass


_FIELD_ERRORS = {
    "missing": "is missing",
    "extra_forbidden": "is not a field that can be sent",
}


class Resource(_Shape):
    """What is sent to create or to update a record.

    Only the fields that were given are sent; ``None`` is sent as null.

    Raises
    ------
    InvalidFieldError
        A field is unknown, missing or of the wrong type; all of them are named.
    """

    model_config = ConfigDict(
        extra="forbid",
        validate_assignment=True,
        populate_by_name=True,
        defer_build=True,
        protected_namespaces=(),
        # JSON has no NaN, and null in its place would wipe a value.
        allow_inf_nan=False,
        ser_json_inf_nan="constants",
    )

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**{name: value for name, value in fields.items() if value is not UNSET})
        except ValidationError as error:
            raise _invalid(type(self), error) from None

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            raise _invalid(type(self), error) from None

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return ((name, getattr(self, name)) for name in type(self).model_fields if name in self.model_fields_set)

    __str__ = BaseModel.__repr__

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """Return the fields that were given, as a dictionary; the options are pydantic's."""
        options.setdefault("exclude_unset", True)
        return super().model_dump(**options)

    def model_dump_json(self, **options: Any) -> str:
        """Return the fields that were given, as JSON text; the options are pydantic's."""
        options.setdefault("exclude_unset", True)
        return super().model_dump_json(**options)

    def to_wire(self) -> dict[str, Any]:
        """Return what is sent, in JSON's types and under the server's own names."""
        try:
            return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        except PydanticSerializationError as error:
            raise InvalidFieldError(f"{type(self).__name__} was not sent: JSON cannot hold a value. {error}") from None

    @classmethod
    def list_fields(cls) -> frozenset[str]:
        """Return the server's names of the fields that are lists."""
        return frozenset(field.alias or name for name, field in cls.model_fields.items() if _is_list(field.annotation))

    @classmethod
    def changes_to_wire(cls, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Check the keywords of ``partial_update`` and return what is sent.

        Parameters
        ----------
        changes
            Values by field; what is left out stays as it is on the server.

        Raises
        ------
        InvalidFieldError
            There is nothing to change, or a field is unknown or of the wrong type.
        """
        changes = {name: value for name, value in changes.items() if value is not UNSET}
        if not changes:
            raise InvalidFieldError(f"{cls.__name__}: nothing to change; pass the fields to change as keywords")
        names = {name: name for name in cls.model_fields}
        names |= {field.alias: name for name, field in cls.model_fields.items() if field.alias}
        # Assignment validates each field by itself, so a blank object stands in for the required fields left out.
        blank = cls.model_construct(_fields_set=set())
        problems: dict[str, list[str]] = {}
        for name, value in changes.items():
            if name not in names:
                problems[name] = [_FIELD_ERRORS["extra_forbidden"] + _suggestion(name, names)]
                continue
            try:
                setattr(blank, names[name], value)
            except InvalidFieldError as error:
                problems[name] = [text for texts in error.fields.values() for text in texts]
        if problems:
            raise _problems(cls, problems)
        return blank.to_wire()


def _suggestion(name: str, names: Iterable[str]) -> str:
    near = get_close_matches(name, list(names), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def _invalid(cls: type[BaseModel], error: ValidationError) -> InvalidFieldError:
    problems: dict[str, list[str]] = {}
    for item in error.errors(include_url=False, include_context=False):
        location = item["loc"]
        name = str(location[0]) if location else "value"
        text = _FIELD_ERRORS.get(item["type"])
        if text is None:
            inner = [str(part) for part in location[1:] if isinstance(part, int)]
            where = f" at index {', '.join(inner)}" if inner else ""
            message = item["msg"].removeprefix("Value error, ")
            text = f"{message[:1].lower()}{message[1:]}{where}"
        elif item["type"] == "extra_forbidden":
            text += _suggestion(name, cls.model_fields)
        messages = problems.setdefault(name, [])
        if text not in messages:
            messages.append(text)
    return _problems(cls, problems)


def _problems(cls: type[BaseModel], problems: Mapping[str, list[str]]) -> InvalidFieldError:
    lines = "; ".join(f"{name}: {', '.join(messages)}" for name, messages in problems.items())
    return InvalidFieldError(f"{cls.__name__} was not sent. {lines}", fields=dict(problems))


_REPR_WIDTH = 60
_SHOWN = 9
_SHOWN_FIRST = ("id", "nickname", "username", "name", "acronym", "subject", "start_time", "date_time", "number", "lab")


class Record(_Shape):
    """What a server answered: one record, or part of one.

    Values are what the server sent: date-times carry no time zone and nothing is converted. Fields that this version
    of the client does not know are kept, as attributes too.
    """

    model_config = ConfigDict(
        extra="allow", frozen=True, populate_by_name=True, defer_build=True, protected_namespaces=(), strict=True
    )

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        held = {"id": getattr(self, "id", None), **vars(self), **(self.model_extra or {})}
        names = dict.fromkeys((*_SHOWN_FIRST, *held))
        values = {name: held[name] for name in names if held.get(name) is not None and held[name] not in ("", [])}
        shown = list(values.items())[:_SHOWN]
        yield from ((name, _Abridged(value)) for name, value in shown)
        if len(values) > len(shown):
            yield None, _Abridged(...)

    __str__ = BaseModel.__repr__

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """Return the fields as a dictionary; the options are pydantic's."""
        options.setdefault("warnings", False)  # of a value that came in another type, a SchemaDriftWarning told
        return super().model_dump(**options)

    def model_dump_json(self, **options: Any) -> str:
        """Return the fields as JSON text; the options are pydantic's."""
        options.setdefault("warnings", False)
        return super().model_dump_json(**options)


class _Abridged:
    """A value whose ``repr`` is cut: records nest, and a notebook shows one a line."""

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def __repr__(self) -> str:
        if self._value is ...:
            return "..."
        value: Any = self._value
        if isinstance(value, list) and len(cast("Sequence[object]", value)) > 3:
            return f"[<{len(cast('Sequence[object]', value))} items>]"
        text = str(self._value) if isinstance(self._value, UUID) else repr(self._value)
        return text if len(text) <= _REPR_WIDTH else text[: _REPR_WIDTH - 1] + "…"


def key_of_url(url: str) -> str:
    """Return the lookup key that a record's URL ends in.

    Parameters
    ----------
    url
        The record's own address, as the server sends it.
    """
    return unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2])


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(map(_is_list, get_args(annotation)))


class WithIdInUrl(Record):
    """A record whose ``url`` ends in its UUID, which the server does not send by itself."""

    @property
    def id(self) -> UUID:
        """The record's UUID, read from the end of its ``url``."""
        url: object = cast("Any", self).url
        try:
            return UUID(key_of_url(cast("str", url)))
        except (ValueError, TypeError, AttributeError):
            raise AttributeError(f"this record has no id: its url is {url!r}") from None
