"""What changed between two schemas, each corrected, named as the generated client names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alyx_client.schema.coreapi import is_core_api
from alyx_client.schema.diff import compare_surfaces
from alyx_client.schema.extract import surface_of
from alyx_client.schema.report import Report
from alyx_client.schema.routes import route
from alyx_client.schema.surface import ActionName, Surface
from alyx_generator.model.build import build
from alyx_generator.model.ir import Action, Api
from alyx_generator.render.text import first_of
from alyx_generator.source.normalise import normalise
from alyx_generator.source.overlay import Corrected, Correction, correct

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
        Applied to both; those that do not fit one of them are passed over.
    called
        What the report calls the two.

    Raises
    ------
    UnreadableDocumentError, UnreadableSchemaError
        One of them is no schema.
    """
    documents, one_sided = (old, new), list[str]()
    if any(map(is_core_api, documents)):
        # A CoreAPI document is not corrected, and a correction of the other one alone would look like a change.
        names = [names_of(_api(each, corrections)) for each in documents if not is_core_api(each)]
        before, after = (surface_of(each, names[0] if names else None) for each in documents)
    else:
        first, second = (_corrected(each, corrections) for each in documents)
        before, after = (_surface(each) for each in (first, second))
        one_sided = [each.target for each in corrections if (each in first.missed) != (each in second.missed)]
    report = compare_surfaces(before, after).with_names(*called)
    if report and one_sided:
        which = "; ".join(first_of(one_sided))
        note = f"Corrections that fit only one of the two, so that what they correct may look changed: {which}"
        report = replace(report, notes=(*report.notes, note))
    return report


def surface(document: Mapping[str, Any], corrections: tuple[Correction, ...] = ()) -> Surface:
    """Return what an OpenAPI document offers once it is corrected.

    Parameters
    ----------
    document
        A decoded document, as published.
    corrections
        What it gets wrong.
    """
    return _surface(_corrected(document, corrections))


def _surface(corrected: Corrected) -> Surface:
    return surface_of(corrected.document, names_of(build(corrected.document)))


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


def names_of(api: Api) -> dict[str, ActionName]:
    """Return what users write for each operation of a generated client, by its route."""
    found: dict[str, ActionName] = {}
    for endpoint in api.endpoints:
        for action in endpoint.actions:
            name = ActionName(endpoint.name, action.name, action.body, _class(action))
            if action.bare_path and action.lookup:
                found[route(action.method, action.bare_path)] = name
                name = ActionName(
                    endpoint.name, f"{action.name}({action.lookup.name})", name.request_class, name.response_class
                )
            found[route(action.method, action.path)] = name
    return found


def _class(action: Action) -> str:
    shape = action.answer.shape
    return shape if action.answer.kind in _WITH_CLASS and shape.isidentifier() else ""


def _corrected(document: Mapping[str, Any], corrections: tuple[Correction, ...]) -> Corrected:
    return correct(normalise(document), corrections, strict=False)


def _api(document: Mapping[str, Any], corrections: tuple[Correction, ...]) -> Api:
    return build(_corrected(document, corrections).document)
