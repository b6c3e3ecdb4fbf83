"""Data files: their content, their names on a public server, and the repositories that hold them."""

from __future__ import annotations

import hashlib

from alyx_client.testing.records.store import Record, Store

_DEFAULT_SIZE = 1000


def content_of(identifier: str, size: int | None) -> bytes:
    """Return the bytes of a dataset's file.

    They follow from the dataset's identifier and size alone, so they are the same in every run.
    """
    length = _DEFAULT_SIZE if size is None else size
    return hashlib.shake_128(identifier.encode()).digest(length) if length else b""


def with_identifier(path: str, identifier: str) -> str:
    """Insert a dataset's identifier before a path's extension, as files are named on a public server."""
    stem, dot, extension = path.rpartition(".")
    return f"{stem}.{identifier}.{extension}" if dot and "/" not in extension else f"{path}.{identifier}"


def on_server(store: Store, dataset: Record) -> bool:
    """Tell whether a file record of the dataset exists in a repository that is not personal."""
    for record in store.related("files", "dataset", dataset["id"]):
        repository = store.get("data-repository", record["data_repository"])
        # A repository's `globus_is_personal` may be null, which Alyx's filter does not count as a server either.
        if record["exists"] and repository is not None and repository["globus_is_personal"] is False:
            return True
    return False
