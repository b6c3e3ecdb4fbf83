"""Keys of rows: what tells the rows of a list apart, and which rows of a page are repetitions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from alyx_client.runtime.lists.key_set import KeySet, pack_key, pack_uuids
from alyx_client.runtime.rows import fields_of

__all__ = ["KeyReader", "RowKey", "SeenRows", "as_uuid", "distinct_rows", "has_repeats", "has_twice"]

T = TypeVar("T")
RowKey = Callable[[Any], object]
"""Returns the key that identifies a row of a list; None for rows without one."""

_IDENTIFIER = re.compile(
    "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}|-?[0-9]{1,20}"
)

_UUID_LENGTH = 36


class KeyReader:
    """Reads the keys of a list's rows: a callable that returns the key of one row, None where the row has none.

    Parameters
    ----------
    names
        The fields that may hold the key, the first choice first: the key itself, or the record's URL.
    path
        The list's path, below which the URLs of its records lie.
    """

    def __init__(self, names: Sequence[str], path: str) -> None:
        self._names = names
        self._path = path.rstrip("/")

    def __call__(self, row: object) -> object:
        """Return the key of a row; None if it has none."""
        # Rows that are no records, such as a number in a response that differs from its declaration, have no fields.
        fields = fields_of(row)
        for name in self._names:
            value = fields.get(name)
            if isinstance(value, str):
                folder, slash, last = value.rpartition("/")
                if slash and not last:
                    folder, slash, last = folder.rpartition("/")
                # The schema's word is checked on each row: servers send other things than they declare.
                if (not slash or folder.endswith(self._path)) and _IDENTIFIER.fullmatch(last):
                    return last
            elif isinstance(value, UUID) or (isinstance(value, int) and not isinstance(value, bool)):
                return value
        return None

    def packed(self, rows: Sequence[object]) -> list[object]:
        """Return the keys of a page's rows, packed; None for rows without one."""
        return self._packed_uuids(rows) or [pack_key(self(row)) for row in rows]

    def _packed_uuids(self, rows: Sequence[Any]) -> list[Any] | None:
        """Return the keys if all are UUIDs in the first field, read at once; None if they have to be read one by one.

        This is the usual case, and takes a third of the time.
        """
        if not self._names or set(map(type, rows)) != {dict}:
            return None
        try:
            values: list[Any] = [row[self._names[0]] for row in rows]
        except KeyError:
            return None
        if isinstance(values[0], str) and "/" in values[0]:
            start = values[0][:-_UUID_LENGTH]
            are_below = (isinstance(value, str) and value.startswith(start) for value in values)
            if not start.endswith(f"{self._path}/") or not all(are_below):
                return None
            values = [value[len(start) :] for value in values]
        return pack_uuids(values)


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
        self.keys = KeySet()
        """The keys of the rows that were returned."""
        self.remaining = max_items
        """The number of rows that may still be returned; None if any number may."""
        self.has_repeats = False
        """True if a page had the same row twice."""

    def keys_of(self, rows: Sequence[T]) -> list[object]:
        """Return the keys of a page's rows, packed; None for rows that nothing identifies."""
        if self._row_key is None:
            return [None] * len(rows)
        if isinstance(self._row_key, KeyReader):
            keys = self._row_key.packed(rows)
        else:
            keys = [pack_key(self._row_key(row)) for row in rows]
        if len(set(keys)) < len(keys):
            if self._contradicts(rows, keys):
                self._row_key = None
                return [None] * len(rows)
            self.has_repeats = self.has_repeats or has_twice(keys)
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
        return self.take(rows, self.keys.add(self.keys_of(rows) if keys is None else keys))

    def take(self, rows: Sequence[T], are_known: Sequence[bool]) -> list[T]:
        """Return the rows that are not known, at most as many as remain.

        Parameters
        ----------
        rows
            Rows of one page.
        are_known
            Whether each was returned before, as `KeySet.add` says. Rows without a key are not known: they may be
            repetitions, but dropping equal rows might drop different records.
        """
        new = list(rows)
        if True in are_known:
            new = [row for row, is_known in zip(rows, are_known, strict=True) if not is_known]
        if self.remaining is not None:
            new = new[: self.remaining]
            self.remaining -= len(new)
        return new


def has_twice(keys: Sequence[object]) -> bool:
    """Return whether a key is there twice; None is no key."""
    return len(set(keys) - {None}) < len(keys) - keys.count(None)
