"""The outcomes of a call for many records, as they come in from any thread, and what they add up to."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, cast

from alyx_client.bulk.plan import Plan
from alyx_client.bulk.tasks import Done, Outcome, Task, stops_all
from alyx_client.errors import (
    AlyxError,
    NotCompletedError,
    ResponseTooLargeError,
    SchemaDriftError,
    ServerError,
    UnexpectedAnswerError,
)
from alyx_client.runtime.bulk_results import BulkFailure, BulkResults
from alyx_client.runtime.completion import rows_of

__all__ = ["Ledger"]

# The server has responded to the request, and only the response cannot be read; or it has failed on the request: Alyx
# does not set ATOMIC_REQUESTS, so that whatever it stored before stays.
_ACTED = (UnexpectedAnswerError, SchemaDriftError, ResponseTooLargeError, ServerError)


class Part(Protocol):
    """A part of a call that begins and ends as a whole."""

    @property
    def indices(self) -> tuple[int, ...]:
        """The indices of its records."""
        ...


class Ledger:
    """The outcomes of one call.

    Parameters
    ----------
    plan
        The plan.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._outcomes: dict[int, Outcome] = {}
        self._under_way: dict[int, Part] = {}
        self._stopped_by: BaseException | None = None
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """How many records have an outcome."""
        return len(self._outcomes)

    @property
    def is_done(self) -> bool:
        """True if no further outcome is to be waited for."""
        with self._lock:
            all_known = len(self._outcomes) == len(self.plan.inputs)
            return all_known or (self._stopped_by is not None and not self._under_way)

    @property
    def is_stopped(self) -> bool:
        """True if nothing more is to be sent."""
        return self._stopped_by is not None

    def begin(self, part: Part) -> bool:
        """Note that a part of the call, such as a task, begins; returns whether it may."""
        with self._lock:
            if self._stopped_by is not None:
                return False
            self._under_way[id(part)] = part
            return True

    def settle(self, task: Task, outcome: Any) -> Sequence[Task]:
        """Note the outcome of a task: what its flow returned, or raised; returns the tasks that are to follow."""
        settled = task.settle(outcome)
        with self._lock:
            self._under_way.pop(id(task), None)
            self._outcomes.update(settled.outcomes)
            if stops_all(outcome) and self._stopped_by is None:
                self._stopped_by = outcome
            return settled.tasks

    def finish(self, part: Part, outcomes: Iterable[tuple[int, Outcome]]) -> None:
        """Note the outcomes of a part that an executor ran."""
        with self._lock:
            self._under_way.pop(id(part), None)
            for index, outcome in outcomes:
                self._outcomes[index] = outcome
                if stops_all(outcome) and self._stopped_by is None:
                    self._stopped_by = cast("Exception", outcome)

    def withdraw(self, part: Part) -> None:
        """Note that a part that was to begin has not begun."""
        with self._lock:
            self._under_way.pop(id(part), None)

    def stop(self, cause: BaseException) -> None:
        """Let no further task begin."""
        with self._lock:
            self._stopped_by = self._stopped_by or cause

    def results(self) -> BulkResults[Any]:
        """Return what there is: a record or a failure for each item of the input."""
        with self._lock:
            outcomes, cause = dict(self._outcomes), self._stopped_by
            sent = {index for task in self._under_way.values() for index in task.indices}
        records: list[Any] = []
        keys: list[Any] = []
        failures: list[BulkFailure] = []
        is_write = self.plan.work.is_write
        for index, (item, key) in enumerate(zip(self.plan.inputs, self.plan.keys, strict=True)):
            outcome = outcomes.get(index) or _not_completed(cause, is_write=is_write, was_sent=index in sent)
            if isinstance(outcome, Done):
                records.append(outcome.record)
                keys.append(key)
                continue
            has_acted = isinstance(outcome, AlyxError) and (outcome.may_have_acted or isinstance(outcome, _ACTED))
            failures.append(BulkFailure(index, outcome, item, key, may_have_acted=is_write and has_acted))
        declared = self.plan.work.action.parser.kind
        return rows_of(BulkResults, declared)(records, keys, failures, label=self.plan.label, declared=declared)

    def interrupt(self, error: BaseException) -> None:
        """Tell what was done on an exception that ends the call, such as `KeyboardInterrupt`: as ``results``."""
        self.stop(error)
        results = self.results()
        sent = len(results.failures.uncertain)
        note = f"{results}: {len(results)} of {len(self.plan.inputs)} records are done"
        note += f", {sent} were sent and have no response" if sent else ""
        error.add_note(f"{note}; `results` of this exception has them, and `results.failures.inputs` the others.")
        # Whatever class the exception is of.
        vars(error)["results"] = results


def _not_completed(cause: BaseException | None, *, is_write: bool, was_sent: bool) -> NotCompletedError:
    why = "it was interrupted" if cause is None or not isinstance(cause, Exception) else f"{cause}"
    if was_sent:
        error = NotCompletedError(f"There was no response before the call ended: {why}")
        error.may_have_acted = is_write
        return error
    return NotCompletedError(f"This was not sent before the call ended: {why}")
