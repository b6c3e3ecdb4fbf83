"""Bodies checked as Django REST framework checks them, with its messages."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from alyx_client.testing.failures import ServerFailure, ValidationFailure
from alyx_client.testing.records.relations import CONTENT_APPS, Column, Relation, Table
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.records.tables import ONLY_SENT
from alyx_client.testing.schema.document import FieldSchema, ObjectSchema

_PATTERN_MESSAGES = {
    ("subjects", "nickname"): "Nicknames must only contain letters, numbers, hyphens and underscores. "
    "Dots are reserved for breeding subjects.",
    ("labs", "name"): "Lab name must only contain letters, numbers, and underscores.",
    ("users", "username"): "Enter a valid username. This value may contain only letters, numbers, and "
    "@/./+/-/_ characters.",
    ("revisions", "name"): "Revisions must only contain letters, numbers, hyphens, underscores and forward slashes.",
    ("data-formats", "file_extension"): "Invalid file extension, should start with a dot",
    ("data-repository", "hostname"): "Invalid hostname",
    ("files", "relative_path"): "Invalid path",
}
_DATE_HINT = "has wrong format. Use one of these formats instead:"
_TRUE: set[object] = {"t", "y", "yes", "true", "on", "1", True}
_FALSE: set[object] = {"f", "n", "no", "false", "off", "0", False}


class _Invalid(Exception):  # noqa: N818 - an outcome, not an error of ours
    """One field's error message."""


