"""What a request looks like on the way out, and who may renew a token: all of the transport that needs no httpx."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import ssl
import threading
from collections.abc import Generator
from typing import Self
from urllib.parse import quote, urlencode

from alyx_client.auth.token_flow import Step, Steps
from alyx_client.http.log import logger
from alyx_client.http.message import Request, Response
from alyx_client.http.retry import Lost, Wait


class UnansweredError(Exception):
    """Carries what happened to a request without a whole answer to the policy that decides on it."""

    def __init__(self, outcome: Lost) -> None:
        super().__init__(str(outcome.error))
        self.outcome = outcome


class Held:
    """A lock that is given up at the end if it is held then."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self._mine = False

    def take(self, *, blocking: bool = True) -> bool:
        """Take the lock; returns whether it was to be had."""
        self._mine = self._lock.acquire(blocking=blocking)
        return self._mine

    def give(self) -> None:
        """Give the lock up."""
        self._lock.release()
        self._mine = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._mine:
            self.give()


def next_step(steps: Steps, answer: Response | None) -> Step | None:
    """Send an answer into the steps of a login; None at their end."""
    try:
        return steps.send(answer)
    except StopIteration:
        return None


def full_url(request: Request, base_url: str) -> str:
    """Put together the URL of a request."""
    path = request.path
    url = f"{base_url}{path}" if path.startswith("/") else path
    if not request.params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(request.params, safe='/:,', quote_via=quote)}"


def boundary(request: Request) -> str:
    """Choose a boundary from the parts themselves, so that a retry sends the same bytes."""
    digest = hashlib.sha256(repr(request.form).encode())
    for part in request.files:
        digest.update(repr((part.name, part.filename, part.content_type)).encode())
        digest.update(part.content)
    return digest.hexdigest()[:40]


def announced(step: Wait) -> float:
    """Log why a request waits; returns for how many seconds."""
    logger.info("trying again in %.1f s: %s", step.seconds, step.reason)
    return step.seconds


def causes(error: BaseException | None) -> Generator[BaseException]:
    """Yield an error, what caused it, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def trust(verify: bool | ssl.SSLContext) -> bool | ssl.SSLContext:
    """Return what certificates are checked against: for True, the operating system's trust store."""
    if verify is not True:
        return verify
    try:
        import truststore

        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    except (ImportError, NotImplementedError, OSError):
        return True


def agent_name(library: str) -> str:
    """Say who asks.

    Parameters
    ----------
    library
        The HTTP library and its version.
    """
    try:
        version = importlib.metadata.version("alyx-client")
    except importlib.metadata.PackageNotFoundError:
        version = "0"
    return f"alyx-client/{version} python/{platform.python_version()} {library}"
