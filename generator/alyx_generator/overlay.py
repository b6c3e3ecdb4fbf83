"""Corrections: OpenAPI Overlay 1.0 documents and how they are applied.

An overlay's ``update`` is merged into every node that its target selects, objects key by key and arrays by appending;
``remove`` takes the node away. See the OpenAPI Overlay Specification, 1.0.0, sections 4.2 and 4.3, and RFC 9535 for the
targets.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import jsonpath_rfc9535 as jsonpath
import yaml

Document = dict[str, Any]


class OverlayError(ValueError):
    """An overlay that is not well formed, or a target that selects nothing."""


@dataclass(frozen=True)
class Correction:
    """One action of an overlay."""

    target: str
    description: str
    update: Any = None
    remove: bool = False


@dataclass(frozen=True)
class Corrected:
    """A corrected document, and the corrections that selected nothing in it."""

    document: Document
    applied: int
    missed: tuple[Correction, ...]


def read_overlay(path: Path) -> tuple[Correction, ...]:
    """Read an overlay from a YAML file.

    Raises
    ------
    OverlayError
        The file is no OpenAPI Overlay 1.0 document, or an action lacks its target, its evidence or its effect.
    """
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    document = cast("Mapping[str, Any]", loaded if isinstance(loaded, Mapping) else {})
    if not str(document.get("overlay", "")).startswith("1."):
        raise OverlayError(f"{path.name} is no OpenAPI Overlay 1.0 document: its first key must be 'overlay: 1.0.0'")
    return tuple(_correction(path.name, index, entry) for index, entry in enumerate(document.get("actions") or ()))


def _correction(name: str, index: int, entry: Any) -> Correction:
    where = f"{name}, action {index + 1}"
    if not isinstance(entry, Mapping):
        raise OverlayError(f"{where}: an action is an object with target, description and update or remove")
    action = cast("Mapping[str, Any]", entry)
    unknown = set(action) - {"target", "description", "update", "remove"}
    if unknown:
        raise OverlayError(f"{where}: unknown key {', '.join(sorted(unknown))}")
    target, description = action.get("target"), action.get("description")
    if not isinstance(target, str) or not isinstance(description, str) or not description.strip():
        raise OverlayError(f"{where}: target and description (the evidence) are both needed")
    if ("update" in action) == bool(action.get("remove")):
        raise OverlayError(f"{where}: either update or remove: true")
    try:
        jsonpath.compile(target)
    except jsonpath.JSONPathError as error:
        raise OverlayError(f"{where}: {target} is no JSONPath: {error}") from None
    return Correction(target, description, action.get("update"), bool(action.get("remove")))


def correct(document: Mapping[str, Any], corrections: tuple[Correction, ...], *, strict: bool = True) -> Corrected:
    """Return the document with the corrections applied, in order.

    Parameters
    ----------
    document
        An OpenAPI document; it is not changed.
    corrections
        What to apply.
    strict
        Whether a target that selects nothing is an error. For another server's schema it is not: such corrections are
        returned as missed.

    Raises
    ------
    OverlayError
        A target selects nothing, or an update does not fit the node that it is merged into.
    """
    result = copy.deepcopy(dict(document))
    missed: list[Correction] = []
    for correction in corrections:
        nodes = list(jsonpath.find(correction.target, result))
        if not nodes:
            missed.append(correction)
        elif correction.remove:
            # From the end, so that removing an item of an array leaves the other indices as they are.
            for node in reversed(nodes):
                parent = _at(result, node.location[:-1])
                del parent[node.location[-1]]
        else:
            for node in nodes:
                _merge(node.value, correction.update, correction.target)
    if strict and missed:
        lines = "\n".join(f"  {correction.target}" for correction in missed)
        raise OverlayError(f"These corrections select nothing in the schema any more; remove or mend them:\n{lines}")
    return Corrected(result, len(corrections) - len(missed), tuple(missed))


def _at(document: Any, location: tuple[int | str, ...]) -> Any:
    for step in location:
        document = document[step]
    return document


def _merge(node: Any, update: Any, target: str) -> None:
    if isinstance(node, dict) and isinstance(update, Mapping):
        into = cast("dict[str, Any]", node)
        for key, value in cast("Mapping[str, Any]", update).items():
            present = into.get(key)
            if isinstance(present, dict) and isinstance(value, Mapping):
                _merge(cast("Any", present), value, target)
            elif isinstance(present, list) and isinstance(value, list):
                cast("MutableSequence[Any]", present).extend(copy.deepcopy(cast("Sequence[Any]", value)))
            else:
                into[key] = copy.deepcopy(value)
    elif isinstance(node, list):
        items = cast("MutableSequence[Any]", node)
        if isinstance(update, list):
            items.extend(copy.deepcopy(cast("Sequence[Any]", update)))
        else:
            items.append(copy.deepcopy(update))
    else:
        raise OverlayError(f"{target} selects a plain value; target its parent and update that")
