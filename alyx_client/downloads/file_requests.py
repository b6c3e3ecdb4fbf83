"""Requests for one file: redirects are followed, with the credentials that each server may receive."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from alyx_client.downloads.addresses import redirect_target
from alyx_client.downloads.cancellation import raise_if_cancelled
from alyx_client.downloads.job import Job
from alyx_client.downloads.part_file import FileVersion
from alyx_client.downloads.response_headers import FileHeaders, parse_file_headers
from alyx_client.errors import (
    AlyxHTTPError,
    AuthenticationError,
    IncompleteDownloadError,
    NotFoundError,
    PermissionDeniedError,
    RangeNotSatisfiableError,
    RateLimitError,
    ServerError,
)
from alyx_client.http.error_response import error_from_response
from alyx_client.http.failure import Unanswered
from alyx_client.http.headers import readable_wait, retry_after
from alyx_client.http.message import Response
from alyx_client.http.streaming import Stream, Streams
from alyx_client.http.url import same_server

_MAX_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_ERROR_PAGE = 65536


class FileRequests:
    """Requests the file of one job, from several threads.

    Parameters
    ----------
    job
        The job.
    streams
        The connections.
    stop
        Set to cancel the download.
    """

    def __init__(self, job: Job, streams: Streams, stop: threading.Event) -> None:
        self.job = job
        self.stop = stop
        self._streams = streams

    @property
    def read_timeout(self) -> float | None:
        """Seconds to wait for the next bytes of a response."""
        return self._streams.timeout.read

    @contextmanager
    def open(
        self, first: int | None = None, end: int | None = None, version: FileVersion | None = None
    ) -> Generator[FileResponse]:
        """Send a request, and follow redirects.

        Parameters
        ----------
        first, end
            The range of bytes, without the end; None for the start and the end of the file.
        version
            The version that the bytes must belong to: a server with another one sends that, whole.

        Yields
        ------
        FileResponse
            A response with status 200, 206 or 416.

        Raises
        ------
        AlyxHTTPError
            The response has another status.
        Unanswered
            There was no response.
        """
        job, range_headers = self.job, _range_headers(first, end, version)
        url, trusted = job.url, True
        for _ in range(_MAX_REDIRECTS + 1):
            raise_if_cancelled(self.stop)
            headers = job.servers.headers(url, trusted=trusted, extra=job.options.headers, source_url=job.url)
            with self._streams.get(url, {**headers, **range_headers}) as stream:
                target = _redirect_target(stream, url)
                if target is None:
                    response = FileResponse(self, stream, url, login_sent="Authorization" in headers)
                    # Others have no file: errors, but also 204 and a 304 that no request asked for.
                    if response.headers.status not in {200, 206, 416}:
                        raise response.error()
                    yield response
                    return
            # A server that is not ours may redirect to one that is, with a path of its choosing: from the first such
            # redirect on, no credentials are sent.
            trusted = trusted and (job.servers.is_known(target) or same_server(target, job.url))
            url = target
        raise AlyxHTTPError(
            f"{job.printable_url} is redirected more than {_MAX_REDIRECTS} times.", method="GET", url=job.printable_url
        )

    def incomplete(self, reason: str) -> Unanswered:
        """Return the error for a response that did not hold the whole file; another attempt may help."""
        url = self.job.printable_url
        message = f"{url} was not received completely: {reason.rstrip('.')}."
        return Unanswered(IncompleteDownloadError(message, method="GET", url=url), sent=True)


class FileResponse:
    """A response to a request for a file, whose body is still to be read.

    Parameters
    ----------
    requests
        The sender of the request.
    stream
        The response.
    url
        Its URL, after redirects.
    login_sent
        Whether the request had a login.

    Attributes
    ----------
    headers
        Its headers about the file.
    """

    def __init__(self, requests: FileRequests, stream: Stream, url: str, *, login_sent: bool = False) -> None:
        self.headers: FileHeaders = parse_file_headers(stream.status, stream.headers, requests.job.target.name)
        self.requests = requests
        self.stream = stream
        self._url = url
        self._login_sent = login_sent

    def is_range(self, first: int, version: FileVersion | None) -> bool:
        """Return whether this is the range that begins at a byte, of the same version of the file.

        Servers and proxies that ignore ``If-Range`` send a range of another version: what they say about it counts.
        """
        headers = self.headers
        if headers.status != 206 or headers.first != first:
            return False
        if version is None:
            return True
        return _agree(headers.etag, version.etag) and _agree(headers.total, version.total)

    def error(self) -> AlyxHTTPError:
        """Return the error that the status stands for."""
        stream, url = self.stream, self._url
        from_alyx = self.requests.job.servers.is_from_alyx(url)
        printable_url = url.partition("?")[0]
        # Stores repeat parts of a signed URL in their error pages: only Alyx's own messages are shown.
        content = _beginning(stream.pieces()) if from_alyx else b""
        response = Response(stream.status, stream.headers, content, "GET", printable_url)
        error = error_from_response(response, retry_after=retry_after(stream.headers, time.time()))
        if not from_alyx or _needs_data_login(stream):
            login_sent = self._login_sent and not from_alyx
            error.message = _data_server_message(error, printable_url, login_sent=login_sent)
        elif isinstance(error, NotFoundError) and "/cache/info" not in printable_url:
            error.message = f"The server {urlsplit(url).netloc} has no file {printable_url} (status 404)."
        return error


def _needs_data_login(stream: Stream) -> bool:
    """Return whether files on Alyx's own host need a login of their own, which no token is; Alyx refuses in JSON."""
    asks_for_password = stream.headers.get("www-authenticate", "").lower().startswith("basic")
    return stream.status == 401 and asks_for_password and "json" not in stream.headers.get("content-type", "").lower()