class Validator:
    """Checks what is sent to one table.

    Parameters
    ----------
    store, tables
        Where the records are and what they look like.
    table
        The table to be written.
    base_url
        This server's own address, for hyperlinks.
    """

    def __init__(self, store: Store, tables: Mapping[str, Table], table: str, base_url: str) -> None:
        self.store = store
        self.tables = tables
        self.table = tables[table]
        self.base_url = base_url

    def check(
        self, shape: ObjectSchema, data: object, *, partial: bool, current: Record | None = None
    ) -> dict[str, Any]:
        """Return the values of a body in stored form.

        Parameters
        ----------
        shape
            The fields that can be sent; read-only ones among them are ignored, as are unknown names.
        data
            The body, decoded.
        partial
            Whether required fields may be left out.
        current
            The record that is changed, or None for a new one.

        Raises
        ------
        ValidationFailure
            Messages by field.
        """
        if data is None:
            raise ValidationFailure({"non_field_errors": ["No data provided"]})
        if not isinstance(data, Mapping):
            kind = type(data).__name__
            raise ValidationFailure({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
        body: Mapping[str, Any] = data  # pyright: ignore[reportUnknownVariableType]
        values: dict[str, Any] = {}
        errors: dict[str, list[str]] = {}
        for name, field in shape.fields.items():
            if field.read_only or name == "url":
                continue
            if name not in body:
                if field.required and not partial:
                    errors[name] = ["This field is required."]
                continue
            try:
                values[name] = self._value(field, body[name])
                self._unique(name, values[name], current)
            except _Invalid as problem:
                errors[name] = [str(problem)]
        if errors:
            raise ValidationFailure(errors)
        return values

    def check_together(self, record: Mapping[str, Any], changed: Iterable[str], current: Record | None = None) -> None:
        """Check what must be unique in combination, on a record with its defaults filled in.

        Raises
        ------
        ValidationFailure
            Messages under ``non_field_errors``.
        """
        problems: list[str] = []
        for names in self.table.unique:
            wanted = [record.get(name) for name in names]
            if len(names) < 2 or None in wanted or not set(names) & set(changed):
                continue
            for other in self.store.related(self.table.table, names[0], wanted[0]):
                same = [other.get(name) for name in names] == wanted
                if same and (current is None or other["id"] != current["id"]):
                    problems.append(f"The fields {', '.join(names)} must make a unique set.")
                    break
        if problems:
            raise ValidationFailure({"non_field_errors": problems})

    def _value(self, field: FieldSchema, value: Any) -> Any:
        relation = self.table.relations.get(field.name) or ONLY_SENT.get((self.table.table, field.name))
        if value is None:
            if field.nullable:
                return None
            raise _Invalid("This field may not be null.")
        if isinstance(value, NotJSON):
            raise _Invalid("Value must be valid JSON.")
        if (self.table.table, field.name) == ("notes", "content_type"):
            return self._content_type(value)
        if (self.table.table, field.name) == ("notes", "image"):
            return self._image(value)
        if relation is not None:
            return self._relation(relation, value)
        labels = self.table.choices.get(field.name)
        if labels is not None:
            if value not in labels:
                raise _Invalid(f"Invalid {field.name}, choices are: {', '.join(labels)}")
            return labels[value]
        column = self.table.columns.get(field.name)
        if column is not None and column.kind == "json" and field.kind == "string":
            # A form's schema says text where what is kept is the JSON in it.
            return value
        return self._plain(field, value)

    def _plain(self, field: FieldSchema, value: Any) -> Any:
        if field.kind == "array":
            if not isinstance(value, (list, tuple)):
                raise _Invalid(f'Expected a list of items but got type "{type(value).__name__}".')
            return list(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        if field.kind == "boolean":
            return _boolean(value)
        if field.kind in ("integer", "number"):
            return self._number(field, value)
        if field.kind == "string":
            return self._text(field, value)
        return value

    def _text(self, field: FieldSchema, value: Any) -> Any:
        if field.format == "uuid":
            return _uuid(value)
        if field.format == "date":
            return _date(value)
        if field.format == "date-time":
            return _datetime(value)
        if isinstance(value, (bool, list, Mapping)):
            raise _Invalid("Not a valid string.")
        text = str(value).strip()
        if not text:
            # What must be unique together with something else is required, blank or not.
            combined = any(field.name in names for names in self.table.unique if len(names) > 1)
            if not field.may_be_blank and not combined:
                raise _Invalid("This field may not be blank.")
            return text
        if field.choices is not None and text not in field.choices:
            raise _Invalid(f'"{text}" is not a valid choice.')
        if field.max_length and len(text) > field.max_length:
            raise _Invalid(f"Ensure this field has no more than {field.max_length} characters.")
        if field.pattern and not re.search(field.pattern, text):
            message = _PATTERN_MESSAGES.get((self.table.table, field.name))
            raise _Invalid(message or "This value does not match the required pattern.")
        if field.format == "uri" and not re.match(r"(https?|ftps?)://[^\s/]+", text):
            raise _Invalid("Enter a valid URL.")
        if field.format == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
            raise _Invalid("Enter a valid email address.")
        return text

    def _number(self, field: FieldSchema, value: Any) -> int | float:
        text = str(value).strip()
        if field.kind == "integer":
            if not re.fullmatch(r"[-+]?\d+(\.0*)?", text):
                raise _Invalid("A valid integer is required.")
            number: int | float = int(text.split(".")[0])
        else:
            try:
                number = float(value)
            except (TypeError, ValueError):
                raise _Invalid("A valid number is required.") from None
        if field.choices is not None and number not in field.choices:
            raise _Invalid(f'"{value}" is not a valid choice.')
        if field.minimum is not None and number < field.minimum:
            raise _Invalid(f"Ensure this value is greater than or equal to {field.minimum:g}.")
        if field.maximum is not None and number > field.maximum:
            raise _Invalid(f"Ensure this value is less than or equal to {int(field.maximum)}.")
        return number

    def _relation(self, relation: Relation, value: Any) -> Any:
        if not relation.many:
            return self._key(relation, value)
        if not isinstance(value, (list, tuple)):
            raise _Invalid(f'Expected a list of items but got type "{type(value).__name__}".')
        return [self._key(relation, item) for item in value]  # pyright: ignore[reportUnknownVariableType]

    def _key(self, relation: Relation, value: Any) -> Any:
        if relation.form == "url":
            return self._hyperlink(relation, value)
        if isinstance(value, (bool, list, Mapping)):
            if relation.form == "key":
                kind = type(value).__name__  # pyright: ignore[reportUnknownArgumentType]
                raise _Invalid(f"Incorrect type. Expected pk value, received {kind}.")
            raise _Invalid("Invalid value.")
        if relation.slug != "id":
            found = self.store.find(relation.to, relation.slug, str(value))
        elif self.tables[relation.to].integer_key:
            if not re.fullmatch(r"-?\d+", str(value)):
                raise _Invalid("Invalid value.")
            found = self.store.get(relation.to, int(value))
        else:
            try:
                found = self.store.get(relation.to, str(uuid.UUID(str(value))))
            except ValueError:
                raise _Invalid(f"“{value}” is not a valid UUID.") from None
        if found is not None:
            return found["id"]
        if relation.form == "key":
            raise _Invalid(f'Invalid pk "{value}" - object does not exist.')
        raise _Invalid(f"Object with {relation.slug}={value} does not exist.")

    def _hyperlink(self, relation: Relation, value: Any) -> Any:
        if not isinstance(value, str):
            raise _Invalid(f"Incorrect type. Expected URL string, received {type(value).__name__}.")
        path = urlsplit(value).path
        prefix = f"/{relation.to}/"
        if not path.startswith(prefix) or not _is_uuid(path[len(prefix) :]):
            raise _Invalid("Invalid hyperlink - No URL match.")
        found = self.store.get(relation.to, unquote(path[len(prefix) :]))
        if found is None:
            raise _Invalid("Invalid hyperlink - Object does not exist.")
        return found["id"]

    def _content_type(self, value: Any) -> str:
        for table in self.tables.values():
            if table.app in CONTENT_APPS and value in (table.label, table.model.lower()):
                return table.label
        raise ServerFailure("ContentType matching query does not exist.")

    def _image(self, value: Any) -> Any:
        content = getattr(value, "content", None)
        if content is None:
            raise _Invalid("The submitted data was not a file. Check the encoding type on the form.")
        if not content.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")):
            raise _Invalid("Upload a valid image. The file you uploaded was either not an image or a corrupted image.")
        return value

    def _unique(self, name: str, value: Any, current: Record | None) -> None:
        if (name,) not in self.table.unique or value in (None, ""):
            return
        found = self.store.find(self.table.table, name, value)
        if found is None or (current is not None and found["id"] == current["id"]):
            return
        if name == "username":
            raise _Invalid("A user with that username already exists.")
        raise _Invalid(f"{self.table.verbose} with this {name.replace('_', ' ')} already exists.")


def decode_form(shape: ObjectSchema, table: Table, form: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Turn the fields of a form, of which each is text or a file, into a body."""
    body: dict[str, Any] = {}
    for name, values in form.items():
        field = shape.fields.get(name)
        relation = table.relations.get(name)
        if (field is not None and field.kind == "array") or (relation is not None and relation.many):
            body[name] = values
        elif _holds_json(field, table.columns.get(name)) and isinstance(values[-1], str):
            try:
                body[name] = json.loads(values[-1]) if values[-1] else None
            except ValueError:
                body[name] = NotJSON()
        else:
            body[name] = None if field is not None and field.nullable and values[-1] == "" else values[-1]
    return body


def _holds_json(field: FieldSchema | None, column: Column | None) -> bool:
    return (column is not None and column.kind == "json") or (field is not None and field.kind in ("any", "object"))


class NotJSON:
    """Stands for a form's text that should have been JSON."""


def _boolean(value: Any) -> bool:
    try:
        lowered = value.lower() if isinstance(value, str) else value
        if lowered in _TRUE:
            return True
        if lowered in _FALSE:
            return False
    except TypeError:
        pass
    raise _Invalid("Must be a valid boolean.")


def _uuid(value: Any) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise _Invalid("Must be a valid UUID.") from None


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _date(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", value.strip()):
        try:
            return date(*(int(part) for part in value.strip().split("-"))).isoformat()
        except ValueError:
            pass
    raise _Invalid(f"Date {_DATE_HINT} YYYY-MM-DD.")


def _datetime(value: Any) -> str:
    try:
        if isinstance(value, str):
            # Alyx keeps local times: a zone is converted away, and its own zone is UTC.
            moment = datetime.fromisoformat(value.strip())
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC).replace(tzinfo=None)
            return moment.isoformat()
    except ValueError:
        pass
    raise _Invalid(f"Datetime {_DATE_HINT} YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
