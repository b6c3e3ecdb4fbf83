"""Lists of several pages as ONE has them: rows by position, and callbacks for each page."""

from __future__ import annotations

import threading
import warnings
from abc import ABCMeta
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode
from weakref import ReferenceType

from alyx_client.http.flow import Flow
from alyx_client.http.message import Response
from alyx_client.rest.lists import LazyList
from alyx_client.runtime.lists.list_query import ListState, warn_of_order
from alyx_client.runtime.lists.paging import Page
from alyx_client.runtime.lists.results import Results

__all__ = ["PaginatedResponse", "paginated", "register_lists"]

T = TypeVar("T")
Callback = Callable[[list[Any]], object]

_MOST_PLACES = 10**7  # ONE reserves a place for each row


class Client(Protocol):
    """The client of a list."""

    def run(self, flow: Flow[T]) -> T:
        """Run a flow."""
        ...


class PaginatedResponse(Mapping[int, Any]):
    """The rows of a list of several pages, by position; each page is fetched when one of its rows is needed.

    Iterating reads ahead, and is complete even where the server repeats rows and omits others. Its length is then the
    number of rows; before, it is the server's count. If pages that are fetched by position repeat a row, all rows are
    read once, with a warning.

    Parameters
    ----------
    alyx
        The client.
    lazy
        The list, with its first page.

    Attributes
    ----------
    limit
        Rows per page.
    query
        The address of the list.
    """

    def __init__(self, alyx: Client, lazy: LazyList) -> None:
        first = lazy.first_page
        self.alyx = alyx
        self.limit = len(first.rows)
        self.query = _address(lazy)
        self._cache: list[Any] = [*first.rows, *[None] * (first.count - self.limit)]
        self._callbacks: set[Callback | ReferenceType[Callback]] = set()
        self._lock = threading.RLock()
        # Pages that were read ahead, by other threads; the callbacks are ONE's, and not safe there.
        self._fetched: deque[list[Any]] = deque()
        self._params = lazy.param_sets[0]
        self._query = lazy.query()
        self._state: ListState[Any] = ListState(1, lazy.page_size, None, self._query.row_key, first, lazy.paging)
        watched = replace(self._query, read_page=self._read_and_note)
        self._results: Results[Any] = Results.from_query(watched, alyx.run)

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self._cache)

    def add_callback(self, cb: Callback | ReferenceType[Callback]) -> None:
        """Add a function to call with the rows of each page that is fetched from now on.

        Parameters
        ----------
        cb
            The function, or a weak reference to it.

        Raises
        ------
        TypeError
            It is neither.
        """
        if not callable(cb):
            raise TypeError(f"cb: pass a function, not an object of type {type(cb).__name__}.")
        self._callbacks.add(cb)

    def populate(self, idx: int) -> None:
        """Fetch the page of a row.

        Parameters
        ----------
        idx
            The row's position.
        """
        offset = idx - idx % self.limit
        page = self.alyx.run(self._query.fetch_page(self._params, offset, self.limit))
        with self._lock:
            self._resize(page.count)
            is_repeated = self._state.repeats_rows(offset, page.rows)
            if not is_repeated:
                rows = page.rows[: self.count - offset]
                self._cache[offset : offset + len(rows)] = rows
        self._notify(page.rows)
        if is_repeated:
            warn_of_order()
            for _ in self:
                pass

    def __len__(self) -> int:
        return len(self._cache)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, slice):
            for position in range(*item.indices(len(self._cache))):
                self._fill(position)
        else:
            self._fill(item)
        return self._cache[item]

    def _fill(self, item: int) -> None:
        # Twice at most: if the number of rows changed meanwhile, a negative index is that of another row.
        for _ in range(2):
            position = item + len(self._cache) if item < 0 else item
            if not 0 <= position < len(self._cache) or self._cache[position] is not None:
                return
            self.populate(position)

    def __iter__(self) -> Iterator[Any]:
        if None not in self._cache:
            yield from list(self._cache)
            return
        number = 0
        for row in self._results:
            self._note_fetched()
            with self._lock:
                self._cache[number : number + 1] = [row]
            number += 1
            yield row
        with self._lock:
            # Fewer where the server counted rows repeatedly.
            del self._cache[number:]
        self._callbacks.clear()

    def __contains__(self, value: object) -> bool:
        return any(row == value for row in self)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)} rows of {self.query}>"

    def _read_and_note(self, response: Response) -> Page[Any]:
        page = self._query.read_page(response)
        self._fetched.append(page.rows)
        return page

    def _note_fetched(self) -> None:
        while self._fetched:
            self._notify(self._fetched.popleft())

    def _resize(self, count: int) -> None:
        if count == len(self._cache):
            return
        warnings.warn(
            f"{self.query} had {len(self._cache)} rows, and has {count} now: rows may have moved, so that some come "
            "twice and others not at all.",
            RuntimeWarning,
            stacklevel=5,
        )
        del self._cache[count:]
        self._cache.extend([None] * (count - len(self._cache)))

    def _notify(self, rows: list[Any]) -> None:
        for callback in list(self._callbacks):
            function = callback() if isinstance(callback, ReferenceType) else callback
            if function is None:
                self._callbacks.discard(callback)
            else:
                function(rows)


def paginated(alyx: Client, lazy: LazyList) -> list[Any] | PaginatedResponse:
    """Return the rows of a list: a list if they fit on one page.

    Parameters
    ----------
    alyx
        The client.
    lazy
        The list, with its first page.
    """
    rows = lazy.complete_rows
    if rows is not None:
        return rows
    first = lazy.first_page
    state = ListState(len(lazy.param_sets), lazy.page_size, None, lazy.query().row_key, first, lazy.paging)
    # Rows that the server does not count, or counts wrongly, are counted by reading them.
    is_counted = state.has_server_count and not state.has_no_true_count(first)
    if not is_counted or not first.rows or first.count > _MOST_PLACES:
        return list(lazy.to_results(alyx.run))
    return PaginatedResponse(alyx, lazy)


def register_lists(kind: object) -> None:
    """Make these lists instances of ONE's own class of lists, for `isinstance`.

    Parameters
    ----------
    kind
        ONE's class, if there is one; an abstract base class, since it is a `Mapping`.
    """
    if isinstance(kind, ABCMeta):
        kind.register(PaginatedResponse)


def _address(lazy: LazyList) -> str:
    query = urlencode(lazy.param_sets[0])
    return f"{lazy.send.request.path}{'?' if query else ''}{query}"
