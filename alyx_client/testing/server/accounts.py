"""Accounts of a local Alyx: passwords, and the tokens they are exchanged for."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Mapping

from alyx_client.testing.failures import Failure
from alyx_client.testing.records.store import Record, Store


class Accounts:
    """Passwords and tokens; the account of a user without a password accepts only a token.

    Parameters
    ----------
    store
        The records, which include the users.
    passwords
        Passwords by user name.
    persistent
        Use the same tokens in every run. If the records do not persist, tokens must not either: a client stores
        responses under a fingerprint of the token, and would return those of records that no longer exist.
    """

    def __init__(self, store: Store, passwords: Mapping[str, str], *, persistent: bool = False) -> None:
        self.store = store
        self._persistent = persistent
        self._salt = "" if persistent else secrets.token_hex()
        self.passwords = dict(passwords)
        self._lock = threading.Lock()
        self._generations: dict[str, int] = {}

    def token(self, username: str) -> str:
        """Return the current token of a user."""
        with self._lock:
            return self._token(username)

    def revoke(self, token: str) -> None:
        """Invalidate a token; its user gets another one at the next login."""
        owner = self._owner(token)
        with self._lock:
            if owner is not None:
                username = owner["username"]
                self._generations[username] = self._generations.get(username, 0) + 1

    def reset(self) -> None:
        """Undo revocations; tokens that are not persistent are replaced."""
        with self._lock:
            self._generations.clear()
            self._salt = "" if self._persistent else secrets.token_hex()

    def log_in(self, username: str, password: str) -> str | None:
        """Return a token, or None if user name and password do not match."""
        if self.passwords.get(username) != password or self.store.find("users", "username", username) is None:
            return None
        return self.token(username)

    def authenticate(self, header: str | None) -> Record | None:
        """Return the user of an ``Authorization`` header, or None if it has no token.

        Raises
        ------
        Failure
            The token is malformed or not valid.
        """
        words = (header or "").split()
        # Like DRF's TokenAuthentication, leave other schemes to other authenticators.
        if not words or words[0].lower() != "token":
            return None
        if len(words) == 1:
            raise Failure(403, {"detail": "Invalid token header. No credentials provided."})
        if len(words) > 2:
            raise Failure(403, {"detail": "Invalid token header. Token string should not contain spaces."})
        try:
            # Headers arrive as Latin-1, and DRF decodes them as UTF-8.
            words[1].encode("latin-1").decode()
        except UnicodeError:
            detail = "Invalid token header. Token string should not contain invalid characters."
            raise Failure(403, {"detail": detail}) from None
        owner = self._owner(words[1])
        if owner is None:
            # 403 rather than 401: Alyx's first authenticator has no `WWW-Authenticate` challenge.
            raise Failure(403, {"detail": "Invalid token."})
        return owner

    def _owner(self, token: str) -> Record | None:
        for user in self.store.rows("users"):
            with self._lock:
                if self._token(user["username"]) == token:
                    return user
        return None

    def _token(self, username: str) -> str:
        generation = self._generations.get(username, 0)
        return hashlib.sha1(f"{username}:{generation}{self._salt}".encode(), usedforsecurity=False).hexdigest()
