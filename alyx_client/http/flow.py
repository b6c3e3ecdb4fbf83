"""Sans-I/O flows: logic written once as a generator, and driven by a thread or by asyncio.

A flow yields a step that says what it waits for, is sent the outcome, and returns its result. A failure is thrown in
where the flow waits, so that ``try``, ``finally`` and ``yield from`` work in it as in a function. Retries,
authentication, logins and calls by name are flows; the synchronous and the asynchronous client differ in their driver
alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from alyx_client.errors import DeadlineExceededError
from alyx_client.http.deadline import Deadline, deadline_exceeded
from alyx_client.http.log import context_of_caller
from alyx_client.http.message import Request, Response
from alyx_client.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    import asyncio

__all__ = [
    "Acquire",
    "Authenticator",
    "Blocking",
    "Expires",
    "Flow",
    "FlowLock",
    "Send",
    "Sender",
    "Sleep",
    "Step",
    "adrive",
    "drive",
    "thread_to_its_end",
    "to_thread",
]

T = TypeVar("T")
P = ParamSpec("P")
Expires = timedelta | bool | None
"""Cache lifetime of a response: None or False for the default, True to bypass the cache."""

# Event loops of several threads share the lock, so that no loop may block on it, and no asyncio.Lock would do.
_POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Send:
    """A step: send a request; its outcome is the response.

    The driver's ``send`` decides how far a step reaches: through the cache (calls by name, endpoints), through retries
    (logins), or to the network once (retries and authentication).

    Parameters
    ----------
    request
        The request.
    token
        The token to send with it.
    expires
        How long the response may be served from the cache.
    bypass_cache
        Whether to ask the server even if the response is cached.
    login_timeout
        How long a login may take, in seconds; None for other requests.
    """

    request: Request
    token: str | None = field(default=None, repr=False)
    expires: Expires = None
    bypass_cache: bool = False
    login_timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Sleep:
    """A step: wait, in seconds."""

    seconds: float


class FlowLock(Protocol):
    """A lock that flows acquire; reentrant or not."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Acquire it; returns whether that succeeded."""
        ...

    def release(self) -> None:
        """Release it."""
        ...

    def locked(self) -> bool:
        """Return whether it is held, by another thread if it is reentrant."""
        ...


@dataclass(frozen=True, slots=True)
class Acquire:
    """A step: acquire a lock; the flow itself releases it, in a ``finally``, since that never waits."""

    lock: FlowLock


@dataclass(frozen=True, slots=True)
class Blocking:
    """A step: call a function that may block, such as a prompt or a keyring; its outcome is what that returns.

    Parameters
    ----------
    function
        The function.
    to_its_end
        Whether a task that is cancelled meanwhile waits until the function has returned.
    """

    function: Callable[[], object]
    to_its_end: bool = False


Step = Send | Sleep | Acquire | Blocking
Flow = Generator[Step, Any, T]
"""A flow that returns a `T`."""
Sender = Callable[[Send], Response]
"""Carries out a `Send`; it raises if there is no response."""


class Authenticator(Protocol):
    """Whatever adds credentials to requests; `http` takes it from the client and knows no more of it."""

    def authenticate(self, request: Request, token: str | None = None) -> Flow[Response]:
        """Send a request with a token: the one passed, or one of its own, which it may renew.

        Parameters
        ----------
        request
            The request.
        token
            A token to send as it is.
        """
        ...


def drive(
    flow: Flow[T], send: Sender, deadline: Deadline | None = None, sleep: Callable[[float], None] = time.sleep
) -> T:
    """Run a flow in this thread.

    Parameters
    ----------
    flow
        The flow.
    send
        Sends one request, until the deadline at most.
    deadline
        The end of the flow's time; None if it has none. Steps that block, such as prompts, are waited for, and their
        time does not count.
    sleep
        Waits, in seconds.

    Returns
    -------
    T
        What the flow returns.

    Raises
    ------
    DeadlineExceededError
        The time ran out while the flow was waiting.
    Exception
        Whatever a step raised, unless the flow handles it, and whatever the flow itself raises.
    """
    deadline = deadline or Deadline(math.inf)
    outcome: object = None
    error: BaseException | None = None
    while True:
        try:
            step = flow.send(outcome) if error is None else flow.throw(error)
        except StopIteration as end:
            result: T = end.value
            return result
        outcome, error = None, None
        try:
            match step:
                case Send():
                    outcome = send(step)
                case Sleep():
                    _require_time(deadline, step.seconds)
                    sleep(step.seconds)
                case Acquire():
                    limit = deadline.longest_wait()
                    if not step.lock.acquire(timeout=-1 if limit is None else limit):
                        raise _lock_timeout(deadline)
                case Blocking():  # pragma: no branch - every case is named
                    with deadline.paused():
                        outcome = step.function()
        except BaseException as problem:  # KeyboardInterrupt, too: a flow gives up its locks on the way out
            error = problem


async def adrive(
    flow: Flow[T],
    send: Callable[[Send], Awaitable[Response]],
    deadline: Deadline | None = None,
    sleep: Callable[[float], Awaitable[None]] | None = None,
) -> T:
    """Run a flow in this task; parameters, result and errors as for `drive`."""
    import asyncio

    deadline = deadline or Deadline(math.inf)
    outcome: object = None
    error: BaseException | None = None
    while True:
        try:
            step = flow.send(outcome) if error is None else flow.throw(error)
        except StopIteration as end:
            result: T = end.value
            return result
        outcome, error = None, None
        try:
            match step:
                case Send():
                    outcome = await send(step)
                case Sleep():
                    _require_time(deadline, step.seconds)
                    await (sleep or asyncio.sleep)(step.seconds)
                case Acquire():
                    while not step.lock.acquire(blocking=False):
                        if deadline.is_over:
                            raise _lock_timeout(deadline)
                        await asyncio.sleep(_POLL_SECONDS)
                case Blocking():  # pragma: no branch - every case is named
                    with deadline.paused():
                        outcome = await (thread_to_its_end if step.to_its_end else to_thread)(step.function)
        except BaseException as problem:  # CancelledError, too: a flow gives up its locks on the way out
            error = problem


async def thread_to_its_end(function: Callable[[], T]) -> T:
    """Call a function in a thread, and return, or raise, once it has ended, also if this task is cancelled meanwhile.

    The thread cannot be stopped, and what comes next must know what it has done.
    """
    import asyncio

    running = to_thread(function)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if not running.cancelled():  # pragma: no branch - race of threads or processes
            running.exception()  # looked at, so that it is not reported as never retrieved
        raise


def _require_time(deadline: Deadline, seconds: float) -> None:
    if seconds >= deadline.remaining:
        raise deadline_exceeded(deadline, "The call", f"it was to wait {seconds:.3g} s before the next attempt")


def _lock_timeout(deadline: Deadline) -> DeadlineExceededError:
    return deadline_exceeded(deadline, "The call", "it was waiting for the login of another thread or task")


def to_thread(function: Callable[P, T], /, *args: P.args, **options: P.kwargs) -> asyncio.Future[T]:
    """Call a function in a thread as `asyncio.to_thread` does; its warnings point at the line of the user's code."""
    import asyncio

    call = partial(context_of_caller().run, function, *args, **options)
    try:
        return asyncio.get_running_loop().run_in_executor(None, call)
    except RuntimeError as error:
        from alyx_client.http.exiting import explain_exit  # rarely needed

        explain_exit(error)
        raise
