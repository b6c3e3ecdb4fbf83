"""Validation of request bodies, with the messages of Django REST framework."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alyx_client.testing.failures import ServerFailure, ValidationFailure
from alyx_client.testing.records.field_validation import InvalidField, clean_image, clean_json, clean_value
from alyx_client.testing.records.form_data import NotJSON
from alyx_client.testing.records.json_values import is_object
from alyx_client.testing.records.relation_validation import RelatedFields
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.records.tables import WRITE_ONLY_RELATIONS
from alyx_client.testing.schema.document import FieldSchema, ObjectSchema

# Fields that Alyx declares as optional, and that a validator of several fields requires afterwards.
_REQUIRED_LATE = {("insertions", "session"), ("tasks", "session"), ("channels", "trajectory_estimate")}
_NEVER_BLANK = {("subjects", "nickname")}


class Validator:
    """Validates what is sent to one table.

    Parameters
    ----------
    store, tables
        The records and their description.
    table
        The table to be written.
    """

    def __init__(self, store: Store, tables: Mapping[str, Table], table: str) -> None:
        self.store = store
        self.tables = tables
        self.table = tables[table]
        self._related = RelatedFields(store, tables)

    def validate(self, schema: ObjectSchema, body: object, *, partial: bool, current: Record | None = None) -> Record:
        """Return the values of a body in stored form.

        Parameters
        ----------
        schema
            The fields that can be sent; read-only ones are ignored, as are unknown names.
        body
            The decoded body.
        partial
            Accept a body without the required fields.
        current
            The record that is changed, or None for a new one.

        Raises
        ------
        ValidationFailure
            Messages by field.
        """
        if body is None:
            raise ValidationFailure({"non_field_errors": ["No data provided"]})
        if not is_object(body):
            kind = type(body).__name__
            raise ValidationFailure({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
        values: Record = {}
        errors: dict[str, list[str]] = {}
        late_errors: dict[str, list[str]] = {}
        for name, field in schema.fields.items():
            if field.read_only or name == "url":
                continue
            if name not in body:
                if field.required and not partial:
                    is_late = (self.table.name, name) in _REQUIRED_LATE
                    (late_errors if is_late else errors)[name] = ["This field is required."]
                continue
            try:
                values[name] = self._value(field, body[name])
                self._check_unique(name, values[name], current)
            except InvalidField as problem:
                errors[name] = [str(problem)]
        if errors or late_errors:
            raise ValidationFailure(errors or late_errors)
        return values

    def validate_together(self, record: Record, changed: Iterable[str], current: Record | None = None) -> None:
        """Check the columns that must be unique together, on a record with its defaults filled in.

        Raises
        ------
        ValidationFailure
            Messages under ``non_field_errors``.
        """
        changed_names = set(changed)
        errors = [
            f"The fields {', '.join(names)} must make a unique set."
            for names in self.table.unique
            if len(names) > 1 and changed_names.intersection(names) and self._is_taken(names, record, current)
        ]
        if errors:
            raise ValidationFailure({"non_field_errors": errors})

    def _is_taken(self, names: tuple[str, ...], record: Record, current: Record | None) -> bool:
        values = [record.get(name) for name in names]
        # In SQL, null is not equal to null: it never violates uniqueness.
        if None in values:
            return False
        return any(
            [other.get(name) for name in names] == values and (current is None or other["id"] != current["id"])
            for other in self.store.related(self.table.name, names[0], values[0])
        )

    def _value(self, field: FieldSchema, value: object) -> object:
        relation = self.table.relations.get(field.name) or WRITE_ONLY_RELATIONS.get((self.table.name, field.name))
        # DRF reads empty text as null where another record is named.
        if value is None or (value == "" and relation is not None and not relation.many):
            if field.nullable:
                return None
            raise InvalidField("This field may not be null.")
        if isinstance(value, NotJSON):
            raise InvalidField("Value must be valid JSON.")
        if self.table.name == "notes" and field.name in ("content_type", "image"):
            return self._content_type(value) if field.name == "content_type" else clean_image(value)
        if relation is not None:
            return self._related.clean(relation, value)
        if field.name in self.table.choices:
            return self._choice(field.name, value)
        if self._is_json(field.name) and field.kind != "array":
            # Also of text: in a CoreAPI document, a JSON field is a string, the text of its JSON.
            return clean_json(value)
        return clean_value(self.table.name, field, value, allow_blank=self._may_be_blank(field))

    def _may_be_blank(self, field: FieldSchema) -> bool:
        # DRF makes the fields of a UniqueTogetherValidator required even if the model allows blank text, and the
        # schema does not tell such a field from one that must not be blank.
        in_unique_set = any(field.name in names for names in self.table.unique if len(names) > 1)
        return (field.may_be_blank or in_unique_set) and (self.table.name, field.name) not in _NEVER_BLANK

    def _is_json(self, name: str) -> bool:
        column = self.table.columns.get(name)
        return column is not None and column.kind == "json"

    def _choice(self, name: str, value: object) -> int:
        # Alyx's BaseSerializerEnumField accepts the exact labels alone, not the numbers it stores.
        choices = self.table.choices[name]
        if not isinstance(value, str) or value not in choices:
            raise InvalidField(f"Invalid {name}, choices are: {', '.join(choices)}")
        return choices[value]

    def _content_type(self, value: object) -> str:
        for table in self.tables.values():
            if table.matches_content_type(value):
                return table.content_type
        # Alyx looks the content type up itself, outside of the validation.
        raise ServerFailure("ContentType matching query does not exist.")

    def _check_unique(self, name: str, value: object, current: Record | None) -> None:
        if (name,) not in self.table.unique or value in (None, ""):
            return
        other = self.store.find(self.table.name, name, value)
        if other is None or (current is not None and other["id"] == current["id"]):
            return
        if name == "username":
            raise InvalidField("A user with that username already exists.")
        verbose_name = self.table.verbose_name or self.table.model.lower()
        raise InvalidField(f"{verbose_name} with this {name.replace('_', ' ')} already exists.")
