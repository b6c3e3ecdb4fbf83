"""The values of setup: its options, and the outcome of its login."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field

from alyx_client.lazy_dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SetupOptions:
    """Settings that are known before the first prompt; those that are None are prompted for.

    Parameters
    ----------
    url
        The server.
    username, password, token
        The login, with a password or a token.
    data_server, data_username, data_password
        The server of data files, and the login there.
    cache_dir
        The folder for data files.
    keyring
        Whether secrets go to the system's keyring.
    default
        Whether this becomes the server that ``AlyxClient()`` connects to.
    """

    url: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | Mapping[str, str] | None = field(default=None, repr=False)
    data_server: str | None = None
    data_username: str | None = None
    data_password: str | None = field(default=None, repr=False)
    cache_dir: str | os.PathLike[str] | None = None
    keyring: bool | None = None
    default: bool | None = None


@dataclass(frozen=True, slots=True)
class LoginOutcome:
    """The user who logged in, and the token; both None if the login was postponed.

    Parameters
    ----------
    user
        The user, also of a postponed login.
    token
        The token.
    """

    user: str | None = None
    token: str | None = field(default=None, repr=False)
