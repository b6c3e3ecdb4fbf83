"""Corrections: reading and applying OpenAPI Overlay 1.0 documents.

An overlay's ``update`` is merged into every node that its target selects, objects key by key and arrays by appending;
``remove`` takes the node away. See the OpenAPI Overlay Specification, 1.0.0, sections 4.2 and 4.3, and RFC 9535 for the
targets.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import jsonpath_rfc9535 as jsonpath

from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_generator.source.alyx_parts import AlyxParts, Location
from alyx_generator.source.openapi import Document, JSONDict
from alyx_generator.source.paths import data_folder
from alyx_generator.source.yaml_text import UnreadableYAMLError, load_yaml

Node = JSONDict | list[Any]


class OverlayError(ValueError):
    """An overlay is malformed, or a target selects nothing."""


@dataclass(frozen=True)
class Correction:
    """One action of an overlay.

    `alyx_only` restricts it to the parts of a document that are Alyx's. It applies to documents in which each of `when`
    selects something before any correction, and none of `unless`: servers of other generations behave otherwise.
    """

    target: str
    description: str
    update: Any = None
    remove: bool = False
    alyx_only: bool = False
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class AppliedCorrection:
    """A correction, and the places that it changed."""

    correction: Correction
    locations: tuple[Location, ...]


@dataclass(frozen=True)
class Corrected:
    """A corrected document, what was corrected in it, and the corrections that selected nothing in it."""

    document: JSONDict
    changes: tuple[AppliedCorrection, ...]
    missed: tuple[Correction, ...]

    @property
    def applied(self) -> int:
        """The number of corrections that were applied."""
        return len(self.changes)


@cache  # reading them takes longer than generating a package from most schemas
def shipped_corrections() -> tuple[Correction, ...]:
    """Return the known errors of Alyx's schemas; they do not apply to what is not Alyx's."""
    corrections = read_overlay(data_folder("schemas") / "alyx.overlay.yaml")
    return tuple(replace(correction, alyx_only=True) for correction in corrections)


def read_corrections(overlays: Iterable[Path]) -> tuple[Correction, ...]:
    """Return the corrections of several overlays, in order."""
    return tuple(correction for path in overlays for correction in read_overlay(path))


def read_overlay(path: Path) -> tuple[Correction, ...]:
    """Read an overlay from a YAML file.

    Raises
    ------
    OverlayError
        The file is not an OpenAPI Overlay 1.0 document, or an action lacks its target, its evidence or its effect.
    """
    try:
        loaded = load_yaml(path.read_text(encoding="utf-8"), text_keys=False)
    except (UnreadableYAMLError, UnicodeError) as error:
        raise OverlayError(f"{path} is not YAML that can be read: {error}") from None
    document = as_schema(loaded)
    if not str(document.get("overlay", "")).startswith("1."):
        raise OverlayError(
            f"{path.name} is not an OpenAPI Overlay 1.0 document: its first key must be 'overlay: 1.0.0'"
        )
    actions: Any = document.get("actions") or []
    if not isinstance(actions, list):
        raise OverlayError(f"{path.name}: actions is a list, each item with target, description and update or remove")
    return tuple(
        _read_action(f"{path.name}, action {number}", entry) for number, entry in enumerate(as_list(actions), 1)
    )


def _read_action(where: str, entry: Any) -> Correction:
    if not isinstance(entry, Mapping):
        raise OverlayError(f"{where}: an action is an object with target, description and update or remove")
    action = as_schema(entry)
    unknown = set(action) - {"target", "description", "update", "remove", "x-when", "x-unless"}
    if unknown:
        raise OverlayError(f"{where}: unknown key {', '.join(sorted(map(str, unknown)))}")
    target, description = action.get("target"), action.get("description")
    if not isinstance(target, str) or not isinstance(description, str) or not description.strip():
        raise OverlayError(f"{where}: target and description (the evidence) are both required")
    _check_effect(where, action, target)
    when, unless = (_conditions(where, action, key) for key in ("x-when", "x-unless"))
    for path in (target, *when, *unless):
        try:
            jsonpath.compile(path)
        except jsonpath.JSONPathError as error:
            raise OverlayError(f"{where}: {path} is not a JSONPath: {error}") from None
    return Correction(target, description, action.get("update"), bool(action.get("remove")), when=when, unless=unless)


def _conditions(where: str, action: Schema, key: str) -> tuple[str, ...]:
    stated = action.get(key, [])
    paths = as_list(stated) or [stated]
    if stated == []:
        return ()
    if not all(isinstance(path, str) for path in paths):
        raise OverlayError(f"{where}: {key} is a JSONPath, or a list of them")
    return tuple(map(str, paths))


def _check_effect(where: str, action: Schema, target: str) -> None:
    """Check that an action either updates or removes, and that its update is JSON."""
    if not isinstance(action.get("remove", False), bool):
        raise OverlayError(f"{where}: remove is true or false, without quotes")
    if ("update" in action) == bool(action.get("remove")):
        raise OverlayError(f"{where}: either update or remove: true")
    if action.get("remove") and target.strip() == "$":
        raise OverlayError(f"{where}: the whole schema cannot be removed")
    if not _is_json(action.get("update")):
        raise OverlayError(f"{where}: update contains what JSON lacks, such as a date or a number as a key; quote it")


def _is_json(value: Any) -> bool:
    if isinstance(value, Mapping):
        items: Any = as_schema(value).items()
        return all(isinstance(key, str) and _is_json(item) for key, item in items)
    if isinstance(value, list):
        return all(map(_is_json, as_list(value)))
    return value is None or isinstance(value, str | int | float)


def correct(document: Document, corrections: tuple[Correction, ...], *, strict: bool = True) -> Corrected:
    """Return the document with the corrections applied, in order.

    Parameters
    ----------
    document
        An OpenAPI document; it is not changed.
    corrections
        What to apply.
    strict
        Whether it is an error if a target selects nothing, or a node that its update cannot be merged into. If false,
        as for another server's schema, such corrections are returned as missed.

    Raises
    ------
    OverlayError
        A target selects nothing, or a node that its update cannot be merged into.
    """
    published = dict(document)
    result = copy.deepcopy(published)
    alyx = AlyxParts(document) if any(correction.alyx_only for correction in corrections) else None
    applied: list[AppliedCorrection] = []
    missed: list[Correction] = []
    for correction in (correction for correction in corrections if _concerns(published, correction)):
        # Evaluated on the result so far: an action may target what an earlier one added, in order.
        nodes = _selected(result, correction, alyx if correction.alyx_only else None)
        fits = correction.remove or all(_fits(node.value, correction.update) for node in nodes)
        if not fits and strict:
            raise OverlayError(
                f"{correction.target} selects a node that its update cannot be merged into, such as a plain value; "
                "target the parent instead"
            )
        if not fits or not nodes:
            missed.append(correction)
            continue
        applied.append(AppliedCorrection(correction, tuple(node.location for node in nodes)))
        _apply(result, correction, nodes)
    if strict:
        _require_none(missed)
    return Corrected(result, tuple(applied), tuple(missed))


def _require_none(missed: Sequence[Correction]) -> None:
    if missed:
        lines = "\n".join(f"  {correction.target}" for correction in missed)
        raise OverlayError(f"These corrections no longer select anything in the schema; remove or fix them:\n{lines}")


def _concerns(document: JSONDict, correction: Correction) -> bool:
    """Return whether a document is one of those that a correction is about."""
    return all(_find(document, path) for path in correction.when) and not any(
        _find(document, path) for path in correction.unless
    )


def _find(document: JSONDict, path: str) -> list[jsonpath.JSONPathNode]:
    try:
        return list(jsonpath.find(path, document))
    except jsonpath.JSONPathError as error:
        raise OverlayError(f"{path} cannot be evaluated in this schema: {error}") from None


def _selected(document: JSONDict, correction: Correction, alyx: AlyxParts | None) -> list[jsonpath.JSONPathNode]:
    """Return the nodes that a correction changes."""
    nodes = _find(document, correction.target)
    return nodes if alyx is None else [node for node in nodes if alyx.has(node.location)]


def _apply(document: JSONDict, correction: Correction, nodes: Sequence[jsonpath.JSONPathNode]) -> None:
    if correction.remove:
        # From the end, so that removing an array item does not shift the indices of those still to be removed.
        for node in reversed(nodes):
            parent = _at(document, node.location[:-1])
            del parent[node.location[-1]]
        return
    for node in nodes:
        _merge(cast("Node", node.value), correction.update)


def _at(document: Any, location: tuple[int | str, ...]) -> Any:
    for step in location:
        document = document[step]
    return document


def _fits(node: Any, update: Any) -> bool:
    return isinstance(node, list) or (isinstance(node, dict) and isinstance(update, Mapping))


def _alike(present: Any, value: Any) -> bool:
    return isinstance(present, list) == isinstance(value, list) and _fits(present, value)


def _merge(node: Node, update: Any) -> None:
    if isinstance(node, list):
        if isinstance(update, list):
            node.extend(copy.deepcopy(as_list(update)))
        else:
            node.append(copy.deepcopy(update))
        return
    for key, value in as_schema(update).items():
        present = node.get(key)
        # An object is merged into an object and an array appended to an array; anything else is replaced.
        if _alike(present, value):
            _merge(cast("Node", present), value)
        else:
            node[key] = copy.deepcopy(value)
