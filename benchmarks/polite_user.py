"""A user's program, run by `polite` in several processes at once: threads that send requests one after the other.

``python polite_user.py CLIENT URL TOKEN THREADS REQUESTS`` writes a line when it is ready, reads a line to start, and
writes how many calls succeeded. CLIENT is ``httpx2`` for a loop that waits as each 429 asks, a module with an
``AlyxClient``, or that and a rate: ``alyx_client=550/minute``. It imports nothing else from this project, because
ONE-api is installed in a separate interpreter.
"""

from __future__ import annotations

import importlib
import logging
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def main(name: str, url: str, token: str, threads: str, requests: str) -> None:
    """Send the requests."""
    logging.disable()
    read = loop(url, token) if name == "httpx2" else client(name, url, token)
    read()
    print("ready", flush=True)
    sys.stdin.readline()

    def work(_: int) -> int:
        return sum(succeeds(read) for _ in range(int(requests)))

    with ThreadPoolExecutor(int(threads)) as pool:
        print(sum(pool.map(work, range(int(threads)))), flush=True)


def client(name: str, url: str, token: str) -> Callable[[], object]:
    module, _, rate = name.partition("=")
    make = importlib.import_module(module).AlyxClient
    if module == "one.webclient":
        alyx = make(base_url=url, token={"token": token}, username="olivier", silent=True, cache_rest=None)
    else:
        alyx = make(url, token=token, silent=True, cache_rest=None, rate_limit=rate or None)
    return lambda: alyx.rest("labs", "read", id="cortexlab", no_cache=True)


def loop(url: str, token: str) -> Callable[[], object]:
    import httpx2

    session = httpx2.Client(headers={"Authorization": f"Token {token}"}, timeout=120)

    def read() -> object:
        while (response := session.get(f"{url}/labs/cortexlab")).status_code == 429:
            time.sleep(float(response.headers["retry-after"]))
        return response.raise_for_status().json()

    return read


def succeeds(read: Callable[[], object]) -> bool:
    try:
        read()
    except OSError:  # of requests; a user's loop would go on, too
        return False
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
