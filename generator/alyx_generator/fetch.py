"""Fetching a schema: from a server, or from a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from alyx_client.client import BaseClient
from alyx_client.messages import Request
from alyx_generator.normalise import UnreadableSchemaError

OPENAPI_PATH = "/api/schema"
OPENAPI_TYPE = "application/vnd.oai.openapi+json"


def fetch(source: str, *, token: str | None = None) -> dict[str, Any]:
    """Return a schema document, decoded.

    Parameters
    ----------
    source
        A server's address, or a file's path.
    token
        A token for the server; by default from the client's own sources.

    Raises
    ------
    UnreadableSchemaError
        What came is not JSON.
    AlyxError
        The server did not answer, or not with its schema.
    OSError
        The file cannot be read.
    """
    if source.startswith(("http://", "https://")):
        with BaseClient(source, token=token) as client:
            content = client.send(Request("GET", OPENAPI_PATH, accept=OPENAPI_TYPE)).content
    else:
        content = Path(source).read_bytes()
    try:
        document = json.loads(content)
    except ValueError:
        raise UnreadableSchemaError(f"{source}: the schema is not JSON") from None
    if not isinstance(document, Mapping):
        raise UnreadableSchemaError(f"{source}: the schema is no JSON object")
    return dict(cast("Mapping[str, Any]", document))
