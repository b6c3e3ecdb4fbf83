"""Load schema documents in either format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from alyx_client.testing.schema.coreapi import read_coreapi
from alyx_client.testing.schema.document import Document
from alyx_client.testing.schema.openapi import read_openapi
from alyx_client.testing.schema.snapshots import snapshot


def load(source: str | Path | Mapping[str, object]) -> Document:
    """Read a schema document in OpenAPI 3 or CoreAPI format.

    Parameters
    ----------
    source
        A path, the name of a shipped snapshot, or the document itself.

    Raises
    ------
    FileNotFoundError
        Neither a file nor a snapshot of that name exists.
    ValueError
        The document is in neither format.
    """
    raw = dict(source) if isinstance(source, Mapping) else json.loads(_locate(source).read_text(encoding="utf-8"))
    if "paths" in raw:
        return read_openapi(raw)
    if raw.get("_type") == "document":
        return read_coreapi(raw)
    raise ValueError("not a schema document: expected OpenAPI 3 (a `paths` key) or CoreAPI (`_type: document`)")


def _locate(source: str | Path) -> Path:
    path = Path(source)
    if path.is_file():
        return path
    shipped = snapshot(str(source)) if path.name == str(source) else None
    if shipped is None:
        raise FileNotFoundError(
            f"no schema document {str(source)!r}: pass a file, or the name of a shipped snapshot such as 'alyx-3.6.1'"
        )
    return shipped
