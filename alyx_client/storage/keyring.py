"""Secrets in the operating system's keyring, through the optional package ``keyring``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["KeyringUnavailableError", "read_secret", "write_secret"]


class KeyringUnavailableError(Exception):
    """The keyring is not installed or failed; the message is written for users and quotes no secret."""

    def __init__(self, cause: Exception) -> None:
        if isinstance(cause, ImportError):
            reason = 'it needs another package: pip install "alyx-client[keyring]"'
        else:
            # The backend's own message is withheld: it might quote the secret.
            reason = f"it failed with {type(cause).__name__}"
        super().__init__(f"The settings ask for the system's keyring, but {reason}. Nothing is stored there.")


def read_secret(service: str, name: str) -> str | None:
    """Read a secret; None if there is none.

    Parameters
    ----------
    service, name
        The entry, as the keyring names it.

    Raises
    ------
    KeyringUnavailableError
        There is no working keyring.
    """
    try:
        secret: object = _keyring().get_password(service, name)
    except Exception as error:  # keyring backends raise exceptions of any type
        raise KeyringUnavailableError(error) from error
    return secret if isinstance(secret, str) else None


def write_secret(service: str, name: str, secret: str) -> None:
    """Store a secret, replacing the entry's former one.

    Parameters
    ----------
    service, name
        The entry, as the keyring names it.
    secret
        The secret.

    Raises
    ------
    KeyringUnavailableError
        There is no working keyring.
    """
    try:
        _keyring().set_password(service, name, secret)
    except Exception as error:  # keyring backends raise exceptions of any type
        raise KeyringUnavailableError(error) from error


def _keyring() -> Any:
    # Imported on use: it is an optional dependency, and slow to import.
    return import_module("keyring")
