"""Both transports behind one blocking interface, for tests."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.state import AuthState
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.http.async_transport import AsyncTransport
from alyx_client.http.deadline import LOGIN_TIMEOUT
from alyx_client.http.message import Request, Response
from alyx_client.http.retry import Retries
from alyx_client.http.transport import SyncTransport

QUICK = Retries(base=0.001)
LIST = Request("GET", "/subjects", endpoint="subjects", action="list")
CREATE = Request("POST", "/subjects", json=b'{"nickname": "flowers"}', endpoint="subjects", action="create")
DELETE = Request("DELETE", "/subjects/flowers", endpoint="subjects", action="delete")


def authentication(credentials: Credentials, login_timeout: float = LOGIN_TIMEOUT) -> TokenAuth:
    return TokenAuth(AuthState(credentials), login_timeout)


class TransportFactory:
    """Create either transport, with blocking methods, so that each test runs with both."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._runner = asyncio.Runner() if kind == "async" else None
        self._transports: list[SyncTransport | AsyncTransport] = []

    def __call__(
        self,
        url: str,
        *,
        credentials: Credentials | None = None,
        login_timeout: float = LOGIN_TIMEOUT,
        **settings: object,
    ) -> Sender:
        options: dict = {"retries": QUICK, **settings}
        chosen = credentials or Credentials(url, explicit_token="secret-token")
        transport = (AsyncTransport if self._runner else SyncTransport)(
            url, authentication(chosen, login_timeout), **options
        )
        self._transports.append(transport)
        return Sender(transport, self._runner)

    def close(self) -> None:
        for transport in self._transports:
            if isinstance(transport, SyncTransport):
                transport.close()
            else:
                assert self._runner is not None
                self._runner.run(transport.aclose())
        if self._runner:
            self._runner.close()


class Sender:
    def __init__(self, transport: SyncTransport | AsyncTransport, runner: asyncio.Runner | None) -> None:
        self.transport = transport
        self._runner = runner

    def send(self, request: Request) -> Response:
        if isinstance(self.transport, SyncTransport):
            return self.transport.send(request)
        transport = self.transport

        async def send() -> Response:
            return await transport.send(request)

        assert self._runner is not None
        return self._runner.run(send())

    def send_many(self, request: Request, count: int) -> list[Response | BaseException]:
        transport = self.transport
        if isinstance(transport, SyncTransport):
            with ThreadPoolExecutor(count) as pool:
                futures = [pool.submit(transport.send, request) for _ in range(count)]
            return [future.exception() or future.result() for future in futures]

        async def gather() -> list[Response | BaseException]:
            return await asyncio.gather(*(transport.send(request) for _ in range(count)), return_exceptions=True)

        assert self._runner is not None
        return self._runner.run(gather())


def with_password(url: str, **settings: object) -> Credentials:
    return Credentials(url, username="olivier", password="secret-password", **settings)  # type: ignore[arg-type]
