"""Results of calls for many records: the records of those that succeeded, and the failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast, overload
from uuid import UUID

from alyx_client.errors import BulkError, printable
from alyx_client.http.arguments import shown
from alyx_client.runtime.completion import rows_of
from alyx_client.runtime.references import origin_of
from alyx_client.runtime.tables import Tabular

__all__ = ["BulkFailure", "BulkFailures", "BulkResults", "shown_key"]

T_co = TypeVar("T_co", covariant=True)

_SHOWN = 5
_LONGEST_KEY = 100
_MAX_LINE = 400


def shown_key(key: object) -> str:
    """Return a key for a message: a whole UUID or name, and the key of a record."""
    origin = origin_of(key)
    if origin is not None:
        key = getattr(key, origin.key, None) or key
    text = str(key) if isinstance(key, str | UUID) else ""
    return repr(text) if text and len(text) <= _LONGEST_KEY else shown(key)


@dataclass(frozen=True, slots=True)
class BulkFailure:
    """A record of a call for many that failed.

    Parameters
    ----------
    index
        Its place in the input, from 0.
    error
        The error, as a call for this record alone would have raised it.
    input
        What was passed: the key, the record to create, or the pair of a key and its changes.
    key
        The key that was passed; None for a record to create.
    may_have_acted
        Whether the server may have carried out the write all the same; look before sending it again.
    """

    index: int
    error: Exception
    input: Any
    key: Any = None
    may_have_acted: bool = False

    def __str__(self) -> str:
        label = f"[{self.index}]" if self.key is None else f"[{self.index}], {shown_key(self.key)}"
        uncertain = " (the server may have carried it out)" if self.may_have_acted else ""
        return printable(f"{label}{uncertain}: {type(self.error).__name__}: {self.error}", limit=_MAX_LINE)


class BulkFailures(Sequence[BulkFailure]):
    """The failures of a call for many records, in the order of the input.

    Parameters
    ----------
    failures
        The failures.
    """

    __slots__ = ("_failures",)

    def __init__(self, failures: Sequence[BulkFailure] = ()) -> None:
        self._failures = tuple(failures)

    @property
    def keys(self) -> list[Any]:
        """The keys that failed, as they were passed."""
        return [failure.key for failure in self._failures]

    @property
    def errors(self) -> list[Exception]:
        """The errors."""
        return [failure.error for failure in self._failures]

    @property
    def inputs(self) -> list[Any]:
        """The input that failed: pass it to the same method to try again."""
        return [failure.input for failure in self._failures]

    @property
    def certain(self) -> BulkFailures:
        """The failures that certainly changed nothing on the server, which are safe to try again."""
        return BulkFailures([failure for failure in self._failures if not failure.may_have_acted])

    @property
    def uncertain(self) -> BulkFailures:
        """The writes that were sent without a response, so that the server may have carried them out."""
        return BulkFailures([failure for failure in self._failures if failure.may_have_acted])

    @overload
    def __getitem__(self, index: int) -> BulkFailure: ...
    @overload
    def __getitem__(self, index: slice) -> BulkFailures: ...
    def __getitem__(self, index: int | slice) -> BulkFailure | BulkFailures:
        return BulkFailures(self._failures[index]) if isinstance(index, slice) else self._failures[index]

    def __len__(self) -> int:
        return len(self._failures)

    def __repr__(self) -> str:
        if not self._failures:
            return "no failures"
        lines = list(map(str, self._failures[:_SHOWN]))
        more = len(self._failures) - _SHOWN
        return "\n".join([f"{len(self._failures)} failed:", *lines, *([f"and {more} more"] if more > 0 else [])])


class BulkResults(Tabular, Sequence[T_co]):
    """The records of a call for many, in the order of the input.

    A record that failed is not among them, so that ``zip`` with the input would be wrong after a failure: `items` has
    each record with its key, and `failures` what failed.

    Parameters
    ----------
    records
        The records.
    keys
        The key of each, as it was passed; None for records to create.
    failures
        The failures.
    label
        The call, for messages: ``"sessions.read_many()"``.
    declared
        The declared type of a record; None if it is that of the records.
    """

    __slots__ = ("_declared", "_label", "_records", "failures", "keys")

    def __init__(
        self,
        records: Sequence[T_co] = (),
        keys: Sequence[Any] = (),
        failures: Sequence[BulkFailure] = (),
        *,
        label: str = "",
        declared: Any = None,
    ) -> None:
        self._records = list(records)
        self.keys = list(keys)
        self.failures = BulkFailures(failures)
        self._label = label
        self._declared = declared

    def items(self) -> list[tuple[Any, T_co]]:
        """Return each key, as it was passed, with its record."""
        return list(zip(self.keys, self._records, strict=True))

    def raise_failures(self) -> None:
        """Raise one error for all failures, if there are any.

        Raises
        ------
        BulkError
            It has these results as ``results``, and the failures as ``failures``.
        """
        if not self.failures:
            return
        error = BulkError(self.summary())
        error.results, error.failures = self, self.failures
        error.may_have_acted = any(failure.may_have_acted for failure in self.failures)
        raise error

    def summary(self) -> str:
        """Return how many records of how many failed, and the first ones with their errors."""
        failed, count = len(self.failures), len(self._records) + len(self.failures)
        uncertain = len(self.failures.uncertain)
        heading = f"{self._label}: {failed} of {count} records failed"
        if uncertain:
            heading += f", of which the server may have carried out {uncertain}"
        if not failed:
            return f"{self._label}: all of {count} records are done"
        lines = [f"- {failure}" for failure in self.failures[:_SHOWN]]
        if failed > _SHOWN:
            lines.append(f"- {failed - _SHOWN} more, in `failures` of this error")
        others = "; the others did not" if failed < count else ""
        return "\n".join([f"{heading}{others}:", *lines])

    def _fetched_rows(self) -> tuple[Sequence[Any], int | None, object]:
        return self._records, len(self._records), self._declared

    def _table_rows(self) -> tuple[Sequence[Any], object]:
        return self._records, self._declared

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> list[T_co]: ...
    def __getitem__(self, index: int | slice) -> T_co | list[T_co]:
        self._refuse_column(index)
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[T_co]:
        return iter(self._records)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BulkResults | list):
            return NotImplemented
        return self._records == list(cast("Sequence[object]", other))

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"<{self._label or 'BulkResults'}: {len(self._records)} records{failed}>"

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return _rebuild, (self._records, self.keys, list(self.failures), self._label, self._declared)


def _rebuild(
    records: list[object], keys: list[object], failures: list[BulkFailure], label: str, declared: Any = None
) -> BulkResults[object]:
    return rows_of(BulkResults, declared)(records, keys, failures, label=label, declared=declared)
