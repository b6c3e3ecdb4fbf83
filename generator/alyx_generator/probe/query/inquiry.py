"""Requests that ask a server about its models, and the bounds on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import unescape
from urllib.parse import quote

from alyx_client.errors import AlyxHTTPError, AuthenticationError, RateLimitError
from alyx_client.http.message import Request
from alyx_client.http.transport import SyncTransport
from alyx_generator.probe.pace import Pace
from alyx_generator.probe.query.journal import Journal
from alyx_generator.probe.query.replies import NO_FIELD, NO_LOOKUP, Reply, parse_reply

# Statuses by which a server or a gateway turns away any request; the others are about this one.
_TURNED_AWAY = frozenset({407, 502, 503, 504})
# Servers take request lines of 4094 bytes and up; a part may be longer by one name.
_MAX_LENGTH = 3500


class TooManyRequestsError(ValueError):
    """A probe needs more requests than it may send."""


class Inquiry:
    """Asks about the fields of models, each question once.

    Parameters
    ----------
    transport
        Sends the requests.
    journal
        Stores the replies.
    per_minute
        The maximum number of requests per minute.
    max_requests
        The maximum number of requests in all, including those before an interruption.
    on_request
        Called before each request with the list that is asked, and the number of requests so far.
    """

    def __init__(
        self,
        transport: SyncTransport,
        journal: Journal,
        per_minute: float,
        max_requests: int,
        on_request: Callable[[str, int], None],
    ) -> None:
        self._transport = transport
        self._journal = journal
        self._pace = Pace(per_minute)
        self._max_requests = max_requests
        self._on_request = on_request

    @property
    def requests(self) -> int:
        """The number of requests, including those before an interruption."""
        return len(self._journal.replies)

    def choices(self, endpoint: str) -> Reply:
        """Return the reply to an unknown field, which names those of the model behind a list."""
        return self._ask(endpoint, "")

    def field_class(self, endpoint: str, path: tuple[str, ...]) -> Reply:
        """Return the reply to a lookup that no field has: ``accepted`` for JSON, whose keys may be any names."""
        return self._ask(endpoint, f"{'__'.join((*path, NO_LOOKUP))},1")

    def conditions(self, endpoint: str, conditions: str) -> Reply:
        """Return the reply to conditions in the filter's own language: ``accepted`` if all are valid."""
        return self._ask(endpoint, conditions)

    def first_missing(self, endpoint: str, path: tuple[str, ...], names: list[str]) -> str | None:
        """Return the first of some names that the model at the end of a path does not have; None if it has all.

        Parameters
        ----------
        endpoint
            The list.
        path
            The relations that lead to the model from the one behind the list.
        names
            The names.
        """
        waiting = _parts(path, names)
        while waiting:
            part = waiting.pop(0)
            conditions = (f"{'__'.join((*path, name, 'isnull'))},True" for name in part)
            reply = self._ask(endpoint, ",".join(conditions))
            if reply.kind == "accepted":
                continue
            name = reply.name.removesuffix("__isnull")
            if reply.kind != "other" and name in part:
                return name
            if len(part) == 1:
                return part[0]
            # The server may not take so long a request, or so many conditions.
            half = len(part) // 2
            waiting = [part[:half], part[half:], *waiting]
        return None

    def _ask(self, endpoint: str, conditions: str) -> Reply:
        # Django refuses the last condition when the others are valid, so that no query reaches the database.
        text = f"{conditions},{NO_FIELD},1".removeprefix(",")
        request = f"{endpoint}?{text}"
        if request not in self._journal.replies:
            if self.requests >= self._max_requests:
                raise TooManyRequestsError(
                    f"the query model takes more than {self._max_requests} requests; the same command with a larger "
                    "number for --requests resumes"
                )
            self._on_request(endpoint, self.requests)
            self._pace.wait()
            reply = self._reply(endpoint, text)
            # All fields of the list's model again, unless that was the question.
            self._journal.add(request, replace(reply, choices=()) if conditions else reply)
        return self._journal.replies[request]

    def _reply(self, endpoint: str, text: str) -> Reply:
        try:
            self._transport.send(Request("GET", f"/{endpoint}", (("django", text), ("limit", "1"))))
        except (AuthenticationError, RateLimitError):
            raise
        except AlyxHTTPError as error:
            if error.status_code in _TURNED_AWAY:
                raise
            reply = parse_reply(error.detail or "")
            # In debug mode, Django shows a page for errors that no handler of the API caught.
            reply = parse_reply(unescape(error.content.decode("utf-8", "replace"))) if reply.kind == "other" else reply
            return reply if reply.kind != "other" else Reply("other", f"status {error.status_code}")
        return Reply("other", "it ignores the filter")


def _parts(path: tuple[str, ...], names: list[str]) -> list[list[str]]:
    """Divide names into parts that each fit in a request line."""
    parts: list[list[str]] = []
    length = _MAX_LENGTH
    for name in names:
        if length >= _MAX_LENGTH:
            parts.append([])
            length = 0
        parts[-1].append(name)
        length += len(quote("__".join((*path, name, "isnull,True,"))))
    return parts
