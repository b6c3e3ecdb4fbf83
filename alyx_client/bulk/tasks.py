"""Tasks of a call for many records: what to send, and what its outcome says of each record. Sans-I/O, and picklable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast
from urllib.parse import unquote

from alyx_client.errors import (
    AlyxConnectionError,
    AlyxHTTPError,
    AuthenticationError,
    BadRequestError,
    ClientClosedError,
    MissingCredentialsError,
    RateLimitError,
    RequestTooLongError,
    ServerError,
    UnexpectedAnswerError,
)
from alyx_client.http.flow import Flow, Send
from alyx_client.http.message import Request, Response
from alyx_client.runtime.action import Action, ListAction
from alyx_client.runtime.arguments import Arguments
from alyx_client.runtime.client import ClientContext
from alyx_client.runtime.keys import split_path

__all__ = ["Batch", "Done", "Outcome", "Rows", "Single", "Task", "Work", "stops_all"]


@dataclass(frozen=True, slots=True)
class Done:
    """A record that succeeded: what the server sent."""

    record: Any


Outcome = Done | Exception
"""The outcome of one record."""


@dataclass(frozen=True, slots=True)
class Work:
    """What all tasks of a call share.

    Parameters
    ----------
    action
        The action for one record.
    rows
        The list whose rows are the records that `action` reads.
    current
        The action that reads a record, for ``partial_update`` with preserved fields.
    """

    action: Action[Any]
    rows: ListAction[Any] | None = None
    current: Action[object] | None = None

    @property
    def is_write(self) -> bool:
        """True if the requests change records."""
        return self.action.method not in ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Settled:
    """What the outcome of a task says: the outcomes of records, by index, and tasks that are to follow."""

    outcomes: dict[int, Outcome] = field(default_factory=dict[int, Outcome])
    tasks: Sequence[Task] = ()


class Task(Protocol):
    """A part of a call: the records that it is about, the flow to run, and what its outcome says."""

    @property
    def indices(self) -> tuple[int, ...]:
        """The indices of its records."""
        ...

    def flow(self, work: Work, client: ClientContext) -> Flow[Any]:
        """Return the flow to run."""
        ...

    def settle(self, outcome: Any) -> Settled:
        """Return what the flow's result says, or the exception that it raised."""
        ...


@dataclass(frozen=True, slots=True)
class Single:
    """One record, which the input may name several times.

    Parameters
    ----------
    indices
        The indices of the record in the input.
    request
        Its request.
    arguments
        The arguments that the request was built from, if it is to be built again with the record's present values.
    """

    indices: tuple[int, ...]
    request: Request
    arguments: Arguments | None = None

    @property
    def key(self) -> str:
        """The record's key, where the path ends in it."""
        return unquote(self.request.path.rstrip("/").rpartition("/")[2])

    def flow(self, work: Work, client: ClientContext) -> Flow[Any]:
        """Send the request and parse the response."""
        if self.arguments is not None:
            return (yield from work.action.call(client, self.arguments, current=work.current))
        response: Response = yield Send(self.request)
        return work.action.parse(response, client.drift)

    def settle(self, outcome: Any) -> Settled:
        """Return the record, or its error."""
        return Settled(dict.fromkeys(self.indices, _outcome(outcome)))


@dataclass(frozen=True, slots=True)
class _Several:
    """Several records with one request.

    Parameters
    ----------
    singles
        The records.
    """

    singles: tuple[Single, ...]

    @property
    def indices(self) -> tuple[int, ...]:
        """The indices of its records."""
        return tuple(index for single in self.singles for index in single.indices)


