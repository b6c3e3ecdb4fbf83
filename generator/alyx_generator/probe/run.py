"""Finding what a schema says wrongly: reading a server's answers, within bounds, and checking them."""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.state import AuthState
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.errors import (
    AlyxConnectionError,
    AlyxError,
    AlyxHTTPError,
    AlyxTimeoutError,
    AuthenticationError,
    RateLimitError,
    UnexpectedAnswerError,
)
from alyx_client.http.message import Request, Response
from alyx_client.http.transport import SyncTransport
from alyx_generator.probe.check import Checker
from alyx_generator.probe.observations import Done, Seen, State
from alyx_generator.probe.proposal import Finding, findings
from alyx_generator.probe.targets import Keys, Read, reads
from alyx_generator.source.fetch import fetch
from alyx_generator.source.normalise import normalise
from alyx_generator.source.overlay import Correction, correct, shipped_corrections
from alyx_generator.source.validate import refuse_malformed

_PAGE = 100
_PATIENCE = 3  # requests in a row without an answer, each tried several times
_MEDIA = re.compile(r"[a-z]+/[a-z0-9.+-]{1,60}")


@dataclass(frozen=True)
class Bounds:
    """How much a probe asks of a server.

    Parameters
    ----------
    rows
        Rows of each list at most, taken from all over it.
    reads
        Records of each endpoint at most.
    per_minute
        Requests a minute at most.
    """

    rows: int = 500
    reads: int = 20
    per_minute: float = 200.0

    def __post_init__(self) -> None:
        if self.rows < 1 or self.reads < 1 or not self.per_minute > 0:
            raise ValueError("a probe reads at least one row, one record, and more than no requests a minute")


@dataclass(frozen=True)
class Progress:
    """How far a probe is.

    Parameters
    ----------
    operation
        What is being read, for instance ``/subjects list``.
    done, total
        How many operations are done, and how many there are.
    requests
        How many requests this run has made.
    """

    operation: str
    done: int
    total: int
    requests: int


@dataclass(frozen=True)
class Skipped:
    """An operation that was not read, or not wholly.

    Parameters
    ----------
    operation
        For instance ``/subjects list``.
    reason
        Why.
    failed
        Whether the server failed to answer; if not, the probe had no way to ask.
    """

    operation: str
    reason: str
    failed: bool


@dataclass(frozen=True)
class Probe:
    """What a probe found.

    Parameters
    ----------
    findings
        What the schema says wrongly, and the corrections proposed for it.
    skipped
        Operations that were not read, or not wholly.
    missed
        Given corrections that do not fit this server's schema.
    operations, rows, requests
        How many operations, and rows or records of them, were checked, and in how many requests; those before an
        interruption are counted.
    seconds
        How long this run took.
    """

    findings: tuple[Finding, ...]
    skipped: tuple[Skipped, ...]
    missed: tuple[Correction, ...]
    operations: int
    rows: int
    requests: int
    seconds: float

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """The proposed overlay's actions."""
        unique = {
            (each.target, each.remove, repr(each.update)): each for one in self.findings for each in one.corrections
        }
        return tuple(unique.values())


