"""A user's program, run by `programs` in a new process with either client.

``python user_code.py LIBRARY STYLE`` reads what to do from standard input (JSON) and writes the time of each, in
seconds, to standard output (JSON). LIBRARY is the module whose ``AlyxClient`` is used; STYLE is ``strings`` or
``typed``. It imports nothing else from this project, because ONE-api is installed in a separate interpreter.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

CACHED_ROUNDS = 20

seconds: dict[str, float] = {}


@contextmanager
def timed(task: str, times: int = 1) -> Generator[None, None, None]:
    """Record the time of a task."""
    start = time.perf_counter()
    yield
    seconds[task] = (time.perf_counter() - start) / times


def strings(client: Any, tasks: list[str], ids: list[str], **_: Any) -> None:
    """Query with strings, dictionaries and lists, with the same code for both clients."""
    if "list" in tasks:
        with timed("list"):
            rows = list(client.rest("datasets", "list"))
        assert len({row["url"] for row in rows}) == 3000, len(rows)
    if "reads" in tasks:
        with timed("reads"):
            records = [client.rest("datasets", "read", id=key, no_cache=True) for key in ids]
        check(ids, [record["url"] for record in records])
    if "read many" in tasks:
        # There is no other way by name.
        with timed("read many"):
            records = [client.rest("datasets", "read", id=key, no_cache=True) for key in ids]
        check(ids, [record["url"] for record in records])
    if "cached reads" in tasks:
        cached(ids, lambda key: client.rest("datasets", "read", id=key)["url"])


def typed(client: Any, tasks: list[str], ids: list[str], **_: Any) -> None:
    """Query with typed records."""
    if "list" in tasks:
        with timed("list"):
            rows = list(client.datasets.list())
        assert len({row.url for row in rows}) == 3000, len(rows)
    if "reads" in tasks:
        # None was read before, so none is cached.
        with timed("reads"):
            records = [client.datasets.read(key) for key in ids]
        check(ids, [record.url for record in records])
    if "read many" in tasks:
        with timed("read many"):
            records = client.datasets.read_many(ids)
        check(ids, [record.url for record in records])
    if "cached reads" in tasks:
        cached(ids, lambda key: client.datasets.read(key).url)


def cached(ids: list[str], read: Callable[[str], str]) -> None:
    check(ids, [read(key) for key in ids])
    with timed("cached reads", CACHED_ROUNDS):
        urls = [read(key) for _ in range(CACHED_ROUNDS) for key in ids]
    check(ids * CACHED_ROUNDS, urls)


def check(ids: list[str], urls: list[str]) -> None:
    assert [url.rpartition("/")[2] for url in urls] == ids, urls


def main() -> None:
    """Log in, and do what standard input says."""
    task = json.load(sys.stdin)
    library, style = sys.argv[1:]
    with timed("start"):
        client_class = importlib.import_module(library).AlyxClient
        client = client_class(task["alyx"], username="olivier", password="secret", silent=True)
        assert "datasets" in client.rest_schemes.endpoints
    run = strings if style == "strings" else typed
    run(client, **task)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
