"""Fetches the ranges of one large file in several threads."""

from __future__ import annotations

import threading

from alyx_client.downloads.file_requests import Answer, FileRequests
from alyx_client.downloads.part_file import cancelled, write_all
from alyx_client.downloads.segments import Claim, Pieces
from alyx_client.errors import AlyxError
from alyx_client.http.failure import Unanswered
from alyx_client.http.log import logger
from alyx_client.http.retry import Retries


def copy(answer: Answer, claim: Claim, requests: FileRequests, stop: threading.Event, *, along: bool) -> None:
    """Write what comes into a piece.

    Parameters
    ----------
    answer
        Its bytes begin where those that the piece lacks do.
    claim
        The piece; at the end it is the last one that was written into.
    requests
        Who asked.
    stop
        Set when the download is to be given up.
    along
        Whether to go on with the pieces after it, as long as nobody else has them.

    Raises
    ------
    Unanswered
        The answer ended too early.
    """
    pieces, body = claim.pieces, answer.stream.pieces()
    gate, offset = pieces.gate(), claim.start
    with open(pieces.part.path, "r+b", buffering=0) as file:
        file.seek(offset)
        for received in body:
            view = memoryview(received)
            while view:
                if stop.is_set():
                    raise cancelled()
                some = view[: claim.end - offset]
                with pieces.writing(gate):
                    write_all(file, some)
                    pieces.add(claim.index, len(some))
                offset, view = offset + len(some), view[len(some) :]
                if offset == claim.end and not (along and claim.move_on()):
                    if not view:
                        # To the answer's end, so that the connection can be used again.
                        next(body, None)
                    return
    raise requests.again(f"the answer ended at byte {offset}")


def help_with(pieces: Pieces, requests: FileRequests, retries: Retries, stop: threading.Event) -> None:
    """Fetch pieces from the back until there are none left, or it does not work.

    Parameters
    ----------
    pieces
        The pieces.
    requests
        Who asks.
    retries
        How often and how patiently to try again.
    stop
        Set when the download is to be given up.
    """
    failures = 0
    while not stop.is_set() and not pieces.closed and failures < retries.tries:
        claim = pieces.claim(backwards=True)
        if claim is None:
            return
        with claim:
            start = claim.start
            try:
                with requests.open(start, claim.end, pieces.origin) as answer:
                    if not answer.is_range(start, pieces.origin):
                        return
                    copy(answer, claim, requests, stop, along=False)
                failures = 0
                continue
            except (Unanswered, AlyxError, OSError) as error:
                logger.debug("a range of %s did not come: %s", requests.job.target.name, error)
                failures = 1 if claim.start > start else failures + 1
        stop.wait(retries.wait(failures) or 0.0)
