"""Sends requests and reads answers, with and without asyncio: httpx, and httpcore below it, are imported here alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import socket
import ssl
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import replace
from typing import Any, Self, cast
from urllib.parse import urlsplit

import httpcore
import httpx

from alyx_client.auth.credentials import Credentials, login_request
from alyx_client.auth.token_flow import Authorisation, Authorised, LoginRefusedError, Session, Step, Turn
from alyx_client.http.failure import Loss, lost
from alyx_client.http.log import log_answer, log_failure, logger
from alyx_client.http.message import Request, Response
from alyx_client.http.notices import Notices
from alyx_client.http.retry import Outcome, Retries, Send, exchange
from alyx_client.http.url import is_loopback, normalise_base_url, redact_text, redact_url, same_origin
from alyx_client.http.wire import (
    Held,
    UnansweredError,
    agent_name,
    announced,
    boundary,
    causes,
    full_url,
    next_step,
    trust,
)

_LIBRARY = f"httpx/{httpx.__version__}"
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0)
# From here on, the body of a file is read straight from its connection, in pieces of this size at most.
_LARGE, _READ = 4 * 2**20, 2**18
_LOSSES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Loss], ...] = (
    ((httpx.ReadTimeout, httpx.WriteTimeout, httpcore.ReadTimeout), Loss.SLOW_ANSWER),
    ((httpx.ConnectTimeout, httpx.PoolTimeout), Loss.SLOW_CONNECTION),
    ((httpx.ConnectError, httpx.ProxyError), Loss.UNREACHABLE),
    ((httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL), Loss.UNSENDABLE),
    (RuntimeError, Loss.CLOSED),
)


class TokenAuth(httpx.Auth):
    """Adds the token to one request, after a login where that is needed.

    Parameters
    ----------
    session
        What the requests of a transport share.
    build
        Makes httpx's request of ours.
    token
        A token to send as it is; by default the session's.
    """

    def __init__(self, session: Session, build: Callable[[Request], httpx.Request], token: str | None = None) -> None:
        self._session = session
        self._build = build
        self._authorisation = Authorisation(session, token)

    @property
    def logging_in(self) -> bool:
        """Whether the last request sent was the login."""
        return self._authorisation.logging_in

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Take the steps in a thread."""
        steps, answer = self._authorisation.steps(), None
        with Held(self._session.turn) as turn:
            while (step := next_step(steps, answer)) is not None:
                answer = None
                if step is Turn.TAKE:
                    turn.take()
                elif step is Turn.GIVE:
                    turn.give()
                else:
                    received = yield self._outgoing(step, request)
                    received.read()
                    answer = read_response(received)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Take the steps in a task."""
        steps, answer = self._authorisation.steps(), None
        with Held(self._session.turn) as turn:
            while (step := next_step(steps, answer)) is not None:
                answer = None
                if step is Turn.TAKE:
                    # Event loops in several threads share the turn: waiting for it must not block this one.
                    while not turn.take(blocking=False):
                        await asyncio.sleep(0.01)
                elif step is Turn.GIVE:
                    turn.give()
                else:
                    received = yield self._outgoing(step, request)
                    await received.aread()
                    answer = read_response(received)

    def _outgoing(self, step: Step, request: httpx.Request) -> httpx.Request:
        if isinstance(step, Request):
            return self._build(step)
        if isinstance(step, Authorised):
            request.headers.update(step.headers)
        return request


class Transport:
    """What both transports share: everything but sending and sleeping.

    It may be pickled, for worker processes; the pickle holds the settings, the token and the password.

    Parameters
    ----------
    base_url
        The server.
    credentials
        Where the token comes from.
    connect_timeout, read_timeout
        Seconds to wait for a connection, and for each next part of an answer.
    retries
        How often to try.
    notices
        Where the server's notices go.
    verify
        True: the operating system's trust store; False: no check of certificates; or a context of your own.
    user_agent
        The ``User-Agent`` header.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        connect_timeout: float = 10.0,
        read_timeout: float = 120.0,
        retries: Retries | None = None,
        notices: Notices | None = None,
        verify: bool | ssl.SSLContext = True,
        user_agent: str | None = None,
    ) -> None:
        self.base_url = normalise_base_url(base_url)
        self.credentials = credentials
        self.timeout = httpx.Timeout(read_timeout, connect=connect_timeout, pool=None)
        self.retries = retries or Retries()
        self.notices = notices or Notices()
        self.user_agent = user_agent or agent_name(_LIBRARY)
        self._verify = verify
        self._start(None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def __getstate__(self) -> dict[str, Any]:
        if isinstance(self._verify, ssl.SSLContext):
            raise TypeError("A client with an SSLContext of its own cannot be pickled; make a new one in each process.")
        shared = {"base_url", "credentials", "timeout", "retries", "notices", "user_agent", "_verify"}
        state = {name: value for name, value in self.__dict__.items() if name in shared}
        return state | {"token": self._session.token}

    def __setstate__(self, state: dict[str, Any]) -> None:
        token = state.pop("token")
        self.__dict__.update(state)
        self._start(token)

    def _start(self, token: str | None) -> None:
        self._lock = threading.Lock()
        self._session = Session(self.credentials, token)
        self._drop_pools()
        self._pid = os.getpid()

    @property
    def session(self) -> Session:
        """What the requests share: the token, and whose turn it is to renew it."""
        self._after_fork()
        return self._session

    def _drop_pools(self) -> None:
        raise NotImplementedError

    def _after_fork(self) -> None:
        # A connection shared with the parent process would mix up both processes' answers, and a lock
        # that another thread held at the fork would stay locked.
        if self._pid != os.getpid():
            self._start(self._session.token)

    def _pool_settings(self) -> dict[str, Any]:
        return {
            "verify": trust(self._verify),
            "timeout": self.timeout,
            "limits": _LIMITS,
            "trust_env": not is_loopback(self.base_url),
        }

    def build(self, request: Request) -> httpx.Request:
        """Make httpx's request of ours; the same bytes each time, and without cookies, which Alyx would prefer."""
        headers = {"Accept": request.accept, "Accept-Encoding": "gzip, deflate", "User-Agent": self.user_agent}
        body: dict[str, Any] = {}
        if request.files:
            headers["Content-Type"] = f"multipart/form-data; boundary={boundary(request)}"
            fields: dict[str, list[str]] = {}
            for name, value in request.form:
                fields.setdefault(name, []).append(value)
            files = [(part.name, (part.filename, part.content, part.content_type)) for part in request.files]
            body = {"data": fields, "files": files}
        elif request.json is not None:
            headers["Content-Type"] = "application/json"
            body = {"content": request.json}
        url = full_url(request, self.base_url)
        return httpx.Request(
            request.method, url, headers=headers, extensions={"timeout": self.timeout.as_dict()}, **body
        )

    def _auth(self, request: Request, token: str | None) -> TokenAuth | None:
        ours = same_origin(full_url(request, self.base_url), self.base_url)
        return TokenAuth(self._session, self.build, token) if request.authenticate and ours else None

    def _answered(self, request: Request, answer: httpx.Response, started: float) -> Response:
        response = read_response(answer)
        seconds = time.perf_counter() - started
        log_answer(response.method, response.url, response.status, len(response.content), seconds)
        if same_origin(response.url, self.base_url):
            below = response.url.removeprefix(self.base_url).lstrip("/").partition("?")[0]
            self.notices.surface(response.headers, f"/{request.endpoint or below.partition('/')[0]}")
        return response

    def _failed(self, request: Request, error: Exception, auth: TokenAuth | None, started: float) -> Outcome:
        if isinstance(error, LoginRefusedError):
            return error.outcome
        if auth and auth.logging_in:
            request = login_request("", "")
        url = redact_url(full_url(request, self.base_url))
        log_failure(request.method, url, error, time.perf_counter() - started)
        loss, said = classify(error)
        limit = self.timeout.connect if loss is Loss.SLOW_CONNECTION else self.timeout.read
        host = urlsplit(url).netloc
        outcome = lost(loss, said, method=request.method, url=url, host=host, limit=limit)
        outcome.error.__cause__ = error
        # A login that was lost leaves the request itself unsent.
        return replace(outcome, sent=False) if auth and auth.logging_in else outcome


class SyncTransport(Transport):
    """Sends requests from any number of threads over one pool of connections, made on first use.

    Its parameters are those of `Transport`.
    """

    _pool: httpx.Client | None
    _closing: weakref.finalize[..., SyncTransport] | None

    def send(self, request: Request, *, hurry: bool = False, token: str | None = None) -> Response:
        """Send a request, as often as the policy allows.

        Parameters
        ----------
        request
            What to send.
        hurry
            Give up at once where the server cannot be reached.
        token
            A token to send as it is; by default the session's.

        Returns
        -------
        Response
            An answer with a status of success.

        Raises
        ------
        AlyxError
            By its meaning; see `alyx_client.errors`.
        """
        self._after_fork()
        steps = exchange(request, self.base_url, self.retries, hurry=hurry)
        outcome: Outcome | None = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                return cast("Response", end.value)
            if isinstance(step, Send):
                outcome = self._try(step.request, token)
            else:
                outcome = None
                time.sleep(announced(step))

    def _try(self, request: Request, token: str | None) -> Outcome:
        auth, pool, started = self._auth(request, token), self._open_pool(), time.perf_counter()
        try:
            answer = pool.send(self.build(request), auth=auth)
        except (httpx.HTTPError, httpx.InvalidURL, LoginRefusedError) as error:
            return self._failed(request, error, auth, started)
        except RuntimeError as error:
            if not pool.is_closed:
                raise
            return self._failed(request, error, auth, started)
        return self._answered(request, answer, started)

    def _open_pool(self) -> httpx.Client:
        with self._lock:
            if self._pool is None:
                self._pool = httpx.Client(**self._pool_settings())
                self._closing = weakref.finalize(self, _close, self._pool, self._pid)
            return self._pool

    def _drop_pools(self) -> None:
        self._pool = None
        self._closing = None

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        self._after_fork()
        with self._lock:
            self._pool = None
            closing, self._closing = self._closing, None
        if closing is not None:
            closing()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncTransport(Transport):
    """Sends requests from any number of tasks over one pool of connections for each event loop.

    Its parameters are those of `Transport`.
    """

    _pools: dict[asyncio.AbstractEventLoop, httpx.AsyncClient]

    async def send(self, request: Request, *, hurry: bool = False, token: str | None = None) -> Response:
        """Send a request, as often as the policy allows.

        Parameters
        ----------
        request
            What to send.
        hurry
            Give up at once where the server cannot be reached.
        token
            A token to send as it is; by default the session's.

        Returns
        -------
        Response
            An answer with a status of success.

        Raises
        ------
        AlyxError
            By its meaning; see `alyx_client.errors`.
        """
        self._after_fork()
        steps = exchange(request, self.base_url, self.retries, hurry=hurry)
        outcome: Outcome | None = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                return cast("Response", end.value)
            if isinstance(step, Send):
                outcome = await self._try(step.request, token)
            else:
                outcome = None
                await asyncio.sleep(announced(step))

    async def _try(self, request: Request, token: str | None) -> Outcome:
        auth, pool, started = self._auth(request, token), self._open_pool(), time.perf_counter()
        try:
            answer = await pool.send(self.build(request), auth=auth)
        except (httpx.HTTPError, httpx.InvalidURL, LoginRefusedError) as error:
            return self._failed(request, error, auth, started)
        except RuntimeError as error:
            if not pool.is_closed:
                raise
            return self._failed(request, error, auth, started)
        return self._answered(request, answer, started)

    def _open_pool(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        with self._lock:
            pool = self._pools.get(loop)
            if pool is None:
                # A pool holds on to its loop, so ended loops would never leave the dictionary by themselves.
                for ended in [known for known in self._pools if known.is_closed()]:
                    del self._pools[ended]
                pool = self._pools[loop] = httpx.AsyncClient(**self._pool_settings())
            return pool

    def _drop_pools(self) -> None:
        self._pools = {}

    async def aclose(self) -> None:
        """Close this event loop's connections; the next request opens new ones."""
        self._after_fork()
        with self._lock:
            pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class _UnshownQuery(httpx.URL):
    """A URL whose query, which may be a signature, stays out of httpx's own log."""

    def __str__(self) -> str:
        return super().__str__().partition("?")[0]


class Stream:
    """An answer whose body is still to be read; made by `Streams`.

    Attributes
    ----------
    status
        The status code.
    headers
        The headers, names in lower case.
    """

    def __init__(
        self, answer: httpx.Response, failed: Callable[[Exception], UnansweredError], timeout: float | None
    ) -> None:
        self.status = answer.status_code
        self.headers = {name.lower(): value for name, value in answer.headers.items()}
        self._answer = answer
        self._failed = failed
        self._timeout = timeout

    def pieces(self) -> Generator[bytes]:
        """Yield the body as it arrives, whatever its ``Content-Encoding``.

        Raises
        ------
        UnansweredError
            The connection broke, or nothing more came.
        """
        body = self._answer.iter_raw()
        try:
            first = next(body, b"")
            yield first
            left = self._length() - len(first)
            if left >= _LARGE:
                yield from self._straight(left)
            else:
                yield from body
        except (httpx.HTTPError, httpx.StreamError, httpcore.NetworkError, httpcore.TimeoutException) as error:
            raise self._failed(error) from error

    def _length(self) -> int:
        """Return how long the body is, where it comes as it is and the parser need not see it; else 0."""
        length = self.headers.get("content-length", "")
        plain = "transfer-encoding" not in self.headers and self._answer.http_version == "HTTP/1.1"
        return int(length) if plain and length.isdecimal() else 0

    def _straight(self, left: int) -> Generator[bytes]:
        # Past the parser, which costs more than the network: it has given all that it held, and asks for no more. The
        # connection is closed after that. Should the parser have held bytes back, they are missing at the end.
        connection = self._answer.extensions["network_stream"]
        while left:
            piece = connection.read(min(left, _READ), self._timeout)
            if not piece:
                raise httpx.RemoteProtocolError(f"the connection was closed {left} bytes before the end")
            left -= len(piece)
            yield piece

    def close(self) -> None:
        """Give the connection back, or close it where the body was not read to its end."""
        with contextlib.suppress(httpx.HTTPError, OSError, RuntimeError):
            self._answer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Streams:
    """Asks for answers that are read piece by piece, from several threads, over connections of its own.

    Nothing is added to a request: no credentials, no cookies. Redirects are not followed. It lives within one process.

    Parameters
    ----------
    connect_timeout, read_timeout
        Seconds to wait for a connection, and for each next part of an answer.
    verify
        True: the operating system's trust store; False: no check of certificates; or a context of your own.
    """

    def __init__(
        self, *, connect_timeout: float = 10.0, read_timeout: float = 120.0, verify: bool | ssl.SSLContext = True
    ) -> None:
        self.timeout = httpx.Timeout(read_timeout, connect=connect_timeout, pool=None)
        self.aborted = False
        self._verify = verify
        self._agent = agent_name(_LIBRARY)
        self._lock = threading.Lock()
        self._pools: dict[bool, httpx.Client] = {}
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        logging.getLogger("httpcore.http11").addFilter(_without_signature)

    def get(self, url: str, headers: Mapping[str, str]) -> Stream:
        """Ask for a URL.

        Raises
        ------
        UnansweredError
            There was no answer.
        """
        started = time.perf_counter()
        shown = redact_url(url).partition("?")[0]

        def failed(error: Exception) -> UnansweredError:
            log_failure("GET", shown, error, time.perf_counter() - started)
            loss, said = classify(error)
            limit = self.timeout.connect if loss is Loss.SLOW_CONNECTION else self.timeout.read
            host = urlsplit(shown).netloc
            return UnansweredError(lost(loss, said, method="GET", url=shown, host=host, limit=limit))

        try:
            request = httpx.Request(
                "GET",
                url,
                headers={"User-Agent": self._agent, **headers},
                extensions={"timeout": self.timeout.as_dict(), "trace": self._watch},
            )
            request.url = _UnshownQuery(request.url)
            answer = self._pool(url).send(request, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:
            raise failed(error) from error
        logger.debug("GET %s %d %.2f s", shown, answer.status_code, time.perf_counter() - started)
        return Stream(answer, failed, self.timeout.read)

    def _pool(self, url: str) -> httpx.Client:
        outside = not is_loopback(url)
        with self._lock:
            if outside not in self._pools:
                self._pools[outside] = httpx.Client(verify=trust(self._verify), limits=_LIMITS, trust_env=outside)
            return self._pools[outside]

    def _watch(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            connected = info["return_value"].get_extra_info("socket")
            if isinstance(connected, socket.socket):
                with self._lock:
                    self._sockets.add(connected)
                if self.aborted:
                    _shut_down(connected)

    def abort(self) -> None:
        """Wake all threads that wait for an answer: each of them gets an error. It cannot be used again."""
        self.aborted = True
        with self._lock:
            connected = list(self._sockets)
        for each in connected:
            _shut_down(each)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()


def _without_signature(record: logging.LogRecord) -> bool:
    # httpcore's debug log shows the addresses of redirects, and these may be signed.
    record.msg = re.sub(r"(?i)(b'location', b['\"][^?'\"]*)\?[^'\"]*", r"\1", str(record.msg))
    return True


def _shut_down(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Past SSLSocket's own method, which takes the encryption away from a thread that is reading.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _close(pool: httpx.Client, pid: int) -> None:
    # In a forked child, the pool's own lock may be held for ever.
    if os.getpid() == pid:
        pool.close()


def read_response(answer: httpx.Response) -> Response:
    """Make our answer of httpx's; its body must have been read."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(
        answer.status_code, headers, answer.content, answer.request.method, redact_url(str(answer.request.url))
    )


def classify(error: Exception) -> tuple[Loss, str]:
    """Tell in our terms what httpx raised, and what the innermost cause says without secrets."""
    known = list(causes(error))
    said = redact_text(next((str(cause) for cause in reversed(known) if str(cause)), type(error).__name__))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in known):
        return Loss.UNTRUSTED, said
    # A resolver that is out of reach answers EAI_AGAIN; other codes are its final word.
    if any(isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN for cause in known):
        return Loss.UNKNOWN_HOST, said
    return next((loss for kinds, loss in _LOSSES if isinstance(error, kinds)), Loss.BROKEN), said
