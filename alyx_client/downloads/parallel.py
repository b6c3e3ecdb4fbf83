"""Fetch the segments of one large file in several threads."""

from __future__ import annotations

from alyx_client.downloads.cancellation import raise_if_cancelled
from alyx_client.downloads.disk import write_all
from alyx_client.downloads.file_requests import FileRequests, FileResponse
from alyx_client.downloads.segments import SegmentLease, Segments
from alyx_client.errors import AlyxError
from alyx_client.http.failure import Unanswered
from alyx_client.http.log import logger
from alyx_client.http.retry import Retries


def write_segments(response: FileResponse, lease: SegmentLease, *, consecutive: bool) -> None:
    """Write a response to a segment.

    Parameters
    ----------
    response
        A response that begins with the segment's missing bytes.
    lease
        The segment; in the end, the last one that was written to.
    consecutive
        Whether to continue with the segments after it, as long as no other thread has them.

    Raises
    ------
    Unanswered
        The response ended too early.
    """
    segments, requests, body = lease.segments, response.requests, response.stream.pieces()
    lock, offset = segments.write_lock(), lease.start
    with open(segments.part.path, "r+b", buffering=0) as file:
        file.seek(offset)
        for chunk in body:
            remaining = memoryview(chunk)
            while remaining:
                raise_if_cancelled(requests.stop)
                block = remaining[: lease.end - offset]
                with segments.writing(lock):
                    write_all(file, block)
                    segments.add(lease.index, len(block))
                offset, remaining = offset + len(block), remaining[len(block) :]
                if offset == lease.end and not (consecutive and lease.advance()):
                    if not remaining:
                        # Only a connection whose response was read to its end can be used again.
                        next(body, None)
                    return
    raise requests.incomplete(f"the response ended at byte {offset}")


def download_segments(segments: Segments, requests: FileRequests, retries: Retries) -> None:
    """Fetch segments from the back, until none are left or an attempt fails for good.

    Failures are not raised: the thread that owns the download fetches whatever is missing, and reports its own.

    Parameters
    ----------
    segments
        The segments.
    requests
        The sender of requests.
    retries
        How many attempts, and how long to wait between them.
    """
    # As for the whole download, the count starts over with progress.
    stop, failures = requests.stop, 0
    while not stop.is_set() and not segments.closed and failures < retries.tries:
        lease = segments.lease(backwards=True)
        if lease is None:
            return
        with lease:
            start = lease.start
            try:
                with requests.open(start, lease.end, segments.version) as response:
                    if not response.is_range(start, segments.version):
                        # The file has changed, which the owner of the download finds out and handles.
                        return
                    write_segments(response, lease, consecutive=False)
                failures = 0
                continue
            except (Unanswered, AlyxError, OSError) as error:
                logger.debug("a segment of %s failed: %s", requests.job.target.name, error)
                is_slow = isinstance(error, Unanswered) and error.is_slow
                failures = 1 if lease.start > start and not is_slow else failures + 1
        stop.wait(retries.wait(failures) or 0.0)
