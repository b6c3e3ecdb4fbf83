"""Corrections: OpenAPI Overlay 1.0 documents and how they are applied.

An overlay's ``update`` is merged into every node that its target selects, objects key by key and arrays by appending;
``remove`` takes the node away. See the OpenAPI Overlay Specification, 1.0.0, sections 4.2 and 4.3, and RFC 9535 for the
targets.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import jsonpath_rfc9535 as jsonpath
import yaml

from alyx_client.schema.openapi import as_schema

Document = dict[str, Any]
Node = dict[str, Any] | list[Any]


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
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise OverlayError(f"{path} is no YAML: {error}") from None
    document = cast("Mapping[str, Any]", loaded if isinstance(loaded, Mapping) else {})
    if not str(document.get("overlay", "")).startswith("1."):
        raise OverlayError(f"{path.name} is no OpenAPI Overlay 1.0 document: its first key must be 'overlay: 1.0.0'")
    actions: Any = document.get("actions") or []
    if not isinstance(actions, list):
        raise OverlayError(f"{path.name}: actions is a list, each item with target, description and update or remove")
    return tuple(_correction(path.name, index, entry) for index, entry in enumerate(cast("Sequence[Any]", actions)))


def _correction(name: str, index: int, entry: Any) -> Correction:
    where = f"{name}, action {index + 1}"
    if not isinstance(entry, Mapping):
        raise OverlayError(f"{where}: an action is an object with target, description and update or remove")
    action = cast("Mapping[str, Any]", entry)
    unknown = set(action) - {"target", "description", "update", "remove"}
    if unknown:
        raise OverlayError(f"{where}: unknown key {', '.join(sorted(map(str, unknown)))}")
    target, description = action.get("target"), action.get("description")
    if not isinstance(target, str) or not isinstance(description, str) or not description.strip():
        raise OverlayError(f"{where}: target and description (the evidence) are both needed")
    if not isinstance(action.get("remove", False), bool):
        raise OverlayError(f"{where}: remove is true or false, without quotes")
    if ("update" in action) == bool(action.get("remove")):
        raise OverlayError(f"{where}: either update or remove: true")
    if action.get("remove") and target.strip() == "$":
        raise OverlayError(f"{where}: the whole schema cannot be removed")
    if not _is_json(action.get("update")):
        raise OverlayError(f"{where}: update holds what JSON has not, such as a date or a number as a key; quote it")
    try:
        jsonpath.compile(target)
    except jsonpath.JSONPathError as error:
        raise OverlayError(f"{where}: {target} is no JSONPath: {error}") from None
    return Correction(target, description, action.get("update"), bool(action.get("remove")))


def _is_json(value: Any) -> bool:
    if isinstance(value, Mapping):
        items: Any = as_schema(value).items()
        return all(isinstance(key, str) and _is_json(each) for key, each in items)
    if isinstance(value, list):
        return all(map(_is_json, cast("Sequence[Any]", value)))
    return value is None or isinstance(value, str | int | float)


def correct(document: Mapping[str, Any], corrections: tuple[Correction, ...], *, strict: bool = True) -> Corrected:
    """Return the document with the corrections applied, in order.

    Parameters
    ----------
    document
        An OpenAPI document; it is not changed.
    corrections
        What to apply.
    strict
        Whether a target that selects nothing, or what the update does not fit, is an error. For another server's schema
        it is not: such corrections are returned as missed.

    Raises
    ------
    OverlayError
        A target selects nothing, or what the update cannot be merged into.
    """
    result = copy.deepcopy(dict(document))
    missed: list[Correction] = []
    for correction in corrections:
        nodes = list(jsonpath.find(correction.target, result))
        fits = correction.remove or all(_fits(node.value, correction.update) for node in nodes)
        if not fits and strict:
            raise OverlayError(
                f"{correction.target} selects what its update cannot be merged into, such as a plain value; target the "
                "parent and update that"
            )
        if not fits or not nodes:
            missed.append(correction)
        elif correction.remove:
            # From the end, so that removing an item of an array leaves the other indices as they are.
            for node in reversed(nodes):
                parent = _at(result, node.location[:-1])
                del parent[node.location[-1]]
        else:
            for node in nodes:
                _merge(cast("Node", node.value), correction.update)
    if strict and missed:
        lines = "\n".join(f"  {correction.target}" for correction in missed)
        raise OverlayError(f"These corrections select nothing in the schema any more; remove or mend them:\n{lines}")
    return Corrected(result, len(corrections) - len(missed), tuple(missed))


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
            node.extend(copy.deepcopy(cast("Sequence[Any]", update)))
        else:
            node.append(copy.deepcopy(update))
        return
    for key, value in cast("Mapping[str, Any]", update).items():
        present = node.get(key)
        if _alike(present, value):
            _merge(cast("Node", present), value)
        else:
            node[key] = copy.deepcopy(value)
