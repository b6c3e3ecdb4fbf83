"""A client's connection to its server: settings, transport, cache and login, with and without asyncio."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.login import LoginState, authenticate, log_out
from alyx_client.auth.state import AuthState
from alyx_client.auth.token import identity
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.config.data_server import DataServer
from alyx_client.config.settings import find_settings
from alyx_client.errors import AlyxError, OfflineError
from alyx_client.http.cache.policy import ResponseCache
from alyx_client.http.flow import Flow, Send, Sender, adrive, drive
from alyx_client.http.log import configure
from alyx_client.http.message import Request, Response
from alyx_client.http.retry import Retries
from alyx_client.http.transport import AsyncTransport, SyncTransport
from alyx_client.http.url import refuse_foreign
from alyx_client.rest.calls import RestCalls
from alyx_client.runtime.drift import DriftLog

__all__ = ["AsyncConnection", "Connection", "SyncConnection"]

T = TypeVar("T")


class Connection:
    """A client of one Alyx server.

    Making one contacts nothing: the first call logs in. It works with or without ``with``, from several threads, after
    a fork, and it can be pickled for worker processes (the pickle holds the token and the password).

    Parameters
    ----------
    base_url
        The server, for instance ``https://alyx.example.org``; by default ``ALYX_URL``, then the one that was set up,
        then ONE's.
    username, password
        The login; by default ``ALYX_USERNAME`` and ``ALYX_PASSWORD``, then the settings, then ONE's, then a prompt.
    cache_dir
        Where data files go, and below it the answers that are kept; by default ``ALYX_CACHE_DIR``, then the settings,
        then ONE's.
    silent
        Never prompt, and show no progress.
    cache_rest
        Which answers are kept and given again: ``"GET"``; None for none; ``"*"`` for those of every method.
    stay_logged_in
        Whether the token is kept for the next time.
    token
        A token, which makes a login unnecessary; by default ``ALYX_TOKEN``, then the one that was kept at the last
        login.
    data_server
        Where data files come from: an address or several, or `alyx_client.config.DataServer` with a login; by default
        ``ALYX_DATA_SERVER``, then the settings, then ONE's.
    offline
        Answer from the cache alone, and refuse what it does not have.
    strict
        Raise `SchemaDriftError` where an answer differs from its declaration, instead of warning.
    strict_filters
        Whether `rest` refuses filters that the server does not declare.
    connect_timeout, read_timeout
        Seconds to wait for a connection, and for each next part of an answer.
    retries
        How often and how patiently a failed request is sent again.
    verify
        True: the operating system's trust store; False: no check of certificates; or a context of your own.

    Raises
    ------
    MissingCredentialsError
        No server is named anywhere.
    ConfigurationError
        The settings file cannot be read.
    ValueError
        The address is not one, or `cache_rest` is none of the three.
    """

    silent: bool
    drift: DriftLog
    _transport: Any  # a SyncTransport or an AsyncTransport
    _surface: ClassVar[str | None] = None  # the package whose schema's surface the client carries
    _preserved_fields: ClassVar[Mapping[str, Sequence[str]]] = {}  # fields that PATCH loses, by endpoint; see RestCalls

    def __init__(
        self,
        base_url: str | None = None,
        username: str | None = None,
        password: str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        silent: bool = False,
        cache_rest: str | None = "GET",
        stay_logged_in: bool = True,
        *,
        token: str | None = None,
        data_server: str | DataServer | Sequence[str | DataServer] | None = None,
        offline: bool = False,
        strict: bool = False,
        strict_filters: bool = True,
        connect_timeout: float = 10.0,
        read_timeout: float = 120.0,
        retries: Retries | None = None,
        verify: bool | ssl.SSLContext = True,
    ) -> None:
        configure()
        settings = find_settings(base_url, username=username, cache_dir=cache_dir, data_server=data_server)
        self._settings = settings
        self._cache_dir = settings.cache_dir
        self._caching = ResponseCache(settings.rest_cache_dir, settings.base_url, mode=cache_rest, offline=offline)
        self._calls = RestCalls(
            settings.base_url, strict_filters=strict_filters, preserved_fields=self._preserved_fields
        )
        credentials = Credentials(
            settings.base_url, username, password, token, silent, store=None if stay_logged_in else False
        )
        self._auth = AuthState(credentials)
        self._connect(
            TokenAuth(self._auth),
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries=retries,
            verify=verify,
        )
        self.silent = silent
        self._verify = verify
        self.drift = DriftLog(strict=strict, package=self._surface, server=self.base_url)

    def _connect(self, auth: TokenAuth, **settings: Any) -> None:
        raise NotImplementedError

    @classmethod
    def setup(
        cls,
        url: str | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        data_server: str | None = None,
        data_username: str | None = None,
        data_password: str | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        keyring: bool | None = None,
        default: bool | None = None,
        silent: bool = False,
        verify: bool | ssl.SSLContext = True,
    ) -> Self | None:
        """Ask for a server's settings once, try them, and keep them: then ``AlyxClient()`` alone connects.

        Parameters
        ----------
        url
            The server.
        username, password, token
            The login, with a password or a token. The token is kept; the password never.
        data_server, data_username, data_password
            Where data files come from, and the login there.
        cache_dir
            Where data files go.
        keyring
            Whether the token goes to the system's keyring, which takes the extra ``keyring``.
        default
            Whether this becomes the server that ``AlyxClient()`` connects to.
        silent
            Ask nothing: what is not passed stays as it is.
        verify
            As for the client.

        Returns
        -------
        AlyxClient, AsyncAlyxClient or None
            A client of the server; None where the settings were not to be written.

        Raises
        ------
        MissingCredentialsError
            Nobody can be asked, and no server was passed.
        AuthenticationError
            The login was refused.
        ConfigurationError
            The present settings cannot be read, or the questions were not answered to the end.
        """
        from alyx_client.auth.prompt import Prompter
        from alyx_client.auth.setup import SetupOptions, run_setup

        def connect(address: str) -> Sender:
            transport = SyncTransport(address, TokenAuth(AuthState(Credentials(address, silent=True))), verify=verify)
            return lambda step: transport.send(step.request, token=step.token)

        options = SetupOptions(
            url=url,
            username=username,
            password=password,
            token=token,
            data_server=data_server,
            data_username=data_username,
            data_password=data_password,
            cache_dir=cache_dir,
            keyring=keyring,
            default=default,
        )
        settings = run_setup(options, connect, Prompter.for_session(silent=silent))
        return None if settings is None else cls(settings.base_url, silent=silent, verify=verify)

    @property
    def base_url(self) -> str:
        """The server's address."""
        return self._settings.base_url

    @property
    def cache_dir(self) -> Path:
        """Where data files go; may be set, and is made then."""
        return self._cache_dir

    @cache_dir.setter
    def cache_dir(self, folder: str | os.PathLike[str]) -> None:
        chosen = Path(folder).expanduser().absolute()
        chosen.mkdir(parents=True, exist_ok=True)
        self._cache_dir = chosen

    @property
    def cache_mode(self) -> str | None:
        """Which answers are kept and given again: ``"GET"``, ``"*"`` or None; may be set."""
        return self._caching.mode

    @cache_mode.setter
    def cache_mode(self, mode: str | None) -> None:
        self._caching.mode = mode

    @property
    def default_expiry(self) -> timedelta:
        """How long an answer is given again without asking the server; may be set."""
        return self._caching.default_expiry

    @default_expiry.setter
    def default_expiry(self, expiry: timedelta) -> None:
        self._caching.default_expiry = expiry

    @property
    def offline(self) -> bool:
        """Whether the cache alone answers; may be set."""
        return self._caching.offline

    @offline.setter
    def offline(self, offline: bool) -> None:
        self._caching.offline = offline

    @property
    def user(self) -> str | None:
        """The user's name, as far as it is known without asking the server."""
        return self._auth.user

    @property
    def is_logged_in(self) -> LoginState:
        """Whether there is a token that the server has not refused; ``is_logged_in()`` works too."""
        return LoginState(self._auth.is_logged_in)

    def clear_rest_cache(self) -> None:
        """Forget the answers of this server that were kept."""
        self._caching.clear()

    def __repr__(self) -> str:
        user = self.user
        return f"{type(self).__name__}({self.base_url!r}{f', user {user}' if user else ''})"

    def _refuse_login_offline(self) -> None:
        if self.offline:
            raise OfflineError("The client is offline, so it cannot log in. Set client.offline = False first.")

    def _identity(self) -> str | None:
        """Return whose answers may be given: an opaque name made of the token; None before the login."""
        token = self._auth.known_token()
        return None if token is None else identity(token)


