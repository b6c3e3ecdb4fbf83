"""Who may log in to a local Alyx, and with which tokens."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Mapping

from alyx_client.testing.failures import Failure
from alyx_client.testing.records.store import Record, Store


class Accounts:
    """Passwords and tokens; users without a password have an account that only a token opens.

    Parameters
    ----------
    store
        The records, users among them.
    passwords
        Passwords by user name.
    lasting
        Whether the tokens are the same in every run. Where the records are not, they must differ: a client files the
        answers that it keeps under the token, and would give those of records that are gone.
    """

    def __init__(self, store: Store, passwords: Mapping[str, str], *, lasting: bool = False) -> None:
        self.store = store
        self._lasting = lasting
        self._salt = "" if lasting else secrets.token_hex()
        self.passwords = dict(passwords)
        self._lock = threading.Lock()
        self._generation: dict[str, int] = {}

    def token(self, username: str) -> str:
        """Return the present token of a user."""
        with self._lock:
            return self._token(username)

    def revoke(self, token: str) -> None:
        """Make a token invalid; its user gets another one at the next log in."""
        owner = self._owner(token)
        with self._lock:
            if owner is not None:
                username = owner["username"]
                self._generation[username] = self._generation.get(username, 0) + 1

    def reset(self) -> None:
        """Forget what was revoked; tokens that do not last are replaced."""
        with self._lock:
            self._generation.clear()
            self._salt = "" if self._lasting else secrets.token_hex()

    def log_in(self, username: str, password: str) -> str | None:
        """Return a token, or None where user name and password do not fit."""
        if self.passwords.get(username) != password or self.store.find("users", "username", username) is None:
            return None
        return self.token(username)

    def authenticate(self, header: str | None) -> Record | None:
        """Return the user that an ``Authorization`` header names; None where there is no token in it.

        Raises
        ------
        Failure
            A token that is malformed or not valid.
        """
        words = (header or "").split()
        if not words or words[0].lower() != "token":
            return None
        if len(words) == 1:
            raise Failure(403, {"detail": "Invalid token header. No credentials provided."})
        if len(words) > 2:
            raise Failure(403, {"detail": "Invalid token header. Token string should not contain spaces."})
        owner = self._owner(words[1])
        if owner is None:
            raise Failure(403, {"detail": "Invalid token."})
        return owner

    def _owner(self, token: str) -> Record | None:
        for user in self.store.rows("users"):
            with self._lock:
                if self._token(user["username"]) == token:
                    return user
        return None

    def _token(self, username: str) -> str:
        generation = self._generation.get(username, 0)
        return hashlib.sha1(f"{username}:{generation}{self._salt}".encode(), usedforsecurity=False).hexdigest()
