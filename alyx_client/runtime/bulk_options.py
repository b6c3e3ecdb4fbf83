"""Arguments of calls for many records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from typing import Any, Literal, Protocol, TypedDict, TypeVar

from alyx_client.runtime.action import Action, ListAction

__all__ = ["BulkArguments", "BulkOptions", "ByKey", "Items"]

K_co = TypeVar("K_co", covariant=True)
V_co = TypeVar("V_co", covariant=True)
K = TypeVar("K")
V = TypeVar("V")


class Items(Protocol[K_co, V_co]):
    """A dictionary, or another object that has keys with values, such as a column of pandas with its index."""

    def items(self) -> Iterable[tuple[K_co, V_co]]:
        """Return the pairs of key and value."""
        ...


ByKey = Items[K, V] | Sequence[tuple[K, V]] | Iterator[tuple[K, V]]
"""Keys with values: a dictionary or the like, or pairs, for keys that are no keys of dictionaries (records)."""


class BulkOptions(TypedDict, total=False):
    """Options of a call for many records, as its methods document them."""

    max_workers: int | None
    executor: Executor | None
    on_error: Literal["raise", "return"]
    silent: bool | None
    timeout: float | None


class BulkArguments(BulkOptions, total=False):
    """Arguments of a call for many records: its options, and what generated code adds.

    `rows` is the endpoint's list, if its rows are what ``read`` returns; `current` is the action that reads a record,
    for ``partial_update`` with preserved fields; `batches` says that a request can hold a list of records.
    """

    rows: ListAction[Any] | None
    current: Action[object] | None
    batches: bool
