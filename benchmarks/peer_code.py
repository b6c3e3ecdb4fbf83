"""The tasks of ``user_code.py`` with other libraries, and with none: ``python peer_code.py LIBRARY``.

LIBRARY is ``typed-lists``, a client that openapi-python-client generated; or ``floor``, connections that receive the
same bytes in as few requests, of which nothing is parsed but the JSON.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROWS, FIRST, PAGE = 3000, 250, 1000

seconds: dict[str, float] = {}


@contextmanager
def timed(task: str) -> Generator[None, None, None]:
    """Record the time of a task."""
    start = time.perf_counter()
    yield
    seconds[task] = time.perf_counter() - start


def typed_lists(alyx: str, **_: Any) -> None:
    """List with a generated client; its user asks for the largest pages, one after the other."""
    from typed_peer_client import AuthenticatedClient  # type: ignore[import-not-found]
    from typed_peer_client.api.datasets import datasets_list  # type: ignore[import-not-found]

    client = AuthenticatedClient(alyx, token="x", prefix="Token")
    # As for the others, the login has opened the connection.
    client.get_httpx_client().post("/auth-token", json={"username": "olivier", "password": "secret"})
    rows: list[Any] = []
    with timed("list"):
        while True:
            page = datasets_list.sync(client=client, limit=PAGE, offset=len(rows))
            rows += page.results
            if not page.next_:
                break
    assert len({row.url for row in rows}) == ROWS, len(rows)


def floor(alyx: str, tasks: list[str], ids: list[str], **_: Any) -> None:
    """Receive the same bytes."""
    connection = http.client.HTTPConnection(urlsplit(alyx).netloc)
    fetch(connection, "/api/schema")
    if "list" in tasks:
        offsets = range(FIRST, ROWS, PAGE)
        with timed("list"):
            json.loads(fetch(connection, "/datasets"))
            in_parallel(alyx, [f"/datasets?limit={PAGE}&offset={offset}" for offset in offsets], len(offsets))
    if "reads" in tasks:
        with timed("reads"):
            for key in ids:
                json.loads(fetch(connection, f"/datasets/{key}"))
    if "read many" in tasks:
        with timed("read many"):
            in_parallel(alyx, [f"/datasets/{key}" for key in ids], len(ids))
    connection.close()


def fetch(connection: http.client.HTTPConnection, path: str) -> bytes:
    """Return the body of a response."""
    connection.request("GET", path)
    return connection.getresponse().read()


def in_parallel(url: str, paths: Sequence[str], connections: int) -> None:
    """Receive responses over several connections, and parse them."""
    left = iter(paths)
    lock = threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        while True:
            with lock:
                path = next(left, None)
            if path is None:
                break
            json.loads(fetch(connection, path))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    """Do what standard input says."""
    task = json.load(sys.stdin)
    programs: dict[str, Callable[..., None]] = {"typed-lists": typed_lists, "floor": floor}
    # Not this file's folder, which has modules of the same names as libraries.
    sys.path = [folder for folder in sys.path if Path(folder).resolve() != Path(__file__).parent]
    programs[sys.argv[1]](**task)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
