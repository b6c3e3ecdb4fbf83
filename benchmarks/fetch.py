"""A user's program, run by `files` in a new process: downloads files with one of several libraries.

``python fetch.py LIBRARY`` reads from standard input (JSON) what to fetch, and writes the seconds that this took to
standard output. LIBRARY is ``alyx_client.webclient``, ``one.webclient``, ``huggingface_hub``, or ``sockets``: eight
connections that receive, write and parse nothing but the end of the headers, as a floor. It imports nothing else from
this project, because the libraries are installed in separate interpreters.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

CONNECTIONS = 8
_BUFFER = 2**20


def of_webclient(library: str, urls: list[str], folder: str) -> Callable[[], object]:
    """Return the download with ONE's client or this one, whose functions have the same names."""
    module = importlib.import_module(library)
    if len(urls) == 1:
        return lambda: module.http_download_file(urls[0], target_dir=folder, silent=True)
    return lambda: module.http_download_file_list(urls, target_dir=folder, silent=True)


def of_hub(repository: str, endpoint: str, folder: str) -> Callable[[], object]:
    """Return the download of all files of a repository, eight at a time."""
    os.environ.update(HF_ENDPOINT=endpoint, HF_HUB_DISABLE_PROGRESS_BARS="1", HF_HUB_DISABLE_XET="1")
    hub = importlib.import_module("huggingface_hub")
    return lambda: hub.snapshot_download(repository, local_dir=folder, max_workers=CONNECTIONS)


def of_sockets(urls: list[str], size: int, folder: str) -> Callable[[], None]:
    """Return the download over eight connections; a single file is divided between them."""
    pieces = [(url, 0, size) for url in urls]
    if len(urls) == 1:
        part = -(-size // CONNECTIONS)
        pieces = [(urls[0], start, min(size, start + part)) for start in range(0, size, part)]
    tasks = deque(pieces)

    def run() -> None:
        threads = [threading.Thread(target=receive, args=(tasks, folder)) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return run


def receive(tasks: deque[tuple[str, int, int]], folder: str) -> None:
    """Receive ranges of files over one connection."""
    buffer = memoryview(bytearray(_BUFFER))
    first = urlsplit(tasks[0][0]) if tasks else None
    if first is None:
        return
    with socket.create_connection((first.hostname or "", first.port or 80)) as connection:
        while True:
            try:
                url, start, end = tasks.popleft()
            except IndexError:
                return
            path = urlsplit(url).path
            request = f"GET {path} HTTP/1.1\r\nHost: {first.netloc}\r\nRange: bytes={start}-{end - 1}\r\n\r\n"
            connection.sendall(request.encode())
            filled = 0
            while (head := bytes(buffer[:filled]).find(b"\r\n\r\n")) < 0:
                filled += connection.recv_into(buffer[filled:])
            handle = os.open(os.path.join(folder, path.rpartition("/")[2]), os.O_RDWR | os.O_CREAT)
            os.lseek(handle, start, os.SEEK_SET)
            start += os.write(handle, buffer[head + 4 : filled])
            while start < end:
                filled = connection.recv_into(buffer[: min(_BUFFER, end - start)])
                start += os.write(handle, buffer[:filled])
            os.close(handle)


def main() -> None:
    """Fetch what standard input says."""
    library = sys.argv[1]
    task = json.load(sys.stdin)
    urls, size, folder = task["urls"], task["size"], task["folder"]
    if library == "sockets":
        fetch: Callable[[], object] = of_sockets(urls, size, folder)
    elif library == "huggingface_hub":
        fetch = of_hub(task["repository"], task["hub"], folder)
    else:
        fetch = of_webclient(library, urls, folder)
    start = time.perf_counter()
    fetch()
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
