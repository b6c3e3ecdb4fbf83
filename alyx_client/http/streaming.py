"""Responses read as they arrive, for data files: their body is never held in memory as a whole."""

from __future__ import annotations

import contextlib
import functools
import math
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Generator, Mapping
from typing import Any, Self

import httpcore2
import httpx2

from alyx_client.errors import ConfigurationError
from alyx_client.http.connection import LoggedURL, default_user_agent, httpx_errors, pool_settings, unanswered
from alyx_client.http.deadline import Deadline
from alyx_client.http.download_rate import DEFAULT_MIN_RATE, DownloadRate, too_slow
from alyx_client.http.environment import Proxy, environment_proxy
from alyx_client.http.failure import Unanswered
from alyx_client.http.headers import whole_number
from alyx_client.http.log import log_failure, logger
from alyx_client.http.network import headers_of, open_pool, shut_down, timeouts
from alyx_client.http.parser_state import count_body
from alyx_client.http.surplus import drop_surplus
from alyx_client.http.url import redact_url

__all__ = ["Stream", "Streams"]

# Bodies of which at least this many bytes are missing are read straight from the connection, in pieces of the given
# size at most.
_LARGE_BODY, _PIECE = 2**16, 2**20


class Stream:
    """A response whose body has not been read yet; `Streams.get` returns it.

    Attributes
    ----------
    status
        The status code.
    headers
        The headers, names in lower case.
    """

    def __init__(
        self,
        response: httpx2.Response,
        failure: Callable[[Exception], Unanswered],
        timeout: float | None,
        min_rate: float = 0.0,
    ) -> None:
        self.status = response.status_code
        self.headers = headers_of(response)
        self._response = response
        self._failure = failure
        self._timeout = timeout
        self._min_rate = min_rate

    def pieces(self) -> Generator[bytes]:
        """Yield the body as it arrives, without decoding any ``Content-Encoding``.

        Raises
        ------
        Unanswered
            The connection broke, nothing arrived in time, or the body arrives at less than the least rate.
        """
        pieces, rate = self._pieces(), DownloadRate(self._min_rate)
        while True:
            began = time.monotonic()
            piece = next(pieces, None)
            if piece is None:
                return
            if rate.add(len(piece), time.monotonic() - began):
                url = str(self._response.request.url)
                raise too_slow(url, self._min_rate)
            yield piece

    def _pieces(self) -> Generator[bytes]:
        body = self._response.iter_raw()
        try:
            first = next(body, b"")
            yield first
            remaining = self._known_length() - len(first)
            if remaining >= _LARGE_BODY:
                yield from self._read_connection(remaining)
                if not count_body(self._response, remaining):
                    return
            yield from body
        except (httpx2.HTTPError, httpx2.StreamError, httpcore2.NetworkError, httpcore2.TimeoutException) as error:
            raise self._failure(error) from error

    def _known_length(self) -> int:
        """Return the body's length if nothing but that many plain bytes follows on the connection; else 0."""
        length = self.headers.get("content-length", "")
        # Transfer-Encoding overrides Content-Length (RFC 9112, section 6.3); HTTP/2 has frames.
        is_plain = "transfer-encoding" not in self.headers and self._response.http_version == "HTTP/1.1"
        return (whole_number(length) or 0) if is_plain else 0

    def _read_connection(self, remaining: int) -> Generator[bytes]:
        # The HTTP parser costs more than the network. It has handed over all that it held; should it have held bytes
        # back, they are missing at the end.
        connection = self._response.extensions["network_stream"]
        size = _LARGE_BODY
        while remaining:
            piece = connection.read(min(remaining, size), self._timeout)
            # Allocating more than arrives costs more than reading it; over TLS, 16 kB arrive at a time.
            size = max(_LARGE_BODY, min(2 * len(piece), _PIECE))
            if not piece:
                raise httpx2.RemoteProtocolError(f"the connection was closed {remaining} bytes before the end")
            remaining -= len(piece)
            yield piece

    def close(self) -> None:
        """Return the connection to the pool, or close it if the body was not read to its end."""
        with contextlib.suppress(httpx2.HTTPError, OSError, RuntimeError):
            self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Streams:
    """Requests files from any number of threads, over connections of its own.

    It adds nothing to a request, neither credentials nor cookies, and does not follow redirects. It belongs to one
    process.

    Parameters
    ----------
    connect_timeout, read_timeout
        Time limits for connecting, and for each next part of a response, in seconds.
    verify
        True: the operating system's trust store, or what the environment sets; False: certificates are not checked; or
        an SSLContext.
    min_rate
        The least rate of a response's body, in bytes per second.
    """

    def __init__(
        self,
        *,
        connect_timeout: float | None = 10.0,
        read_timeout: float | None = 120.0,
        verify: bool | ssl.SSLContext = True,
        min_rate: float = DEFAULT_MIN_RATE,
    ) -> None:
        self.timeout = httpx2.Timeout(read_timeout, connect=connect_timeout, pool=None)
        self.aborted = False
        self._min_rate = min_rate
        self._verify = verify
        self._user_agent = default_user_agent()
        self._lock = threading.RLock()
        self._pools: dict[tuple[str, Proxy | None], httpx2.Client] = {}
        self._proxies: dict[str, Proxy | None] = {}
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def get(self, url: str, headers: Mapping[str, str]) -> Stream:
        """Request a URL.

        Parameters
        ----------
        url
            The URL; its query appears in no log and in no error.
        headers
            Headers to send.

        Raises
        ------
        Unanswered
            There was no response.
        """
        started = time.perf_counter()
        printable_url = redact_url(url).partition("?")[0]

        def failure(error: Exception) -> Unanswered:
            log_failure("GET", printable_url, error, time.perf_counter() - started)
            proxy = self._proxies.get(_server(url))
            return unanswered(error, "GET", printable_url, self.timeout, proxy, is_file=True)

        # Headers that are sent byte by byte must end, too; the body has a least rate instead.
        deadline = Deadline((self.timeout.connect or math.inf) + (self.timeout.read or math.inf), "read_timeout")
        try:
            request = httpx2.Request(
                "GET",
                url,
                headers={"User-Agent": self._user_agent, **headers},
                extensions={"timeout": timeouts(self.timeout, deadline)},
            )
            request.url = LoggedURL(request.url)
            pool = self._pool(url)
            request.extensions["trace"] = functools.partial(self._trace, pool)
            response = pool.send(request, stream=True)
        except httpx_errors(RuntimeError) as error:
            raise failure(error) from error
        except ConfigurationError as error:
            raise Unanswered(error, sent=False, retryable=False) from error
        deadline.lift()
        logger.debug("GET %s %d %.2f s", printable_url, response.status_code, time.perf_counter() - started)
        return Stream(response, failure, self.timeout.read, self._min_rate)

    def _pool(self, url: str) -> httpx2.Client:
        server = _server(url)
        with self._lock:
            if server not in self._proxies:
                self._proxies[server] = environment_proxy(url)
            proxy = self._proxies[server]
            # Certificates that cannot be read are no obstacle to a server without encryption.
            key = url.partition(":")[0].lower(), proxy
            if key not in self._pools:
                # Loading the trust store takes as long as a request.
                is_encrypted = key[0] == "https" or (proxy is not None and proxy.scheme == "https")
                verify = self._verify if is_encrypted else False
                self._pools[key] = open_pool(pool_settings(verify, url, proxy))
            return self._pools[key]

    def _trace(self, pool: httpx2.Client, event: str, info: Mapping[str, Any]) -> None:
        drop_surplus(event, pool)
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            connection = info["return_value"].get_extra_info("socket")
            if isinstance(connection, socket.socket):
                with self._lock:
                    self._sockets.add(connection)
                # `abort` may have run since this thread began to connect.
                if self.aborted:  # pragma: no cover - race of threads or processes
                    shut_down(connection)

    def abort(self) -> None:
        """Wake up all threads that wait for a response, each with an error. It cannot be used again."""
        self.aborted = True
        with self._lock:
            connections = list(self._sockets)
        for connection in connections:
            shut_down(connection)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()


def _server(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
