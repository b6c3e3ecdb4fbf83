"""Extract the surface that a schema document describes: OpenAPI 3.0 and 3.1, and CoreAPI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alyx_client.schema.action_facts import server_paths, service_paths
from alyx_client.schema.coreapi import is_core_api
from alyx_client.schema.coreapi_surface import core_api_actions
from alyx_client.schema.openapi import OpenAPIDocument
from alyx_client.schema.openapi_surface import open_api_actions
from alyx_client.schema.surface import ActionName, Surface, SurfaceAction

__all__ = ["UnreadableDocumentError", "surface_of"]


class UnreadableDocumentError(ValueError):
    """The document is not a schema in OpenAPI 3 or CoreAPI."""


def surface_of(document: Mapping[str, Any], names: Mapping[str, ActionName] | None = None) -> Surface:
    """Return the surface that a schema document describes, be it as published or corrected.

    Parameters
    ----------
    document
        The decoded document.
    names
        The names of the actions, by their routes, as the generator chose them. Other actions get names by plain rules:
        the path in snake case, the component without ``List`` or ``Detail``. If `names` is passed, other actions whose
        path has several words are named by method and path, since only the generator can tell their names.

    Raises
    ------
    UnreadableDocumentError
        It is neither an OpenAPI 3 nor a CoreAPI document.
    """
    if str(document.get("openapi", "")).startswith("3."):
        parsed = OpenAPIDocument(document)
        surface = Surface(open_api_actions(parsed), "OpenAPI", server_paths(parsed), service_paths(parsed))
    elif is_core_api(document):
        surface = Surface(core_api_actions(document), "CoreAPI")
    else:
        raise UnreadableDocumentError("this is not a schema: neither an OpenAPI 3 nor a CoreAPI document")
    actions = surface.actions
    if names is not None:
        actions = {key: _with_name(action, names.get(key)) for key, action in actions.items()}
    return replace(surface, actions=_with_distinct_names(actions))


def _with_name(action: SurfaceAction, name: ActionName | None) -> SurfaceAction:
    if name is not None:
        return replace(action, name=name)
    words = [segment for segment in action.path.split("/") if segment and not segment.startswith("{")]
    if len(words) < 2:
        return action
    return replace(action, name=replace(action.name, action=f"{action.method} {action.path}"))


def _with_distinct_names(actions: Mapping[str, SurfaceAction]) -> dict[str, SurfaceAction]:
    """Return the actions, those whose name another one has already named by lookup key, or by method and path."""
    taken: set[tuple[str, str]] = set()
    result: dict[str, SurfaceAction] = {}
    for key, action in sorted(actions.items(), key=lambda item: (item[1].path, item[0])):
        name = action.name
        if (name.endpoint, name.action) in taken:
            by_key = name.action == "read" and action.keys
            name = replace(name, action=f"read({action.keys[-1][0]})" if by_key else f"{action.method} {action.path}")
        taken.add((name.endpoint, name.action))
        result[key] = replace(action, name=name)
    return result
