"""Parts of the schemas of servers never seen before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .inline import document, page, ref, returns

JSON = dict[str, Any]
TEXT: JSON = {"type": "string"}
THING: JSON = {"type": "object", "properties": {"id": {"type": "integer"}, "name": TEXT}}


def things(**operations: JSON) -> JSON:
    """Return a document with a list of things and what else is given for their path."""
    return document({"/things": {"get": returns(ref("Page")), **operations}}, {"Thing": THING, "Page": page("Thing")})


def at(paths: Mapping[str, Any], **components: JSON) -> JSON:
    return document(paths, {"Thing": THING, "Page": page("Thing"), **components})


def with_components(schema: JSON, **components: JSON) -> JSON:
    schema["components"]["schemas"] |= components
    return schema


def text_of(kind: str) -> JSON:
    return {"responses": {"200": {"content": {kind: {"schema": TEXT}}}}}


def version_31(schema: JSON) -> JSON:
    return {**schema, "openapi": "3.1.0"}


def keys(*names: str) -> JSON:
    return {"parameters": [{"in": "path", "name": name, "required": True, "schema": TEXT} for name in names]}
