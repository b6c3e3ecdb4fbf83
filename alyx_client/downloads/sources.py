"""Sources of downloads: URLs, paths on a data server, and records of datasets and files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import TypeGuard, cast
from uuid import UUID

from alyx_client.errors import InvalidCallError, InvalidFieldError, NoDataURLError
from alyx_client.http.headers import whole_number
from alyx_client.http.url import redact_url
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.coerce import is_from_library, is_list, plain_python
from alyx_client.runtime.references import origin_of

_MAX_DESCRIPTION = 200
# The fields by which a row of a table is told from a column of sources; the last two are those of ONE's tables.
_ROW_FIELDS = frozenset({"data_url", "file_records", "relative_path", "rel_path", "session_path"})
_KEY_OF_RECORD = "[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on a server, as far as its source describes it.

    Parameters
    ----------
    addresses
        URLs, or paths on the first data server; the first usable one is used.
    size
        Number of bytes; None if unknown.
    digest
        Hash in hexadecimal digits (MD5, SHA-1 or SHA-256, told apart by length); None if unknown.
    """

    addresses: tuple[str, ...]
    size: int | None = None
    digest: str | None = None


def file_record_to_url(file_records: object) -> list[str]:
    """Return the URLs of file records.

    Parameters
    ----------
    file_records
        One record or several: those in a dataset's ``file_records``, as dictionaries or typed.

    Returns
    -------
    list of str
        Their ``data_url``; records without one are left out.
    """
    return [url for record in _records(file_records) if (url := _text(_field(record, "data_url")))]


def dataset_record_to_url(dataset_record: object) -> list[str]:
    """Return the URLs of the files of datasets.

    Parameters
    ----------
    dataset_record
        One record or several, as dictionaries or typed.

    Returns
    -------
    list of str
        The ``data_url`` of each of their file records; those without one are left out.
    """
    return [url for dataset in _records(dataset_record) for url in file_record_to_url(_field(dataset, "file_records"))]


def is_several(source: object) -> bool:
    """Return whether a value is several sources; a typed record or a path is one, although it can be iterated.

    Raises
    ------
    TypeError
        It is a table of pandas, whose items are the names of its columns.
    """
    if is_from_library(source) and hasattr(source, "columns"):
        raise TypeError("url: a DataFrame is not a list of sources; pass its .to_dict('records').")
    return (
        is_list(source)
        and not _is_row(source)
        and not isinstance(source, PurePath)
        and not hasattr(type(source), "model_fields")
    )


def read_source(source: object) -> RemoteFile:
    """Return the file that a source stands for.

    Parameters
    ----------
    source
        A URL, a path on the data server, or the record of a dataset or a file, as a dictionary or typed.

    Raises
    ------
    NoDataURLError
        No server has the record's file.
    InvalidCallError
        It is the key of a record.
    TypeError
        It is none of these.
    """
    if isinstance(source, UUID) or (isinstance(source, str) and re.fullmatch(_KEY_OF_RECORD, source.strip())):
        raise refuse_key(str(source).strip())
    if isinstance(source, str | PurePath):
        return RemoteFile((source if isinstance(source, str) else source.as_posix(),))
    addresses = _addresses(source)
    return RemoteFile(addresses, _size(_field(source, "file_size")), _text(_field(source, "hash")))


def refuse_key(key: str) -> InvalidCallError:
    """Return the error for the key of a record in place of the record, which alone names its file.

    Parameters
    ----------
    key
        The key, or the URL that ends in it.
    """
    own = key.rstrip("/").rpartition("/")[2]
    return InvalidCallError(
        f"{redact_url(key)!r} names a record, and no file; nothing was sent. Of a dataset, pass "
        f"client.datasets.read({own!r}); of a session, client.datasets.list(session={own!r})."
    )