class SyncConnection(Connection):
    """A connection whose calls block."""

    _transport: SyncTransport

    def _connect(self, auth: TokenAuth, **settings: Any) -> None:
        self._transport = SyncTransport(self.base_url, auth, **settings)

    def send(self, request: Request, *, expires: timedelta | bool | None = None, clobber: bool = False) -> Response:
        """Send a request as it is, with the token, unless the cache answers it; what the endpoints' methods do.

        Parameters
        ----------
        request
            What to send.
        expires
            How long the answer may be given again; True: not at all; by default `default_expiry`.
        clobber
            Whether the server is asked in any case.

        Raises
        ------
        AlyxError
            There is no answer, or one that is not 2xx.
        """
        refuse_foreign(request, self.base_url)
        user, name = self._identity(), self.user
        call = self._caching.begin(request, user, username=name, expires=expires, bypass_cache=clobber)
        try:
            if call.response is not None:
                return call.response
            return call.store(self._transport.send(request, fail_fast=call.fail_fast), self._identity())
        except AlyxError as error:
            return call.fallback(error)
        finally:
            call.close()

    def run(self, flow: Flow[T]) -> T:
        """Run a flow in this thread; its requests go through the cache, as those of `send` do.

        Parameters
        ----------
        flow
            A call of an endpoint, written without I/O.

        Raises
        ------
        AlyxError
            A request failed, unless the flow handles it.
        """
        return drive(flow, lambda step: self.send(step.request, expires=step.expires, clobber=step.bypass_cache))

    def authenticate(
        self,
        username: str | None = None,
        password: str | None = None,
        cache_token: bool = True,
        force: bool = False,
        token: str | Mapping[str, str] | None = None,
    ) -> None:
        """Log in now; until that has succeeded, everything stays as it was.

        Parameters
        ----------
        username, password
            The login; by default that of the client, of the environment, of the settings or of ONE, or a prompt.
        cache_token
            Whether the token is kept for the next time.
        force
            Whether tokens that were kept are left aside.
        token
            A token in place of a password; it is checked with the server before it is kept.

        Raises
        ------
        AuthenticationError
            The server refused the password or the token.
        MissingCredentialsError
            There is neither token nor password, and nobody can be asked; nothing was sent.
        """
        flow = authenticate(self._auth, username, password, cache_token=cache_token, force=force, token=token)
        drive(flow, self._send_login)

    def logout(self) -> None:
        """Forget the token, here and where it was kept, and the answers of this user that were kept.

        ONE's files and the environment are left alone; this client does not look at them any more.
        """
        left = drive(log_out(self._auth), self._send_login)
        if left.identity is not None:
            self._caching.clear(left.identity)

    def _send_login(self, step: Send) -> Response:
        self._refuse_login_offline()
        return self._transport.send(step.request, token=step.token)

    def close(self) -> None:
        """Close the connections; another call opens new ones."""
        self._transport.close()
        self._caching.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncConnection(Connection):
    """A connection whose calls are awaited."""

    _transport: AsyncTransport

    def _connect(self, auth: TokenAuth, **settings: Any) -> None:
        self._transport = AsyncTransport(self.base_url, auth, **settings)

    async def send(
        self, request: Request, *, expires: timedelta | bool | None = None, clobber: bool = False
    ) -> Response:
        """As `SyncConnection.send`, awaited."""
        refuse_foreign(request, self.base_url)
        user, name = self._identity(), self.user
        begin = partial(self._caching.begin, request, user, username=name, expires=expires, bypass_cache=clobber)
        call = await asyncio.to_thread(begin)
        try:
            if call.response is not None:
                return call.response
            response = await self._transport.send(request, fail_fast=call.fail_fast)
            return await asyncio.to_thread(call.store, response, self._identity())
        except AlyxError as error:
            return call.fallback(error)
        finally:
            call.close()

    async def run(self, flow: Flow[T]) -> T:
        """As `SyncConnection.run`, awaited."""

        def send(step: Send) -> Awaitable[Response]:
            return self.send(step.request, expires=step.expires, clobber=step.bypass_cache)

        return await adrive(flow, send)

    async def authenticate(
        self,
        username: str | None = None,
        password: str | None = None,
        cache_token: bool = True,
        force: bool = False,
        token: str | Mapping[str, str] | None = None,
    ) -> None:
        """As `SyncConnection.authenticate`, awaited."""
        flow = authenticate(self._auth, username, password, cache_token=cache_token, force=force, token=token)
        await adrive(flow, self._send_login)

    async def logout(self) -> None:
        """As `SyncConnection.logout`, awaited."""
        left = await adrive(log_out(self._auth), self._send_login)
        if left.identity is not None:
            await asyncio.to_thread(self._caching.clear, left.identity)

    async def _send_login(self, step: Send) -> Response:
        self._refuse_login_offline()
        return await self._transport.send(step.request, token=step.token)

    async def aclose(self) -> None:
        """Close the connections; another call opens new ones."""
        await self._transport.aclose()
        self._caching.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
