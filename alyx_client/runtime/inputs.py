"""Types of the values to send, and the mark of a field that was left out."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Self
from uuid import UUID

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetPydanticSchema
from pydantic_core import CoreSchema

__all__ = ["UNSET", "DateInput", "DateTimeInput", "UUIDInput", "ZonedDateTimeInput"]


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
"""The value of a field that was left out: it is not sent, which differs from null and from a default."""


def _as(kind: type) -> GetPydanticSchema:
    """Validate as one type, while type checkers see the wider annotation beside it."""

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
            "has a time zone, but Alyx stores local times without one and would shift it to UTC; "
            "pass the time as it should be stored, for instance .replace(tzinfo=None)"
        )
    return value


DateTimeInput = Annotated[datetime | str, _as(datetime), BeforeValidator(_naive_datetime)]
"""A date-time to send: a naive `datetime`, or ISO 8601 text."""
ZonedDateTimeInput = Annotated[datetime | str, _as(datetime), BeforeValidator(_date_or_text)]
"""A date-time to send to a server other than Alyx: a `datetime`, with a time zone or without, or ISO 8601 text."""
DateInput = Annotated[date | str, _as(date), BeforeValidator(_date_or_text)]
"""A date to send: a `date`, or ISO 8601 text."""
UUIDInput = Annotated[UUID | str, _as(UUID)]
"""A UUID to send: a `UUID`, or its text."""
