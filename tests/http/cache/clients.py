"""A client that uses the response cache, for its tests; subprocesses import it, too."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.state import AuthState
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.errors import (
    AlyxError,
)
from alyx_client.http.cache.response_cache import ResponseCache
from alyx_client.http.message import Request, Response, TokenUser
from alyx_client.http.retry import Retries
from alyx_client.http.transport import SyncTransport
from tests import faults
from tests.faults import Received

WEEK = timedelta(weeks=1)
MOMENT = timedelta(microseconds=1)
SUBJECTS = Request("GET", "/subjects")
SESSIONS = Request("GET", "/sessions")
CREATE = Request("POST", "/subjects", json=b'{"nickname": "flowers"}')


def echo(request: Received, connection: socket.socket) -> bool:
    """Respond with the request."""
    received = {"method": request.method, "target": request.target, "sender": request.token, "body": request.body.hex()}
    return faults.json_response(received)(request, connection)


class Client:
    """Uses the cache as the clients do; tokens serve as identities, too."""

    def __init__(self, folder: Path, url: str, *, user: str | None = "alice", **settings: Any) -> None:
        self.user = user
        self.cache = ResponseCache(folder, url, **settings)
        credentials = Credentials(url, explicit_token=user or "late")
        self.transport = SyncTransport(
            url, TokenAuth(AuthState(credentials)), retries=Retries(tries=2, base=0.001, cap=0.001)
        )

    def __call__(self, request: Request, **settings: Any) -> Response:
        call = self.cache.begin(request, self.user, **settings)
        try:
            if call.response is not None:
                return call.response
            response = self.transport.send(request, fail_fast=call.fail_fast)
            sender = TokenUser(self.user or "late", settings.get("username"), is_proven=self.user is None)
            return call.store(replace(response, sender=sender))
        except AlyxError as error:
            return call.fallback(error)
        finally:
            call.close()

    def close(self) -> None:
        self.transport.close()
        self.cache.close()


Connect = Callable[..., Client]


def body(response: Response) -> dict[str, Any]:
    return json.loads(response.content)
