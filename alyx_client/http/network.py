"""The network below httpx2's connection pools: each operation on a socket ends with its call's deadline.

httpcore2 limits single operations only. A server that sends one byte a second, or informational responses without end,
would hold a call for ever.
"""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import ssl
import threading
from collections.abc import Generator, Iterable
from typing import Any

import httpcore2
import httpx2

from alyx_client.http.deadline import Deadline

__all__ = ["headers_of", "open_async_pool", "open_pool", "shut_down", "timeouts"]

_LOCATION = "alyx_client.location"

_Addresses = list[str]


class _Timeout(float):
    """A timeout of httpcore2 that also ends with a call's deadline; httpcore2 passes it through to the network."""

    deadline: Deadline


def timeouts(timeout: httpx2.Timeout, deadline: Deadline) -> dict[str, float | None]:
    """Return the timeouts of one request, for its extensions.

    Parameters
    ----------
    timeout
        The limits of single operations.
    deadline
        The call's deadline.
    """
    limits: dict[str, float | None] = {}
    for name in ("connect", "read", "write", "pool"):
        seconds: float | None = getattr(timeout, name)
        limit = _Timeout("inf" if seconds is None else seconds)
        limit.deadline = deadline
        limits[name] = limit
    # Waiting for a connection is httpcore2's own; it knows no deadlines.
    limits["pool"] = deadline.longest_wait(timeout.pool)
    return limits


def open_pool(settings: dict[str, Any]) -> httpx2.Client:
    """Return a connection pool with settings of `connection.pool_settings`."""
    transport = httpx2.HTTPTransport(**settings)
    _limit_network(transport)
    return httpx2.Client(transport=transport, trust_env=False, event_hooks={"response": [_hold_location]})


def open_async_pool(settings: dict[str, Any]) -> httpx2.AsyncClient:
    """Return an asynchronous connection pool with settings of `connection.pool_settings`."""
    transport = httpx2.AsyncHTTPTransport(**settings)
    _limit_network(transport)

    async def hold_location(response: httpx2.Response) -> None:
        _hold_location(response)

    return httpx2.AsyncClient(transport=transport, trust_env=False, event_hooks={"response": [hold_location]})


def _hold_location(response: httpx2.Response) -> None:
    # httpx2 parses the target of each redirect, followed or not; an odd one would pass for a broken connection.
    if "location" in response.headers:
        targets = dict.fromkeys(response.headers.get_list("location"))
        response.extensions[_LOCATION] = "\n".join(targets)
        del response.headers["location"]


