"""The parameters of one list request, and the validation of typed ones."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from alyx_client.testing.failures import ValidationFailure
from alyx_client.testing.filters.lookups import Predicate, compile_filter, with_two_digits
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.store import Record, Store

_MAX_NUMBER = 1e50  # of django-filter's NumberFilter
FilterType = Literal["text", "uuid", "number", "boolean", "datetime", "date", "uuids"]

_MESSAGES: dict[FilterType, str] = {
    "uuid": "Enter a valid UUID.",
    "uuids": "Enter a valid UUID.",
    "number": "Enter a number.",
    "datetime": "Enter a valid date/time.",
    "date": "Enter a valid date.",
}


@dataclass(frozen=True)
class FieldFilter:
    """A filter by a Django look-up path, with the type of its value."""

    path: str
    type: FilterType = "text"


@dataclass(frozen=True)
class ListQuery:
    """One list request: the records, their description, and the query parameters as they were received."""

    store: Store
    tables: Mapping[str, Table]
    table: str
    parameters: Mapping[str, Sequence[str]]

    def last(self, name: str) -> str:
        """Return the value of a parameter; like Django, the last of several, without the space around it."""
        return self.parameters[name][-1].strip()

    def lookup(self, path: str, value: object) -> Predicate:
        """Return the predicate of a Django look-up path."""
        return compile_filter(self.store, self.tables, self.table, path, value)


def _number(name: str, text: str) -> float:
    number = float(text)
    if math.isfinite(number) and abs(number) <= _MAX_NUMBER:
        return number
    # Django takes "nan" and "inf" for words, and 1e400 for a number that is too large.
    if re.fullmatch(r"[-+]?(nan|inf(inity)?)", text.strip(), re.IGNORECASE):
        raise ValueError(text)
    raise ValidationFailure({name: ["Ensure this value is less than or equal to 1e+50."]})


FilterMethod = Callable[[ListQuery, str], Predicate]
"""A filter with a method of its own: takes the request and the parameter's value."""


def accept_all(_row: Record) -> bool:
    """Select every row, as a filter with an empty value does."""
    return True


def clean(name: str, type: FilterType, value: str) -> object:
    """Validate the value of a typed filter; None means that the filter does not apply.

    Raises
    ------
    ValidationFailure
        The value is not of the type; the message is Django's.
    """
    try:
        match type:
            case "uuid":
                return str(uuid.UUID(value))
            case "uuids":
                return [str(uuid.UUID(item)) for item in value.split(",")]
            case "number":
                return _number(name, value)
            case "datetime":
                return datetime.fromisoformat(with_two_digits(value)).isoformat()
            case "date":
                return date.fromisoformat(with_two_digits(value)).isoformat()
            case "boolean":
                # django-filter's BooleanFilter ignores every other text.
                return {"true": True, "false": False}.get(value.lower())
            case "text":
                return value
    except ValueError:
        raise ValidationFailure({name: [_MESSAGES[type]]}) from None