def probe(
    base_url: str,
    document: Mapping[str, Any] | None = None,
    corrections: Sequence[Correction] | None = None,
    *,
    token: str | None = None,
    bounds: Bounds | None = None,
    state: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Probe:
    """Check a server's answers against its schema.

    Only GET requests are sent. Nothing of what the records hold is kept: only types, counts, and names of fields.

    Parameters
    ----------
    base_url
        The server.
    document
        Its schema, as published; by default it is fetched.
    corrections
        What is known to be wrong already; by default the shipped corrections. Empty to find everything.
    token
        A token; by default from the client's own sources.
    bounds
        How much to ask; by default 500 rows of each list and 20 records of each endpoint, 200 requests a minute.
    state
        A file that keeps what is done, so that an interrupted probe goes on where it was. To read the keys of records
        anew, one list is asked for again. The file remains; remove it when the result is written.
    progress
        Called before each request.

    Returns
    -------
    Probe
        What was found, and the corrections proposed.

    Raises
    ------
    AlyxError
        The server cannot be reached, refuses the token, or asks for a longer wait.
    ProbeStateError
        The state file belongs to another probe.
    UnreadableSchemaError
        The document is no schema.
    """
    started = time.monotonic()
    bounds = bounds or Bounds()
    published = fetch(base_url, token=token) if document is None else document
    known = shipped_corrections() if corrections is None else tuple(corrections)
    corrected = correct(normalise(published), known, strict=False)
    refuse_malformed(corrected.document)
    operations = reads(corrected.document)
    credentials = Credentials(base_url, explicit_token=token)
    about = json.dumps([credentials.base_url, bounds.rows, bounds.reads, corrected.document], sort_keys=True)
    kept = State(state, hashlib.sha256(about.encode()).hexdigest())
    with SyncTransport(base_url, TokenAuth(AuthState(credentials))) as transport:
        _Walk(transport, corrected.document, operations, bounds, kept, progress).run()
    done = [(each.name, kept.done[each.path]) for each in operations]
    return Probe(
        tuple(findings(corrected.document, {name: one.sight for name, one in done})),
        tuple(Skipped(name, one.skipped, one.failed) for name, one in done if one.skipped),
        corrected.missed,
        sum(one.rows > 0 for _, one in done),
        sum(one.rows for _, one in done),
        sum(one.requests for _, one in done),
        time.monotonic() - started,
    )


class _Walk:
    """Reads the operations one after the other."""

    def __init__(
        self,
        transport: SyncTransport,
        document: Mapping[str, Any],
        operations: Sequence[Read],
        bounds: Bounds,
        state: State,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._transport = transport
        self._document = document
        self._operations = operations
        self._bounds = bounds
        self._state = state
        self._progress = progress
        self._requests = self._unanswered = 0
        self._next = 0.0
        self._keys: dict[str, list[Keys]] = {}

    def run(self) -> None:
        """Read all that is not done."""
        for read in self._operations:
            if read.path in self._state.done:
                continue
            done = Done(skipped=read.skipped)
            if not read.skipped:
                self._read(read, done)
            self._state.finish(read.path, done)

    def _read(self, read: Read, done: Done) -> None:
        if read.source and read.path not in self._keys:
            self._read_keys(read, done)
        records: list[Keys] = self._keys.pop(read.path, []) if read.keys else [{}]
        if not records:
            done.skipped = "no record of it was found"
            return
        failures: dict[str, int] = {}
        asked, before = 0, done.requests
        for keys in records[: self._bounds.reads]:
            if read.paged and (
                done.rows >= self._bounds.rows or (asked and done.requests - before >= self._bounds.reads)
            ):
                break
            asked += 1
            try:
                self._walk(read, keys, done) if read.paged else self._record(read, keys, done)
            except (AuthenticationError, RateLimitError):
                raise
            except (AlyxHTTPError, UnexpectedAnswerError) as error:
                reason = f"answers {error.status_code}" if isinstance(error, AlyxHTTPError) else error.message
                failures[reason] = failures.get(reason, 0) + 1
            except (AlyxConnectionError, AlyxTimeoutError):
                # One record may be more than the server can do; several in a row, and it is gone.
                self._unanswered += 1
                if self._unanswered >= _PATIENCE:
                    raise
                failures["gives no answer"] = failures.get("gives no answer", 0) + 1
        if failures:
            done.failed = True
            done.skipped = "; ".join(f"{reason} ({count} of {asked})" for reason, count in failures.items())

    def _read_keys(self, read: Read, done: Done) -> None:
        """Ask anew for keys that were known before an interruption."""
        source = next(each for each in self._operations if each.path == read.source)
        if self._state.done[source.path].rows:
            again, known = Done(), {path: list(keys) for path, keys in self._keys.items()}
            self._read(source, again)
            self._keys |= known
            done.requests += again.requests

    def _walk(self, read: Read, keys: Keys, done: Done) -> None:
        left = self._bounds.rows - done.rows
        answer, response = self._get(read, keys, done, min(_PAGE, left), 0)
        first = _rows(answer)
        taken = list(first[:left])
        self._note(read, _with_rows(answer, taken), response, done, len(taken))
        count = cast("Mapping[str, Any]", answer).get("count") if isinstance(answer, Mapping) else None
        step = len(first)
        if isinstance(count, int) and step and len(taken) < left:
            for offset in _offsets(count, step, left):
                answer, response = self._get(read, keys, done, step, offset)
                rows = _rows(answer)[: left - len(taken)]
                self._note(read, _with_rows(answer, rows), response, done, len(rows))
                taken += rows
                if not rows or len(taken) >= left:
                    break
        self._take_keys(read, keys, taken)

    def _record(self, read: Read, keys: Keys, done: Done) -> None:
        answer, response = self._get(read, keys, done, 0, 0)
        if isinstance(answer, list):
            rows = cast("Sequence[Any]", answer)[: self._bounds.rows]
            self._note(read, rows, response, done, len(rows))
            self._take_keys(read, keys, rows)
        else:
            self._note(read, answer, response, done, 1)
            self._take_keys(read, keys, _rows(answer)[: self._bounds.rows])

    def _take_keys(self, source: Read, within: Keys, rows: Sequence[Any]) -> None:
        """Keep the keys of some rows, from all over them, for the operations that need them."""
        for read in self._operations:
            if read.source == source.path:
                found = {tuple(each.items()): each for row in rows if (each := read.key_of(row, within)) is not None}
                known = self._keys.setdefault(read.path, [])
                known += _spread(list(found.values()), self._bounds.reads)

    def _get(self, read: Read, keys: Keys, done: Done, limit: int, offset: int) -> tuple[Any, Response]:
        if self._progress is not None:
            self._progress(Progress(read.name, len(self._state.done), len(self._operations), self._requests))
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + 60.0 / self._bounds.per_minute
        self._requests += 1
        done.requests += 1
        params = (("limit", str(limit)), ("offset", str(offset))) if limit else ()
        try:
            response = self._transport.send(Request("GET", read.address(keys), params))
        except AlyxError as error:
            # An address holds a record's keys, and errors are shown and pasted.
            error.message = error.message.replace(read.address(keys), read.path)
            error.args, error.url = (error.message,), None
            raise
        self._unanswered = 0
        try:
            return json.loads(response.content), response
        except (ValueError, RecursionError):
            return _NOT_JSON, response

    def _note(self, read: Read, answer: Any, response: Response, done: Done, rows: int) -> None:
        media = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer is _NOT_JSON:
            declared = _media(self._document, read)
            if media in declared and "json" not in media:
                done.rows += 1
                return
            if declared or media == "text/html" or "json" in media or not _MEDIA.fullmatch(media):
                said = media if _MEDIA.fullmatch(media) else "without a type"
                message = f"answers what is not JSON ({said})"
                raise UnexpectedAnswerError(message, status_code=response.status, method="GET", url=response.url)
            seen = done.sight.setdefault(read.place, Seen())
            seen.rows += 1
            seen.miss(f"media {media}")
        elif read.schema is None:
            seen = done.sight.setdefault(read.place, Seen())
            seen.rows += 1
            seen.miss("undeclared")
            seen.shape.add(answer)
        else:
            Checker(self._document, done.sight).check(answer, read.schema, read.place)
        done.rows += rows


_NOT_JSON = object()


def _media(document: Mapping[str, Any], read: Read) -> Sequence[str]:
    spec = document["paths"][read.path]["get"]
    status = next((each for each in spec.get("responses", {}) if str(each).startswith("2")), None)
    return [] if status is None else list(spec["responses"][status].get("content") or {})


def _rows(answer: Any) -> Sequence[Any]:
    rows = cast("Mapping[str, Any]", answer).get("results") if isinstance(answer, Mapping) else answer
    return cast("Sequence[Any]", rows) if isinstance(rows, list) else ()


def _with_rows(answer: Any, rows: Sequence[Any]) -> Any:
    if isinstance(answer, list):
        return list(rows)
    if not isinstance(answer, Mapping) or not isinstance(answer.get("results"), list):  # pyright: ignore[reportUnknownMemberType]
        return cast("Any", answer)
    return {**cast("Mapping[str, Any]", answer), "results": list(rows)}


def _offsets(count: int, step: int, rows: int) -> list[int]:
    """Return where the pages after the first begin, spread over the whole list where it is longer than `rows`."""
    pages = min(math.ceil(rows / step), math.ceil(count / step)) - 1
    if pages <= 0:
        return []
    if count <= rows:
        return [step * (page + 1) for page in range(pages)]
    return [step + (count - 2 * step) * page // max(1, pages - 1) for page in range(pages)]


def _spread(found: list[Keys], most: int) -> list[Keys]:
    return found if len(found) <= most else [found[index * len(found) // most] for index in range(most)]
