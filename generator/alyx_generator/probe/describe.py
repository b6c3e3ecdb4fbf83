"""Places, schemas and what was found, in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from alyx_client.schema.openapi import as_schema
from alyx_generator.probe.observations import Place, Seen, Shape

REF = "#/components/schemas/"
KINDS = frozenset({"string", "integer", "number", "boolean", "array", "object"})


def named(seen: Seen) -> dict[str, int]:
    """Return what was found in words: types with their formats and items."""
    words = {"absent": "absent", "answered": "answered", "enum": "another value", "format": "text of another format"}
    found: dict[str, int] = {}
    for kind, count in seen.wrong.items():
        if kind == "undeclared":
            found[look(seen.shape)] = count
        elif kind in KINDS:
            one = Shape({kind: count}, seen.shape.formats, seen.shape.items, seen.shape.fields)
            found[look(one)] = count
        else:
            found[words.get(kind, kind)] = count
    return found


def look(shape: Shape) -> str:
    """Return a shape in words, for instance ``array of string``."""
    looks: list[str] = []
    for kind in sorted(shape.kinds):
        formats = set(shape.formats)
        if kind == "string" and len(formats) == 1 and "" not in formats:
            looks.append(f"string ({formats.pop()})")
        elif kind == "array" and shape.items is not None:
            looks.append(f"array of {look(shape.items)}")
        else:
            looks.append(kind)
    return " or ".join(looks)


def said(schema: Any) -> str:
    """Return what a schema says in words."""
    given = as_schema(schema)
    reference = given.get("$ref")
    if isinstance(reference, str):
        return reference.removeprefix(REF)
    parts = [*given.get("allOf", ()), *given.get("oneOf", ()), *given.get("anyOf", ())]
    options = " or ".join(said(part) for part in parts)
    kinds = given.get("type")
    kind = " or ".join(map(str, cast("Sequence[Any]", kinds))) if isinstance(kinds, list) else kinds
    text = str(kind or options or ("a set of values" if "enum" in given else "nothing"))
    if kind == "array":
        text = f"array of {said(given.get('items'))}" if given.get("items") else "array"
    if given.get("format"):
        text += f" ({given['format']})"
    return text + (", nullable" if given.get("nullable") else "") + (", write-only" if given.get("writeOnly") else "")


def label(place: Place) -> str:
    """Return a place as a person names it: ``User.lab[]``."""
    if place[0] == "paths":
        start, rest = f"GET {place[1]}", place[place.index("schema") + 1 :] if "schema" in place else ()
    else:
        start, rest = str(place[2]), place[3:]
    text, after_properties = quoted(start), False
    for step in rest:
        if after_properties:
            text += f".{quoted(str(step))}"
            after_properties = False
        elif step == "properties":
            after_properties = True
        elif step == "items":
            text += "[]"
        elif step == "additionalProperties":
            text += "[*]"
    return text


def quoted(name: str) -> str:
    """Return a name that stays on its line and in its quotes."""
    return name if name.isprintable() and name.isascii() and '"' not in name else json.dumps(name)
