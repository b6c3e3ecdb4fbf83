"""A user's program with ONE, run by `under_one` in a new process, on ONE's own client or on this one.

``python one_code.py CLIENT URL`` writes the time of each task, and that part of it that the client takes, in seconds,
to standard output (JSON). CLIENT is ``theirs`` or ``ours``.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

FILES = 8

seconds: dict[str, float] = {}
in_client = 0.0
is_in_client = False


@contextmanager
def timed(task: str) -> Generator[None, None, None]:
    """Record the time of a task."""
    start, client_start = time.perf_counter(), in_client
    yield
    seconds[task] = time.perf_counter() - start
    seconds[f"{task}: client"] = in_client - client_start


def watch(client: Any) -> None:
    """Add up the time of the client's calls; the rest is ONE's own, in its tables mostly."""

    def watched(call: Callable[..., object]) -> Callable[..., object]:
        def timed_call(*args: object, **keywords: object) -> object:
            global in_client, is_in_client
            if is_in_client:
                return call(*args, **keywords)
            start, is_in_client = time.perf_counter(), True
            try:
                return call(*args, **keywords)
            finally:
                is_in_client = False
                in_client += time.perf_counter() - start

        return timed_call

    # A replaced get() would be called by rest(), as in ONE, which takes time of its own.
    lowest = "send" if hasattr(client, "send") else "get"
    for name in ("rest", lowest, "download_file", "download_cache_tables"):
        setattr(client, name, watched(getattr(client, name)))


def use(one: Any) -> None:
    """Search, list, load and convert: each twice, so that the second time is from the cache."""
    with timed("load_cache"):
        one.load_cache(clobber=True)
    with timed("load_cache again"):
        one.load_cache(clobber=True)
    for again in ("", " again"):
        with timed(f"search{again}"):
            eids = sorted(one.search(query_type="remote"), key=str)
        assert len(eids) == 200, len(eids)
        with timed(f"search in pages{again}"):
            assert len(list(one.search(limit=20, query_type="remote"))) == 200
        with timed(f"eid2path{again}"):
            assert all(one.eid2path(eids, query_type="remote"))
        with_files = sorted(one.search(datasets="wheel.position.npy", query_type="remote"), key=str)[:FILES]
        assert len(with_files) == FILES, with_files
        with timed(f"list_datasets{again}"):
            assert all(one.list_datasets(eid, query_type="remote") for eid in with_files)
        with timed(f"load_dataset{again}"):
            for eid in with_files:
                assert one.load_dataset(eid, "wheel.position.npy", query_type="remote").sum() == 0


def main() -> None:
    """Run the tasks."""
    client, url = sys.argv[1:]
    warnings.simplefilter("ignore")
    with timed("start"):
        if client == "ours":
            import alyx_client.one  # noqa: F401
        from one.api import ONE  # type: ignore[import-not-found]

        one = ONE(base_url=url, username="admin", password="admin", silent=True)
    watch(one.alyx)
    use(one)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
