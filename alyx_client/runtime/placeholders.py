"""Texts that stand for keys of records that are not created yet.

A placeholder is a UUID of version 8 (RFC 9562), which no server assigns by itself, so that it fits wherever a key does,
and is recognised wherever it is. It names the write that creates the record, and the field that is to be sent.
"""

from __future__ import annotations

import os
import re
from functools import cache

from alyx_client.errors import InvalidKeyError
from alyx_client.http.message import Request
from alyx_client.lazy_dataclasses import dataclass

__all__ = ["FIELDS", "Placeholder", "find_placeholders", "new_token", "refuse_placeholders"]

_PREFIX = "a17e0b0c-"
_BYTES = _PREFIX.encode()
FIELDS = ("id", "nickname", "name", "username", "acronym", "url")
"""The fields by which records are referred to; their order must not change, since placeholders are stored."""


def new_token() -> str:
    """Return a name for a write that no other has."""
    return os.urandom(10).hex()


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder, taken apart.

    Parameters
    ----------
    token
        The write that creates the record.
    field
        The field of the record that is to be sent.
    """

    token: str
    field: str

    def __str__(self) -> str:
        t = self.token
        return f"{_PREFIX}{t[:4]}-8{t[4:7]}-a{t[7:10]}-{t[10:]}{FIELDS.index(self.field):02x}"


def find_placeholders(text: str) -> list[Placeholder]:
    """Return the placeholders in a text, each once, in order."""
    found: dict[str, Placeholder] = {}
    for match in _pattern().finditer(text):
        number = int(match[5], 16)
        if number < len(FIELDS):
            found[match[0]] = Placeholder("".join(match.group(1, 2, 3, 4)), FIELDS[number])
    return list(found.values())


@cache
def _pattern() -> re.Pattern[str]:
    # Compiled by those who have an outbox.
    return re.compile(
        rf"{_PREFIX}([0-9a-f]{{4}})-8([0-9a-f]{{3}})-a([0-9a-f]{{3}})-([0-9a-f]{{10}})([0-9a-f]{{2}})(?![0-9a-f])"
    )


def refuse_placeholders(request: Request) -> None:
    """Refuse a request that refers to a record that is not created yet.

    Raises
    ------
    InvalidKeyError
        It has a placeholder.
    """
    values = [value for _, value in (*request.params, *request.form)] if request.params or request.form else []
    if (
        _PREFIX in request.path
        or (request.json is not None and _BYTES in request.json)
        or any(_PREFIX in value for value in values)
    ):
        raise InvalidKeyError(
            f"{request.endpoint}.{request.action}() was not sent: it refers to a record that waits in the outbox. Pass "
            "it to client.outbox.write(...), or send the outbox first and use the key of client.outbox[receipt]."
        )
