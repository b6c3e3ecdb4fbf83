"""The endpoints that corrections changed."""

from __future__ import annotations

from collections.abc import Iterator

from alyx_client.schema.openapi import as_schema
from alyx_generator.model.ir import Api
from alyx_generator.source.alyx_parts import Location, Outline
from alyx_generator.source.overlay import AppliedCorrection, Corrected


def applied_corrections(corrected: Corrected, api: Api) -> Iterator[tuple[AppliedCorrection, tuple[str, ...]]]:
    """Yield each correction that was applied, and the names of the endpoints that it changed.

    Parameters
    ----------
    corrected
        The corrected document.
    api
        What was built from it.
    """
    outline = Outline(corrected.document)
    endpoints = {
        path: endpoint.name
        for endpoint in api.endpoints
        for action in endpoint.actions
        for path in (action.path, action.bare_path)
        if path
    }
    for change in corrected.changes:
        paths = {path for location in change.locations for path in _paths(location, change, outline)}
        yield change, tuple(sorted({endpoints[path] for path in paths if path in endpoints}))


def _paths(location: Location, change: AppliedCorrection, outline: Outline) -> set[str]:
    match location:
        case ("paths", path, *_):
            return {str(path)}
        case ("components", "schemas", name, *_):
            return outline.users(str(name))
        case ("components", "schemas"):
            return {path for name in as_schema(change.correction.update) for path in outline.users(name)}
        case ("paths",):
            return {*as_schema(change.correction.update)}
        case _:
            return {*outline.uses}
