"""The data server: files at the paths that dataset records name, with ranges and entity tags.

The content of a file follows from the dataset's identifier and size alone, so that it is the same in every run.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import Response

from alyx_client.testing.records.store import Record, Store

DEFAULT_SIZE = 1000
_IDENTIFIER = re.compile(r"\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=\.|$)")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


def content_of(identifier: str, size: int | None) -> bytes:
    """Return the bytes of a dataset's file."""
    wanted = DEFAULT_SIZE if size is None else size
    return hashlib.shake_128(identifier.encode()).digest(wanted) if wanted else b""


class DataServer:
    """Answers requests for files.

    Parameters
    ----------
    store
        The records; files saved in it come before content that is made up.
    login
        Gives the user name and password of basic authentication.
    """

    def __init__(self, store: Store, login: Callable[[], tuple[str, str]]) -> None:
        self.store = store
        self.login = login

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        if not self._allowed(request.headers.get("authorization", "")):
            challenge = {"WWW-Authenticate": 'Basic realm="local Alyx data"'}
            return Response("Authorization required\n", 401, challenge, "text/plain")
        content = self._content(request.path_params["path"])
        if content is None:
            return Response("Not found\n", 404, media_type="text/plain")
        tag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        headers = {"ETag": tag, "Accept-Ranges": "bytes", "Last-Modified": "Tue, 01 Jun 2021 12:00:00 GMT"}
        asked = request.headers.get("range")
        if request.headers.get("if-range", tag) != tag:
            asked = None
        if asked is None:
            if request.headers.get("if-none-match") == tag:
                return Response(b"", 304, headers)
            return _answer(request, content, 200, headers)
        span = _span(asked, len(content))
        if span is None:
            return Response(b"", 416, {**headers, "Content-Range": f"bytes */{len(content)}"})
        first, last = span
        headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        return _answer(request, content[first : last + 1], 206, headers)

    def _allowed(self, header: str) -> bool:
        expected = base64.b64encode(":".join(self.login()).encode()).decode()
        return header == f"Basic {expected}"

    def _content(self, path: str) -> bytes | None:
        saved = self.store.read_file(f"data/{path}")
        if saved is not None:
            return saved
        match = _IDENTIFIER.search(PurePosixPath(path).name)
        plain = _IDENTIFIER.sub("", path) if match else path
        for record in self.store.related("files", "relative_path", plain):
            if match is None or record["dataset"] == match[1]:
                dataset = self.store.get("datasets", record["dataset"])
                if record["exists"] and dataset is not None:
                    return self._dataset_content(plain, dataset)
        return None

    def _dataset_content(self, path: str, dataset: Record) -> bytes:
        saved = self.store.read_file(f"data/{path}")
        return saved if saved is not None else content_of(dataset["id"], dataset["file_size"])


def _answer(request: Request, content: bytes, status: int, headers: dict[str, str]) -> Response:
    headers["Content-Length"] = str(len(content))
    body = b"" if request.method == "HEAD" else content
    return Response(body, status, headers, "application/octet-stream")


def _span(asked: str, length: int) -> tuple[int, int] | None:
    match = _RANGE.match(asked.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        first, last = max(0, length - int(match[2])), length - 1
    else:
        first, last = int(match[1]), min(int(match[2] or length), length - 1)
    return (first, last) if first <= last and first < length else None
