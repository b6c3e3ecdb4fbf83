"""Faults that a test switches on."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

FaultKind = Literal[
    "delay",
    "cut_body",
    "wrong_length",
    "status",
    "html",
    "truncated_json",
    "stale_token",
    "reset",
    "headers",
    "replace",
]


@dataclass
class Fault:
    """One fault that is switched on.

    Attributes
    ----------
    path
        Glob over the request's path, such as ``"/sessions*"``.
    kind
        What goes wrong; see `Faults.add`.
    times
        The number of requests that it still affects; None for all.
    skip
        The number of matching requests to pass through first.
    method
        The method of the affected requests; None for all.
    options
        The options of the kind.
    """

    path: str
    kind: FaultKind
    times: int | None = 1
    skip: int = 0
    method: str | None = None
    options: dict[str, Any] = field(default_factory=dict[str, Any])


class Faults:
    """The faults of a local Alyx.

    Attributes
    ----------
    throttled
        How many requests the throttle has refused since it was switched on.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self.throttled = 0
        self._limit: tuple[int, float] | None = None
        self._request_times: dict[str, deque[float]] = {}

    def add(
        self,
        path: str,
        kind: FaultKind,
        *,
        times: int | None = 1,
        skip: int = 0,
        method: str | None = None,
        **options: Any,
    ) -> Fault:
        """Switch on a fault.

        Parameters
        ----------
        path
            Glob over the request's path: ``"/sessions"``, ``"/data/*"``, ``"*"``.
        kind
            One of

            - ``"delay"``: wait for `seconds` (default 0.2), then respond;
            - ``"status"``: respond with `status` (default 503) and `detail`; `retry_after` is a number of seconds, or
              a datetime, which is sent as a date; with `handled` true, after the request has been carried out;
            - ``"html"``: respond with an HTML page and the status 200, or `status`;
            - ``"truncated_json"``: send only the first `keep` bytes (default: half), as a complete body;
            - ``"cut_body"``: announce the whole length, send `keep` bytes (default: half) and close the connection;
              with `reset` true, reset it;
            - ``"wrong_length"``: announce a length that differs by `delta` from that of the content (default -1): a
              short but valid response if it is negative, a missing end if it is positive;
            - ``"stale_token"``: invalidate the token of the request;
            - ``"reset"``: reset the connection without a response; with `handled` true, after the request has been
              carried out;
            - ``"headers"``: add `headers` to the response;
            - ``"replace"``: replace the text `old` by `new` in the body of the response.
        times
            The number of requests to affect; None for all until `clear`.
        skip
            The number of matching requests to pass through first.
        method
            Affect requests of this method only.
        **options
            The options of the kind, as above.

        Raises
        ------
        ValueError
            There is no such kind.
        """
        if kind not in get_args(FaultKind):
            raise ValueError(f"no fault of kind {kind!r}: choose one of {', '.join(get_args(FaultKind))}")
        fault = Fault(path, kind, times, skip, method, dict(options))
        with self._lock:
            self._faults.append(fault)
        return fault

    def throttle(self, requests: int | None, seconds: float = 60.0) -> None:
        """Refuse a user's requests beyond a number within `seconds`, with the status 429; None switches it off."""
        with self._lock:
            self._limit = (requests, seconds) if requests is not None else None
            self.throttled = 0
            self._request_times.clear()

    def clear(self) -> None:
        """Switch all faults and the throttle off."""
        with self._lock:
            self._faults.clear()
            self._limit = None
            self._request_times.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that affects a request, and count it."""
        with self._lock:
            for fault in self._faults:
                if not fnmatchcase(path, fault.path) or fault.method not in (None, method):
                    continue
                # A fault that still skips does not hide a later one that matches.
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is None:
                    return fault
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
                return fault
        return None

    def throttle_wait(self, username: str) -> float | None:
        """Count a request of a user, and return the seconds to wait if there were too many."""
        with self._lock:
            if self._limit is None:
                return None
            requests, seconds = self._limit
            now = time.monotonic()
            times = self._request_times.setdefault(username, deque())
            # A sliding window, as in DRF's SimpleRateThrottle.
            while times and times[0] <= now - seconds:
                times.popleft()
            if len(times) >= requests:
                self.throttled += 1
                return times[0] + seconds - now
            times.append(now)
            return None