@dataclass(frozen=True, slots=True)
class Rows(_Several):
    """Records to read that a list can answer for, several with one request; what it lacks is read one by one."""

    def flow(self, work: Work, client: ClientContext) -> Flow[Any]:
        """Fetch the rows of the list, by key."""
        assert work.rows is not None
        lookup, keys = split_path(work.action.path)[1], [single.key for single in self.singles]
        # Alyx has a filter for several primary keys only; other fields are lookups of Django.
        filters = {"id": keys} if work.action.lookup != "text" else {"django": {f"{lookup}__in": keys}}
        query = work.rows.query(client, filters)
        records: dict[str, Any] = {}
        for params in query.param_sets:
            page = yield from query.fetch_page(params, 0, len(keys))
            for record in map(work.rows.parser.record, page.rows):
                records[str(getattr(record, lookup, None))] = record
        return records

    def settle(self, outcome: Any) -> Settled:
        """Return the records; those that the list lacks, or cannot be asked for, are to be read by themselves."""
        if isinstance(outcome, Exception):
            # Whatever a list refuses, the record itself has the last word on it.
            if isinstance(outcome, AlyxHTTPError) and not isinstance(outcome, AuthenticationError | RateLimitError):
                return Settled(tasks=self.singles)
            return Settled(dict.fromkeys(self.indices, _outcome(outcome)))
        records = cast("dict[str, Any]", outcome)
        settled = {
            index: Done(records[single.key])
            for single in self.singles
            if single.key in records
            for index in single.indices
        }
        # The server's own words for a record that does not exist are those of its response to a read.
        return Settled({**settled}, [single for single in self.singles if single.key not in records])


@dataclass(frozen=True, slots=True)
class Batch(_Several):
    """Records to create with one request."""

    def flow(self, work: Work, client: ClientContext) -> Flow[Any]:
        """Send the records as a list, and parse the list of the created ones."""
        bodies = [single.request.json or b"null" for single in self.singles]
        response: Response = yield Send(replace(self.singles[0].request, json=b"[%s]" % b", ".join(bodies)))
        records: list[Any] = work.action.parse(response, client.drift)
        if not isinstance(cast("object", records), list) or len(records) != len(bodies):
            raise UnexpectedAnswerError(
                f"{work.action.endpoint}: {len(bodies)} records were sent, and the response is not a list of as many",
                status_code=response.status,
                method=response.method,
                url=response.url,
            )
        return records

    def settle(self, outcome: Any) -> Settled:
        """Return the created records, or their errors; after a refusal of some, the others are sent again."""
        if not isinstance(outcome, Exception):
            return Settled({index: Done(record) for index, record in zip(self.indices, outcome, strict=True)})
        if isinstance(outcome, BadRequestError) and len(self.singles) > 1:
            return self._without_rejected(outcome)
        if isinstance(outcome, RequestTooLongError) and len(self.singles) > 1:
            middle = len(self.singles) // 2
            return Settled(tasks=[Batch(self.singles[:middle]), Batch(self.singles[middle:])])
        if isinstance(outcome, ServerError):
            # Nothing says how many of them were stored before it failed.
            outcome.may_have_acted = True
        return Settled(dict.fromkeys(self.indices, _outcome(outcome)))

    def _without_rejected(self, error: BadRequestError) -> Settled:
        # Django REST framework validates all records before it stores the first one, and sends the errors of each.
        body: object = error.body
        errors = cast("list[object]", body) if isinstance(body, list) else []
        rejected = [bool(fields) for fields in errors]
        if len(rejected) != len(self.singles) or not any(rejected):
            return Settled(tasks=self.singles)
        tasks = [single for single, is_rejected in zip(self.singles, rejected, strict=True) if is_rejected]
        others = tuple(single for single, is_rejected in zip(self.singles, rejected, strict=True) if not is_rejected)
        # Sent alone, a rejected record gets the error that a call for it alone would get.
        return Settled(tasks=[*tasks, *([Batch(others)] if others else [])])


def stops_all(outcome: object) -> bool:
    """Return whether an error concerns the whole call, so that nothing more is to be sent."""
    if isinstance(outcome, AuthenticationError | MissingCredentialsError | ClientClosedError):
        return True
    # It has been retried, and thousands of others would each be retried as long.
    return isinstance(outcome, AlyxConnectionError | TimeoutError) and bool(getattr(outcome, "unreached", False))


def _outcome(outcome: Any) -> Outcome:
    return outcome if isinstance(outcome, Exception) else Done(outcome)
