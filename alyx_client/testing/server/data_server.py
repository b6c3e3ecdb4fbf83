"""The data server: files at the paths that dataset records name, with ranges and entity tags."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import PurePosixPath

from starlette.requests import Request
from starlette.responses import Response

from alyx_client.testing.records.files import content_of
from alyx_client.testing.records.store import Store

_IDENTIFIER = re.compile(r"\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=\.|$)")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


class DataServer:
    """Serves the files of datasets.

    Parameters
    ----------
    store
        The records; files saved in it take precedence over generated content.
    login
        Returns the user name and password of basic authentication.
    """

    def __init__(self, store: Store, login: Callable[[], tuple[str, str]]) -> None:
        self.store = store
        self.login = login

    async def handle(self, request: Request) -> Response:
        """Return the response to one request."""
        if not self._is_authorized(request.headers.get("authorization", "")):
            challenge = {"WWW-Authenticate": 'Basic realm="local Alyx data"'}
            return Response("Authorization required\n", 401, challenge, "text/plain")
        content = self._content(request.path_params["path"])
        if content is None:
            return Response("Not found\n", 404, media_type="text/plain")
        tag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        headers = {"ETag": tag, "Accept-Ranges": "bytes", "Last-Modified": "Tue, 01 Jun 2021 12:00:00 GMT"}
        requested_range = request.headers.get("range")
        # RFC 9110, 13.1.5: when the validator of If-Range does not match, the whole file is sent.
        if requested_range is None or request.headers.get("if-range", tag) != tag:
            if request.headers.get("if-none-match") == tag:
                return Response(b"", 304, headers)
            return _content_response(request, content, 200, headers)
        span = _span(requested_range, len(content))
        if span is None:
            return Response(b"", 416, {**headers, "Content-Range": f"bytes */{len(content)}"})
        first, last = span
        headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        return _content_response(request, content[first : last + 1], 206, headers)

    def _is_authorized(self, header: str) -> bool:
        expected = base64.b64encode(":".join(self.login()).encode()).decode()
        return header == f"Basic {expected}"

    def _content(self, path: str) -> bytes | None:
        saved = self.store.read_file(f"data/{path}")
        if saved is not None:
            return saved
        # Public servers have the dataset's identifier in the file's name; records have the plain path.
        match = _IDENTIFIER.search(PurePosixPath(path).name)
        plain_path = _IDENTIFIER.sub("", path) if match else path
        for record in self.store.related("files", "relative_path", plain_path):
            dataset = self.store.get("datasets", record["dataset"])
            if match is not None and record["dataset"] != match[1]:
                continue
            if record["exists"] and dataset is not None:
                saved = self.store.read_file(f"data/{plain_path}")
                return saved if saved is not None else content_of(dataset["id"], dataset["file_size"])
        return None


def _content_response(request: Request, content: bytes, status: int, headers: dict[str, str]) -> Response:
    headers["Content-Length"] = str(len(content))
    body = b"" if request.method == "HEAD" else content
    return Response(body, status, headers, "application/octet-stream")


def _span(requested_range: str, length: int) -> tuple[int, int] | None:
    """Return the first and last position of a range (RFC 9110, 14.1.2), or None if it cannot be satisfied."""
    match = _RANGE.match(requested_range.strip())
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        first, last = max(0, length - int(match[2])), length - 1
    else:
        first, last = int(match[1]), min(int(match[2] or length), length - 1)
    return (first, last) if first <= last and first < length else None
