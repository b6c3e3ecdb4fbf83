"""The way in which a server takes tokens: the header, and the word before the token."""

from __future__ import annotations

import base64

from alyx_client.lazy_dataclasses import dataclass

__all__ = ["ALYX_TOKENS", "TokenScheme"]


@dataclass(frozen=True, slots=True)
class TokenScheme:
    """The way in which a server takes tokens.

    Parameters
    ----------
    word
        The word before the token (RFC 9110, section 11.1): ``Token``, ``Bearer``, ``Basic``; empty if there is none.
    header
        The header.
    """

    word: str = "Token"
    header: str = "Authorization"

    @property
    def is_basic(self) -> bool:
        """True if the user name and the password themselves are sent with each request (RFC 7617)."""
        return self.word.lower() == "basic"

    def fields(self, token: str) -> dict[str, str]:
        """Return the header field for a token."""
        return {self.header: f"{self.word} {token}" if self.word else token}

    def basic_token(self, username: str, password: str) -> str:
        """Return what stands for a user name and a password where there are no tokens."""
        return base64.b64encode(f"{username}:{password}".encode()).decode()

    def __str__(self) -> str:
        return f"{self.header}: {self.word} …" if self.word else f"{self.header}: …"


ALYX_TOKENS = TokenScheme()
"""The way in which Alyx takes tokens."""
