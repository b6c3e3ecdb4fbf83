"""Errors about the fields of a resource, which name all of them and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ValidationError

from alyx_client.errors import InvalidFieldError
from alyx_client.http.arguments import shown
from alyx_client.http.suggestions import nearest
from alyx_client.runtime.closed_sets import nearest_value

__all__ = ["field_problems", "invalid_fields", "unknown_field"]


def unknown_field(name: str, names: Iterable[str]) -> str:
    """Return what is wrong with a field that a model does not have, with the name that was probably meant."""
    similar = nearest(name, names, count=1)
    return "is not a field that can be sent" + (f" (did you mean {similar[0]}?)" if similar else "")


def _nearest(value: object, expected: str) -> str:
    """Return the value, and the one of a closed set that was probably meant, from pydantic's list of them."""
    meant = nearest_value(value, re.findall("'([^']*)'", expected))
    return f", not {shown(value)}" + ("" if meant is None else f" (did you mean {meant!r}?)")


def invalid_fields(cls: type[BaseModel], error: ValidationError) -> InvalidFieldError:
    """Return the error that names all fields that pydantic refused, with hints for misspelled ones."""
    problems: dict[str, list[str]] = {}
    for item in error.errors(include_url=False):
        location = item["loc"]
        name = str(location[0]) if location else "value"
        if item["type"] == "missing":
            text = "is missing"
        elif item["type"] == "extra_forbidden":
            text = unknown_field(name, cls.model_fields)
        else:
            indexes = [str(part) for part in location[1:] if isinstance(part, int)]
            place = f" at index {', '.join(indexes)}" if indexes else ""
            message = item["msg"].removeprefix("Value error, ")
            text = f"{message[:1].lower()}{message[1:]}{place}"
            if item["type"] == "literal_error":
                text += _nearest(item["input"], str(item.get("ctx", {}).get("expected")))
        messages = problems.setdefault(name, [])
        if text not in messages:
            messages.append(text)
    return field_problems(cls, problems)


def field_problems(cls: type[BaseModel], problems: Mapping[str, list[str]]) -> InvalidFieldError:
    """Return the error for fields that were not sent, from the problems of each."""
    lines = "; ".join(f"{name}: {', '.join(messages)}" for name, messages in problems.items())
    return InvalidFieldError(f"{cls.__name__} was not sent. {lines}", fields=dict(problems))
