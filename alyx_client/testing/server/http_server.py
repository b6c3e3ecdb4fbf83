"""An HTTP server in a thread of this process: uvicorn, with access to its open connections."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

Transports = dict[tuple[str, int], asyncio.Transport]
"""Open connections by the client's address."""


@dataclass
class _Running:
    socket: socket.socket
    server: uvicorn.Server
    thread: threading.Thread


class HttpServer:
    """Serves an application.

    Parameters
    ----------
    host, port
        The address to listen on; port 0 chooses a free one.
    log_level
        The log level of uvicorn.
    """

    def __init__(self, host: str, port: int, log_level: str) -> None:
        self.transports: Transports = {}
        self._address = (host, port)
        self._log_level = log_level
        self._running: _Running | None = None

    @property
    def url(self) -> str | None:
        """The server's address, without a trailing slash; None if it is not running."""
        if self._running is None:
            return None
        host, port = self._running.socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self, app: ASGIApp) -> None:
        """Start serving an application, and return when requests are accepted.

        Raises
        ------
        OSError
            The address is not available.
        """
        if self._running is not None:
            return
        listener = _listen(self._address)
        server = uvicorn.Server(self._config(app))
        thread = threading.Thread(target=server.run, args=([listener],), name="local Alyx", daemon=True)
        self._running = _Running(listener, server, thread)
        thread.start()
        # uvicorn has no event to wait for.
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the local Alyx did not start")
            time.sleep(0.002)

    def stop(self) -> None:
        """Stop serving."""
        if self._running is not None:
            self._running.server.should_exit = True
            self._running.thread.join(timeout=10)
            self._running.socket.close()
            self._running = None

    def _config(self, app: ASGIApp) -> uvicorn.Config:
        logging.getLogger("uvicorn.error").setLevel(self._log_level.upper())
        return uvicorn.Config(
            app,
            # Of uvicorn's two implementations, the one without compiled parts.
            http=_protocol(self.transports),
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_level=self._log_level,
            log_config=None,
            access_log=False,
            # The middleware sends a header of its own.
            server_header=False,
            # Clients hold connections open; do not wait for them to close.
            timeout_graceful_shutdown=1,
        )


def _listen(address: tuple[str, int]) -> socket.socket:
    # asyncio switches Nagle's algorithm off only for sockets that are created as TCP explicitly; otherwise every
    # second response is delayed by 40 ms.
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    listener.listen(128)
    return listener


def _protocol(transports: Transports) -> type[H11Protocol]:
    class Protocol(H11Protocol):
        """Collects the open connections, so that a fault can reset one."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            transports[tuple(transport.get_extra_info("peername")[:2])] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            # The transport no longer knows its peer, the protocol still does.
            if self.client is not None:
                transports.pop(self.client, None)

    return Protocol
