"""When a request is sent again, and after how long: decided here without any I/O, for both clients alike."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from alyx_client.errors import AlyxError, ForeignURLError, error_from_response
from alyx_client.http.message import Request, Response
from alyx_client.http.url import redact_url, same_origin

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_MAX_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how patiently a failed request is sent again.

    Parameters
    ----------
    tries
        How often a request is sent at most; 1 means never again.
    base
        The first wait is up to this many seconds, each further one up to twice as long.
    cap
        Longest wait of our own choosing, in seconds.
    max_wait
        Longest wait accepted from the server (``Retry-After``), in seconds; a longer one raises at once.
    """

    tries: int = 4
    base: float = 0.5
    cap: float = 8.0
    max_wait: float = 60.0

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise ValueError(f"Retries(tries={self.tries}): a request is sent at least once.")
        if min(self.base, self.cap, self.max_wait) < 0:
            raise ValueError("Retries: base, cap and max_wait are seconds and cannot be negative.")

    def wait(
        self, failures: int, retry_after: float | None = None, chance: Callable[[], float] = random.random
    ) -> float | None:
        """Choose how long to wait.

        Parameters
        ----------
        failures
            How often the request has failed so far.
        retry_after
            What the server asked for, in seconds.
        chance
            Source of numbers in [0, 1).

        Returns
        -------
        float or None
            Seconds; None where the server asks for more than ``max_wait``.
        """
        jitter = chance() * min(self.cap, self.base * 2.0 ** min(failures - 1, 60))
        if retry_after is None:
            return jitter
        # Many clients are told the same time: the jitter on top keeps them from coming back all at once.
        return retry_after + jitter if retry_after <= self.max_wait else None


@dataclass(frozen=True, slots=True)
class Send:
    """A step: send this request once."""

    request: Request


@dataclass(frozen=True, slots=True)
class Wait:
    """A step: wait, and why."""

    seconds: float
    reason: AlyxError


@dataclass(frozen=True, slots=True)
class Lost:
    """An outcome: no whole answer came.

    Parameters
    ----------
    error
        What to raise if it is not tried again.
    sent
        Whether the server may have received and acted on the request.
    again
        False where another try cannot help.
    """

    error: AlyxError
    sent: bool
    again: bool = True


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """An outcome: the login needed for the request was answered without success; the request was not sent."""

    request: Request
    response: Response


Outcome = Response | Lost | LoginRefused
Steps = Generator[Send | Wait, Outcome | None, Response]


def should_retry(method: str, outcome: Outcome) -> bool:
    """Tell whether sending again is safe and may help.

    Parameters
    ----------
    method
        The request's HTTP method.
    outcome
        What came of it.

    Returns
    -------
    bool
        Never True where it could make a second record.
    """
    if isinstance(outcome, Lost):
        return outcome.again and (method in _IDEMPOTENT or not outcome.sent)
    if isinstance(outcome, LoginRefused):
        # Logging in twice makes nothing twice: Alyx answers the same token.
        return outcome.response.status in {429, 502, 503, 504}
    return outcome.status in {429, 503} or (outcome.status in {502, 504} and method in _IDEMPOTENT)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Read ``Retry-After`` in either form.

    Parameters
    ----------
    headers
        An answer's headers, names in lower case.
    now
        Seconds since the epoch; the answer's own ``Date`` is preferred where it has one.

    Returns
    -------
    float or None
        Seconds to wait, never negative; None without a readable header.
    """
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    until = http_date(text)
    if until is None:
        return None
    sent = http_date(headers.get("date", ""))
    return max(0.0, until - (now if sent is None else sent))


def http_date(text: str) -> float | None:
    """Read an HTTP date as seconds since the epoch; None if it is none."""
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    # An HTTP date is always in UTC; only the obsolete "-0000" comes out without a zone.
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def exchange(
    request: Request,
    base_url: str,
    retries: Retries,
    *,
    hurry: bool = False,
    now: Callable[[], float] = time.time,
) -> Steps:
    """Take one request through tries, waits and redirects.

    A generator: it yields what to do next, is sent what came of it (None after a wait), and returns the answer.

    Parameters
    ----------
    request
        What to send.
    base_url
        The configured server.
    retries
        How often to try.
    hurry
        Give up at once where the server cannot be reached: there is an answer from the cache to fall back on.
    now
        The clock, for dates in ``Retry-After``.

    Returns
    -------
    Response
        An answer with a status of success.

    Raises
    ------
    AlyxError
        What came of the last try, by its meaning; ForeignURLError before anything is sent.
    """
    refuse_foreign(request, base_url)
    current, redirects, failures, may_have_acted = request, 0, 0, False
    while True:
        outcome = yield Send(current)
        assert outcome is not None
        if isinstance(outcome, Response):
            if 200 <= outcome.status < 300:
                return outcome
            target = _redirected(current, outcome, base_url)
            if target is not None and redirects < _MAX_REDIRECTS:
                current, redirects = target, redirects + 1
                continue
            if outcome.status == 404 and request.method == "DELETE" and may_have_acted:
                return Response(204, {}, b"", outcome.method, outcome.url)
        error = _error(outcome, current, now())
        failures += 1
        if failures >= retries.tries or not should_retry(request.method, outcome) or (hurry and error.unreached):
            raise error
        seconds = retries.wait(failures, error.retry_after)
        if seconds is None:
            raise error
        may_have_acted |= outcome.sent if isinstance(outcome, Lost) else _status(outcome) in {502, 504}
        yield Wait(seconds, error)


def refuse_foreign(request: Request, base_url: str) -> None:
    """Raise ForeignURLError if the request's path is a URL of another server, or no path at all."""
    path = request.path
    if path.startswith("/") and not path.startswith("//"):
        return
    if not same_origin(path, base_url):
        raise ForeignURLError(
            f"{redact_url(path)!r} is not of the configured server {base_url}; nothing was sent. "
            "Pass a key or a URL of that server, or make a client for the other one.",
            method=request.method,
            url=redact_url(path),
        )


def _redirected(request: Request, response: Response, base_url: str) -> Request | None:
    location = response.headers.get("location", "")
    if response.status not in {301, 302, 303, 307, 308} or request.method not in {"GET", "HEAD"} or not location:
        return None
    target = urljoin(response.url, location).partition("#")[0]
    if urlsplit(target).scheme not in {"http", "https"}:
        return None
    authenticate = request.authenticate and same_origin(target, base_url)
    return replace(request, path=target, params=(), authenticate=authenticate)


def _error(outcome: Outcome, request: Request, now: float) -> AlyxError:
    if isinstance(outcome, Lost):
        return outcome.error
    if isinstance(outcome, LoginRefused):
        request, outcome = outcome.request, outcome.response
    return error_from_response(outcome, request, retry_after=retry_after(outcome.headers, now))


def _status(outcome: Response | LoginRefused) -> int:
    return outcome.status if isinstance(outcome, Response) else 0
