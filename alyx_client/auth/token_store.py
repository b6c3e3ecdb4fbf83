"""Where the tokens of one server are kept between runs: a file that its owner alone can read, or the keyring."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Protocol, cast

from alyx_client.auth.token import is_token
from alyx_client.errors import AlyxWarning
from alyx_client.http.log import logger, warn
from alyx_client.storage.atomic import write_private
from alyx_client.storage.keyring import KeyringUnavailableError, read_secret, write_secret
from alyx_client.storage.lock import exclusive_lock

_SERVICE = "alyx-client"


class TokenStore(Protocol):
    """Keeps tokens by user; who logged in last stands last. The user of a token may be unknown: ``""``."""

    def read(self) -> dict[str, str]:
        """Return the tokens; what is missing or damaged counts as none."""
        ...

    def change(self, change: Callable[[dict[str, str]], Mapping[str, str]]) -> None:
        """Keep what becomes of the present tokens; a store that cannot be written is no error."""
        ...


def token_store(base_url: str, *, keyring: bool) -> TokenStore:
    """Return the store of a server's tokens.

    Parameters
    ----------
    base_url
        The server.
    keyring
        Whether the system's keyring is used instead of a file.
    """
    return KeyringStore(base_url) if keyring else FileStore(base_url)


class FileStore:
    """Keeps tokens in a file of mode 0600.

    Parameters
    ----------
    base_url
        The server.
    """

    def __init__(self, base_url: str) -> None:
        import platformdirs

        self.base_url = base_url
        name = re.sub(r"[^\w.-]+", "_", base_url)
        self.file = platformdirs.user_config_path("alyx-client") / "tokens" / f"{name}.json"

    def read(self) -> dict[str, str]:
        """Return the tokens; what is missing or damaged counts as none."""
        try:
            return _unpack(self.file.read_bytes(), self.base_url)
        except OSError:
            return {}

    def change(self, change: Callable[[dict[str, str]], Mapping[str, str]]) -> None:
        """Keep what becomes of the present tokens; a folder that cannot be written is no error."""
        with exclusive_lock(self.file):
            present = self.read()
            wanted = change(dict(present))
            # The order counts, too: who logged in last stands last.
            if list(wanted.items()) != list(present.items()):
                self._write(wanted)

    def _write(self, tokens: Mapping[str, str]) -> None:
        try:
            write_private(self.file, _pack(tokens, self.base_url))
        except OSError as error:
            logger.info("the token file %s was not written: %s", self.file, error.strerror)

    def remove(self) -> None:
        """Delete the file."""
        try:
            self.file.unlink(missing_ok=True)
        except OSError as error:
            logger.info("the token file %s was not removed: %s", self.file, error.strerror)


class KeyringStore:
    """Keeps tokens in the system's keyring; where that fails, nowhere, with a warning.

    Tokens in this server's file move to the keyring when they are first looked for.

    Parameters
    ----------
    base_url
        The server.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def read(self) -> dict[str, str]:
        """Return the tokens; what is missing or damaged counts as none."""
        try:
            content = read_secret(_SERVICE, self.base_url)
        except KeyringUnavailableError as error:
            warn(str(error), AlyxWarning)
            content = None
        if content is not None:
            return _unpack(content.encode("utf-8", "replace"), self.base_url)
        old = FileStore(self.base_url).read()
        if old:
            self._write(old)
        return old

    def change(self, change: Callable[[dict[str, str]], Mapping[str, str]]) -> None:
        """Keep what becomes of the present tokens; a keyring that cannot be written gives a warning."""
        present = self.read()
        wanted = change(dict(present))
        if list(wanted.items()) != list(present.items()):
            self._write(wanted)

    def _write(self, tokens: Mapping[str, str]) -> None:
        file = FileStore(self.base_url)
        try:
            write_secret(_SERVICE, self.base_url, _pack(tokens, self.base_url))
            return file.remove()
        except KeyringUnavailableError as error:
            warn(str(error), AlyxWarning)
        # What is to be forgotten must not live on in a file from before the keyring was asked for.
        file.change(lambda old: {user: token for user, token in old.items() if tokens.get(user) == token})


def _pack(tokens: Mapping[str, str], base_url: str) -> str:
    return json.dumps({"server": base_url, "tokens": dict(tokens)}, indent=1)


def _unpack(content: bytes, base_url: str) -> dict[str, str]:
    try:
        packed: object = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(packed, dict):
        return {}
    named = cast("dict[str, object]", packed)
    tokens = named.get("tokens")
    # Two addresses may share a file's name, so the file says itself whose tokens it holds.
    if named.get("server") != base_url or not isinstance(tokens, dict):
        return {}
    pairs = cast("dict[str, object]", tokens).items()
    return {name: token for name, token in pairs if isinstance(token, str) and is_token(token)}
