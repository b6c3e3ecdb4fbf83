"""What a user's program does: run by `against_one` in a fresh process, with either client.

``python user_code.py LIBRARY STYLE`` reads from its standard input what to do (JSON), and writes the seconds of each
task to its standard output (JSON). LIBRARY is the module whose ``AlyxClient`` is used; STYLE is ``strings`` or
``typed``. It imports nothing else of this project, since ONE-api has an interpreter of its own.
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
    """Add a task's seconds to what was measured."""
    start = time.perf_counter()
    yield
    seconds[task] = (time.perf_counter() - start) / times


def strings(client: Any, ids: list[str], files: list[str], big: str, folder: str, **_: Any) -> None:
    """Query and download with strings, dictionaries and lists: these lines are the same for both clients."""
    with timed("list"):
        rows = list(client.rest("datasets", "list"))
    assert len({row["url"] for row in rows}) == 3000, len(rows)

    with timed("reads"):
        records = [client.rest("datasets", "read", id=key, no_cache=True) for key in ids]
    check(ids, [record["url"] for record in records])

    cached(ids, lambda key: client.rest("datasets", "read", id=key)["url"])

    with timed("files"):
        paths = client.download_file(files, target_dir=folder)
    assert len(paths) == len(files)

    with timed("big file"):
        client.download_file(big, target_dir=folder)


def typed(client: Any, ids: list[str], **_: Any) -> None:
    """Query with typed records."""
    with timed("list"):
        rows = list(client.datasets.list())
    assert len({row.url for row in rows}) == 3000, len(rows)

    # None of them was read before: the cache has none.
    with timed("reads"):
        records = [client.datasets.read(key) for key in ids]
    check(ids, [record.url for record in records])

    cached(ids, lambda key: client.datasets.read(key).url)


def cached(ids: list[str], read: Callable[[str], str]) -> None:
    check(ids, [read(key) for key in ids])
    with timed("cached reads", CACHED_ROUNDS):
        urls = [read(key) for _ in range(CACHED_ROUNDS) for key in ids]
    check(ids * CACHED_ROUNDS, urls)


def check(ids: list[str], urls: list[str]) -> None:
    assert [url.rpartition("/")[2] for url in urls] == ids, urls


def main() -> None:
    """Do what standard input says."""
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
