"""Observations at each location of the schema: types and counts, never a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from alyx_client.schema.openapi import Schema
from alyx_generator.probe.values import MAX_FIELDS, ValueShape, add_counts, format_of, is_encodable

Location = tuple[str | int, ...]
"""The location of a schema in the document: keys and indices from the root."""

_MAX_NAME_LENGTH = 100


@dataclass
class Observation:
    """The values that one operation returned at one location of the schema.

    Parameters
    ----------
    checked
        The number of values, or of objects that should have had one.
    valid
        The number of values of the declared type.
    mismatches
        The number of other values, by what they were: a JSON type, ``absent``, ``write-only``, ``undeclared``,
        ``format``, ``enum``, or ``media`` with a media type.
    shape
        The shape of the values of other types.
    extra_fields
        The fields of an object that the schema lacks.
    unnamed_fields
        The number of such fields whose keys are not field names.
    """

    checked: int = 0
    valid: int = 0
    mismatches: dict[str, int] = field(default_factory=dict[str, int])
    shape: ValueShape = field(default_factory=ValueShape)
    extra_fields: dict[str, ValueShape] = field(default_factory=dict[str, ValueShape])
    unnamed_fields: int = 0

    @property
    def contradicts(self) -> bool:
        """True if any value contradicts the schema."""
        return bool(self.mismatches or self.extra_fields or self.unnamed_fields)

    def add_mismatch(self, kind: str) -> None:
        """Count a value that contradicts the schema."""
        add_counts(self.mismatches, {kind: 1})

    def add_extra_field(self, name: str, value: Any) -> None:
        """Count a field that the schema lacks."""
        shape = self.extra_fields.get(name)
        if shape is None:
            # Names are stored until `forget_data_keys`; the limit bounds memory where keys are data.
            if len(self.extra_fields) >= 4 * MAX_FIELDS or format_of(name) or not _can_be_written(name):
                self.unnamed_fields += 1
                return
            shape = self.extra_fields[name] = ValueShape()
        shape.add(value)

    def forget_data_keys(self) -> None:
        """Forget the field names that may be data: those that a single object has, or that are too many."""
        self.shape.forget_single_objects()
        # If only one record was checked, its extra fields are all there is to go by.
        repeated = {name: shape for name, shape in self.extra_fields.items() if shape.count >= min(2, self.checked)}
        self.unnamed_fields += len(self.extra_fields) - len(repeated)
        if len(repeated) > MAX_FIELDS:
            self.unnamed_fields += len(repeated)
            repeated = {}
        self.extra_fields = repeated
        for shape in repeated.values():
            shape.forget_single_objects()

    def merge(self, other: Observation) -> None:
        """Add the observation of another operation."""
        self.checked += other.checked
        self.valid += other.valid
        self.unnamed_fields += other.unnamed_fields
        add_counts(self.mismatches, other.mismatches)
        self.shape.merge(other.shape)
        for name, shape in other.extra_fields.items():
            self.extra_fields.setdefault(name, ValueShape()).merge(shape)

    @classmethod
    def load(cls, content: Schema) -> Observation:
        """Return the observation that `dataclasses.asdict` has written."""
        return cls(
            content["checked"],
            content["valid"],
            dict(content["mismatches"]),
            ValueShape.load(content["shape"]),
            {name: ValueShape.load(shape) for name, shape in content["extra_fields"].items()},
            content["unnamed_fields"],
        )


def _can_be_written(name: str) -> bool:
    return len(name) <= _MAX_NAME_LENGTH and is_encodable(name)


Observations = dict[Location, Observation]
"""The observations of one operation."""
