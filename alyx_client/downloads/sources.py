"""What can be downloaded: addresses, paths on a data server, and records of datasets and files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, cast

from alyx_client.errors import NoDataURLError
from alyx_client.http.url import redact_url
from alyx_client.runtime.coerce import is_list

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Source:
    """One file to download.

    Parameters
    ----------
    urls
        Where it may be had: addresses, or paths on the first data server; the first that may be used is.
    size
        How many bytes it has; None if that is not known.
    digest
        Its hash in hexadecimal digits (MD5, SHA-1 or SHA-256, by its length); None if that is not known.
    """

    urls: tuple[str, ...]
    size: int | None = None
    digest: str | None = None


def file_record_to_url(file_records: Any) -> list[str]:
    """Return the addresses of file records.

    Parameters
    ----------
    file_records
        A record or several: those in a dataset's ``file_records``, as dictionaries or typed.

    Returns
    -------
    list of str
        Their ``data_url``; records without one are left out.
    """
    return [url for record in _records(file_records) if (url := _text(_field(record, "data_url")))]


def dataset_record_to_url(dataset_record: Any) -> list[str]:
    """Return the addresses of datasets' files.

    Parameters
    ----------
    dataset_record
        A record or several, as dictionaries or typed.

    Returns
    -------
    list of str
        The ``data_url`` of each of their file records; those without one are left out.
    """
    return [url for dataset in _records(dataset_record) for url in file_record_to_url(_field(dataset, "file_records"))]


def is_several(source: object) -> bool:
    """Return whether this is a list of sources: typed records can be iterated, and are one each."""
    return is_list(source) and not isinstance(source, PurePath) and not hasattr(type(source), "model_fields")


def read_source(source: object) -> Source:
    """Make a source of what a user passed.

    Parameters
    ----------
    source
        A URL, a path on the data server, or the record of a dataset or a file, as a dictionary or typed.

    Raises
    ------
    NoDataURLError
        No server has the record's file.
    TypeError
        It is none of these.
    """
    if isinstance(source, PurePath):
        return Source((source.as_posix(),))
    if isinstance(source, str):
        return Source((source,))
    size, digest = _field(source, "file_size"), _text(_field(source, "hash"))
    known_size = size if isinstance(size, int) and not isinstance(size, bool) else None
    url = _text(_field(source, "data_url"))
    if url:
        return Source((url,), known_size, digest)
    files = _field(source, "file_records")
    if files is not None:
        urls = file_record_to_url([file for file in _records(files) if _field(file, "exists") is not False])
        if urls:
            return Source(tuple(urls), known_size, digest)
        raise NoDataURLError(
            f"No server has the file of the dataset {_label(source)}: none of its file records both exists and has a "
            "data_url. Nothing was sent."
        )
    if isinstance(source, Mapping) or any(hasattr(source, name) for name in ("data_url", "relative_path")):
        raise NoDataURLError(f"The record {_label(source)} has no data_url. Nothing was sent.")
    raise TypeError(
        f"An object of type {type(source).__name__} is not a source of a file; pass a URL, a path or a record."
    )


def describe(source: object) -> str:
    """Return a short name for a source that cannot be downloaded, without secrets.

    Parameters
    ----------
    source
        Anything that was passed as a source.
    """
    if isinstance(source, str | PurePath):
        text = redact_url(str(source)).partition("?")[0]
        return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
    if isinstance(source, Mapping) or hasattr(type(source), "model_fields"):
        return f"record {_label(source)}"
    return f"object of type {type(source).__name__}"


def _records(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return cast("Iterable[Any]", value) if is_several(value) else (value,)


def _field(record: Any, name: str) -> Any:
    if isinstance(record, Mapping):
        return cast("Mapping[str, Any]", record).get(name)
    return getattr(record, name, None)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _label(record: Any) -> str:
    path = _field(record, "relative_path") or _field(record, "name")
    key = _field(record, "id") or re.sub(r"\?.*", "", _text(_field(record, "url")) or "").rpartition("/")[2]
    return " ".join(repr(str(part)) for part in (path, key) if part) or f"of type {type(record).__name__}"
