"""Parameters of the services, which are JSON values or their text."""

from __future__ import annotations

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.records.json_values import is_object, is_sequence
from alyx_client.testing.records.store import Record
from alyx_client.testing.views.requests import ApiRequest


def service_fields(request: ApiRequest) -> Record:
    """Return the fields of a body, which Alyx's services take for an object without a check.

    Raises
    ------
    ServerFailure
        It is not; the message is Python's.
    """
    if request.form is None and not is_object(request.body):
        raise ServerFailure(f"'{type(request.body).__name__}' object has no attribute 'get'")
    return request.fields()


def split_words(value: object) -> list[str]:
    """Return the words of a list or of comma-separated text."""
    if isinstance(value, str):
        return value.split(",")
    return [str(item) for item in value] if is_sequence(value) else []


def value_per_file(value: object, count: int, *, repeat: bool = False) -> list[object]:
    """Return one value for every file, from a list, comma-separated text, or one text for all."""
    if value is None:
        return [None] * count
    if is_sequence(value):
        return list(value)
    if not isinstance(value, str):
        return [value]
    words: list[object] = [*value.split(",")]
    return words * count if repeat and len(words) == 1 else words


def is_true(value: object) -> bool:
    """Tell whether a value, or the text of a Python boolean, is true."""
    return value == "True" if isinstance(value, str) else bool(value)
