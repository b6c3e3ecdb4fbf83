"""One attempt to receive a file: resumed where possible, in segments where worthwhile."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import NamedTuple

from alyx_client.downloads.cancellation import raise_if_cancelled
from alyx_client.downloads.checks import FileCheck
from alyx_client.downloads.disk import require_space, write_all
from alyx_client.downloads.file_requests import FileRequests, FileResponse
from alyx_client.downloads.parallel import download_segments, write_segments
from alyx_client.downloads.part_file import FileVersion, PartFile
from alyx_client.downloads.response_headers import decode
from alyx_client.downloads.segments import MIN_SEGMENT_BYTES, SegmentLease, Segments, is_worth_dividing, segment_size
from alyx_client.errors import IncompleteDownloadError, RangeNotSatisfiableError
from alyx_client.http.retry import Retries

RequestHelp = Callable[[Callable[[], None]], None]
"""Has other threads run a function, each of them once it has nothing else to do."""

_POLL_SECONDS = 0.1
# As often as for segments: the bytes that a power cut may take are few, and waiting for the disk does not count.
_SAVE_BYTES = MIN_SEGMENT_BYTES


class _Range(NamedTuple):
    """The bytes to request: `offset` is where they go in the partial download."""

    offset: int
    first: int | None
    end: int | None


class Receiver:
    """Receives the bytes of one job, over as many attempts as it takes.

    Parameters
    ----------
    requests
        Sends requests for the job's file.
    retries
        How many attempts helping threads make.
    check
        The checks of the job's file.
    request_help
        Has other threads help; None if there are none.

    Attributes
    ----------
    total
        Number of bytes to receive; None if unknown.
    """

    def __init__(
        self,
        requests: FileRequests,
        retries: Retries,
        check: FileCheck,
        request_help: RequestHelp | None = None,
    ) -> None:
        self._job = requests.job
        self.total = self._job.size if self._job.count is None else self._job.count
        self._requests = requests
        self._retries = retries
        self._check = check
        self._request_help = request_help
        self._received = 0
        self._segments: Segments | None = None
        self._help_requested = False
        self._ranges_refused = False

    @property
    def received(self) -> int:
        """Number of bytes received so far."""
        segments = self._segments
        return segments.part.received if segments else self._received

    def receive(self, part: PartFile) -> None:
        """Make one attempt to receive the missing bytes.

        Parameters
        ----------
        part
            The partial download.

        Raises
        ------
        AlyxHTTPError, Unanswered
            The attempt failed; the bytes received so far are kept.
        OSError
            The file cannot be written.
        """
        if part.segment_bytes and not self._ranges_refused:
            self._receive_segments(part)
        else:
            self._receive_stream(part)

    def close(self) -> None:
        """Prevent helping threads from writing any more, and save how far they came."""
        segments, self._segments = self._segments, None
        if segments is None:
            return
        self._received, self._help_requested = segments.part.received, False
        segments.close()

    def _receive_stream(self, part: PartFile) -> None:
        """Receive the file, or its missing end, from one response; a large one is divided into segments."""
        requested = self._next_range(part)
        version = part.version if requested.offset else None
        with self._requests.open(requested.first, requested.end, version) as response:
            offset = self._accept(response, part, requested.first, requested.offset)
            length = part.version.length if part.version else None
            self.total = length
            if length is not None:
                require_space(self._job.target, length - offset)
            if not self._can_divide(response, length, offset):
                return self._write(response, part, offset)
            # Only now that the headers are known: a small file costs one request only.
            part.divide(segment_size(length or 0))
            segments = self._segments = Segments(part)
            lease = segments.lease()
            assert lease is not None
            with lease:
                # The open response is not wasted: it goes on through the segments from the front.
                self._write_segments(response, lease)
        return self._receive_segments(part)

    def _next_range(self, part: PartFile) -> _Range:
        job, version = self._job, part.version
        if self._ranges_refused:
            return _Range(0, None, None)
        # Without a validator, the server could not tell whether the bytes to come belong to those received.
        offset = part.received if version and version.validator else 0
        if offset and version and version.length == offset:
            # All bytes have been received, but the process ended before the file got its name. A range that begins at
            # the end would be a 416: the last byte is requested again, to learn whether the file is still the same.
            offset -= 1
        if not offset and job.count is None:
            return _Range(0, None, None)
        return _Range(offset, job.first + offset, None if job.count is None else job.first + job.count)

    def _accept(self, response: FileResponse, part: PartFile, first: int | None, offset: int) -> int:
        """Prepare the partial download for a response; return the offset in it at which the body is written."""
        headers = response.headers
        if headers.status == 200:
            # No range was requested, the server does not support ranges (RFC 9110, section 14.2), or it has another
            # version (If-Range): in each case the body is the whole file.
            self._start_over(response, part)
            return 0
        if first is not None and response.is_range(first, part.version if offset else None):
            if not offset:
                part.start(self._version_of_range(response))
            return offset
        if headers.status == 416 and not offset:
            raise response.error()
        self.close()
        part.discard()
        if headers.status == 206:
            # Seen with caches that serve any range they have: this server's ranges cannot be relied on.
            self._ranges_refused = True
            raise self._requests.incomplete("the server sent other bytes than were requested")
        raise self._requests.incomplete("the server no longer has the bytes that come next")

    def _version_of_range(self, response: FileResponse) -> FileVersion:
        headers, job = response.headers, self._job
        assert job.count is not None
        assert headers.last is not None
        # RFC 9110, section 14.1.2: a range is cut where the file ends before it.
        length = min(job.count, headers.last + 1 - job.first)
        return FileVersion("", headers.etag, headers.modified, length, headers.total)

    def _start_over(self, response: FileResponse, part: PartFile) -> None:
        job, headers = self._job, response.headers
        length = headers.total
        if job.count is not None:
            if length is not None and length <= job.first:
                raise self._no_such_byte(f"it has {length} bytes")
            length = None if length is None else min(job.count, length - job.first)
        elif length is not None and job.size is not None and length != job.size and not self._check.has_hash:
            # Known before a byte was received: a wrong file of some gigabytes is not fetched at all. Where there is a
            # hash, that decides.
            part.discard()
            raise self._check.wrong_size(length)
        self.close()
        part.start(FileVersion("", headers.etag, headers.modified, length, headers.total))

    def _no_such_byte(self, reason: str) -> RangeNotSatisfiableError:
        url = self._job.printable_url
        return RangeNotSatisfiableError(f"{url} has no byte {self._job.first}: {reason}.", method="GET", url=url)

    def _write(self, response: FileResponse, part: PartFile, offset: int) -> None:
        """Write the body of a response to the end of the partial download."""
        job, length = self._job, part.version.length if part.version else None
        end = job.count if length is None else length
        limit = None if job.count is not None else job.size if length is None else length
        with open(part.path, "r+b", buffering=0) as file:
            file.seek(offset)
            self._received = saved = offset
            for chunk in self._body(response):
                raise_if_cancelled(self._requests.stop)
                if limit is not None and offset + len(chunk) > limit:
                    raise self._too_long(part, offset + len(chunk), length)
                block = chunk if end is None else chunk[: end - offset]
                write_all(file, block)
                offset += len(block)
                self._received = offset
                if offset - saved >= _SAVE_BYTES:
                    saved = offset
                    part.save()
                # A whole file is read to the end of the response, so that the connection can be used again and a
                # damaged encoding is noticed; of a file without ranges, the rest may be gigabytes.
                if offset == end and job.count is not None:
                    break
        self._check_received(offset, length)

    def _check_received(self, received: int, length: int | None) -> None:
        if length is not None and received < length:
            raise self._requests.incomplete(f"only {received} of {length} bytes were received")
        if self._job.count is not None and not received:
            raise self._no_such_byte("it is shorter")

    def _too_long(self, part: PartFile, received: int, length: int | None) -> Exception:
        """Return the error for a body that is longer than announced: what follows may be endless."""
        part.discard()
        if length is None:
            return self._check.wrong_size(received, at_least=True)
        return self._requests.incomplete(f"more than the {length} bytes that the server named were received")

    def _body(self, response: FileResponse) -> Iterator[bytes]:
        job, headers = self._job, response.headers
        body: Iterator[bytes] = response.stream.pieces()
        if headers.encoding:
            body = self._decoded(body, headers.encoding)
        if headers.status == 200 and job.count is not None:
            body = _skip(job.first, body)
        return body

    def _decoded(self, body: Iterator[bytes], encoding: str) -> Iterator[bytes]:
        try:
            yield from decode(body, encoding)
        except IncompleteDownloadError as error:
            raise self._requests.incomplete(str(error)) from error

    def _can_divide(self, response: FileResponse, length: int | None, offset: int) -> bool:
        if self._request_help is None or length is None or self._job.count is not None:
            return False
        headers = response.headers
        can_resume = headers.accepts_ranges and (headers.etag or headers.modified) is not None
        return can_resume and is_worth_dividing(length - offset)

    def _receive_segments(self, part: PartFile) -> None:
        """Receive what is missing of a divided file, together with the threads that help."""
        segments = self._segments
        if segments is None:
            segments = self._segments = Segments(part)
            self.total = segments.length
            if segments.finished:
                # As in `_next_range`: the last byte is requested again.
                segments.add(-1, -1)
            require_space(self._job.target, segments.length - part.received)
        while not segments.finished:
            lease = segments.lease()
            if lease is None:
                raise_if_cancelled(self._requests.stop)
                segments.wait(_POLL_SECONDS)
                continue
            with lease:
                # One request for all that is missing from here on; it ends early where another thread was faster.
                start, end = lease.start, segments.gap_end(lease.index)
                with self._requests.open(start, end, segments.version) as response:
                    # An offset of 1 stands for "resumed", also where the first segment is empty.
                    self._accept(response, part, start, start or 1)
                    if response.headers.status == 200:
                        return self._write(response, part, 0)
                    self._write_segments(response, lease)
        return None

    def _write_segments(self, response: FileResponse, lease: SegmentLease) -> None:
        segments = lease.segments
        if self._request_help is not None and not self._help_requested:
            self._help_requested = True
            self._request_help(lambda: download_segments(segments, self._requests, self._retries))
        write_segments(response, lease, consecutive=True)


def _skip(count: int, chunks: Iterator[bytes]) -> Generator[bytes]:
    for chunk in chunks:
        if count < len(chunk):
            yield chunk[count:] if count else chunk
        count = max(0, count - len(chunk))
