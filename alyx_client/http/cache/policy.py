"""Which answers are kept, and when they are given again."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import Any

from alyx_client.errors import AlyxError, OfflineError, StaleAnswerWarning
from alyx_client.http.cache.key import Asked
from alyx_client.http.cache.store import Cache, Kept
from alyx_client.http.log import logger, warn
from alyx_client.http.message import Request, Response

__all__ = ["Attempt", "Caching", "off"]

_DEFAULT_EXPIRY = timedelta(minutes=5)
_MAX_BYTES = 512 * 2**20
_MAX_ANSWER = 64 * 2**20
# For which clients the cache is off here: in this thread or task. One stands in it once for each block it is off in.
_OFF: ContextVar[tuple[object, ...]] = ContextVar("alyx_client_cache_off", default=())


class Caching:
    """What one client's requests share: the cache and its settings.

    An answer belongs to a user, a method, a URL and a body, and is given again to the same user's same request alone.
    A write makes all answers of the server out of date, for one record is part of other endpoints' answers too: a new
    weighing changes its subject. Those of the endpoint itself are dropped; the others remain for when the server cannot
    be reached.

    Making one touches no file, and nothing that is wrong with the file disturbs a query. It may be used in several
    threads, after a fork, and pickled; the pickle holds the settings.

    Parameters
    ----------
    folder
        Where the answers are kept.
    server
        The server's address, normalised.
    mode
        Which answers are kept and given again: ``"GET"``; ``"*"`` for those of every method; None for none.
    default_expiry
        How long an answer is given again without asking the server; 0 for never.
    offline
        Answer from the cache alone, and refuse what it does not have.
    max_bytes
        How much room the answers may take; those that were not used for longest make room for new ones.

    Raises
    ------
    ValueError
        `mode` is none of the three, or `default_expiry` is negative.
    TypeError
        `default_expiry` is no timedelta.
    """

    def __init__(
        self,
        folder: Path,
        server: str,
        *,
        mode: str | None = "GET",
        default_expiry: timedelta = _DEFAULT_EXPIRY,
        offline: bool = False,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        self._folder, self._server, self._max_bytes = folder, server, max_bytes
        self.mode = mode
        self.default_expiry = default_expiry
        self.offline = offline
        self._cache = Cache(folder, server, max_bytes)
        self._marker = object()

    @property
    def mode(self) -> str | None:
        """Which answers are kept and given again: ``"GET"``, ``"*"`` or None."""
        return self._mode

    @mode.setter
    def mode(self, mode: str | None) -> None:
        known = mode.upper() if isinstance(mode, str) else mode  # pyright: ignore[reportUnnecessaryIsInstance]
        if known not in ("GET", "*", None):
            raise ValueError(f"The cache's mode is 'GET', '*' or None, not {mode!r}.")
        self._mode = known

    @property
    def default_expiry(self) -> timedelta:
        """How long an answer is given again without asking the server."""
        return self._default_expiry

    @default_expiry.setter
    def default_expiry(self, expiry: timedelta) -> None:
        self._default_expiry = timedelta(seconds=_seconds(expiry, "default_expiry"))

    def attempt(
        self,
        request: Request,
        user: str | None,
        *,
        username: str | None = None,
        expires: timedelta | bool | None = None,
        clobber: bool = False,
    ) -> Attempt:
        """Begin a request: look for its answer, or for a write, make the answers of before out of date.

        Parameters
        ----------
        request
            What is asked.
        user
            An opaque name of whose answers may be given; None before the login.
        username
            The user's name, by which the answers are found where there can be no login.
        expires
            How long the answer may be given again; True: not at all; None or False: `default_expiry`. An answer is
            given only while it is younger than this, too.
        clobber
            Whether the server is asked in any case.

        Returns
        -------
        Attempt
            The answer, or what is to be done once the server has answered.

        Raises
        ------
        OfflineError
            The client is offline, and this cannot be answered from the cache.
        ValueError, TypeError
            `expires` is negative, or none of the above.
        """
        lifetime = self._lifetime(expires)
        limit = lifetime if isinstance(expires, timedelta) else None
        asked = Asked.of(request, self._server)
        keeps = asked.may_be_kept(None if self._marker in _OFF.get() else self.mode)
        if self.offline:
            why, identity = self._why_not_offline(asked, keeps, clobber), self._identity(user, username)
            return Attempt(self, asked, answer=self._answer_offline(asked, why, identity, username, limit))
        generation, kept = None, None
        if keeps:
            identity = self._identity(user, username)
            place = asked.place(identity) if identity is not None and not clobber else None
            generation, kept = self._cache.find(place)
            if kept is not None and user is not None and _is_fresh(kept, limit):
                logger.debug("%s from the cache", asked.shown)
                return Attempt(self, asked, answer=kept.response)
        attempt = Attempt(self, asked, user=user, username=username, lifetime=lifetime, generation=generation)
        if asked.writes:
            attempt.begin_writing()
        elif kept is not None:
            attempt.fall_back_on(kept)
        return attempt

    def clear(self, user: str | None = None) -> None:
        """Forget all answers of this server, or those of one user."""
        self._cache.clear(user)

    def close(self) -> None:
        """Close the file; the next request opens it again."""
        self._cache.close()

    def __getstate__(self) -> dict[str, Any]:
        settings = {"mode": self.mode, "default_expiry": self.default_expiry, "offline": self.offline}
        return {"folder": self._folder, "server": self._server, "max_bytes": self._max_bytes, **settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Caching.__init__(self, **state)

    def _identity(self, user: str | None, username: str | None) -> str | None:
        return user or (self._cache.user_of(username) if username else None)

    def _lifetime(self, expires: timedelta | bool | None) -> float:
        if expires is None or expires is False:
            return self.default_expiry.total_seconds()
        return 0.0 if expires is True else _seconds(expires, "expires")

    def _answer_offline(
        self, asked: Asked, why: str | None, user: str | None, username: str | None, limit: float | None
    ) -> Response:
        if why is None and user is not None:
            _, kept = self._cache.find(asked.place(user), create=False)
            if kept is not None:
                if not _is_fresh(kept, limit):
                    _warn_of_age("The client is offline", asked, kept)
                return kept.response
            why = "and the cache does not hold the answer. Ask once while the server can be reached"
        elif why is None and username:
            why = f"and the cache does not know the user {username!r}. Log in once while the server can be reached"
        elif why is None:
            why = "and it is not known whose answers may be given. Pass username="
        raise OfflineError(
            f"{asked.shown} was not sent: the client is offline, {why}, or set offline to False.",
            method=asked.request.method,
            url=asked.url,
        )

    def _why_not_offline(self, asked: Asked, keeps: bool, clobber: bool) -> str | None:
        if asked.writes:
            return "and nothing can be written. Do this while the server can be reached"
        if not keeps:
            return "and the cache is off for this request. Switch it on (mode 'GET', outside of no_cache)"
        if clobber:
            return "and the server's own answer was asked for. Leave out no_cache or clobber"
        return None


class Attempt:
    """One request on its way: what the cache gave, and what it is to be told afterwards.

    Parameters
    ----------
    caching
        Whose request it is.
    asked
        The request.
    answer
        The answer, where the server need not be asked.
    user, username
        Who asks.
    lifetime
        For how many seconds the answer is fresh.
    generation
        The cache's generation when the request began; None where nothing is kept.
    """

    def __init__(
        self,
        caching: Caching,
        asked: Asked,
        *,
        answer: Response | None = None,
        user: str | None = None,
        username: str | None = None,
        lifetime: float = 0.0,
        generation: bytes | None = None,
    ) -> None:
        self.answer = answer
        self._cache = caching._cache  # pyright: ignore[reportPrivateUsage]
        self._asked = asked
        self._user, self._username = user, username
        self._lifetime = lifetime
        self._generation = generation
        self._older: Kept | None = None
        self._writing = self._unreached = False

    @property
    def hurry(self) -> bool:
        """Whether there is an older answer, so that a server that cannot be reached need not be tried for long."""
        return self._older is not None

    def begin_writing(self) -> None:
        """Make the answers of before out of date, before the write is sent and once more when it is finished."""
        self._writing = True
        changed = self._cache.change()
        if self._generation is not None:
            self._generation = changed[1] if changed else None

    def fall_back_on(self, kept: Kept) -> None:
        """Give this answer where the server cannot be reached."""
        self._older = kept

    def answered(self, response: Response, user: str | None) -> Response:
        """Keep the server's answer, if it may be kept.

        Parameters
        ----------
        response
            The answer.
        user
            Whose it is; after a login it is known now.

        Returns
        -------
        Response
            The same answer.
        """
        generation = self._generation
        if self._writing:
            generation = self._end_writing()
        if generation is None or user is None or not _is_kept(response):
            return response
        place = self._asked.place(user)
        self._cache.keep(place, response, lifetime=self._lifetime, generation=generation)
        if self._username:
            # A name is noted anew only after a login: a token that was passed might be another user's.
            self._cache.note_name(self._username, user, replace=self._user is None)
        return response

    def failed(self, error: AlyxError) -> Response:
        """Give the older answer where the server was not reached; reads and writes no file.

        Parameters
        ----------
        error
            What went wrong.

        Returns
        -------
        Response
            The older answer, with a `StaleAnswerWarning`.

        Raises
        ------
        AlyxError
            `error`, where the server was reached or there is no older answer.
        """
        self._unreached = error.unreached
        if self._older is None or not error.unreached:
            raise error
        _warn_of_age("The server cannot be reached", self._asked, self._older)
        return self._older.response

    def finished(self) -> None:
        """End the request, whatever came of it: call this in a ``finally``."""
        if self._writing:
            self._end_writing()

    def _end_writing(self) -> bytes | None:
        """Return the generation to keep the write's own answer with; None where another write came in between."""
        # What never reached the server leaves the answers there for when it cannot be reached.
        changed = self._cache.change(None if self._unreached else self._asked.endpoint)
        self._writing = False
        if changed is None or changed[0] != self._generation:
            return None
        return changed[1]


