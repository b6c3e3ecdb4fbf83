"""What changed between two schemas, each corrected, named as the generated client names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alyx_client.schema.changes import Report, changes
from alyx_client.schema.core_api import is_core_api
from alyx_client.schema.reading import surface_of
from alyx_client.schema.surface import Name, Surface, route
from alyx_generator.api import Action, Api
from alyx_generator.model import build
from alyx_generator.normalise import normalise
from alyx_generator.overlay import Correction, correct

_WITH_CLASS = frozenset({"record", "page", "list"})


def compare(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    corrections: tuple[Correction, ...] = (),
    *,
    called: tuple[str, str] = ("old", "new"),
) -> Report:
    """Return what changed from one schema document to another.

    Parameters
    ----------
    old, new
        The decoded documents, as published: OpenAPI 3, or CoreAPI, which is compared as far as it goes.
    corrections
        Applied to both; those that select nothing in one of them are passed over.
    called
        What the report calls the two.

    Raises
    ------
    UnreadableDocumentError, UnreadableSchemaError
        One of them is no schema.
    """
    documents = (old, new)
    if any(map(is_core_api, documents)):
        # A CoreAPI document is not corrected, and a correction of the other one alone would look like a change.
        names = [names_of(_api(each, corrections)) for each in documents if not is_core_api(each)]
        before, after = (surface_of(each, names[0] if names else None) for each in documents)
    else:
        before, after = (surface(each, corrections) for each in documents)
    return changes(before, after).called(*called)


def surface(document: Mapping[str, Any], corrections: tuple[Correction, ...] = ()) -> Surface:
    """Return what an OpenAPI document offers once it is corrected.

    Parameters
    ----------
    document
        A decoded document, as published.
    corrections
        What it gets wrong.
    """
    corrected = _corrected(document, corrections)
    return surface_of(corrected, names_of(build(corrected)))


def carried(document: Mapping[str, Any], api: Api) -> Surface:
    """Return the surface that a generated package carries, for ``client.check_schema()`` to compare with.

    Parameters
    ----------
    document
        The decoded document as published, before any correction.
    api
        What the client was generated from, which gives the names.
    """
    return surface_of(document, names_of(api))


def names_of(api: Api) -> dict[str, Name]:
    """Return what users write for each operation of a generated client, by its route."""
    found: dict[str, Name] = {}
    for endpoint in api.endpoints:
        for action in endpoint.actions:
            name = Name(endpoint.name, action.name, action.body, _class(action))
            if action.bare_path and action.lookup:
                found[route(action.method, action.bare_path)] = name
                name = Name(endpoint.name, f"{action.name}({action.lookup.name})", name.sends, name.answers)
            found[route(action.method, action.path)] = name
    return found


def _class(action: Action) -> str:
    shape = action.answer.shape
    return shape if action.answer.kind in _WITH_CLASS and shape.isidentifier() else ""


def _corrected(document: Mapping[str, Any], corrections: tuple[Correction, ...]) -> dict[str, Any]:
    return correct(normalise(document), corrections, strict=False).document


def _api(document: Mapping[str, Any], corrections: tuple[Correction, ...]) -> Api:
    return build(_corrected(document, corrections))
