"""Response headers of a file: its version, the range of its bytes, and the encoding of the body."""

from __future__ import annotations

import re
import zlib
from collections.abc import Generator, Iterable, Mapping

from alyx_client.errors import IncompleteDownloadError, UnexpectedAnswerError
from alyx_client.http.headers import http_date, whole_number
from alyx_client.lazy_dataclasses import dataclass

_PIECE = 2**20
_CONTENT_RANGE = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+|\*)$", re.IGNORECASE)
# RFC 9110, section 8.8.3, without the prefix W/: a weak tag is the same for different bytes.
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')
_COMPRESSED_NAME = re.compile(r"\.(t?gz|svgz)$", re.IGNORECASE)
# zlib's window bits: 31 expects a gzip header, 47 detects a gzip or zlib header.
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 47}
# RFC 9110, section 8.8.2.2: a date of the last change is a strong validator only if the response is enough later, since
# a file may change twice within the second that the date resolves. RFC 7232, section 2.2.2, demanded a minute.
_SETTLED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class FileHeaders:
    """Headers of a response about the file.

    Parameters
    ----------
    status
        The status code.
    first, last
        The range of bytes; None for the whole file, or if the response does not say.
    total
        Number of bytes of the file; None if unknown.
    etag, modified
        Strong validators: an entity tag that is not weak, or a date of the last change long past.
    accepts_ranges
        Whether the server says that it sends ranges of the file.
    encoding
        The ``Content-Encoding`` to be undone; None if there is none.
    """

    status: int
    first: int | None = None
    last: int | None = None
    total: int | None = None
    etag: str | None = None
    modified: str | None = None
    accepts_ranges: bool = False
    encoding: str | None = None


def parse_file_headers(status: int, headers: Mapping[str, str], name: str) -> FileHeaders:
    """Parse the headers of a response.

    Parameters
    ----------
    status
        The status code.
    headers
        The headers, names in lower case.
    name
        The file's name: a file called ``.gz`` stays compressed.

    Raises
    ------
    UnexpectedAnswerError
        The ``Content-Encoding`` is not supported.
    """
    encoding = _content_encoding(status, headers, name)
    first, last, total = _content_range(headers) if status == 206 else (None, None, None)
    length = headers.get("content-length", "").strip()
    # Of an encoded body, Content-Length is the compressed size; of an error, that of the error page. Beside a
    # Transfer-Encoding, it counts for nothing (RFC 9112, section 6.3).
    if status == 200 and encoding is None and "transfer-encoding" not in headers:
        total = whole_number(length)
    # Validators of an encoded body are not used: its ranges are of the compressed bytes, not of the file's.
    etag, modified = (None, None) if encoding else _strong_validators(headers)
    accepts_ranges = status == 206 or headers.get("accept-ranges", "").strip().lower() == "bytes"
    return FileHeaders(status, first, last, total, etag, modified, accepts_ranges, encoding)


def _content_encoding(status: int, headers: Mapping[str, str], name: str) -> str | None:
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding in {"", "identity"}:
        return None
    # Some servers describe a file "a.nii.gz" as encoded with gzip: its own bytes are the compressed ones.
    if encoding in {"gzip", "x-gzip"} and _COMPRESSED_NAME.search(name):
        return None
    if encoding not in _WINDOW_BITS and 200 <= status < 300:
        raise UnexpectedAnswerError(f"{name} comes with the Content-Encoding {encoding!r}, which was not requested.")
    return encoding


def _content_range(headers: Mapping[str, str]) -> tuple[int | None, int | None, int | None]:
    match = _CONTENT_RANGE.match(headers.get("content-range", "").strip())
    if match is None:
        return None, None, None
    first, last, total = whole_number(match[1]), whole_number(match[2]), whole_number(match[3])
    # A number that no file has makes the whole range unknown.
    if first is None or last is None or (total is None and match[3] != "*"):
        return None, None, None
    return first, last, total


def _strong_validators(headers: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Return an entity tag, or else a date: If-Range takes one of them, and strong ones only (RFC 9110, 13.1.5)."""
    etag = headers.get("etag", "").strip()
    if _STRONG_ETAG.fullmatch(etag):
        return etag, None
    modified, sent = http_date(headers.get("last-modified", "")), http_date(headers.get("date", ""))
    if modified is None or sent is None or sent - modified < _SETTLED_SECONDS:
        return None, None
    return None, headers["last-modified"].strip()


def decode(chunks: Iterable[bytes], encoding: str) -> Generator[bytes]:
    """Undo the ``Content-Encoding`` of a body.

    Parameters
    ----------
    chunks
        The body.
    encoding
        Its encoding.

    Raises
    ------
    IncompleteDownloadError
        The body ends too early, or is damaged.
    """
    decoder, begun = zlib.decompressobj(_WINDOW_BITS[encoding]), False
    try:
        for chunk in chunks:
            piece = b""
            while chunk or (len(piece) == _PIECE and not decoder.eof):
                # RFC 1952: a gzip file is a series of members, one decoder for each.
                if decoder.eof:
                    decoder = zlib.decompressobj(_WINDOW_BITS[encoding])
                begun = True
                # In pieces: a few bytes may stand for a thousand times as many.
                piece = decoder.decompress(chunk, _PIECE)
                yield piece
                chunk = decoder.unused_data or decoder.unconsumed_tail
    except zlib.error as error:
        raise IncompleteDownloadError(f"The {encoding} encoding of the response is damaged ({error}).") from error
    if begun and not decoder.eof:
        raise IncompleteDownloadError(f"The response ended before its {encoding} encoding did.")