def is_url_of_record(url: str) -> bool:
    """Return whether a URL of Alyx ends in the key of a record, so that it responds with the record's JSON."""
    return re.fullmatch(f".*/{_KEY_OF_RECORD}/?", url.partition("?")[0]) is not None


def _size(value: object) -> int | None:
    """Return a number of bytes; None if it is unknown."""
    try:
        plain = plain_python(value, "file_size")
    except InvalidFieldError:  # NaN, which stands for a missing value in tables
        return None
    if isinstance(plain, str):
        return whole_number(plain)
    # A bool is an int in Python; no server sends one, but a size of True would be 1 byte.
    if isinstance(plain, bool) or not isinstance(plain, int | float | Decimal):
        return None
    # A column of a table in which a size is missing holds floats.
    return int(plain) if plain == int(plain) else None


def _addresses(record: object) -> tuple[str, ...]:
    url = _text(_field(record, "data_url"))
    if url:
        return (url,)
    files = _field(record, "file_records")
    if files is not None:
        # A file record exists before its file does: "exists" is set when the upload is complete.
        urls = file_record_to_url([file for file in _records(files) if _field(file, "exists") is not False])
        if not urls:
            raise NoDataURLError(
                f"No server has the file of the dataset {_label(record)}: none of its file records both exists and has "
                "a data_url. Nothing was sent."
            )
        return tuple(urls)
    if _is_mapping(record) or _is_row(record) or any(hasattr(record, name) for name in ("data_url", "relative_path")):
        raise NoDataURLError(f"The record {_label(record)} has no data_url. {_datasets_hint(record)}Nothing was sent.")
    raise TypeError(
        f"An object of type {type(record).__name__} is not a source of a file; pass a URL, a path on the data server "
        "or the record of a dataset, or a list of these."
    )


def _datasets_hint(record: object) -> str:
    """Return how to download the files of a record of another endpoint, such as a session."""
    if _field(record, "rel_path") or _field(record, "session_path"):
        return "A row of the cache tables names no server: pass client.datasets.read(id), with the id of the row. "
    origin = origin_of(record)
    if origin is None or origin.endpoint in ("datasets", "files"):
        return ""
    filters = {"sessions": "session=record", "insertions": "probe_insertion=record"}
    files = f"client.datasets.list({filters.get(origin.endpoint, '...')})"
    return f"It is one of {origin.endpoint}, and files are those of datasets: client.download_file({files}). "


def describe(source: object) -> str:
    """Return a short description of a source that cannot be downloaded, without secrets.

    Parameters
    ----------
    source
        Anything that was passed as a source.
    """
    if isinstance(source, str | PurePath):
        # A source may be a signed URL, or contain a login.
        text = redact_url(str(source)).partition("?")[0]
        return repr(text if len(text) <= _MAX_DESCRIPTION else f"{text[:_MAX_DESCRIPTION]}...")
    if _is_mapping(source) or _is_row(source) or hasattr(type(source), "model_fields"):
        return f"record {_label(source)}"
    return f"object of type {type(source).__name__}"


def _records(value: object) -> Iterable[object]:
    if value is None:
        return ()
    return cast("Iterable[object]", value) if is_several(value) else (value,)


def _field(record: object, name: str) -> object:
    if _is_mapping(record) or _is_row(record):
        return cast("Mapping[object, object]", record).get(name)
    return getattr(record, name, None)


def _is_row(value: object) -> bool:
    """Return whether a value is a row of a table of pandas: a column whose labels are the fields of a record."""
    labels = getattr(value, "index", ()) if is_from_library(value) else ()
    return is_list(labels) and not _ROW_FIELDS.isdisjoint(labels)


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _label(record: object) -> str:
    path = _field(record, "relative_path") or _field(record, "rel_path") or _field(record, "name")
    key = _field(record, "id") or (_text(_field(record, "url")) or "").partition("?")[0].rpartition("/")[2]
    return " ".join(repr(str(part)) for part in (path, key) if part) or f"of type {type(record).__name__}"
