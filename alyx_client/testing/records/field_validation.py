"""Validation of single values: text, numbers, booleans, dates, UUIDs, images."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.records.json_values import is_sequence
from alyx_client.testing.schema.document import FieldSchema

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
# The texts that DRF's BooleanField accepts.
_TRUE: set[object] = {"t", "y", "yes", "true", "on", "1", True}
_FALSE: set[object] = {"f", "n", "no", "false", "off", "0", False}
_SURROGATES = re.compile("[\ud800-\udfff]")
_IMAGE_SIGNATURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF")


class InvalidField(Exception):  # noqa: N818 - caught by the validator, never an error of this package
    """One field's error message."""


def clean_value(table: str, field: FieldSchema, value: object, *, allow_blank: bool) -> object:
    """Return a value in stored form, by the type and constraints of its field.

    Raises
    ------
    InvalidField
        The value is not valid; the message is that of Django REST framework or of the model's validator.
    """
    if field.kind == "array":
        if not is_sequence(value):
            raise InvalidField(f'Expected a list of items but got type "{type(value).__name__}".')
        return list(value)
    if field.kind == "boolean":
        return _clean_boolean(value)
    if field.kind in ("integer", "number"):
        return _clean_number(field, value)
    if field.kind == "string":
        # DRF has classes of its own for these, with other messages than CharField.
        formats = {"uuid": _clean_uuid, "date": _clean_date, "date-time": _clean_datetime}
        if field.format in formats:
            return formats[field.format](value)
        return _clean_text(table, field, value, allow_blank)
    return value


def clean_image(value: object) -> object:
    """Return an uploaded image.

    Raises
    ------
    InvalidField
        The value is not a file, or the file is not an image.
    """
    content = getattr(value, "content", None)
    if content is None:
        raise InvalidField("The submitted data was not a file. Check the encoding type on the form.")
    if not content.startswith(_IMAGE_SIGNATURES):
        raise InvalidField("Upload a valid image. The file you uploaded was either not an image or a corrupted image.")
    return value


def clean_json(value: object) -> object:
    """Return the value of a JSON field.

    Raises
    ------
    InvalidField
        It contains a number that JSON lacks.
    ServerFailure
        It contains a character that the database refuses.
    """
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        raise InvalidField("Value must be valid JSON.") from None
    if re.search(r"(?<!\\)(\\\\)*\\u0000", text):
        raise ServerFailure("unsupported Unicode escape sequence")
    if has_surrogates(json.dumps(value, ensure_ascii=False)):
        raise ServerFailure("invalid input syntax for type json")
    return value


def has_surrogates(text: str) -> bool:
    """Tell whether a text contains half of a pair of code units, which is no character."""
    return _SURROGATES.search(text) is not None


def is_uuid(text: str) -> bool:
    """Tell whether a text is a UUID."""
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _clean_text(table: str, field: FieldSchema, value: object, allow_blank: bool) -> str:
    if isinstance(value, bool | list | Mapping):
        raise InvalidField("Not a valid string.")
    # DRF's CharField accepts numbers, and trims white space.
    text = str(value).strip()
    if not text:
        if not allow_blank:
            raise InvalidField("This field may not be blank.")
        return text
    if field.choices is not None and text not in field.choices:
        raise InvalidField(f'"{text}" is not a valid choice.')
    if field.max_length and len(text) > field.max_length:
        raise InvalidField(f"Ensure this field has no more than {field.max_length} characters.")
    if field.pattern and not re.search(field.pattern, text):
        message = _PATTERN_MESSAGES.get((table, field.name))
        raise InvalidField(message or "This value does not match the required pattern.")
    if "\0" in text:
        raise InvalidField("Null characters are not allowed.")
    if has_surrogates(text):
        raise InvalidField(f"Surrogate characters are not allowed: U+{ord(_SURROGATES.findall(text)[0]):X}.")
    _check_format(field.format, text)
    return text


def _check_format(format: str | None, text: str) -> None:
    if format == "uri" and not re.match(r"(https?|ftps?)://[^\s/]+", text):
        raise InvalidField("Enter a valid URL.")
    if format == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
        raise InvalidField("Enter a valid email address.")


def _clean_number(field: FieldSchema, value: object) -> int | float:
    number = _integer(value) if field.kind == "integer" else _float(value)
    if field.choices is not None and number not in field.choices:
        raise InvalidField(f'"{value}" is not a valid choice.')
    if field.minimum is not None and number < field.minimum:
        raise InvalidField(f"Ensure this value is greater than or equal to {field.minimum:g}.")
    if field.maximum is not None and number > field.maximum:
        raise InvalidField(f"Ensure this value is less than or equal to {int(field.maximum)}.")
    return number


def _integer(value: object) -> int:
    text = str(value).strip()
    # DRF strips trailing zero decimals: 3.0 is an integer.
    if not re.fullmatch(r"[-+]?\d+(\.0*)?", text):
        raise InvalidField("A valid integer is required.")
    return int(text.split(".")[0])


def _float(value: object) -> float:
    if not isinstance(value, int | float | str):
        raise InvalidField("A valid number is required.")
    try:
        return float(value)
    except ValueError:
        raise InvalidField("A valid number is required.") from None


def _clean_boolean(value: object) -> bool:
    lowered = value.lower() if isinstance(value, str) else value
    if isinstance(lowered, str | int | float):
        if lowered in _TRUE:
            return True
        if lowered in _FALSE:
            return False
    raise InvalidField("Must be a valid boolean.")


def _clean_uuid(value: object) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise InvalidField("Must be a valid UUID.") from None


def _clean_date(value: object) -> str:
    # `date.fromisoformat` refuses months and days of one digit, which Django accepts.
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}", value.strip()):
        try:
            return date(*(int(part) for part in value.strip().split("-"))).isoformat()
        except ValueError:
            pass
    raise InvalidField(f"Date {_DATE_HINT} YYYY-MM-DD.")


def _clean_datetime(value: object) -> str:
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
            # Alyx runs with USE_TZ = False: a time with a zone is converted to the server's own, here UTC.
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC).replace(tzinfo=None)
            return moment.isoformat()
    except OverflowError:
        raise InvalidField("Datetime value out of range.") from None
    except ValueError:
        pass
    raise InvalidField(f"Datetime {_DATE_HINT} YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
