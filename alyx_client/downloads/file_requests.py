"""Asks for one file: by redirects and with the credentials that each server may see."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from alyx_client.downloads.data_servers import DataServers, redirected
from alyx_client.downloads.part_file import Origin, cancelled
from alyx_client.downloads.response_headers import Offer, read_offer
from alyx_client.errors import (
    AlyxHTTPError,
    AuthenticationError,
    IncompleteDownloadError,
    PermissionDeniedError,
)
from alyx_client.http.error_response import error_from_response
from alyx_client.http.failure import Unanswered
from alyx_client.http.headers import retry_after
from alyx_client.http.message import Response
from alyx_client.http.streaming import Stream, Streams
from alyx_client.http.url import same_origin

_MAX_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ERROR_PAGE = 65536


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be downloaded, and where to.

    Parameters
    ----------
    url
        Its address, in normal form.
    target
        The local file.
    size, digest
        What the record says; None where it does not.
    headers
        Further headers of the request.
    first, count
        Which bytes; ``count`` None: all.
    clobber
        Whether it is fetched although it is there.
    verify
        Whether a file that is there is compared as far as possible.
    want_md5
        Whether the MD5 is returned.
    """

    url: str
    target: Path
    size: int | None = None
    digest: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    first: int = 0
    count: int | None = None
    clobber: bool = False
    verify: bool = False
    want_md5: bool = False

    @property
    def shown(self) -> str:
        """The address without its query, which may be a signature."""
        return self.url.partition("?")[0]


class FileRequests:
    """Asks for the file of one job, from several threads.

    Parameters
    ----------
    job
        The job.
    servers
        Who gets which credentials.
    streams
        The connections.
    stop
        Set when the download is to be given up.
    """

    def __init__(self, job: Job, servers: DataServers, streams: Streams, stop: threading.Event) -> None:
        self.job = job
        self.streams = streams
        self._servers = servers
        self._stop = stop

    @contextmanager
    def open(self, first: int | None = None, end: int | None = None, origin: Origin | None = None) -> Generator[Answer]:
        """Ask, and follow redirects.

        Parameters
        ----------
        first, end
            Which bytes of the file: from the first, and up to but without the end. None: from its start, or to its end.
        origin
            Which version of the file the bytes must be of: if the server has another one, it sends the whole file.

        Yields
        ------
        Answer
            With status 200, 206 or 416.

        Raises
        ------
        AlyxHTTPError
            The answer has another status.
        Unanswered
            There was no answer.
        """
        ranges: dict[str, str] = {}
        if first is not None:
            ranges["Range"] = f"bytes={first}-{'' if end is None else end - 1}"
            if origin and origin.validator:
                ranges["If-Range"] = origin.validator
        url, trusted = self.job.url, True
        for _ in range(_MAX_REDIRECTS + 1):
            if self._stop.is_set():
                raise cancelled()
            headers = self._servers.headers(url, trusted=trusted, extra=self.job.headers, origin=self.job.url)
            with self.streams.get(url, {**headers, **ranges}) as stream:
                location = stream.headers.get("location", "")
                target = redirected(url, location) if stream.status in _REDIRECTS and location else None
                if target is None:
                    answer = Answer(self, stream, url)
                    if answer.offer.status not in {200, 206, 416}:
                        raise answer.refusal()
                    yield answer
                    return
            trusted = trusted and (self._servers.is_known(target) or same_origin(target, self.job.url))
            url = target
        shown = self.job.shown
        raise AlyxHTTPError(f"{shown} is redirected more than {_MAX_REDIRECTS} times.", method="GET", url=shown)

    def again(self, what: str) -> Unanswered:
        """Make the error for a file that did not come whole, so that another try may help."""
        message = f"{self.job.shown} did not come whole: {what.rstrip('.')}."
        return Unanswered(IncompleteDownloadError(message, method="GET", url=self.job.shown), sent=True)

    def is_alyx(self, url: str) -> bool:
        """Return whether a URL is of Alyx itself, and no data server's."""
        return self._servers.is_alyx(url) and not self._servers.is_data(url)


class Answer:
    """What came back.

    Parameters
    ----------
    requests
        Who asked.
    stream
        The answer.
    url
        Where it came from, after redirects.

    Attributes
    ----------
    offer
        What it says about the file.
    """

    def __init__(self, requests: FileRequests, stream: Stream, url: str) -> None:
        self.offer: Offer = read_offer(stream.status, stream.headers, requests.job.target.name)
        self.stream = stream
        self._requests = requests
        self._url = url

    def is_range(self, first: int, origin: Origin | None) -> bool:
        """Return whether this is the range that begins there, of the same version of the file."""
        offer = self.offer
        if offer.status != 206 or offer.first != first:
            return False
        if origin is None:
            return True
        return (offer.etag is None or origin.etag is None or offer.etag == origin.etag) and (
            offer.total is None or origin.total is None or offer.total == origin.total
        )

    def refusal(self) -> AlyxHTTPError:
        """Make the error that the answer stands for."""
        stream, url = self.stream, self._url
        alyx = self._requests.is_alyx(url)
        shown = url.partition("?")[0]
        # Stores repeat parts of a signed address in their error pages: only Alyx's own words are shown.
        content = _first(stream.pieces()) if alyx else b""
        response = Response(stream.status, stream.headers, content, "GET", shown)
        error = error_from_response(response, retry_after=retry_after(stream.headers, time.time()))
        if isinstance(error, AuthenticationError | PermissionDeniedError) and not alyx:
            error.message = (
                f"The data server {urlsplit(url).netloc} refused {shown} (status {stream.status}). Check the user name "
                "and password for it: username= and password= of the call, or the data server's login in the settings "
                "(ONE's HTTP_DATA_SERVER_LOGIN and HTTP_DATA_SERVER_PWD); a signed address may have expired."
            )
        return error


def _first(pieces: Iterator[bytes]) -> bytes:
    content = b""
    try:
        for piece in pieces:
            content += piece
            if len(content) >= _ERROR_PAGE:
                break
    except Unanswered:
        pass
    return content[:_ERROR_PAGE]
