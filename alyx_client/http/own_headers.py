"""Header fields that a user's own gateway asks for: checked, sent to the client's server alone, and shown nowhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any, cast

from alyx_client.http.arguments import require

__all__ = ["OwnHeaders"]

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # a token, RFC 9110, section 5.6.2
_VALUE = r"[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?"
# The client's own fields, those of the connection, and those by which the server would take the user for another one.
_RESERVED = frozenset(
    {
        *("accept", "accept-encoding", "authorization", "connection", "content-encoding", "content-length"),
        *("content-type", "cookie", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("proxy-connection", "range", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
    }
)


class OwnHeaders:
    """Header fields for one server; their values are secrets.

    Parameters
    ----------
    headers
        Values by name; None for none.

    Raises
    ------
    TypeError
        It is not a mapping of text to text.
    ValueError
        A name is none of a header, or one that the client sets; or a value cannot be sent. No value is quoted.
    """

    __slots__ = ("_values",)

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        require("headers", headers, (Mapping, NoneType), "a dictionary of names and values")
        self._values: dict[str, str] = {}
        try:
            fields = [] if headers is None else list(cast("Mapping[Any, Any]", headers).items())
        except Exception as error:  # of the caller's own mapping
            raise TypeError(f"headers: the fields of a {type(headers).__name__} cannot be read.") from error
        for name, value in fields:
            self._values[_checked_name(name, self._values)] = _checked_value(name, value)

    def leave_to_client(self, header: str) -> None:
        """Check that a header that the client sets is not among the fields.

        Raises
        ------
        ValueError
            It is.
        """
        for name in self._values:
            if name.lower() == header.lower():
                raise ValueError(f"headers: {name} is set by the client; pass token= for it")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._values.items())

    def __bool__(self) -> bool:
        return bool(self._values)

    @property
    def digest(self) -> bytes:
        """A digest of the fields, by which responses to requests with others are told apart; empty for none."""
        if not self._values:
            return b""
        fields = sorted((name.lower(), value) for name, value in self._values.items())
        return hashlib.blake2b(repr(fields).encode(), digest_size=16).digest()

    def __repr__(self) -> str:
        return f"OwnHeaders({', '.join(self._values)})"

    def __getstate__(self) -> dict[str, str]:
        return dict(self._values)

    def __setstate__(self, state: dict[str, str]) -> None:
        self._values = state


def _checked_name(name: object, others: Mapping[str, str]) -> str:
    if not isinstance(name, str):
        raise TypeError(f"headers: a name must be text, not a {type(name).__name__}")
    if not re.fullmatch(_NAME, name):
        raise ValueError(f"headers: {name!r} is not the name of a header")
    if name.lower() in _RESERVED:
        hint = "; pass token= for it" if name.lower() == "authorization" else ""
        raise ValueError(f"headers: {name} is set by the client{hint}")
    if name.lower() in map(str.lower, others):
        raise ValueError(f"headers: {name} is there twice, in different cases")
    return name


def _checked_value(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"headers: the value of {name} must be text, not a {type(value).__name__}")
    # Line ends would start another header; other characters have no agreed encoding (RFC 9110, section 5.5).
    if not re.fullmatch(_VALUE, value):
        raise ValueError(
            f"headers: the value of {name} is empty, or has other characters than visible ASCII and blanks"
        )
    return value