def _data_server_message(error: AlyxHTTPError, url: str, *, login_sent: bool) -> str:
    """Return the message of an error of a data server, which knows nothing of Alyx's endpoints and tokens."""
    server, status = f"The data server {urlsplit(url).netloc}", error.status_code or 0
    if isinstance(error, AuthenticationError | PermissionDeniedError):
        login = "The login that was sent is wrong or not sufficient" if login_sent else "No login was sent"
        return (
            f"{server} refused {url} (status {status}). {login}. Check the user name and password for it: username= "
            "and password= of the call, data_server= of the client, ALYX_DATA_USERNAME and ALYX_DATA_PASSWORD, or the "
            "settings (ONE's HTTP_DATA_SERVER_LOGIN and HTTP_DATA_SERVER_PWD); a signed URL may have expired."
        )
    if isinstance(error, NotFoundError):
        return f"{server} has no file {url} (status {status}). It was moved or removed there, or the URL is wrong."
    if isinstance(error, RangeNotSatisfiableError):
        return f"{server} does not have the requested bytes of {url} (status {status}): it may be shorter."
    wait = readable_wait(error.retry_after, "later", "in ")
    if isinstance(error, RateLimitError):
        return f"{server} received too many requests, and refused {url} (status {status}). Try again {wait}."
    if isinstance(error, ServerError):
        return (
            f"{server} failed on {url} (status {status}). Try again {wait}; if the error persists, its administrator "
            "has to repair it."
        )
    return f"{server} responded to {url} with status {status}, without the file."


def _range_headers(first: int | None, end: int | None, version: FileVersion | None) -> dict[str, str]:
    if first is None:
        return {}
    # RFC 9110, section 14.1.2: the last byte is part of the range.
    headers = {"Range": f"bytes={first}-{'' if end is None else end - 1}"}
    if version and version.validator:
        # RFC 9110, section 13.1.5: a server with another version ignores the Range and sends the whole file (200), so
        # that the bytes of two versions are never mixed.
        headers["If-Range"] = version.validator
    return headers


def _redirect_target(stream: Stream, url: str) -> str | None:
    location = stream.headers.get("location", "")
    return redirect_target(url, location) if stream.status in _REDIRECTS and location else None


def _agree(one: object, other: object) -> bool:
    return one is None or other is None or one == other


def _beginning(chunks: Iterator[bytes]) -> bytes:
    content = b""
    try:
        for chunk in chunks:
            content += chunk
            if len(content) >= _MAX_ERROR_PAGE:
                break
    except Unanswered:
        pass
    return content[:_MAX_ERROR_PAGE]
