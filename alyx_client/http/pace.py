"""When requests may be sent so that the server does not refuse them: a count of the last ones, and what it allows.

Alyx counts the requests of a user in a sliding window (``UserRateThrottle`` of Django REST framework): a request is
refused with 429 if as many as are allowed were accepted within the period before it, and ``Retry-After`` says when the
first of these leaves the window. It does not say how many are allowed. So the requests are counted here by the time at
which the server may have counted them, and each one takes its turn when an earlier one has left the window.

Nothing here waits, reads a clock or does I/O.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from alyx_client.http.rate import Rate

__all__ = ["LONGEST_BLOCK", "Pace", "Turn"]

LONGEST_BLOCK: Final = 3600.0
"""The longest ``Retry-After`` that all requests wait for, in seconds."""

_PERIODS = (1.0, 60.0, 3600.0)
# Requests are counted in this many parts of the longest period; a turn comes late by one of them at most.
_PARTS = 120
# The server counts a request when it begins to work on it, which is some time before its response is here.
_LONGEST_SHARE = 0.08
# Waits are whole seconds, rounded up.
_TOLERANCE = 1.0
# A limit that was learned is forgotten after this many seconds without a refusal.
_MEMORY = 86400.0
# A limit may have been learned too low, or while other computers sent requests. So it grows after some periods, by a
# small share of it or a few requests; twice as much each time that goes well, and after twice as long if it does not.
_PATIENCE, _LONGEST_PATIENCE = 2, 32
_STEP_SHARE, _SMALLEST_STEP = 0.02, 4
_IMPLAUSIBLE, _MOST_FAILURES = 1e10, 1e5
_FIELDS: dict[str, type[float]] = {
    "limit": int,
    "window": float,
    "blocked": float,
    "epoch": int,
    "_horizon": float,
    "_refused": float,
    "_wait": float,
    "_latency": float,
    "_is_learning": bool,
    "_is_alone": bool,
    "_patience": int,
    "_failures": int,
    "_step": int,
    "_grows": float,
}


class Turn(NamedTuple):
    """The time at which a request may be sent.

    Parameters
    ----------
    wait
        Seconds until then.
    slot
        Where the request is counted; None if it is not: the turn must be taken again after the wait.
    rate
        The rate that it waits for; None if it waits because the server has refused a request.
    until
        The end of the slot: a response before it changes nothing.
    """

    wait: float
    slot: float | None
    rate: Rate | None = None
    until: float = -math.inf


class Pace:
    """The requests of one user of one server, and the limit that the server was found to have.

    All times are seconds of one clock that never jumps, of all processes of this computer.
    """

    def __init__(self) -> None:
        self.limit: int | None = None
        self.window = 0.0
        self.blocked = -math.inf
        # Processes that were not counting here add what they have sent, once in each epoch.
        self.epoch = 1
        self._horizon = 0.0
        self._refused = -math.inf
        self._wait = self._latency = 0.0
        self._is_learning = self._is_alone = False
        self._failures = 0
        self._patience, self._step = _PATIENCE, _SMALLEST_STEP
        self._grows = math.inf
        self._counts: dict[float, int] = {}

    def dump(self) -> bytes:
        """Return the state as one line of JSON."""
        state = {name: getattr(self, name) for name in _FIELDS}
        return json.dumps([state, list(self._counts.items())]).encode() + b"\n"

    @classmethod
    def load(cls, content: bytes, now: float) -> Pace:
        """Return the state that `dump` wrote; a new one if it is damaged, or outdated."""
        pace = cls()
        try:
            # A process may have died between writing a line and removing the rest of a longer one.
            state, counts = json.loads(content.partition(b"\n")[0] or b"[{}, []]")
            for name, kind in _FIELDS.items():
                if state.get(name) is not None:
                    setattr(pace, name, kind(state[name]))
            pace._counts = {float(slot): int(count) for slot, count in counts if slot <= now + _MEMORY}
            if not pace._is_plausible():
                return cls()
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
            return cls()
        # Times of a clock that has begun anew would be waited for, for ever.
        is_past = pace._refused > now or pace.blocked > now + LONGEST_BLOCK + 1 or math.isnan(pace.blocked)
        return cls() if is_past or 0.0 < now - pace._refused - _MEMORY < math.inf else pace

    def _is_plausible(self) -> bool:
        """Return whether no calculation fails, or takes for ever, with what was loaded."""
        numbers = (self.window, self._horizon, self._wait, self._latency, self.epoch, self._patience, self._step)
        return (
            all(0 <= number < _IMPLAUSIBLE for number in numbers)
            and 0 <= self._failures < _MOST_FAILURES
            and (self.limit is None or (0 < self.limit < _IMPLAUSIBLE and self.window > 0))
            and (self._refused >= 0 < self.window or (self._refused == -math.inf and not self._is_learning))
            and self._grows >= 0
            and all(slot > -math.inf and 0 < count < _IMPLAUSIBLE for slot, count in self._counts.items())
        )

    @property
    def has_refused(self) -> bool:
        """True if the server has refused a request lately."""
        return self._refused > -math.inf

    def join(self, sent: Iterable[tuple[float, int]], rates: Sequence[Rate] = ()) -> None:
        """Count requests that were sent before they were counted here.

        Parameters
        ----------
        sent
            Times and numbers.
        rates
            See `take_turn`.
        """
        for time, count in sent:
            self._add(time, self._part(rates), count)

    def take_turn(self, now: float, rates: Sequence[Rate] = (), longest: float = math.inf) -> Turn:
        """Choose the time of a request, and count it then.

        Parameters
        ----------
        now
            The time.
        rates
            Rates to keep to, besides the one that was learned.
        longest
            The longest wait, in seconds. For a longer one, the request is not counted.
        """
        if now < self.blocked:
            return Turn(self.blocked - now, None)
        if self._is_learning:
            self._learn()
            if now < self.blocked:
                return Turn(self.blocked - now, None)
        self._forget(now, rates)
        start, rate = self._earliest(now, rates, self._counts.items())
        if rate is not None and rate == self._learned() and now >= self._grows:
            self._grow(now)
            start, rate = self._earliest(now, rates, self._counts.items())
        if start - now > longest:
            return Turn(start - now, None, rate)
        return self._turn(now, start, rates, rate)

    def confirm_turn(self, now: float, slot: float, rates: Sequence[Rate] = ()) -> Turn:
        """Check after a wait that it was long enough, since earlier requests may have been sent late."""
        self.cancel(slot)
        if now < self.blocked:
            return Turn(self.blocked - now, None)
        # Those that are still to come wait for theirs in turn.
        sent = [(other, count) for other, count in self._counts.items() if other <= now]
        start, rate = self._earliest(now, rates, sent)
        return self._turn(now, start, rates, rate)

    def finish(self, now: float, slot: float, rates: Sequence[Rate] = ()) -> None:
        """Count a request when the server has responded, or for a slow one some time before."""
        latest = slot + _LONGEST_SHARE * max(rate.seconds for rate in self._all(rates, Rate(1, 1.0)))
        self.cancel(slot)
        self._add(max(slot, min(now, latest)), self._part(rates))

    def cancel(self, slot: float) -> bool:
        """Do not count a request; returns whether it was counted."""
        count = self._counts.get(slot, 0)
        if count > 1:
            self._counts[slot] = count - 1
        else:
            self._counts.pop(slot, None)
        return count > 0

    def refuse(self, now: float, wait: float | None, sent: float, rates: Sequence[Rate] = ()) -> None:
        """Note that the server has refused a request, which it did not count.

        Parameters
        ----------
        now
            The time.
        wait
            How long the server asks to wait, in seconds; None if it does not say.
        sent
            The time when the request was sent.
        rates
            See `take_turn`. The server's period is supposed to be as long, if it may be.
        """
        wait = 1.0 if wait is None else max(wait, 0.0)
        if wait > LONGEST_BLOCK:
            return
        is_first = sent > self._refused and now >= self.blocked
        self.blocked = max(self.blocked, now + wait)
        if not is_first:
            # Of many that were under way at the same time.
            return
        self._refused, self._wait, self._latency = now, wait, now - sent
        set_periods = [rate.seconds for rate in rates if rate.seconds >= wait]
        window = min(set_periods, default=next(period for period in _PERIODS if wait <= period))
        if window > self.window:
            self.window, self.limit, self._patience, self._failures = window, None, _PATIENCE, 0
            # Where all were counted for as long, because a rate is set, no others can have been sent.
            self._is_alone = window <= self._horizon
            if not self._is_alone:
                self.epoch += 1
                self._counts.clear()
        self._is_learning = True

    def _learn(self) -> None:
        """Learn how many requests are allowed, after all that were under way have ended."""
        self._is_learning = False
        slots = [slot for slot in self._counts if self._refused - self.window < slot <= self.blocked]
        accepted = max(1, sum(self._counts[slot] for slot in slots))
        # The oldest request that the server counts leaves the window after the wait. If none of these is as old, there
        # were others, of a process that has ended: they must have left before the number can be learned.
        age = self._refused - min(slots, default=self._refused)
        least = self.window - self._wait - _TOLERANCE - 2 * self._latency
        is_complete = self.window > _TOLERANCE and age >= least
        if self.limit is not None:
            # Fewer are allowed than was believed, or other computers sent some, perhaps for the last time.
            self.limit = min(self.limit, max(accepted, self.limit // 2))
            self._failures += 1
            self._patience = min(_PATIENCE * 2**self._failures, _LONGEST_PATIENCE)
        elif is_complete or self._is_alone:
            self.limit = accepted
        else:
            self.blocked, self._is_alone = self._refused + self.window + _TOLERANCE, True
        self._step = max(math.ceil(_STEP_SHARE * accepted), _SMALLEST_STEP)
        self._grows = self._refused + self._patience * self.window

    def _grow(self, now: float) -> None:
        if self.limit is not None:
            self.limit += self._step
            self._grows = now + self._patience * self.window
            self._step, self._patience = min(2 * self._step, self.limit), 1

    def _learned(self) -> Rate | None:
        return None if self.limit is None else Rate(self.limit, self.window)

    def _all(self, rates: Sequence[Rate], *others: Rate) -> list[Rate]:
        learned = self._learned()
        return [*rates, *others] if learned is None else [*rates, *others, learned]

    def _turn(self, now: float, start: float, rates: Sequence[Rate], rate: Rate | None) -> Turn:
        part = self._part(rates)
        slot = self._add(start, part)
        return Turn(start - now, slot, rate, slot + part)

    def _part(self, rates: Sequence[Rate]) -> float:
        return min((rate.seconds for rate in self._all(rates)), default=self.window or _PERIODS[0]) / _PARTS

    def _add(self, time: float, part: float, count: int = 1) -> float:
        # Times that are the end of a part are not quite multiples of it.
        slot = round(math.floor(time / part + 1e-3) * part, 6)
        self._counts[slot] = self._counts.get(slot, 0) + count
        return slot

    def _earliest(
        self, now: float, rates: Sequence[Rate], counts: Iterable[tuple[float, int]]
    ) -> tuple[float, Rate | None]:
        """Return the earliest time of another request, and the rate that it waits for, if any."""
        start, reason, part = now, None, self._part(rates)
        newest_first = sorted(counts, reverse=True)
        for rate in self._all(rates):
            total = 0
            for slot, count in newest_first:
                total += count
                if total >= rate.requests:
                    leaves = slot + part + rate.seconds
                    if leaves > start:
                        start, reason = leaves, rate
                    break
        return start, reason

    def _forget(self, now: float, rates: Sequence[Rate]) -> None:
        """Drop the counts of requests that have left all windows, and count those in the longer ones less exactly."""
        self._horizon = max(self._horizon, self.window, *(rate.seconds for rate in rates), 0.0)
        coarse, fine = (self._horizon or _PERIODS[0]) / _PARTS, self._part(rates)
        old = now - 2 * fine * _PARTS
        for slot in [slot for slot in self._counts if slot <= old]:
            later = round(math.ceil(slot / coarse - 1e-3) * coarse, 6)
            if slot < now - self._horizon - 2 * coarse:
                del self._counts[slot]
            elif coarse > fine and slot < later <= old:
                self._counts[later] = self._counts.get(later, 0) + self._counts.pop(slot)
