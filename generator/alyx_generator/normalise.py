"""From whatever a server published to one OpenAPI 3 document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]


class UnreadableSchemaError(ValueError):
    """The document is not a schema that this generator reads."""


def normalise(document: Mapping[str, Any]) -> Document:
    """Return the document as OpenAPI 3 with every section that later steps look at.

    Parameters
    ----------
    document
        A decoded schema document.

    Raises
    ------
    UnreadableSchemaError
        It is no OpenAPI 3 document.
    """
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        kind = "CoreAPI" if document.get("_type") == "document" else "unknown"
        raise UnreadableSchemaError(
            f"this is no OpenAPI 3 document (form: {kind}). Alyx publishes one at /api/schema from version 3.3 on."
        )
    result = dict(document)
    result.setdefault("info", {"title": "", "version": ""})
    result.setdefault("paths", {})
    components = dict(result.get("components") or {})
    components.setdefault("schemas", {})
    result["components"] = components
    return result
