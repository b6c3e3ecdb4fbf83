"""Keys of rows: what tells the rows of a list apart, and which rows of a page are repetitions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

__all__ = ["RowKey", "SeenRows", "as_uuid", "distinct_rows", "has_repeats", "key_reader"]

T = TypeVar("T")
RowKey = Callable[[Any], object]
"""Returns the key that identifies a row of a list; None for rows without one."""

_IDENTIFIER = re.compile(
    "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}|-?[0-9]{1,20}"
)


def key_reader(names: Sequence[str], path: str) -> Callable[[Mapping[str, object]], object]:
    """Return a function that reads the key from the fields of a row; None where the row has none.

    Parameters
    ----------
    names
        The fields that may hold the key, the first choice first: the key itself, or the record's URL.
    path
        The list's path, below which the URLs of its records lie.
    """
    path = path.rstrip("/")
    is_identifier = _IDENTIFIER.fullmatch

    def read_key(fields: Mapping[str, object]) -> object:
        for name in names:
            value = fields.get(name)
            if isinstance(value, str):
                folder, slash, last = value.rpartition("/")
                if slash and not last:
                    folder, slash, last = folder.rpartition("/")
                # The schema's word is checked on each row: servers send other things than they declare.
                if (not slash or folder.endswith(path)) and is_identifier(last):
                    return last
            elif isinstance(value, UUID) or (isinstance(value, int) and not isinstance(value, bool)):
                return value
        return None

    return read_key


def as_uuid(key: object) -> UUID | None:
    """Return a row's key as a UUID; None if it is a number, or missing."""
    # A number has fewer digits.
    return UUID(key) if isinstance(key, str) and len(key) >= 32 else key if isinstance(key, UUID) else None


def has_repeats(rows: Sequence[T], row_key: RowKey | None) -> bool:
    """Return whether a page has the same row twice, as it does where Alyx joins other tables without ``distinct``."""
    return len(distinct_rows(rows, row_key)) < len(rows)


def distinct_rows(rows: Sequence[T], row_key: RowKey | None) -> list[T]:
    """Return the rows of a page without repetitions: rows whose key and whose fields are those of an earlier row.

    Parameters
    ----------
    rows
        The rows of one page.
    row_key
        Returns the key of a row; None if rows have none.
    """
    return SeenRows[T](row_key, None).new_rows(rows)


class SeenRows(Generic[T]):
    """The rows of a list that were returned, so that none is returned twice, and no more than requested.

    Parameters
    ----------
    row_key
        Returns the key of a row; None if rows have none.
    max_items
        The most rows to return.
    """

    def __init__(self, row_key: RowKey | None, max_items: int | None) -> None:
        self._row_key = row_key
        self.keys: set[object] = set()
        """The keys of the rows that were returned."""
        self.remaining = max_items
        """The number of rows that may still be returned; None if any number may."""
        self.has_repeats = False
        """True if a page had the same row twice."""

    def keys_of(self, rows: Sequence[T]) -> list[object]:
        """Return the keys of a page's rows; None for rows that nothing identifies."""
        if self._row_key is None:
            return [None] * len(rows)
        keys = [self._row_key(row) for row in rows]
        if len(set(keys)) < len(keys) and self._contradicts(rows, keys):
            self._row_key = None
            return [None] * len(rows)
        return keys

    @staticmethod
    def _contradicts(rows: Sequence[T], keys: Sequence[object]) -> bool:
        """Return whether two different rows of one page have the same key, which then identifies neither of them."""
        by_key: dict[object, T] = {}
        return any(key is not None and by_key.setdefault(key, row) != row for row, key in zip(rows, keys, strict=True))

    def new_rows(self, rows: Sequence[T], keys: Sequence[object] | None = None) -> list[T]:
        """Return the rows that were not returned before, at most as many as remain.

        Parameters
        ----------
        rows
            Rows of one page.
        keys
            Their keys, if these have been read already.
        """
        keys = self.keys_of(rows) if keys is None else keys
        distinct = set(keys)
        # Rows without a key may be repetitions, but dropping equal rows might drop different records.
        if None not in distinct and len(distinct) == len(keys):
            known = self.keys
            new = [row for row, key in zip(rows, keys, strict=True) if key not in known] if known else list(rows)
        else:
            new = list(self._without_repeats(rows, keys))
        self.keys |= distinct - {None}
        if self.remaining is not None:
            new = new[: self.remaining]
            self.remaining -= len(new)
        return new

    def _without_repeats(self, rows: Sequence[T], keys: Sequence[object]) -> Iterator[T]:
        of_page: set[object] = set()
        for row, key in zip(rows, keys, strict=True):
            self.has_repeats = self.has_repeats or key in of_page
            if key not in self.keys and key not in of_page:
                yield row
            if key is not None:
                of_page.add(key)
