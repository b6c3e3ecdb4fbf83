"""What a token is, and by what one may be told from another without showing it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from alyx_client.errors import MissingCredentialsError


def is_token(text: str) -> bool:
    """Tell whether a text can be a token: visible ASCII characters alone."""
    return re.fullmatch(r"[\x21-\x7e]+", text) is not None


def clean_token(token: str | Mapping[str, str], source: str) -> str:
    """Take the blanks off a token that somebody passed.

    Parameters
    ----------
    token
        The token; or the server's answer as ONE keeps it, ``{"token": ...}``.
    source
        Where it was, for the message.

    Raises
    ------
    MissingCredentialsError
        It cannot be a token.
    """
    text: object = token.get("token") if isinstance(token, Mapping) else token
    text = text.strip() if isinstance(text, str) else ""
    if not is_token(text):
        raise MissingCredentialsError(
            f"The token in {source} is empty or has spaces or characters that no token has; copy it again."
        )
    return text


def identity(token: str) -> str:
    """Return a digest that stands for whoever has this token: 32 hexadecimal digits.

    Answers that are kept are filed under it, so that one user never gets what another was answered.
    """
    return hashlib.sha256(token.encode()).hexdigest()[:32]
