"""What an answer says about a file: which bytes these are, of which file, and how they are packed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass

from alyx_client.errors import IncompleteDownloadError, UnexpectedAnswerError
from alyx_client.http.headers import http_date

_CONTENT_RANGE = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+|\*)$", re.IGNORECASE)
_PACKED_NAME = re.compile(r"\.(t?gz|svgz)$", re.IGNORECASE)
_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 47}
# A date of the last change tells two versions apart only if none can have been made within its second.
_SETTLED = 60.0


@dataclass(frozen=True, slots=True)
class Offer:
    """What a server offers with its answer.

    Parameters
    ----------
    status
        The status code.
    first, last
        Which bytes come; None where it is the whole file, or where the answer does not say.
    total
        How many bytes the file has; None if that is not known.
    etag, modified
        Strong validators: an entity tag that is not weak, or a date of the last change long past.
    ranges
        Whether the server says that it gives parts of the file.
    encoding
        How the body is packed; None if it is not.
    """

    status: int
    first: int | None = None
    last: int | None = None
    total: int | None = None
    etag: str | None = None
    modified: str | None = None
    ranges: bool = False
    encoding: str | None = None

    @property
    def validator(self) -> str | None:
        """What ``If-Range`` takes."""
        return self.etag or self.modified


def read_offer(status: int, headers: Mapping[str, str], name: str) -> Offer:
    """Read the headers of an answer.

    Parameters
    ----------
    status
        The status code.
    headers
        The headers, names in lower case.
    name
        The file's name: what is called ``.gz`` is kept packed.

    Raises
    ------
    UnexpectedAnswerError
        The body is packed in a way that is not known here.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"} or (encoding in {"gzip", "x-gzip"} and _PACKED_NAME.search(name)):
        encoding = ""
    elif encoding not in _WINDOW and 200 <= status < 300:
        raise UnexpectedAnswerError(f"{name} comes with the Content-Encoding {encoding!r}, which was not asked for.")
    length = headers.get("content-length", "").strip()
    total = int(length) if length.isdecimal() and not encoding and status == 200 else None
    first = last = None
    if status == 206 and (match := _CONTENT_RANGE.match(headers.get("content-range", "").strip())):
        first, last = int(match[1]), int(match[2])
        total = None if match[3] == "*" else int(match[3])
    etag = headers.get("etag", "").strip()
    ranges = status == 206 or headers.get("accept-ranges", "").strip().lower() == "bytes"
    strong = re.fullmatch(r'"[\x21\x23-\x7e\x80-\xff]*"', etag) is not None and not encoding
    modified = None if encoding or strong else _settled(headers)
    return Offer(status, first, last, total, etag if strong else None, modified, ranges, encoding or None)


def _settled(headers: Mapping[str, str]) -> str | None:
    modified, sent = http_date(headers.get("last-modified", "")), http_date(headers.get("date", ""))
    if modified is None or sent is None or sent - modified < _SETTLED:
        return None
    return headers["last-modified"].strip()


def unpacked(pieces: Iterable[bytes], encoding: str) -> Generator[bytes]:
    """Undo the ``Content-Encoding``.

    Raises
    ------
    IncompleteDownloadError
        The body ends too early, or is damaged.
    """
    decoder, begun = zlib.decompressobj(_WINDOW[encoding]), False
    try:
        for piece in pieces:
            while piece:
                if decoder.eof:
                    decoder = zlib.decompressobj(_WINDOW[encoding])
                begun = True
                yield decoder.decompress(piece)
                piece = decoder.unused_data
    except zlib.error as error:
        raise IncompleteDownloadError(f"The answer's {encoding} encoding is damaged ({error}).") from error
    if begun and not decoder.eof:
        raise IncompleteDownloadError(f"The answer ended before its {encoding} encoding did.")
