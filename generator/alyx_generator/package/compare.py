"""Changes between two schemas, after correction, in the names of the generated client."""

from __future__ import annotations

from dataclasses import replace

from alyx_client.schema.coreapi import is_core_api
from alyx_client.schema.diff import compare_surfaces
from alyx_client.schema.extract import surface_of
from alyx_client.schema.report import Report
from alyx_client.schema.routes import route
from alyx_client.schema.surface import ActionName, Surface
from alyx_generator.model.build import build_api
from alyx_generator.model.ir import Api, EndpointAction
from alyx_generator.render.text import first_of
from alyx_generator.source.normalise import normalise
from alyx_generator.source.openapi import Document
from alyx_generator.source.overlay import Corrected, Correction, correct

_WITH_CLASS = frozenset({"record", "page", "list"})


def compare(
    old: Document,
    new: Document,
    corrections: tuple[Correction, ...] = (),
    *,
    called: tuple[str, str] = ("old", "new"),
) -> Report:
    """Return what changed from one schema document to another.

    Parameters
    ----------
    old, new
        The decoded documents, as published: OpenAPI 3, or CoreAPI, which describes less.
    corrections
        Applied to both; those that do not fit one of them are skipped.
    called
        The names of the two in the report.

    Raises
    ------
    UnreadableDocumentError, UnreadableSchemaError
        One of them is not a schema.
    """
    documents, one_sided = (old, new), list[Correction]()
    if any(map(is_core_api, documents)):
        # Corrections do not apply to CoreAPI, and one applied to the other document only would look like a change.
        names = [names_of(_api(document, corrections)) for document in documents if not is_core_api(document)]
        before, after = (surface_of(document, names[0] if names else None) for document in documents)
    else:
        first, second = (_corrected(document, corrections) for document in documents)
        before, after = (_surface(corrected) for corrected in (first, second))
        one_sided = [one for one in corrections if (one in first.missed) != (one in second.missed)]
    report = compare_surfaces(before, after).with_names(*called)
    # What is corrected in an endpoint that only one of the schemas has is part of that one change.
    if report and one_sided and _without(documents, corrections, one_sided).changes != report.changes:
        which = "; ".join(first_of([one.target for one in one_sided]))
        note = f"Corrections that fit only one of the two schemas, so what they correct may look changed: {which}"
        report = replace(report, notes=(*report.notes, note))
    return report


def _without(
    documents: tuple[Document, Document], corrections: tuple[Correction, ...], excluded: list[Correction]
) -> Report:
    others = tuple(one for one in corrections if one not in excluded)
    old, new = (_surface(_corrected(document, others)) for document in documents)
    return compare_surfaces(old, new)


def surface(document: Document, corrections: tuple[Correction, ...] = ()) -> Surface:
    """Return the surface of an OpenAPI document after correction.

    Parameters
    ----------
    document
        A decoded document, as published.
    corrections
        What it gets wrong.
    """
    return _surface(_corrected(document, corrections))


def _surface(corrected: Corrected) -> Surface:
    return surface_of(corrected.document, names_of(build_api(corrected.document)))


def bundled_surface(document: Document, api: Api) -> Surface:
    """Return the surface that a generated package includes, for ``client.check_schema()`` to compare with.

    Parameters
    ----------
    document
        The decoded document as published, before any correction.
    api
        What the client was generated from, which gives the names.
    """
    return surface_of(document, names_of(api))


def names_of(api: Api) -> dict[str, ActionName]:
    """Return what users write for each operation of a generated client, by its route."""
    names: dict[str, ActionName] = {}
    for endpoint in api.endpoints:
        for action in endpoint.actions:
            name = ActionName(endpoint.name, action.name, action.body, _class(action))
            if action.bare_path and action.lookup:
                names[route(action.method, action.bare_path)] = name
                name = replace(name, action=f"{action.name}({action.lookup.name})")
            names[route(action.method, action.path)] = name
    return names


def _class(action: EndpointAction) -> str:
    response = action.response
    return response.annotation if response.kind in _WITH_CLASS and response.annotation.isidentifier() else ""


def _corrected(document: Document, corrections: tuple[Correction, ...]) -> Corrected:
    return correct(normalise(document), corrections, strict=False)


def _api(document: Document, corrections: tuple[Correction, ...]) -> Api:
    return build_api(_corrected(document, corrections).document)
