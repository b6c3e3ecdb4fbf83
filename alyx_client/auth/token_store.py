"""Storage of tokens between sessions, in a file that only its owner can read or in the system's keyring."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Protocol

from alyx_client.auth.token import is_token
from alyx_client.errors import AlyxWarning
from alyx_client.http.json_body import as_object, decode_or_none
from alyx_client.http.log import logger, warn
from alyx_client.storage.atomic import write_private
from alyx_client.storage.file_system import foreign_access, read_regular_file, user_folder
from alyx_client.storage.keyring import KeyringUnavailableError, read_secret, write_secret
from alyx_client.storage.lock import exclusive_lock

_SERVICE = "alyx-client"

TokenUpdate = Callable[[dict[str, str]], Mapping[str, str]]
"""Makes the new tokens from a copy of the stored ones."""


class TokenStore(Protocol):
    """The stored tokens of one server, by user; the user who logged in last comes last.

    A token whose user is unknown is stored under the empty string.
    """

    def read(self) -> dict[str, str]:
        """Return the tokens; a missing or damaged store is empty."""
        ...

    def update(self, function: TokenUpdate) -> None:
        """Replace the stored tokens by what a function makes of them; a store that cannot be written is no error."""
        ...


def token_store(base_url: str, *, keyring: bool) -> TokenStore:
    """Return the token store of a server.

    Parameters
    ----------
    base_url
        The server.
    keyring
        Whether to use the system's keyring instead of a file.
    """
    return KeyringStore(base_url) if keyring else FileStore(base_url)


class FileStore:
    """Stores tokens in a file of mode 0600.

    Parameters
    ----------
    base_url
        The server.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        name = re.sub(r"[^\w.-]+", "_", base_url)
        self.file = user_folder("config") / "tokens" / f"{name}.json"

    def read(self) -> dict[str, str]:
        """Return the tokens; a missing or damaged file is empty, and one that others may have written is ignored."""
        try:
            # A token of somebody else's choice would make this user's writes that user's.
            access = foreign_access(self.file)
            if access is not None:
                warn(
                    f"The tokens in {self.file} are ignored: {access}. Log in again to replace the file, or make it "
                    "yours alone (chmod 600) if you trust its content.",
                    AlyxWarning,
                )
                return {}
            return _decode(read_regular_file(self.file), self.base_url)
        except OSError:
            return {}

    def update(self, function: TokenUpdate) -> None:
        """Replace the stored tokens by what a function makes of them; a folder that cannot be written is no error."""
        # Another process may log in at the same time: reading and writing under one lock loses neither token.
        with exclusive_lock(self.file):
            _update(self, function)

    def write(self, tokens: Mapping[str, str]) -> None:
        """Write the tokens; a folder that cannot be written is no error."""
        try:
            write_private(self.file, _encode(tokens, self.base_url))
        except OSError as error:
            logger.info("the token file %s was not written: %s", self.file, error.strerror)

    def remove(self) -> None:
        """Delete the file; a file that cannot be deleted is no error."""
        try:
            self.file.unlink(missing_ok=True)
        except OSError as error:
            logger.info("the token file %s was not removed: %s", self.file, error.strerror)


class KeyringStore:
    """Stores tokens in the system's keyring; if that fails they are not stored, and a warning says so.

    The tokens of this server's token file move to the keyring when they are first read.

    Parameters
    ----------
    base_url
        The server.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def read(self) -> dict[str, str]:
        """Return the tokens; a missing or damaged entry is empty."""
        try:
            content = read_secret(_SERVICE, self.base_url)
        except KeyringUnavailableError as error:
            warn(str(error), AlyxWarning)
            content = None
        if content is not None:
            return _decode(content.encode("utf-8", "replace"), self.base_url)
        # The keyring was enabled after the last login: move what the file contains.
        tokens = FileStore(self.base_url).read()
        if tokens:
            self.write(tokens)
        return tokens

    def update(self, function: TokenUpdate) -> None:
        """Replace the stored tokens by what a function makes of them; warns if the keyring cannot be written."""
        _update(self, function)

    def write(self, tokens: Mapping[str, str]) -> None:
        """Write the tokens; warns if the keyring cannot be written."""
        file = FileStore(self.base_url)
        try:
            write_secret(_SERVICE, self.base_url, _encode(tokens, self.base_url))
            return file.remove()
        except KeyringUnavailableError as error:
            warn(str(error), AlyxWarning)
        # A token removed here must not survive in a file written before the keyring was enabled.
        file.update(lambda stored: {user: token for user, token in stored.items() if tokens.get(user) == token})


def _update(store: FileStore | KeyringStore, function: TokenUpdate) -> None:
    tokens = store.read()
    updated = function(dict(tokens))
    # Equal dictionaries may differ in their order, which says who logged in last.
    if list(updated.items()) != list(tokens.items()):
        store.write(updated)


def _encode(tokens: Mapping[str, str], base_url: str) -> str:
    return json.dumps({"server": base_url, "tokens": dict(tokens)}, indent=1)


def _decode(content: bytes, base_url: str) -> dict[str, str]:
    document = as_object(decode_or_none(content))
    # The file's name is ambiguous (`/a` and `_a` are the same in it), so that the content names the server as well.
    if document.get("server") != base_url:
        return {}
    tokens = as_object(document.get("tokens"))
    return {user: token for user, token in tokens.items() if isinstance(token, str) and is_token(token)}
