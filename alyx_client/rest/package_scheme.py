"""The endpoints of a package's own schema, in place of a server that cannot give its schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alyx_client.rest.scheme import FieldInfo, RestOperation, RestScheme
from alyx_client.schema.check import load_bundled_surface
from alyx_client.schema.paging import ALYX_PAGING, Paging, read_paging
from alyx_client.schema.routes import action_of, is_endpoint
from alyx_client.schema.surface import SurfaceAction, Values, ValueSpec

__all__ = ["package_scheme"]

_LIST = "list of "
_JOINED = "separated by commas"
_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"},
    "file": {"type": "string", "format": "binary"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
}


def package_scheme(package: str) -> RestScheme:
    """Return the endpoints of the schema that a package was generated from.

    Parameters
    ----------
    package
        The package's name.

    Raises
    ------
    ConfigurationError
        The package does not contain that schema, or one that cannot be read.
    """
    surface = load_bundled_surface(package)
    endpoints: dict[str, dict[str, RestOperation]] = {}
    # The shortest path gets the name, as where a server's schema is read: /cache/info before /cache/info/{tag}.
    for action in sorted(surface.actions.values(), key=lambda action: action.path):
        if is_endpoint(action.path):
            operations = endpoints.setdefault(action.path.split("/")[1], {})
            operations.setdefault(action_of(action.method, action.path), _operation(action))
    return RestScheme(endpoints, "open_api_v3" if surface.source == "OpenAPI" else "core_api")


def _operation(action: SurfaceAction) -> RestOperation:
    fields = (
        *(_field(name, "path", value, required=True) for name, value in action.keys),
        *_fields("query", action.filters),
        *_fields("body", action.request_fields),
    )
    paging = [
        {"name": name, "in": "query", "required": False, "schema": {"type": "integer"}}
        for name in ("limit", "offset")
        if f"parameter {name}" in action.facts.paging
    ]
    joined = frozenset(name for name, value in action.filters.items() if ("sent as", _JOINED) in value.keywords)
    fields = (*fields, *paging)
    return RestOperation(action.method, action.path, fields, joined, paging=_paging(action, fields))


def _paging(action: SurfaceAction, fields: Iterable[FieldInfo]) -> Paging:
    of_page: dict[str, object] = {name: {} for name in ("count", "next") if f"field {name}" in action.facts.paging}
    queries = [field for field in fields if field["in"] == "query"]
    return (read_paging(queries, of_page) if of_page else None) or ALYX_PAGING


def _fields(location: str, values: Values) -> Iterator[FieldInfo]:
    for name, value in values.items():
        # The body as a whole, headers and fields of nested records are no fields of their own.
        if name and not any(mark in name for mark in " .["):
            yield _field(name, location, value, required=value.required)


def _field(name: str, location: str, value: ValueSpec, *, required: bool) -> FieldInfo:
    kind = value.types[0] if len(value.types) == 1 else ""
    schema = _schema(kind.removeprefix(_LIST), value)
    if kind.startswith(_LIST):
        schema = {"type": "array", "items": schema}
    return {"name": name, "in": location, "required": required, "schema": schema}


def _schema(kind: str, value: ValueSpec) -> dict[str, Any]:
    return _TYPES.get(kind, {}) | ({"enum": list(value.enum)} if value.enum else {})