def headers_of(response: httpx2.Response) -> dict[str, str]:
    """Return the headers of a response, names in lower case; several different ``Location`` are lines of one."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    location: str | None = response.extensions.get(_LOCATION)
    return headers if location is None else {**headers, "location": location}


def _limit_network(transport: httpx2.HTTPTransport | httpx2.AsyncHTTPTransport) -> None:
    """Make the connections of a transport end with the deadlines that `timeouts` puts into requests."""
    # httpx2 has no parameter for httpcore2's public `network_backend`.
    pool: dict[str, Any] = transport.__dict__["_pool"].__dict__
    backend: Any = pool["_network_backend"]
    is_synchronous = isinstance(transport, httpx2.HTTPTransport)
    pool["_network_backend"] = _Network(backend) if is_synchronous else _AsyncNetwork(backend)


def _seconds(timeout: float | None, error: type[httpcore2.TimeoutException]) -> float | None:
    """Return how long an operation may take now.

    Raises
    ------
    httpcore2.TimeoutException
        The deadline has passed.
    """
    if not isinstance(timeout, _Timeout):
        return timeout
    if timeout.deadline.remaining <= 0:
        raise error("the call's time has run out")
    return timeout.deadline.longest_wait(float(timeout))


class _Network(httpcore2.NetworkBackend):
    def __init__(self, backend: httpcore2.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        failure: httpcore2.ConnectError | httpcore2.ConnectTimeout | None = None
        for address in _resolve(host, port, _seconds(timeout, httpcore2.ConnectTimeout)):
            try:
                limit = _seconds(timeout, httpcore2.ConnectTimeout)
                return _Stream(self._backend.connect_tcp(address, port, limit, local_address, socket_options), timeout)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError(f"{host} has no address")


def _resolve(host: str, port: int, limit: float | None) -> _Addresses:
    """Return the addresses of a host; a resolver that does not answer is waited for in a thread of its own."""
    if _is_address(host):
        return [host]
    outcomes: list[_Addresses | Exception] = []
    done = threading.Event()

    def resolve() -> None:
        try:
            outcomes.append([_address(entry[4]) for entry in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)])
        except Exception as error:  # raised where it is waited for
            outcomes.append(error)
        done.set()

    # A daemon: a program that ends meanwhile does not wait for the resolver.
    try:
        threading.Thread(target=resolve, daemon=True, name="alyx-client: resolver").start()
    except RuntimeError:  # Python exits, and starts no more threads from 3.12 on
        resolve()
    if not done.wait(limit):
        raise httpcore2.ConnectTimeout(f"the address of {host} was not resolved in time")
    outcome = outcomes[0]
    if isinstance(outcome, list):
        return outcome
    try:
        # Raised once more, which makes it the context of the other error: httpcore2 removes causes.
        raise outcome
    except Exception as error:
        raise httpcore2.ConnectError(str(error)) from error


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _address(entry: tuple[Any, ...]) -> str:
    # An address that is valid on one link only has the link's number as its fourth part.
    return f"{entry[0]}%{entry[3]}" if len(entry) == 4 and entry[3] else str(entry[0])


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, timeout: float | None) -> None:
        self._stream = stream
        # httpcore2 does not limit the conversation with a SOCKS proxy.
        self._connect_timeout = timeout
        # Encryption within an encrypted connection to a proxy, where httpcore2 limits each of many operations.
        self._is_nested = isinstance(stream.get_extra_info("ssl_object"), ssl.SSLObject)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        limit = _seconds(self._connect_timeout if timeout is None else timeout, httpcore2.ReadTimeout)
        if not self._is_nested:
            return self._stream.read(max_bytes, limit)
        with self._watched(limit):
            return self._stream.read(max_bytes, limit)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        timeout = self._connect_timeout if timeout is None else timeout
        if self._is_nested or not isinstance(timeout, _Timeout):
            limit = _seconds(timeout, httpcore2.WriteTimeout)
            with self._watched(limit if self._is_nested else None):
                return self._stream.write(buffer, limit)
        connection: socket.socket = self._stream.get_extra_info("socket")
        rest = memoryview(buffer)
        try:
            while rest:
                connection.settimeout(_seconds(timeout, httpcore2.WriteTimeout))
                rest = rest[connection.send(rest) :]
        except TimeoutError as error:
            raise httpcore2.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.WriteError(str(error)) from error

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        limit = _seconds(timeout, httpcore2.ConnectTimeout)
        is_encrypted = self._stream.get_extra_info("ssl_object") is not None
        with self._watched(limit if is_encrypted else None):
            return _Stream(self._stream.start_tls(ssl_context, server_hostname, limit), timeout)

    @contextlib.contextmanager
    def _watched(self, limit: float | None) -> Generator[None]:
        """Break the connection if an operation takes longer; None for no limit."""
        if limit is None:
            yield
            return
        connection: socket.socket = self._stream.get_extra_info("socket")
        timer = threading.Timer(limit, shut_down, (connection,))
        timer.daemon = True
        with contextlib.suppress(RuntimeError):  # as for the resolver; each operation still has its own limit
            timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _AsyncNetwork(httpcore2.AsyncNetworkBackend):
    def __init__(self, backend: httpcore2.AsyncNetworkBackend) -> None:
        self._backend = backend

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        limit = _seconds(timeout, httpcore2.ConnectTimeout)
        try:
            stream = await self._backend.connect_tcp(host, port, limit, local_address, socket_options)
        except RuntimeError as error:  # asyncio resolves names in a thread
            from alyx_client.http.exiting import explain_exit  # rarely needed

            explain_exit(error)
            raise
        return _AsyncStream(stream, timeout)


class _AsyncStream(httpcore2.AsyncNetworkStream):
    def __init__(self, stream: httpcore2.AsyncNetworkStream, timeout: float | None) -> None:
        self._stream = stream
        self._connect_timeout = timeout
        self._socket: Any = stream.get_extra_info("socket")

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        timeout = self._connect_timeout if timeout is None else timeout
        return await self._stream.read(max_bytes, _seconds(timeout, httpcore2.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        timeout = self._connect_timeout if timeout is None else timeout
        await self._stream.write(buffer, _seconds(timeout, httpcore2.WriteTimeout))

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        limit = _seconds(timeout, httpcore2.ConnectTimeout)
        return _AsyncStream(await self._stream.start_tls(ssl_context, server_hostname, limit), timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        # Requested for each idle connection at each request; anyio looks up all that it knows of the connection.
        if info == "is_readable":
            return _is_readable(self._socket)
        return self._stream.get_extra_info(info)


def _is_readable(connection: socket.socket | None) -> bool:
    """Return whether a socket has data, or was closed, so that an idle connection cannot be used any more."""
    if connection is None or connection.fileno() < 0:
        return True
    if not hasattr(select, "poll"):  # pragma: no cover - other operating system
        return bool(select.select([connection.fileno()], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def shut_down(connection: socket.socket) -> None:
    """Break a connection, so that a thread that waits for it wakes up."""
    with contextlib.suppress(OSError):
        # Not SSLSocket.shutdown, which would switch off the encryption for a thread that is reading.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
