"""Types, formats and shapes of JSON values."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from alyx_client.schema.openapi import Schema, as_list, as_schema

MAX_FIELDS = 60
"""How many fields an object may have before its keys are taken for data."""

# Keys of another form (dates, UUIDs, sentences) are data.
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_DATE_TIME = re.compile(_DATE.pattern + r"[Tt ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?")
_JSON_TYPES: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def json_type(value: object) -> str:
    """Return the JSON type of a decoded value."""
    return _JSON_TYPES[type(value)]


def has_format(text: str, name: str) -> bool:
    """Return whether a string has a format; true for formats that are not checked."""
    if name == "uuid":
        try:
            # UUID also accepts braces, prefixes and missing hyphens.
            return str(UUID(text)) == text.lower()
        except ValueError:
            return False
    pattern = {"date": _DATE, "date-time": _DATE_TIME}.get(name)
    return pattern is None or pattern.fullmatch(text) is not None


def format_of(text: str) -> str:
    """Return the format of a string: ``uuid``, ``date``, ``date-time``, or an empty string."""
    return next((name for name in ("uuid", "date", "date-time") if has_format(text, name)), "")


def is_encodable(text: str) -> bool:
    """Return whether a string can be encoded: JSON may hold lone surrogates, which no URL and no file can."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def add_counts(counts: dict[str, int], other: dict[str, int]) -> None:
    """Add the counts of another dictionary."""
    for name, count in other.items():
        counts[name] = counts.get(name, 0) + count


def _is_field_name(text: str) -> bool:
    return _FIELD_NAME.fullmatch(text) is not None and not format_of(text)


@dataclass
class ValueShape:
    """The types and structure of values that the schema does not describe.

    Parameters
    ----------
    types
        The number of values of each JSON type.
    formats
        The number of strings of each recognised format.
    items
        The shape of the items of arrays.
    fields
        The shapes of the fields of objects, if all objects had the same ones. Otherwise the keys may be data, and are
        not stored.
    """

    types: dict[str, int] = field(default_factory=dict[str, int])
    formats: dict[str, int] = field(default_factory=dict[str, int])
    items: ValueShape | None = None
    fields: dict[str, ValueShape] | None = None

    @property
    def count(self) -> int:
        """The number of values."""
        return sum(self.types.values())

    def add(self, value: Any, depth: int = 6) -> None:
        """Add a value.

        Parameters
        ----------
        value
            A decoded JSON value.
        depth
            The number of levels below it to describe.
        """
        value_type = json_type(value)
        add_counts(self.types, {value_type: 1})
        if value_type == "string":
            add_counts(self.formats, {format_of(value): 1})
        elif value_type == "array" and depth:
            for item in as_list(value):
                self.items = self.items or ValueShape()
                self.items.add(item, depth - 1)
        elif value_type == "object" and depth:
            self._add_fields(as_schema(value), depth)

    def _add_fields(self, fields: Schema, depth: int) -> None:
        if self.types["object"] == 1:
            has_field_names = 0 < len(fields) <= MAX_FIELDS and all(map(_is_field_name, fields))
            self.fields = {name: ValueShape() for name in fields} if has_field_names else None
        elif self.fields is not None and set(self.fields) != set(fields):
            self.fields = None
        for name, shape in (self.fields or {}).items():
            shape.add(fields[name], depth - 1)

    def forget_single_objects(self) -> None:
        """Forget the keys of an object that was the only one: without a second one, a key may be data."""
        if self.types.get("object", 0) < 2:
            self.fields = None
        for shape in (self.items, *(self.fields or {}).values()):
            if shape is not None:
                shape.forget_single_objects()

    def merge(self, other: ValueShape) -> None:
        """Add the values of another shape."""
        self._merge_fields(other)
        add_counts(self.types, other.types)
        add_counts(self.formats, other.formats)
        if other.items is not None:
            self.items = self.items or ValueShape()
            self.items.merge(other.items)

    def _merge_fields(self, other: ValueShape) -> None:
        if not other.types.get("object"):
            return
        if not self.types.get("object"):
            self.fields = copy.deepcopy(other.fields)
        elif self.fields is not None:
            if other.fields is None or set(other.fields) != set(self.fields):
                self.fields = None
                return
            for name, shape in self.fields.items():
                shape.merge(other.fields[name])

    @classmethod
    def load(cls, content: Schema) -> ValueShape:
        """Return the shape that `dataclasses.asdict` has written."""
        items, fields = content["items"], content["fields"]
        return cls(
            dict(content["types"]),
            dict(content["formats"]),
            None if items is None else cls.load(items),
            None if fields is None else {name: cls.load(shape) for name, shape in fields.items()},
        )