@contextmanager
def off(caching: Caching) -> Generator[None]:
    """Neither read nor keep answers in a ``with`` block, in this thread or task alone.

    Parameters
    ----------
    caching
        Whose answers; other clients' are not concerned.
    """
    marker = caching._marker  # pyright: ignore[reportPrivateUsage]
    _OFF.set((*_OFF.get(), marker))
    try:
        yield
    finally:
        left = list(_OFF.get())
        if marker in left:
            left.remove(marker)
        _OFF.set(tuple(left))


def _is_kept(response: Response) -> bool:
    if not 200 <= response.status < 300 or len(response.content) > _MAX_ANSWER:
        return False
    return "json" in response.headers.get("content-type", "").lower()


def _is_fresh(kept: Kept, limit: float | None) -> bool:
    # An answer from the future comes of a clock that was set: its age is not known.
    age = time.time() - kept.received
    return kept.current and 0 <= age < kept.lifetime and (limit is None or age < limit)


def _seconds(value: object, name: str) -> float:
    if not isinstance(value, timedelta):
        raise TypeError(f"{name}={value!r}: a timedelta is needed, for instance timedelta(minutes=5).")
    if value < timedelta(0):
        raise ValueError(f"{name}={value!r} is negative; timedelta(0) has the server asked each time.")
    return value.total_seconds()


def _warn_of_age(why: str, asked: Asked, kept: Kept) -> None:
    age = _readable_age(time.time() - kept.received)
    warn(f"{why}: {asked.shown} is answered from the cache, {age} old.", StaleAnswerWarning)


def _readable_age(seconds: float) -> str:
    """Say an age in its largest unit: ``3 hours``."""
    amount, unit = max(1, int(seconds)), "second"
    for size, larger in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            amount, unit = int(seconds // size), larger
            break
    return f"{amount} {unit}{'' if amount == 1 else 's'}"
