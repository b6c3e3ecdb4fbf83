"""The synchronous transport, which sends requests and returns complete responses, and the base of both transports.

httpx2 is imported here, in `connection` and in `streaming` alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import math
import os
import ssl
import threading
import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode, urlsplit

import httpx2

from alyx_client.errors import ConfigurationError, InsecureConnectionWarning
from alyx_client.http.body import DEFAULT_MAX_BYTES, Body, BodyRefusedError, DamagedEncodingError, refused
from alyx_client.http.connection import (
    LoggedURL,
    default_user_agent,
    httpx_errors,
    pool_settings,
    unanswered,
)
from alyx_client.http.deadline import DEFAULT_TIMEOUT, Deadline, deadline_exceeded
from alyx_client.http.environment import Proxy, environment_proxy
from alyx_client.http.failure import Unanswered
from alyx_client.http.flow import Authenticator, Flow, Send, drive
from alyx_client.http.lifetime import DEFAULT_MAX_REQUESTS, Lifetime
from alyx_client.http.log import log_failure, log_response, warn
from alyx_client.http.message import Request, Response
from alyx_client.http.network import headers_of, open_pool, timeouts
from alyx_client.http.notices import NOTICE_HEADERS, Notices
from alyx_client.http.own_headers import OwnHeaders
from alyx_client.http.retry import Retries, exchange
from alyx_client.http.surplus import drop_surplus
from alyx_client.http.throttle import Throttle
from alyx_client.http.token_scheme import ALYX_TOKENS, TokenScheme
from alyx_client.http.url import is_loopback, normalise_base_url, redact_url, request_url, same_origin, same_server

if TYPE_CHECKING:
    from alyx_client.http.rate import Rate

__all__ = ["SyncTransport", "Transport"]


class Transport:
    """The part that both transports share: everything except sending and sleeping.

    It can be pickled, for worker processes; the pickle holds what `auth` pickles, such as the token.

    Parameters
    ----------
    base_url
        The server.
    auth
        Adds the token to requests; None for a server without authentication.
    connect_timeout, read_timeout
        Time limits for connecting, and for each next part of a response, in seconds.
    retries
        The retry policy.
    notices
        Where the server's notices go.
    verify
        True: the operating system's trust store, or what the environment sets; False: certificates are not checked; or
        an SSLContext.
    own_headers
        Header fields for this server alone, such as those that a gateway in front of it asks for.
    user_agent
        The ``User-Agent`` header.
    call_timeout
        Time limit for a whole call, in seconds: its retries, the waits between them, and its login.
    max_response_bytes
        The largest response that is read into memory, in bytes after decoding.
    max_requests
        How many requests of one event loop may be under way at a time; the others wait for their turn.
    token_scheme
        The way in which the server takes tokens.
    rate_limit
        The rate to keep to; None for what the server allows, once it has refused a request with 429.
    """

    def __init__(
        self,
        base_url: str,
        auth: Authenticator | None = None,
        *,
        connect_timeout: float | None = 10.0,
        read_timeout: float | None = 120.0,
        retries: Retries | None = None,
        notices: Notices | None = None,
        verify: bool | ssl.SSLContext = True,
        user_agent: str | None = None,
        call_timeout: float = DEFAULT_TIMEOUT,
        max_response_bytes: float = DEFAULT_MAX_BYTES,
        own_headers: OwnHeaders | None = None,
        max_requests: int = DEFAULT_MAX_REQUESTS,
        token_scheme: TokenScheme = ALYX_TOKENS,
        rate_limit: Rate | None = None,
    ) -> None:
        self.own_headers = own_headers or OwnHeaders()
        self.own_headers.leave_to_client(token_scheme.header)
        self.token_scheme = token_scheme
        self.base_url = normalise_base_url(base_url)
        self.auth = auth
        self.timeout = httpx2.Timeout(read_timeout, connect=connect_timeout, pool=None)
        self.call_timeout = call_timeout
        self.max_response_bytes = max_response_bytes
        self.max_requests = max_requests
        self.rate_limit = rate_limit
        self.retries = retries or Retries()
        self.notices = notices or Notices()
        self.user_agent = user_agent or default_user_agent()
        self._verify = verify
        # Not at the first request: a signal handler that interrupts the import would find half of the module.
        with contextlib.suppress(ImportError):
            importlib.import_module("truststore")
        _warn_if_unverified(self.base_url, verify)
        self._reset()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def __getstate__(self) -> dict[str, Any]:
        if isinstance(self._verify, ssl.SSLContext):
            raise TypeError("A client with an SSLContext cannot be pickled; create a new client in each process.")
        limits = {"timeout", "call_timeout", "max_response_bytes", "max_requests", "rate_limit", "retries"}
        settings = limits | {"base_url", "auth", "notices", "user_agent", "own_headers", "token_scheme", "_verify"}
        return {name: value for name, value in self.__dict__.items() if name in settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._proxy: Proxy | None = None
        self._throttle = Throttle(self.base_url, self.rate_limit, is_password=self.token_scheme.is_basic)
        self._forget_pools()

    def _forget_pools(self) -> None:
        raise NotImplementedError

    def _reset_after_fork(self) -> None:
        # A connection shared with the parent process would mix up the responses of both, and a lock that another thread
        # held at the time of the fork would stay locked.
        if self._pid != os.getpid():  # pragma: no cover - runs in a child process
            self._reset()

    def _exchange(self, request: Request, token: str | None, fail_fast: bool, deadline: Deadline) -> Flow[Response]:
        self._reset_after_fork()
        return exchange(
            request, self.base_url, self.retries, self.auth, deadline=deadline, token=token, fail_fast=fail_fast
        )

    def _pool_settings(self) -> dict[str, Any]:
        try:
            self._proxy = environment_proxy(self.base_url)
            return pool_settings(self._verify, self.base_url, self._proxy)
        except ConfigurationError as error:
            raise Unanswered(error, sent=False, retryable=False) from error

    def _build(self, step: Send, deadline: Deadline) -> httpx2.Request:
        """Build httpx2's request: the same bytes for each attempt, and without cookies.

        Alyx would prefer a session cookie to the token.
        """
        request = step.request
        headers = {"Accept": request.accept, "Accept-Encoding": "gzip, deflate", "User-Agent": self.user_agent}
        if step.token is not None:
            headers.update(self.token_scheme.fields(step.token))
        url = request_url(request, self.base_url)
        # A redirect may lead to another server, which must not receive them.
        if same_server(url, self.base_url):
            headers.update(self.own_headers)
        body: dict[str, Any] = {}
        if request.form and request.form_type == "urlencoded" and not request.files:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = {"content": urlencode(request.form).encode()}
        elif request.files or request.form:
            headers["Content-Type"] = f"multipart/form-data; boundary={_multipart_boundary(request)}"
            fields: dict[str, list[str]] = {}
            for name, value in request.form:
                fields.setdefault(name, []).append(value)
            files: list[tuple[str, Any]] = [
                (part.name, (part.filename, part.content, part.content_type)) for part in request.files
            ]
            if not files:
                # Without a file, httpx2 would encode the fields otherwise; a part without a file name is a field.
                files = [(name, (None, value)) for name, value in request.form]
                fields = {}
            body = {"data": fields, "files": files}
        elif request.json is not None:
            headers["Content-Type"] = request.json_type
            body = {"content": request.json}
        extensions = {"timeout": timeouts(self.timeout, deadline)}
        built = httpx2.Request(request.method, url, headers=headers, extensions=extensions, **body)
        built.url = LoggedURL(built.url)
        return built

    def _body(self, request: Request, received: httpx2.Response) -> Body:
        limit = min(self.max_response_bytes, request.max_bytes or math.inf)
        return Body(received.status_code, received.headers, limit)

    def _received(self, request: Request, received: httpx2.Response, content: bytes, started: float) -> Response:
        headers = headers_of(received)
        url = redact_url(str(received.request.url))
        response = Response(received.status_code, headers, content, request.method, url)
        seconds = time.perf_counter() - started
        log_response(response.method, url, response.status, len(content), seconds)
        # A server that a redirect led to has no say about Alyx.
        if not NOTICE_HEADERS.isdisjoint(headers) and same_origin(url, self.base_url):
            path = url.removeprefix(self.base_url).lstrip("/").partition("?")[0]
            self.notices.surface(headers, f"/{request.endpoint or path.partition('/')[0]}")
        return response

    def _failed(self, request: Request, error: Exception, started: float, deadline: Deadline) -> Unanswered:
        url = redact_url(request_url(request, self.base_url))
        log_failure(request.method, url, error, time.perf_counter() - started)
        if isinstance(error, BodyRefusedError):
            return refused(error, request.method, url, request.max_bytes)
        failure = unanswered(error, request.method, url, self.timeout, self._proxy)
        if deadline.is_over:
            failure = _out_of_time(failure, deadline)
        failure.error.__cause__ = error
        return failure


def _drop_surplus(pool: httpx2.Client, event: str, _: object) -> None:
    drop_surplus(event, pool)


class SyncTransport(Transport):
    """Send requests from any number of threads over one connection pool, which is opened on first use.

    Its parameters are those of `Transport`.
    """

    _pool: httpx2.Client | None
    _finalizer: weakref.finalize[..., SyncTransport] | None

    def send(
        self,
        request: Request,
        *,
        fail_fast: bool = False,
        token: str | None = None,
        timeout: float | Deadline | None = None,
    ) -> Response:
        """Send a request, with the retries that the policy allows.

        Parameters
        ----------
        request
            The request.
        fail_fast
            Raise at once if the server cannot be reached.
        token
            A token to send as it is; by default that of `auth`.
        timeout
            Time limit for all of this, in seconds, or the deadline of the call; by default `call_timeout`.

        Returns
        -------
        Response
            A successful response (2xx).

        Raises
        ------
        AlyxError
            By its meaning; see `alyx_client.errors`.
        """
        deadline = Deadline.of(timeout, self.call_timeout)
        flow = self._exchange(request, token, fail_fast, deadline)
        return drive(flow, partial(self._send_once, deadline=deadline), deadline, self._lifetime.sleep)

    def _send_once(self, step: Send, *, deadline: Deadline) -> Response:
        deadline = deadline.within(step.login_timeout, "login_timeout")
        send = partial(self._send_now, deadline=deadline)
        return drive(self._throttle.send(step, deadline), send, deadline, self._lifetime.sleep)

    def _send_now(self, step: Send, *, deadline: Deadline) -> Response:
        with self._lifetime.request() as is_nested:
            if not is_nested:  # pragma: no branch - runs in a child process
                return self._send_over(self._open_pool(), step, deadline)
            # This is a signal handler's, in the middle of another request, which may hold the pool's own locks.
            with open_pool(self._pool_settings()) as pool:  # pragma: no cover - runs in a child process
                return self._send_over(pool, step, deadline)

    def _send_over(self, pool: httpx2.Client, step: Send, deadline: Deadline) -> Response:
        started = time.perf_counter()
        try:
            built = self._build(step, deadline)
            built.extensions["trace"] = partial(_drop_surplus, pool)
            received = pool.send(built, auth=None, stream=True)
            try:
                content = self._read(step.request, received)
            finally:
                received.close()
        except httpx_errors(DamagedEncodingError, BodyRefusedError) as error:
            raise self._failed(step.request, error, started, deadline) from error
        return self._received(step.request, received, content, started)

    def _read(self, request: Request, received: httpx2.Response) -> bytes:
        body = self._body(request, received)
        for piece in received.iter_raw():
            if not body.add(piece):
                return body.beginning()
        return body.content()

    def _open_pool(self) -> httpx2.Client:
        with self._lock:
            if self._pool is None:
                self._pool = open_pool(self._pool_settings())
                self._finalizer = weakref.finalize(self, _close_in_own_process, self._pool, self._pid)
            return self._pool

    def _forget_pools(self) -> None:
        self._pool = None
        self._finalizer = None
        self._lifetime = Lifetime()

    def require_open(self) -> None:
        """Check that the transport is open.

        Raises
        ------
        ClientClosedError
            It is closed.
        """
        self._lifetime.require_open()

    @property
    def is_closed(self) -> bool:
        """True after `close`."""
        return self._lifetime.is_closed

    def close(self) -> None:
        """Close the connections. Requests under way end normally; others raise `ClientClosedError` from now on."""
        self._reset_after_fork()
        with self._lock:
            self._pool = None
            finalizer, self._finalizer = self._finalizer, None
        self._lifetime.close(finalizer or (lambda: None))

    def __enter__(self) -> Self:
        self._reset_after_fork()
        self._lifetime.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _out_of_time(failure: Unanswered, deadline: Deadline) -> Unanswered:
    method, url = failure.error.method, failure.error.url or ""
    host = urlsplit(url).netloc
    waited_for = f"there was no complete response from {host}" if failure.sent else f"there was no connection to {host}"
    error = deadline_exceeded(
        deadline, f"{method} {url}", waited_for, attempts=1, may_have_acted=failure.sent, method=method, url=url
    )
    error.unreached = failure.error.unreached
    return Unanswered(error, sent=failure.sent, retryable=False)


def _warn_if_unverified(base_url: str, verify: bool | ssl.SSLContext) -> None:
    is_unverified = verify.verify_mode == ssl.CERT_NONE if isinstance(verify, ssl.SSLContext) else not verify
    if is_unverified and base_url.startswith("https://") and not is_loopback(base_url):
        warn(
            f"Certificates are not checked (verify=), so that passwords and tokens for {base_url} may go to anybody. "
            "Pass verify= an SSLContext that trusts the server's authority.",
            InsecureConnectionWarning,
        )


def _multipart_boundary(request: Request) -> str:
    """Derive the boundary from the parts, so that a retry sends the same bytes."""
    digest = hashlib.sha256(repr(request.form).encode())
    for part in request.files:
        digest.update(repr((part.name, part.filename, part.content_type)).encode())
        digest.update(part.content)
    return digest.hexdigest()[:40]


def _close_in_own_process(pool: httpx2.Client, pid: int) -> None:
    # In a forked child, a thread of the parent may hold the pool's own lock for ever.
    if os.getpid() == pid:  # pragma: no branch - runs in a child process
        pool.close()
