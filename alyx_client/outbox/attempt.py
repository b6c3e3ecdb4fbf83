"""One attempt to send a write: what it refers to, whether the server has it already, the request, and the outcome."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import field, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from alyx_client.errors import AlyxError, AlyxHTTPError, InvalidCallError
from alyx_client.http.flow import Blocking, Flow, Send
from alyx_client.http.json_body import is_object, parse_json, read_json, unexpected
from alyx_client.http.message import Request, Response
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.outbox.entries import Entry, State, fields_of, key_of_result
from alyx_client.outbox.natural_keys import lookup_request, matches
from alyx_client.outbox.store import Store
from alyx_client.outbox.stored_request import fill, placeholders_of, with_fields
from alyx_client.outbox.verdicts import Verdict, verdict
from alyx_client.runtime.client import ClientContext
from alyx_client.runtime.placeholders import Placeholder

__all__ = ["Attempts", "ChangedError", "Context", "Run", "call"]

T = TypeVar("T")


class Context(ClientContext, Protocol):
    """The part of a client that sending relies on."""

    @property
    def offline(self) -> bool:
        """True if nothing is sent."""
        ...

    def mark_stale(self) -> None:
        """Make all cached responses stale."""
        ...


@dataclass(slots=True)
class Run:
    """What has become of the writes so far.

    Parameters
    ----------
    sent
        Those that the server has carried out.
    error
        The error that ends the sending.
    failure
        The error with which the server refused the write of the call that is under way.
    has_renewed
        Whether the token was renewed.
    """

    sent: list[Entry] = field(default_factory=list[Entry])
    error: AlyxError | None = None
    failure: AlyxError | None = None
    has_renewed: bool = False


class ChangedError(Exception):
    """Somebody else has changed, dropped or sent the write meanwhile."""


class _UnusableError(Exception):
    """The write cannot be sent as it is; the message says why."""


class Attempts:
    """Sends single writes, of which each request is sent once.

    Parameters
    ----------
    client
        The client.
    store
        The writes.
    """

    def __init__(self, client: Context, store: Store) -> None:
        self._client = client
        self._store = store
        self._token: str | None = None

    def attempt(self, entry: Entry, run: Run, token: str, *, is_new: bool) -> Flow[None]:
        """Send a write, unless it has to wait for another one.

        Parameters
        ----------
        entry
            The write.
        run
            Takes the outcome.
        token
            The token to send it with: one of its user, whoever logs in meanwhile.
        is_new
            Whether the call that has made it is still under way, and raises what the server refuses.

        Raises
        ------
        ChangedError
            Somebody else has changed it meanwhile.
        """
        self._token = token
        keys = yield from self._keys(entry)
        if keys is None:
            return
        request, note = fill(entry.request, keys), ""
        try:
            if entry.state == "uncertain" and entry.action == "create":
                if not (yield from self._look(entry, request, run)):
                    return
                note = "sent again, since it was not on the server after its response was lost"
            elif entry.doubtful:
                note = "sent again after its response was lost; the values are the same"
            request = yield from self._complete(entry, request)
        except _UnusableError as error:
            yield from self.set(entry, "held", reason=str(error), doubtful=entry.doubtful)
        except AlyxError as error:
            yield from self._failed_before(entry, error, request, run)
        else:
            yield from self._begin(entry)
            yield from self._exchange(entry, request, run, note, is_new=is_new)

    def _failed_before(self, entry: Entry, error: AlyxError, request: Request, run: Run) -> Flow[None]:
        """Note the error of a request that came before the write itself."""
        # What the server refuses of this write must not stop the others.
        if isinstance(error, AlyxHTTPError) and verdict(error, request) in (Verdict.REFUSED, Verdict.FAILED):
            yield from self.set(entry, "held", reason=str(error), doubtful=entry.doubtful)
        else:
            yield from self.set(entry, entry.state, reason=str(error), doubtful=entry.doubtful)
            run.error = error

    def _begin(self, entry: Entry) -> Flow[None]:
        try:
            yield from self.set(entry, "sending", attempt=True, doubtful=False)
        except ChangedError:  # pragma: no cover - race of threads or processes
            raise
        except BaseException as error:
            # Nothing was sent, but the state may be stored.
            yield from self._interrupted(entry, entry.state, error, reason=entry.reason, doubtful=entry.doubtful)
            raise

    def _interrupted(self, entry: Entry, state: State, error: BaseException, **changes: Any) -> Flow[None]:
        change = partial(self._store.set_state, entry.receipt.token, state, expected=["sending"], **changes)
        # Otherwise, the next sender does so.
        with contextlib.suppress(AlyxError):
            if isinstance(error, GeneratorExit):
                change()  # nobody drives this flow any more
            else:
                yield from call(change)

    def _exchange(self, entry: Entry, request: Request, run: Run, note: str, *, is_new: bool) -> Flow[None]:
        try:
            response: Response = yield self._step(request)
            _require_record(response, request)
        except AlyxError as error:
            outcome = verdict(error, request)
            if is_new and outcome in (Verdict.REFUSED, Verdict.FAILED):
                # The caller is told, as by any other call.
                run.failure = error
                yield from call(partial(self._store.remove, entry.receipt.token, expected=["sending"]))
            else:
                yield from self._failed(entry, error, outcome, run)
            yield from call(self._client.mark_stale)
        except BaseException as error:
            reason = "the call was interrupted before the response came"
            yield from self._interrupted(entry, "uncertain", error, reason=reason, doubtful=True)
            raise
        else:
            result = response.content.decode("utf-8", "replace")
            run.sent.append((yield from self._settle(entry, "done", reason=note, result=result)))
            yield from call(self._client.mark_stale)

    def _failed(self, entry: Entry, error: AlyxError, outcome: Verdict, run: Run) -> Flow[None]:
        match outcome:
            case Verdict.NOT_SENT:
                yield from self._settle(entry, "queued", reason=str(error))
                run.error = error
            case Verdict.UNCERTAIN:
                yield from self._settle(entry, "uncertain", reason=str(error), doubtful=True)
                run.error = error
            case Verdict.REFUSED:
                yield from self._settle(entry, "refused", reason=str(error))
            case Verdict.FAILED:  # pragma: no branch - every case is named
                yield from self._settle(entry, "refused", reason=str(error), doubtful=True)

    def _keys(self, entry: Entry) -> Flow[dict[Placeholder, str | int] | None]:
        """Return the keys of the records that a write refers to; None if it has to wait for one."""
        keys: dict[Placeholder, str | int] = {}
        for placeholder in placeholders_of(entry.request):
            other = yield from call(partial(self._store.get, placeholder.token))
            if other.state != "done":
                return None
            key = key_of_result(other.result or "null", placeholder.field)
            if key is None:
                reason = f"the server's record of write {other.number} has no {placeholder.field}, which it refers to"
                yield from self.set(entry, "held", reason=reason)
                return None
            keys[placeholder] = key
        return keys

    def _look(self, entry: Entry, request: Request, run: Run) -> Flow[bool]:
        """Look for the record of a write that may have been carried out; returns whether it is to be sent again."""
        fields = fields_of(request)
        lookup = lookup_request(entry.endpoint, request.path, fields)
        if lookup is None:
            reason = "the server may have carried it out, and nothing tells its record from others"
            yield from self.set(entry, "held", reason=reason, doubtful=True)
            return False
        response: Response = yield self._step(lookup)
        records = matches(entry.endpoint, fields, response)
        if records is not None:
            # A record of another write of this outbox is that write's.
            records = yield from call(partial(self._unknown, entry.endpoint, records))
        if records == []:
            return True
        if records is None or len(records) > 1:
            reason = "the server may have carried it out, and has several records that it may have created"
            yield from self.set(entry, "held", reason=reason, doubtful=True)
            return False
        reason = "found on the server after its response was lost"
        run.sent.append((yield from self.set(entry, "done", reason=reason, result=_dump(records[0]))))
        return False

    def _unknown(self, endpoint: str, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        keys = [(record, _key(record)) for record in records]
        return [record for record, key in keys if key is None or not self._store.is_known(endpoint, key)]

    def _complete(self, entry: Entry, request: Request) -> Flow[Request]:
        """Return the request with its files, and the fields that the server would lose."""
        if entry.preserved:
            response: Response = yield self._step(Request("GET", request.path, endpoint=entry.endpoint, action="read"))
            record: object = read_json(response)
            if not is_object(record):
                raise unexpected(response, entry.endpoint, "the record")
            try:
                request = with_fields(request, {name: record[name] for name in entry.preserved if name in record})
            except ValueError as error:
                raise _UnusableError(f"the record's present values cannot be sent ({error})") from error
        if entry.files:
            try:
                request = replace(request, files=(yield from call(partial(self._store.files, entry))))
            except InvalidCallError as error:
                raise _UnusableError(str(error)) from error
        return request

    def _step(self, request: Request) -> Send:
        return Send(request, token=self._token)

    def set(self, entry: Entry, state: State, **changes: Any) -> Flow[Entry]:
        """Change the state of a write that is not being sent, unless somebody else has changed the write meanwhile."""
        change = partial(
            self._store.set_state,
            entry.receipt.token,
            state,
            expected=["queued", "uncertain"],
            revision=entry.revision,
            **changes,
        )
        try:
            return (yield from call(change))
        except InvalidCallError as error:
            raise ChangedError from error

    def _settle(self, entry: Entry, state: State, **changes: Any) -> Flow[Entry]:
        """Store the outcome of an attempt."""
        change = partial(self._store.set_state, entry.receipt.token, state, expected=["sending"], **changes)
        return (yield from call(change))


def call(function: Callable[[], T]) -> Flow[T]:
    """Call a function that may block."""
    # A task that is cancelled must not go on while a thread still changes the outbox.
    result: T = yield Blocking(function, to_its_end=True)
    return result


def _require_record(response: Response, request: Request) -> None:
    """Refuse a successful response that Alyx did not send, such as a login portal's page."""
    try:
        body: object = parse_json(response.content)
    except ValueError:
        body = None
    if not isinstance(body, dict | list):
        raise unexpected(response, request.endpoint, "the record")


def _key(record: dict[str, Any]) -> str | None:
    key = key_of_result(_dump(record), "id")
    return None if key is None else str(key)


def _dump(record: dict[str, Any]) -> str:
    return json.dumps(record)
