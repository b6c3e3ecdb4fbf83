"""Token validation, and a one-way fingerprint of a token."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TypeVar

from alyx_client.errors import MissingCredentialsError


class Secret(str):
    """A password or token that its repr does not show, and so no traceback that shows local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


T = TypeVar("T")

_PASSWORD_ROUNDS = 200_000  # about a tenth of a second


def hide(value: T) -> T | Secret:
    """Return a text as a `Secret`, and any other value as it is."""
    return Secret(str.__str__(value)) if isinstance(value, str) else value


def is_token(text: str) -> bool:
    """Check whether a text can be a token, which consists of visible ASCII characters."""
    return re.fullmatch(r"[\x21-\x7e]+", text) is not None


def clean_token(token: str | Mapping[str, object], source: str) -> str:
    """Validate a token and strip the blanks around it.

    Parameters
    ----------
    token
        The token; or the server's response as ONE stores it, ``{"token": ...}``.
    source
        Where the token comes from, for the message.

    Raises
    ------
    MissingCredentialsError
        The text is not a token. The message does not quote it, since it may be a secret with a typing error.
    """
    text: object = token.get("token") if isinstance(token, Mapping) else token
    cleaned = Secret(text.strip() if isinstance(text, str) else "")
    if not is_token(cleaned):
        raise MissingCredentialsError(
            f"The token in {source} is empty, or contains spaces or characters that no token has; copy it again."
        )
    return cleaned


def identity(token: str, *, is_password: bool = False) -> str:
    """Return a digest that identifies the holder of this token, of 32 hexadecimal digits.

    Cached responses are stored under it, so that no user is served another user's responses.

    Parameters
    ----------
    token
        The token.
    is_password
        Whether it is a user name and a password, which could be found by trial.
    """
    if is_password:
        return hashlib.pbkdf2_hmac("sha256", token.encode(), b"alyx-client", _PASSWORD_ROUNDS).hex()[:32]
    # 128 bits rule out collisions; tokens have 160 random bits, so that the digest cannot be reversed by trial.
    return hashlib.sha256(token.encode()).hexdigest()[:32]
