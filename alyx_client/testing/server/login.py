"""The body of a login, validated as by Django REST framework's ``AuthTokenSerializer``."""

from __future__ import annotations

from alyx_client.testing.failures import ValidationFailure
from alyx_client.testing.records.field_validation import InvalidField, clean_value
from alyx_client.testing.records.json_values import is_object
from alyx_client.testing.schema.document import FieldSchema
from alyx_client.testing.views.requests import ApiRequest


def read_credentials(request: ApiRequest) -> tuple[str, str]:
    """Return the user name and the password that a request contains.

    Raises
    ------
    ValidationFailure
        Messages by field.
    """
    body = request.fields() if request.form is not None else request.body
    if body is None:
        raise ValidationFailure({"non_field_errors": ["No data provided"]})
    if not is_object(body):
        kind = type(body).__name__
        raise ValidationFailure({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {kind}."]})
    texts: dict[str, str] = {}
    errors: dict[str, list[str]] = {}
    for name in ("username", "password"):
        try:
            texts[name] = _text(name, body)
        except InvalidField as problem:
            errors[name] = [str(problem)]
    if errors:
        raise ValidationFailure(errors)
    return texts["username"], texts["password"]


def _text(name: str, body: dict[str, object]) -> str:
    if name not in body:
        raise InvalidField("This field is required.")
    value = body[name]
    if value is None:
        raise InvalidField("This field may not be null.")
    text = str(clean_value("", FieldSchema(name, "string"), value, allow_blank=False))
    # Of a password, the space around it is part.
    return str(value) if name == "password" else text
