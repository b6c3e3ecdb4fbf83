"""What every client is made of: the address, the transport and the record of drift.

The generated clients derive from these and add the endpoints.
"""

from __future__ import annotations

import os
import ssl
from typing import Any, Self

from alyx_client.address import normalise_base_url
from alyx_client.credentials import Credentials
from alyx_client.drift import DriftLog
from alyx_client.errors import MissingCredentialsError
from alyx_client.log import configure
from alyx_client.messages import Request, Response
from alyx_client.retry import Retries
from alyx_client.transport import AsyncTransport, SyncTransport, Transport

__all__ = ["AsyncBaseClient", "BaseClient"]


class _Client:
    """A client of one Alyx server.

    Making one contacts nothing: the first call logs in. It works with or without ``with``, from several threads, after
    a fork, and it can be pickled for worker processes (the pickle holds the token and the password).

    Parameters
    ----------
    base_url
        The server, for instance ``https://alyx.example.org``; by default ``ALYX_URL``.
    username, password
        The login; by default ``ALYX_USERNAME`` and ``ALYX_PASSWORD``, then ONE's, then a prompt.
    token
        A token, which makes a login unnecessary; by default ``ALYX_TOKEN``, then the one that was kept at the last
        login.
    silent
        Never prompt.
    strict
        Raise `SchemaDriftError` where an answer differs from its declaration, instead of warning.
    connect_timeout, read_timeout
        Seconds to wait for a connection, and for each next part of an answer.
    retries
        How often and how patiently a failed request is sent again.
    verify
        True: the operating system's trust store; False: no check of certificates; or a context of your own.

    Raises
    ------
    MissingCredentialsError
        Neither the argument nor ``ALYX_URL`` names a server.
    ValueError
        The address is not one.
    """

    def __init__(
        self,
        base_url: str | None = None,
        username: str | None = None,
        password: str | None = None,
        *,
        token: str | None = None,
        silent: bool = False,
        strict: bool = False,
        connect_timeout: float = 10.0,
        read_timeout: float = 120.0,
        retries: Retries | None = None,
        verify: bool | ssl.SSLContext = True,
    ) -> None:
        configure()
        address = base_url or os.environ.get("ALYX_URL")
        if not address:
            raise MissingCredentialsError(
                "Which server? Pass its address, as in AlyxClient('https://alyx.example.org'), or set ALYX_URL."
            )
        address = normalise_base_url(address)
        self._connect(
            address,
            Credentials(address, username, password, token, silent),
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries=retries,
            verify=verify,
        )
        self.drift = DriftLog(strict=strict)

    def _connect(self, address: str, credentials: Credentials, **settings: Any) -> None:
        raise NotImplementedError

    def _settings(self) -> Transport:
        raise NotImplementedError

    @property
    def base_url(self) -> str:
        """The server's address."""
        return self._settings().base_url

    def __repr__(self) -> str:
        user = self._settings().credentials.username
        return f"{type(self).__name__}({self.base_url!r}{f', user {user}' if user else ''})"


class BaseClient(_Client):  # noqa: D101 - the next line says it
    __doc__ = _Client.__doc__

    def _connect(self, address: str, credentials: Credentials, **settings: Any) -> None:
        self._transport = SyncTransport(address, credentials, **settings)

    def _settings(self) -> Transport:
        return self._transport

    def send(self, request: Request) -> Response:
        """Send a request as it is, with the token; what the endpoints' methods do.

        Raises
        ------
        AlyxError
            There is no answer, or one that is not 2xx.
        """
        return self._transport.send(request)

    def close(self) -> None:
        """Close the connections; another call opens new ones."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncBaseClient(_Client):  # noqa: D101 - the next line says it
    __doc__ = _Client.__doc__

    def _connect(self, address: str, credentials: Credentials, **settings: Any) -> None:
        self._transport = AsyncTransport(address, credentials, **settings)

    def _settings(self) -> Transport:
        return self._transport

    async def send(self, request: Request) -> Response:
        """Send a request as it is, with the token; what the endpoints' methods do.

        Raises
        ------
        AlyxError
            There is no answer, or one that is not 2xx.
        """
        return await self._transport.send(request)

    async def aclose(self) -> None:
        """Close the connections; another call opens new ones."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
