"""A throttled server and its clients in virtual time: the flows are real, and so is the file that they share."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from alyx_client.http.deadline import Deadline
from alyx_client.http.flow import Blocking, Flow, Send, Sleep
from alyx_client.http.message import Request, Response
from alyx_client.http.rate import Rate, parse_rate
from alyx_client.http.throttle import Throttle

URL = "https://alyx.example.org"
STEP = Send(Request("GET", "/subjects", endpoint="subjects", action="list"), "secret-token")


@dataclass
class Server:
    """Counts requests as ``UserRateThrottle`` of Django REST framework does."""

    rate: Rate
    accepted: dict[str | None, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    statuses: list[int] = field(default_factory=list)
    says_when: bool = True

    def respond(self, now: float, token: str | None) -> Response:
        accepted = self.accepted[token]
        while accepted and accepted[0] <= now - self.rate.seconds:
            accepted.popleft()
        if len(accepted) < self.rate.requests:
            accepted.append(now)
            self.statuses.append(200)
            return Response(200, {}, b"{}", "GET", f"{URL}/subjects")
        self.statuses.append(429)
        wait = math.ceil(accepted[0] + self.rate.seconds - now)
        return Response(429, {"retry-after": str(wait)} if self.says_when else {}, b"{}", "GET", f"{URL}/subjects")

    @property
    def refused(self) -> int:
        return self.statuses.count(429)


class World:
    """Runs clients against a server; a request takes `latency` seconds, and is counted after half of it."""

    def __init__(self, rate: str, latency: float = 0.1) -> None:
        self.now = 100_000.0
        self.server = Server(parse_rate("rate", rate))
        self.latency = latency
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._flows: dict[Throttle, list[Flow[None]]] = {}
        self._dead: set[int] = set()
        self.finished: list[float] = []

    def process(self, rate: str | None = None) -> Throttle:
        return Throttle(URL, parse_rate("rate_limit", rate) if rate else None, clock=lambda: self.now)

    def threads(self, throttle: Throttle, count: int, requests: int, token: str = "secret-token") -> None:
        """Let threads of a process send requests one after the other."""
        for _ in range(count):
            work = self._work(throttle, requests, replace(STEP, token=token))
            self._flows.setdefault(throttle, []).append(work)
            self.at(self.now, partial(self._advance, work, None))

    def kill(self, process: Throttle) -> int:
        """Let a process do nothing any more; return how many of its threads were at work."""
        flows = [flow for flow in self._flows[process] if flow.gi_frame is not None]
        self._dead.update(map(id, flows))
        return len(flows)

    def at(self, time: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), event))

    def run(self, seconds: float = math.inf) -> float:
        """Run until nothing is left to do, or for some time; return how long that took."""
        began = self.now
        while self._events and self._events[0][0] <= began + seconds:
            self.now, _, event = heapq.heappop(self._events)
            event()
        return self.now - began

    def _work(self, throttle: Throttle, requests: int, step: Send) -> Flow[None]:
        for _ in range(requests):
            while True:
                response = yield from throttle.send(step, Deadline(math.inf))
                if response.status == 200:
                    self.finished.append(self.now)
                    break
                yield Sleep(float(response.headers.get("retry-after", "0.3")))

    def _advance(self, flow: Flow[None], outcome: object) -> None:
        while id(flow) not in self._dead:
            try:
                step = flow.send(outcome)
            except StopIteration:
                return
            if isinstance(step, Blocking):
                outcome = step.function()
            elif isinstance(step, Sleep):
                self.at(self.now + step.seconds, partial(self._advance, flow, None))
                return
            else:
                self.at(self.now + self.latency / 2, partial(self._arrive, flow, step))
                return

    def _arrive(self, flow: Flow[None], step: Send) -> None:
        response = self.server.respond(self.now, step.token)
        self.at(self.now + self.latency / 2, partial(self._advance, flow, response))
