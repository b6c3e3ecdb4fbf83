"""Reading a server's lists and records, within bounds, and checking each response."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from alyx_client.errors import (
    AlyxConnectionError,
    AlyxError,
    AlyxHTTPError,
    AlyxTimeoutError,
    AuthenticationError,
    DeadlineExceededError,
    RateLimitError,
    UnexpectedAnswerError,
)
from alyx_client.http.message import Request
from alyx_client.http.transport import SyncTransport
from alyx_client.schema.openapi import as_schema
from alyx_generator.probe.body import Body
from alyx_generator.probe.check import Checker
from alyx_generator.probe.observations import Observation
from alyx_generator.probe.pace import Pace
from alyx_generator.probe.sampling import page_offsets, sample
from alyx_generator.probe.state import OperationProgress, ProbeState
from alyx_generator.probe.targets import LookupKeys, Target
from alyx_generator.source.openapi import Document

# Small enough that a page of full records arrives in time, large enough that a list takes few requests.
_PAGE_SIZE = 100
_MAX_UNANSWERED = 3  # consecutive requests, each retried by the transport


@dataclass(frozen=True)
class Bounds:
    """Limits on the requests of a probe.

    Parameters
    ----------
    rows
        The maximum number of rows of each list, taken from all over it.
    records
        The maximum number of records of each endpoint.
    per_minute
        The maximum number of requests per minute.
    """

    rows: int = 500
    records: int = 20
    per_minute: float = 200.0

    def __post_init__(self) -> None:
        if self.rows < 1 or self.records < 1 or not self.per_minute > 0:
            raise ValueError("rows and records must be at least one, and per_minute must be positive")


@dataclass(frozen=True)
class Progress:
    """The progress of a probe.

    Parameters
    ----------
    operation
        The operation being read, for instance ``/subjects list``.
    done, total
        The number of finished operations, and of all operations.
    requests
        The number of requests sent by this run.
    """

    operation: str
    done: int
    total: int
    requests: int


class Crawler:
    """Reads the targets one after the other.

    Parameters
    ----------
    transport
        Sends the requests.
    document
        The corrected document.
    targets
        What to read; lists before the records that they lead to.
    bounds
        Limits on the requests.
    state
        Stores each finished target.
    on_progress
        Called before each request.
    """

    def __init__(
        self,
        transport: SyncTransport,
        document: Document,
        targets: Sequence[Target],
        bounds: Bounds,
        state: ProbeState,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._transport = transport
        self._document = document
        self._targets = targets
        self._bounds = bounds
        self._state = state
        self._on_progress = on_progress
        self._requests = self._unanswered = 0
        self._pace = Pace(bounds.per_minute)
        self._keys: dict[str, list[LookupKeys]] = {}

    def run(self) -> None:
        """Read the targets that are not finished."""
        for target in self._targets:
            if target.path in self._state.finished:
                continue
            # Stored only when complete: an interrupted target is read again from its start.
            progress = OperationProgress(skipped=target.skipped)
            if not target.skipped:
                self._read(target, progress)
            self._state.finish(target.path, progress)

    def _read(self, target: Target, progress: OperationProgress) -> None:
        if target.keys_from and target.path not in self._keys:
            self._read_keys_again(target, progress)
        records: list[LookupKeys] = self._keys.pop(target.path, []) if target.keys else [{}]
        if not records:
            progress.skipped = "no record of it was found"
            return
        failures: Counter[str] = Counter()
        attempts, requests_before = 0, progress.requests
        for keys in records[: self._bounds.records]:
            is_enough = attempts and progress.requests - requests_before >= self._bounds.records
            if target.paged and (is_enough or progress.rows >= self._bounds.rows):
                break
            attempts += 1
            failure = self._try_record(target, keys, progress)
            if failure:
                failures[failure] += 1
        if failures:
            progress.failed = True
            progress.skipped = "; ".join(f"{reason} ({count} of {attempts})" for reason, count in failures.items())

    def _read_keys_again(self, target: Target, progress: OperationProgress) -> None:
        """Read the list again that leads to a target: the state has no keys, since they are data."""
        source = next(other for other in self._targets if other.path == target.keys_from)
        if self._state.finished[source.path].rows:
            # The list's observations are in the state already.
            again = OperationProgress()
            known = {path: list(keys) for path, keys in self._keys.items()}
            self._read(source, again)
            self._keys |= known
            progress.requests += again.requests

    def _try_record(self, target: Target, keys: LookupKeys, progress: OperationProgress) -> str:
        """Read a record, or a list below a record, and return why it failed; empty if it did not."""
        try:
            if target.paged:
                self._read_list(target, keys, progress)
            else:
                self._read_record(target, keys, progress)
        except (AuthenticationError, RateLimitError):
            raise
        except AlyxHTTPError as error:
            return f"HTTP {error.status_code}"
        except UnexpectedAnswerError as error:
            return error.message
        except (AlyxConnectionError, AlyxTimeoutError) as error:
            # Not sent at all: its turn would come too late, after the server refused requests.
            if isinstance(error, DeadlineExceededError) and not error.attempts:
                raise
            # A single record may crash the server's worker; several in a row mean that the server is gone.
            self._unanswered += 1
            if self._unanswered >= _MAX_UNANSWERED:
                raise
            return "no response"
        return ""

    def _read_list(self, target: Target, keys: LookupKeys, progress: OperationProgress) -> None:
        limit = self._bounds.rows - progress.rows
        body = self._get(target, keys, progress, (min(_PAGE_SIZE, limit), 0))
        page_size = len(body.rows)
        # A server may ignore the limit, and return the whole list.
        rows = body.rows[:limit]
        self._check(target, body.with_rows(rows), progress, len(rows))
        count = as_schema(body.content).get("count")
        if isinstance(count, int) and page_size and len(rows) < limit:
            for offset in page_offsets(count, page_size, limit):
                body = self._get(target, keys, progress, (page_size, offset))
                page = body.rows[: limit - len(rows)]
                self._check(target, body.with_rows(page), progress, len(page))
                rows += page
                if not page or len(rows) >= limit:
                    break
        self._collect_keys(target, keys, rows)

    def _read_record(self, target: Target, keys: LookupKeys, progress: OperationProgress) -> None:
        body = self._get(target, keys, progress)
        rows = body.rows[: self._bounds.rows]
        if isinstance(body.content, list):
            self._check(target, body.with_rows(rows), progress, len(rows))
        else:
            self._check(target, body, progress, 1)
        self._collect_keys(target, keys, rows)

    def _collect_keys(self, source: Target, parent_keys: LookupKeys, rows: Sequence[Any]) -> None:
        """Store a sample of the lookup keys in some rows for the targets that need them."""
        for target in self._targets:
            if target.keys_from == source.path:
                in_rows = (target.keys_in(row, parent_keys) for row in rows)
                unique = {tuple(keys.items()): keys for keys in in_rows if keys is not None}
                self._keys.setdefault(target.path, []).extend(sample([*unique.values()], self._bounds.records))

    def _get(
        self, target: Target, keys: LookupKeys, progress: OperationProgress, page: tuple[int, int] | None = None
    ) -> Body:
        if self._on_progress is not None:
            finished = len(self._state.finished)
            self._on_progress(Progress(target.name, finished, len(self._targets), self._requests))
        self._pace.wait()
        self._requests += 1
        progress.requests += 1
        params = (("limit", str(page[0])), ("offset", str(page[1]))) if page else ()
        path = target.path_of(keys)
        try:
            response = self._transport.send(Request("GET", path, params))
        except AlyxError as error:
            # URLs contain records' keys, and error messages are shown and pasted elsewhere.
            error.message = error.message.replace(path, target.path)
            error.args, error.url = (error.message,), None
            raise
        self._unanswered = 0
        return Body.of(response)

    def _check(self, target: Target, body: Body, progress: OperationProgress, rows: int) -> None:
        if not body.is_json:
            media_type = body.media_type_to_declare(_declared_media_types(self._document, target))
            if media_type:
                _observe(target, progress).add_mismatch(f"media {media_type}")
            rows = 1
        elif target.schema is None:
            observation = _observe(target, progress)
            observation.add_mismatch("undeclared")
            observation.shape.add(body.content)
        else:
            checker = Checker.of_document(self._document, progress.observations)
            checker.check(body.content, target.schema, target.location)
        progress.rows += rows


def _observe(target: Target, progress: OperationProgress) -> Observation:
    observation = progress.observations.setdefault(target.location, Observation())
    observation.checked += 1
    return observation


def _declared_media_types(document: Document, target: Target) -> Sequence[str]:
    responses = as_schema(document["paths"][target.path]["get"].get("responses"))
    status = next((status for status in responses if str(status).startswith("2")), None)
    return [] if status is None else list(as_schema(as_schema(responses[status]).get("content")))
