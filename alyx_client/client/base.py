"""The base of both clients: their parts, their settings and their properties."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, Self, Unpack

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.state import AuthState, LoginState
from alyx_client.auth.token import hide
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.client.cache_settings import CacheSettings
from alyx_client.client.data_files import DataFiles
from alyx_client.client.server_facts import ServerFacts
from alyx_client.config import DataServer, find_settings
from alyx_client.config.environment import headers_of_environment
from alyx_client.errors import printable
from alyx_client.http.arguments import require, require_folder, require_positive, require_seconds, require_text
from alyx_client.http.cache.call import CachedCall
from alyx_client.http.cache.response_cache import ResponseCache
from alyx_client.http.deadline import LOGIN_TIMEOUT, Deadline
from alyx_client.http.flow import Expires, Sender
from alyx_client.http.log import configure
from alyx_client.http.message import Request
from alyx_client.http.own_headers import OwnHeaders
from alyx_client.http.retry import Retries
from alyx_client.http.suggestions import did_you_mean, missing_attribute, nearest
from alyx_client.http.tracebacks import install
from alyx_client.http.transport import SyncTransport
from alyx_client.http.transport_options import ConnectionOptions, TransportOptions, check_connection
from alyx_client.http.url import refuse_foreign
from alyx_client.runtime.checked_calls import with_checked_calls
from alyx_client.runtime.closed_sets import ClosedSets
from alyx_client.runtime.drift import DriftLog
from alyx_client.runtime.placeholders import refuse_placeholders

__all__ = ["CACHE_INFO", "ClientBase"]

CACHE_INFO = Request("GET", "/cache/info/", endpoint="cache_info", action="read")
"""Requests the metadata of the cache tables."""


@with_checked_calls
class ClientBase(ServerFacts, CacheSettings, DataFiles):
    """A client of one Alyx server.

    Creating one contacts nothing: the first call logs in. It works with or without ``with``, from several threads and
    after a fork, and it can be pickled for worker processes (with the token, see `pickle_token`; never with the
    password).

    Parameters
    ----------
    base_url
        The server, for instance ``https://alyx.example.org``; by default ``ALYX_URL``, then the server that was set
        up, then ONE's.
    username, password
        The login; by default ``ALYX_USERNAME`` and ``ALYX_PASSWORD``, then the settings, then ONE's, then a prompt.
    cache_dir
        The folder for data files, which also holds the cached responses; by default ``ALYX_CACHE_DIR``, then the
        settings, then ONE's.
    silent
        Never prompt, and show no progress.
    cache_rest
        Which responses are cached: ``"GET"``; None for none; ``"*"`` for those of every method.
    stay_logged_in
        Whether to store the token for the next session.
    token
        A token, which makes a login unnecessary; by default ``ALYX_TOKEN``, then the one stored at the last login.
    data_server
        The source of data files: an address or several, or `alyx_client.config.DataServer` with a login; by default
        ``ALYX_DATA_SERVER``, then the settings, then ONE's.
    offline
        Answer from the cache alone, and refuse what is not in it.
    strict
        Raise `SchemaDriftError` where a response differs from the schema, instead of warning.
    strict_filters
        Whether `rest` refuses filters that the server does not declare.
    connect_timeout, read_timeout
        Time limits for connecting, and for each next part of a response, in seconds.
    retries
        The retry policy.
    verify
        True: the operating system's trust store, or what the environment sets (``REQUESTS_CA_BUNDLE``, …); False:
        certificates are not checked, which is warned about; or an SSLContext.
    timeout
        Time limit for a whole call, in seconds: its retries, the waits between them, and its login; ``math.inf`` for
        none. By default ``ALYX_TIMEOUT``, then the settings, then 300. Each call has an argument of that name, too.
    login_timeout
        Time limit for a login, in seconds; time at a prompt does not count. By default ``ALYX_LOGIN_TIMEOUT``, then the
        settings, then 30.
    max_response_bytes
        The largest response that is read into memory, in bytes after decoding. By default ``ALYX_MAX_RESPONSE_BYTES``,
        then the settings, then 256 MiB. Data files are not limited by it.
    min_download_rate
        The least rate of a download, in bytes per second over a minute; slower ones are resumed with a new connection,
        and fail in the end. By default ``ALYX_MIN_DOWNLOAD_RATE``, then the settings, then 1000; 0 for none.
    headers
        Header fields for this server alone, such as those of a gateway in front of it; by default those of
        ``ALYX_HEADERS``, a JSON object, then the settings. Their values are neither logged nor shown.
    max_requests
        How many requests of an asynchronous client, and of calls for many records, are under way at a time; the others
        wait for their turn, which does not count towards `timeout`. By default ``ALYX_MAX_REQUESTS``, then the
        settings, then 25.
    parallel_pages
        How many pages of a list are fetched at a time, once the first page is used up; 1 for one after the other. By
        default ``ALYX_PARALLEL_PAGES``, then the settings, then 4.
    rate_limit
        The most requests that all of your processes on this computer send, such as ``"500/minute"``; further ones wait
        for their turn. By default ``ALYX_RATE_LIMIT``, then the settings, then what the server turns out to allow.

    send_outbox
        Whether writes that wait in the outbox are sent by the next calls that read from the server or write through
        the outbox, which then take some seconds longer at most. By default ``ALYX_SEND_OUTBOX``, then the settings,
        then False: ``client.outbox.send()`` sends them.
    pickle_token
        Whether the client's token is in its pickle; if not, other processes use the login of their own environment. By
        default ``ALYX_PICKLE_TOKEN``, then the settings, then True.

    Raises
    ------
    MissingCredentialsError
        No server is configured anywhere.
    ConfigurationError
        The settings file cannot be read.
    ValueError
        The address or a setting is not valid, or `cache_rest` is none of the three.
    """

    silent: bool
    drift: DriftLog
    _is_synchronous: ClassVar[bool] = False

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
        connect_timeout: float | None = 10.0,
        read_timeout: float | None = 120.0,
        retries: Retries | None = None,
        verify: bool | ssl.SSLContext = True,
        timeout: float | None = None,
        login_timeout: float | None = None,
        max_response_bytes: float | None = None,
        min_download_rate: float | None = None,
        headers: Mapping[str, str] | None = None,
        max_requests: int | None = None,
        parallel_pages: int | None = None,
        rate_limit: str | None = None,
        pickle_token: bool | None = None,
        send_outbox: bool | None = None,
    ) -> None:
        configure()
        install()
        password, token = hide(password), hide(token)
        passed_headers = None if headers is None else OwnHeaders(headers)
        del headers  # so that tracebacks that show local variables do not show them
        require_text("password", password)
        require("token", token, (str, Mapping, NoneType), "a text")
        check_connection(retries, verify)
        limits = {
            "timeout": timeout,
            "login_timeout": login_timeout,
            "max_response_bytes": max_response_bytes,
            "min_download_rate": min_download_rate,
            "max_requests": max_requests,
            "parallel_pages": parallel_pages,
        }
        settings = find_settings(
            base_url,
            username=username,
            cache_dir=cache_dir,
            data_server=data_server,
            limits=limits,
            headers=passed_headers,
            rate_limit=rate_limit,
            pickle_token=pickle_token,
            send_outbox=send_outbox,
        )
        self._settings, self._own_headers = settings, settings.headers
        self._timeout, self._login_timeout = settings.limits.timeout, settings.limits.login_timeout
        self._cache_dir = settings.cache_dir
        self._cache = ResponseCache(
            settings.rest_cache_dir, self.base_url, mode=cache_rest, offline=offline, headers=settings.headers.digest
        )
        self._strict_filters = strict_filters
        store = None if stay_logged_in else False
        credentials = Credentials(
            settings.base_url, username, password, token, silent, store=store, pickle_token=settings.pickle_token
        )
        self._auth = AuthState(credentials, reentrant=self._is_synchronous, scheme=self._token_scheme)
        self._connection_options: ConnectionOptions = {
            "connect_timeout": require_seconds("connect_timeout", connect_timeout),
            "read_timeout": require_seconds("read_timeout", read_timeout),
            "retries": retries or Retries(),
            "verify": verify,
        }
        self._open(
            TokenAuth(self._auth, self._login_timeout),
            **self._connection_options,
            max_response_bytes=settings.limits.max_response_bytes,
            own_headers=self._own_headers,
            max_requests=self.max_requests,
            token_scheme=self._token_scheme,
            rate_limit=settings.rate_limit,
        )
        self.silent, self._last_downloader = silent, None
        self.drift = DriftLog(strict=strict, package=self._surface, server=self.base_url)

    def _open(self, auth: TokenAuth, **options: Unpack[TransportOptions]) -> None:
        """Create the transport."""
        raise NotImplementedError

    if not TYPE_CHECKING:  # a type checker finds a misspelled endpoint by itself

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or hasattr(type(self), name):
                return self.__getattribute__(name)  # raises its own error
            names = [other for other in dir(type(self)) if not other.startswith("_")]
            raise missing_attribute(self, name, did_you_mean(nearest(name, names)))

    def __getstate__(self) -> dict[str, Any]:
        # A downloader has threads and connections of its own; each process creates one when it needs it.
        return {**self.__dict__, "_last_downloader": None}

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
        headers: Mapping[str, str] | None = None,
    ) -> Self | None:
        """Prompt for a server's settings once, try them out and store them: then ``AlyxClient()`` is enough to connect.

        Parameters
        ----------
        url
            The server.
        username, password, token
            The login, with a password or a token. The token is stored; the password never.
        data_server, data_username, data_password
            The source of data files, and the login there.
        cache_dir
            The folder for data files.
        keyring
            Whether to store the token in the system's keyring, which requires the extra ``keyring``.
        default
            Whether this becomes the server that ``AlyxClient()`` connects to.
        silent
            Do not prompt: what is not passed stays as it is.
        verify, headers
            As for the client; headers are not stored.

        Returns
        -------
        AlyxClient, AsyncAlyxClient or None
            A client of the server; None if the user chose not to store the settings.

        Raises
        ------
        MissingCredentialsError
            No server was passed, and the session is not interactive.
        AuthenticationError
            The login was refused.
        ConfigurationError
            The present settings cannot be read, or the prompts were interrupted.
        """
        texts = {"url": url, "username": username, "password": password, "token": token, "data_server": data_server}
        for name, text in (texts | {"data_username": data_username, "data_password": data_password}).items():
            require_text(name, text)
        require_folder("cache_dir", cache_dir)
        check_connection(None, verify)
        from alyx_client.auth.prompt import Prompter
        from alyx_client.auth.setup import SetupOptions, run_setup

        password, token, data_password = hide(password), hide(token), hide(data_password)
        passed = None if headers is None else OwnHeaders(headers)

        def connect(address: str) -> Sender:
            auth = TokenAuth(AuthState(Credentials(address, silent=True), scheme=cls._token_scheme))
            own = headers_of_environment(address) if passed is None else passed
            transport = SyncTransport(address, auth, verify=verify, own_headers=own, token_scheme=cls._token_scheme)
            return lambda step: transport.send(
                step.request, token=step.token, timeout=Deadline(LOGIN_TIMEOUT, "login_timeout")
            )

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
        return None if settings is None else cls(settings.base_url, silent=silent, verify=verify, headers=headers)

    @property
    def base_url(self) -> str:
        """The server's address."""
        return self._settings.base_url

    @property
    def parallel_pages(self) -> int:
        """How many pages of a list are fetched at a time."""
        return int(self._settings.limits.parallel_pages)

    @property
    def max_requests(self) -> int:
        """How many requests are under way at a time, of an asynchronous client and in calls for many records."""
        return int(self._settings.limits.max_requests)

    @property
    def longest_page(self) -> int | None:
        """The most rows of a list that the server sends at once; None if it is unknown."""
        return self._longest_page

    @property
    def closed_sets(self) -> ClosedSets:
        """The sets of values that filters, fields and lookups can have."""
        return self._closed_sets

    @property
    def timeout(self) -> float:
        """Time limit for a whole call, in seconds; it can be set."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._timeout = float(require_positive("timeout", seconds, unit="seconds"))

    @property
    def user(self) -> str | None:
        """The user's name, as far as it is known without contacting the server."""
        return self._auth.user

    @property
    def is_logged_in(self) -> LoginState:
        """True if there is a token that the server has not refused; ``is_logged_in()`` works too."""
        return LoginState(self._auth.is_logged_in)

    def __repr__(self) -> str:
        user = self.user
        return printable(f"{type(self).__name__}({self.base_url!r}{f', user {user}' if user else ''})")

    def _begin(self, request: Request, expires: Expires, bypass_cache: bool) -> CachedCall:
        require("request", request, Request, "an alyx_client.http.message.Request")
        refuse_foreign(request, self.base_url)
        refuse_placeholders(request)
        owner, user = self._auth.identity, self._auth.user
        return self._cache.begin(request, owner, username=user, expires=expires, bypass_cache=bypass_cache)
