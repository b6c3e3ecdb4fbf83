"""Where the tokens of one server are kept between runs: a file that its owner alone can read, or the keyring."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from alyx_client.auth.token import is_token
from alyx_client.errors import AlyxWarning
from alyx_client.http.log import logger, warn
from alyx_client.storage.atomic import alone, write_private

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
        with alone(self.file):
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
        content = read_secret(_SERVICE, self.base_url)
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
        if write_secret(_SERVICE, self.base_url, _pack(tokens, self.base_url)):
            return file.remove()
        # What is to be forgotten must not live on in a file from before the keyring was asked for.
        file.change(lambda old: {user: token for user, token in old.items() if tokens.get(user) == token})


def read_secret(service: str, name: str) -> str | None:
    """Read a secret from the system's keyring; None where there is none, or, with a warning, no working keyring."""
    try:
        found: object = _keyring().get_password(service, name)
    except Exception as error:  # Each keyring raises what it likes.
        _warn_about(error)
        return None
    return found if isinstance(found, str) else None


def write_secret(service: str, name: str, secret: str) -> bool:
    """Write a secret to the system's keyring; returns whether it is kept there, and warns if not."""
    try:
        _keyring().set_password(service, name, secret)
    except Exception as error:  # Each keyring raises what it likes.
        _warn_about(error)
        return False
    return True


def _keyring() -> Any:
    return import_module("keyring")


def _warn_about(error: Exception) -> None:
    if isinstance(error, ImportError):
        reason = 'it needs another package: pip install "alyx-client[keyring]"'
    else:
        # What a keyring says is not shown, for it might quote what it was given.
        reason = f"it failed with {type(error).__name__}"
    warn(f"The settings ask for the system's keyring, but {reason}. Nothing is kept there.", AlyxWarning)


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
