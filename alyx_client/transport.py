"""Sends requests and reads answers, with and without asyncio: the one module that imports httpx."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import os
import platform
import socket
import ssl
import threading
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import replace
from typing import Any, Self, cast
from urllib.parse import quote, urlencode, urlsplit

import httpx

from alyx_client.address import is_loopback, normalise_base_url, redact_text, redact_url, same_origin
from alyx_client.auth import Authorisation, Authorised, LoginRefusedError, Session, Step, Steps, Turn
from alyx_client.credentials import Credentials, login_request
from alyx_client.log import log_answer, log_failure, logger
from alyx_client.loss import Loss, lost
from alyx_client.messages import Request, Response
from alyx_client.notices import Notices
from alyx_client.retry import Outcome, Retries, Send, Wait, exchange

_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0)
_LOSSES: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Loss], ...] = (
    ((httpx.ReadTimeout, httpx.WriteTimeout), Loss.SLOW_ANSWER),
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
    """

    def __init__(self, session: Session, build: Callable[[Request], httpx.Request]) -> None:
        self._session = session
        self._build = build
        self._authorisation = Authorisation(session)

    @property
    def logging_in(self) -> bool:
        """Whether the last request sent was the login."""
        return self._authorisation.logging_in

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Take the steps in a thread."""
        steps, answer = self._authorisation.steps(), None
        with _Held(self._session.turn) as turn:
            while (step := _next(steps, answer)) is not None:
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
        with _Held(self._session.turn) as turn:
            while (step := _next(steps, answer)) is not None:
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


class _Held:
    """A lock that is given up at the end if it is held then."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._mine = False

    def take(self, *, blocking: bool = True) -> bool:
        self._mine = self._lock.acquire(blocking=blocking)
        return self._mine

    def give(self) -> None:
        self._lock.release()
        self._mine = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._mine:
            self.give()


def _next(steps: Steps, answer: Response | None) -> Step | None:
    try:
        return steps.send(answer)
    except StopIteration:
        return None


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
        self.user_agent = user_agent or _user_agent()
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

    def known_token(self) -> str | None:
        """Return the token that the next request would go out with; None where it would log in first.

        Nobody is asked, and nothing is sent.
        """
        self._after_fork()
        session = self._session
        if session.token is None and not session.turn.locked():
            session.token = self.credentials.token()
        return session.token

    def _drop_pools(self) -> None:
        raise NotImplementedError

    def _after_fork(self) -> None:
        # A connection shared with the parent process would mix up both processes' answers, and a lock
        # that another thread held at the fork would stay locked.
        if self._pid != os.getpid():
            self._start(self._session.token)

    def _pool_settings(self) -> dict[str, Any]:
        return {
            "verify": _tls(self._verify),
            "timeout": self.timeout,
            "limits": _LIMITS,
            "trust_env": not is_loopback(self.base_url),
        }

    def build(self, request: Request) -> httpx.Request:
        """Make httpx's request of ours; the same bytes each time, and without cookies, which Alyx would prefer."""
        headers = {"Accept": request.accept, "Accept-Encoding": "gzip, deflate", "User-Agent": self.user_agent}
        body: dict[str, Any] = {}
        if request.files:
            headers["Content-Type"] = f"multipart/form-data; boundary={_boundary(request)}"
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

    def _auth(self, request: Request) -> TokenAuth | None:
        ours = same_origin(full_url(request, self.base_url), self.base_url)
        return TokenAuth(self._session, self.build) if request.authenticate and ours else None

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

    def send(self, request: Request, *, hurry: bool = False) -> Response:
        """Send a request, as often as the policy allows.

        Parameters
        ----------
        request
            What to send.
        hurry
            Give up at once where the server cannot be reached.

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
                outcome = self._try(step.request)
            else:
                outcome = None
                time.sleep(_announced(step))

    def _try(self, request: Request) -> Outcome:
        auth, pool, started = self._auth(request), self._open_pool(), time.perf_counter()
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

    async def send(self, request: Request, *, hurry: bool = False) -> Response:
        """Send a request, as often as the policy allows.

        Parameters
        ----------
        request
            What to send.
        hurry
            Give up at once where the server cannot be reached.

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
                outcome = await self._try(step.request)
            else:
                outcome = None
                await asyncio.sleep(_announced(step))

    async def _try(self, request: Request) -> Outcome:
        auth, pool, started = self._auth(request), self._open_pool(), time.perf_counter()
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


def _close(pool: httpx.Client, pid: int) -> None:
    # In a forked child, the pool's own lock may be held for ever.
    if os.getpid() == pid:
        pool.close()


def full_url(request: Request, base_url: str) -> str:
    """Put together the URL of a request."""
    path = request.path
    url = f"{base_url}{path}" if path.startswith("/") else path
    if not request.params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(request.params, safe='/:,', quote_via=quote)}"


def read_response(answer: httpx.Response) -> Response:
    """Make our answer of httpx's; its body must have been read."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return Response(
        answer.status_code, headers, answer.content, answer.request.method, redact_url(str(answer.request.url))
    )


def classify(error: Exception) -> tuple[Loss, str]:
    """Tell in our terms what httpx raised, and what the innermost cause says without secrets."""
    causes = list(_causes(error))
    said = redact_text(next((str(cause) for cause in reversed(causes) if str(cause)), type(error).__name__))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return Loss.UNTRUSTED, said
    # A resolver that is out of reach answers EAI_AGAIN; other codes are its final word.
    if any(isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN for cause in causes):
        return Loss.UNKNOWN_HOST, said
    return next((loss for kinds, loss in _LOSSES if isinstance(error, kinds)), Loss.BROKEN), said


def _causes(error: BaseException | None) -> Generator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _announced(step: Wait) -> float:
    logger.info("trying again in %.1f s: %s", step.seconds, step.reason)
    return step.seconds


def _boundary(request: Request) -> str:
    """Choose a boundary from the parts themselves, so that a retry sends the same bytes."""
    digest = hashlib.sha256(repr(request.form).encode())
    for part in request.files:
        digest.update(repr((part.name, part.filename, part.content_type)).encode())
        digest.update(part.content)
    return digest.hexdigest()[:40]


def _tls(verify: bool | ssl.SSLContext) -> bool | ssl.SSLContext:
    if verify is not True:
        return verify
    try:
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    except (ImportError, NotImplementedError, OSError):
        return True


def _user_agent() -> str:
    try:
        version = importlib.metadata.version("alyx-client")
    except importlib.metadata.PackageNotFoundError:
        version = "0"
    return f"alyx-client/{version} python/{platform.python_version()} httpx/{httpx.__version__}"
