"""Retries and redirects: when a request is sent again, and after how long."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import cast
from urllib.parse import urljoin, urlsplit

from alyx_client.errors import AlyxError, DeadlineExceededError
from alyx_client.http.deadline import Deadline, deadline_exceeded
from alyx_client.http.failure import LoginRefused, Unanswered
from alyx_client.http.flow import Authenticator, Flow, Send, Sleep
from alyx_client.http.headers import retry_after
from alyx_client.http.json_body import unexpected
from alyx_client.http.log import logger
from alyx_client.http.message import REDIRECTS, Request, Response
from alyx_client.http.url import is_https_upgrade, refuse_foreign, same_origin
from alyx_client.lazy_dataclasses import dataclass

__all__ = ["TRANSIENT_STATUSES", "Outcome", "Retries", "exchange", "should_retry"]

# RFC 9110, section 9.2.2: sending these twice has the effect of sending them once.
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_MAX_REDIRECTS = 10
_LONGEST_LOCATION = 8000
# A server that answers so has not acted on the request.
_REFUSALS = frozenset({429, 503})
# A gateway answers so in place of the server, which may have acted on the request.
_GATEWAY_FAILURES = frozenset({502, 504})
TRANSIENT_STATUSES = _REFUSALS | _GATEWAY_FAILURES
"""Statuses that may be gone at the next attempt; which requests may be repeated, `should_retry` decides."""

Outcome = Response | Unanswered | LoginRefused


@dataclass(frozen=True, slots=True)
class Retries:
    """Retry policy: how often a failed request is retried, and how long to wait in between.

    Parameters
    ----------
    tries
        Maximum number of attempts; 1 disables retries.
    base
        Upper bound of the first wait, in seconds; each further bound is twice the one before.
    cap
        Longest wait chosen by the client, in seconds.
    max_wait
        Longest wait accepted from the server (``Retry-After``), in seconds; for a longer one the error is raised
        at once.
    """

    tries: int = 4
    base: float = 0.5
    cap: float = 8.0
    max_wait: float = 60.0

    def __post_init__(self) -> None:
        if isinstance(self.tries, bool) or not isinstance(cast("object", self.tries), int):
            raise TypeError(
                f"Retries: tries is a number of attempts, not an object of type {type(self.tries).__name__}."
            )
        for name in ("base", "cap", "max_wait"):
            seconds: object = getattr(self, name)
            if isinstance(seconds, bool) or not isinstance(seconds, int | float):
                raise TypeError(
                    f"Retries: {name} is a number of seconds, not an object of type {type(seconds).__name__}."
                )
        if self.tries < 1:
            raise ValueError(f"Retries(tries={self.tries}): a request is sent at least once.")
        if min(self.base, self.cap, self.max_wait) < 0:
            raise ValueError("Retries: base, cap and max_wait are seconds and cannot be negative.")

    def wait(
        self, failures: int, retry_after: float | None = None, chance: Callable[[], float] = random.random
    ) -> float | None:
        """Choose how long to wait before the next attempt.

        Parameters
        ----------
        failures
            How often the request has failed so far.
        retry_after
            The wait that the server asked for, in seconds.
        chance
            Source of random numbers in [0, 1).

        Returns
        -------
        float or None
            Seconds; None if the server asks for more than ``max_wait``.
        """
        # Full jitter: clients that failed together must not retry together.
        jitter = chance() * min(self.cap, self.base * 2.0 ** min(failures - 1, 60))
        if retry_after is None:
            return jitter
        # Many clients are told the same time: jitter on top keeps them from returning all at once.
        return retry_after + jitter if retry_after <= self.max_wait else None


def should_retry(method: str, outcome: Outcome) -> bool:
    """Decide whether a retry is safe and may succeed.

    Parameters
    ----------
    method
        The request's HTTP method.
    outcome
        The outcome of the last attempt.

    Returns
    -------
    bool
        True to send the request again; never where that could create a second record.
    """
    if isinstance(outcome, Unanswered):
        return outcome.retryable and (method in _IDEMPOTENT or not outcome.sent)
    if isinstance(outcome, LoginRefused):
        # Safe for every method: the request itself was not sent, and Alyx returns the same token to each login.
        return outcome.response.status in TRANSIENT_STATUSES
    return outcome.status in _REFUSALS or (outcome.status in _GATEWAY_FAILURES and method in _IDEMPOTENT)


def _is_deleted(request: Request, response: Response) -> bool:
    """Return whether an earlier attempt, whose response was lost, has deleted the record, as was requested."""
    return response.status == 404 and request.method == "DELETE"


def exchange(
    request: Request,
    base_url: str,
    retries: Retries,
    auth: Authenticator | None = None,
    *,
    deadline: Deadline,
    token: str | None = None,
    fail_fast: bool = False,
    now: Callable[[], float] = time.time,
) -> Flow[Response]:
    """Send a request, with retries and redirects, until it succeeds or has failed for good.

    Parameters
    ----------
    request
        The request.
    base_url
        The configured server.
    retries
        The retry policy.
    auth
        Adds the token to requests that need one; None for a server without authentication.
    deadline
        The end of the call's time: nothing is retried after it.
    token
        A token to send as it is.
    fail_fast
        Raise at once if the server cannot be reached: the caller has a cached response to fall back on.
    now
        The clock, for dates in ``Retry-After``.

    Returns
    -------
    Response
        A successful response (2xx).

    Raises
    ------
    AlyxError
        The failure of the last attempt, by its meaning; DeadlineExceededError if the time ran out; ForeignURLError
        before anything is sent.
    """
    refuse_foreign(request, base_url)
    current, failures, may_have_acted = request, 0, False
    redirects: list[Response] = []
    last: AlyxError | None = None
    while True:
        outcome = yield from _attempt(current, auth, token)
        if isinstance(outcome, Response):
            if 200 <= outcome.status < 300:
                return _of_one_user(_whole(outcome), redirects)
            target = _redirect(current, outcome)
            if target is not None:
                if len(redirects) == _MAX_REDIRECTS:
                    from alyx_client.http.error_response import too_many_redirects

                    raise too_many_redirects(outcome, len(redirects))
                redirects.append(outcome)
                current = target
                continue
            if may_have_acted and _is_deleted(current, outcome):
                return Response(204, {}, b"", outcome.method, outcome.url)
        error = _error(outcome, current, now())
        failures += 1
        may_have_acted |= _may_have_acted(outcome)
        error.may_have_acted |= may_have_acted and request.method not in {"GET", "HEAD"}
        if isinstance(error, DeadlineExceededError):
            raise _after_attempts(error, failures, last) from last
        is_final = failures >= retries.tries or (fail_fast and error.unreached)
        may_retry = not is_final and should_retry(request.method, outcome)
        seconds = retries.wait(failures, error.retry_after) if may_retry else None
        if seconds is None:
            raise error
        last = error
        if seconds >= deadline.remaining:
            raise _no_time_to_retry(deadline, error, failures, seconds) from error
        logger.info("retrying in %.1f s: %s", seconds, error)
        yield Sleep(seconds)


def _attempt(request: Request, auth: Authenticator | None, token: str | None) -> Flow[Outcome]:
    try:
        if auth is not None and request.authenticate:
            return (yield from auth.authenticate(request, token))
        response: Response = yield Send(request)
        return response
    except (Unanswered, LoginRefused) as failure:
        return failure


def _whole(response: Response) -> Response:
    if response.status == 206:
        # A part would pass for the whole, and be cached as such (RFC 9110, section 15.3.7).
        raise unexpected(response, urlsplit(response.url).path, "the whole, of which no part was requested")
    return response


def _of_one_user(response: Response, redirects: list[Response]) -> Response:
    """Return the response without a sender if another user was redirected to it, who logged out meanwhile."""
    senders = {None if step.sender is None else step.sender.identity for step in (*redirects, response)}
    # It would be stored for the address that was requested, where its sender might have been led elsewhere.
    return response if len(senders) == 1 else replace(response, sender=None)


def _redirect(request: Request, response: Response) -> Request | None:
    """Return the request to follow a redirect with; None where it must not be followed."""
    location = response.headers.get("location", "")
    # A write is not followed: its body might be stored at an address that nobody chose.
    if response.status not in REDIRECTS or request.method not in {"GET", "HEAD"}:
        return None
    # Line breaks stand between several different fields; other characters of this kind are in no address.
    if not location.strip() or len(location) > _LONGEST_LOCATION or re.search(r"[\x00-\x1f\x7f]", location.strip()):
        return None
    try:
        target = urljoin(response.url, location).partition("#")[0]
        scheme = urlsplit(target).scheme
    except ValueError:
        return None
    if scheme not in {"http", "https"} or (scheme == "http" and urlsplit(response.url).scheme == "https"):
        return None
    # Another server's response, such as a login portal's, would pass for Alyx's own and be cached as such. Targets are
    # compared with the URL before them: the server itself, or the same one under https, may redirect further.
    is_own = same_origin(response.url, target) or is_https_upgrade(response.url, target)
    if not is_own and not request.any_server:
        return None
    # The token goes to the configured server alone, and never again once another server has had a say.
    return replace(request, path=target, params=(), authenticate=request.authenticate and is_own)


def _error(outcome: Outcome, request: Request, now: float) -> AlyxError:
    if isinstance(outcome, Unanswered):
        return outcome.error
    if isinstance(outcome, LoginRefused):
        request, outcome = outcome.request, outcome.response
    from alyx_client.http.error_response import error_from_response

    return error_from_response(outcome, request, retry_after=retry_after(outcome.headers, now))


def _after_attempts(error: DeadlineExceededError, attempts: int, last: AlyxError | None) -> DeadlineExceededError:
    # One that had to wait for its turn too long was not sent.
    error.attempts = attempts if error.attempts else attempts - 1
    if last is not None:
        error.unreached = error.unreached and last.unreached
        error.message += f" This was attempt {attempts}; the one before failed: {last}"
    return error


def _no_time_to_retry(deadline: Deadline, error: AlyxError, failures: int, seconds: float) -> DeadlineExceededError:
    return deadline_exceeded(
        deadline,
        f"{error.method} {error.url}",
        f"attempt {failures} failed, and the next one would follow in {seconds:.3g} s",
        attempts=failures,
        may_have_acted=error.may_have_acted,
        method=error.method,
        url=error.url,
        last=error,
    )


def _may_have_acted(outcome: Outcome) -> bool:
    if isinstance(outcome, Unanswered):
        return outcome.sent
    return isinstance(outcome, Response) and outcome.status in _GATEWAY_FAILURES
