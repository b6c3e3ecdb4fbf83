"""A case for each of oasdiff's rules that this client reports."""

from __future__ import annotations

from typing import Any

from .rule_documents import NUMBER, PLACES, TEXT, Case, Document, case
from .rule_edits import edit_cases

LISTS = {"type": "array", "items": TEXT}
MAPS = {"type": "object"}
CAT = {"type": "object", "properties": {"claws": NUMBER, "kind": TEXT}}
DOG = {"type": "object", "properties": {"tail": NUMBER, "kind": TEXT}}
COW = {"type": "object", "properties": {"milk": NUMBER, "kind": TEXT}}
COMPONENTS = {"Cat": CAT, "Dog": DOG, "Cow": COW}


def any_of(*names: str) -> Document:
    return {"anyOf": one_of(*names)["oneOf"]}


def one_of(*names: str, **keywords: Any) -> Document:
    return {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in names], **keywords}


def told_apart(by: str = "kind", **mapping: str) -> Document:
    return one_of("Cat", "Dog", discriminator={"propertyName": by, **({"mapping": mapping} if mapping else {})})


def condition(*keywords: str) -> Document:
    schemas = {"if": {"minLength": 3}, "then": {"pattern": "^a"}, "else": {"pattern": "^b"}}
    return {"type": "string", **{keyword: schemas[keyword] for keyword in keywords}}


def limit(kind: str, keyword: str, value: Any) -> Document:
    return {"type": kind, **({"items": TEXT} if kind == "array" else {}), keyword: value}


def keyword(base: Document, name: str, value: Any) -> tuple[Document, Document]:
    return base, {**base, name: value}


ONE_ITEM = {"type": "array", "prefixItems": [TEXT]}
TWO_ITEMS = {"type": "array", "prefixItems": [TEXT, NUMBER]}
ADDED = {
    "all-of": ({"type": "string"}, {"type": "string", "allOf": [{"maxLength": 5}]}),
    "any-of": (any_of("Cat", "Dog"), any_of("Cat", "Dog", "Cow")),
    "one-of": (one_of("Cat", "Dog"), one_of("Cat", "Dog", "Cow")),
    "const": keyword(TEXT, "const", "a"),
    "contains": keyword(LISTS, "contains", {"minLength": 2}),
    "content-schema": keyword({**TEXT, "contentMediaType": "application/json"}, "contentSchema", MAPS),
    "default-value": keyword(TEXT, "default", "a"),
    "dependent-required": keyword(MAPS, "dependentRequired", {"a": ["b"]}),
    "dependent-schema": keyword(MAPS, "dependentSchemas", {"a": {"minProperties": 2}}),
    "discriminator": (one_of("Cat", "Dog"), told_apart()),
    "discriminator-mapping": (told_apart(), told_apart(cat="#/components/schemas/Cat")),
    "if": (TEXT, condition("if")),
    "then": (condition("if"), condition("if", "then")),
    "else": (condition("if"), condition("if", "else")),
    "pattern": keyword(TEXT, "pattern", "^a+$"),
    "pattern-property": keyword(MAPS, "patternProperties", {"^a": TEXT}),
    "prefix-items": (ONE_ITEM, TWO_ITEMS),
    "property-names": keyword(MAPS, "propertyNames", {"maxLength": 3}),
    "unevaluated-items": keyword(LISTS, "unevaluatedItems", NUMBER),
    "unevaluated-properties": keyword(MAPS, "unevaluatedProperties", NUMBER),
    "enum-value": ({**TEXT, "enum": ["a", "b"]}, {**TEXT, "enum": ["a", "b", "c"]}),
}
"""Schemas without and with a keyword; the rule about its removal compares them in reverse."""

CHANGED: dict[str, tuple[Document, Document]] = {
    "became-enum": keyword(TEXT, "enum", ["a"]),
    "became-nullable": (TEXT, {"type": ["string", "null"]}),
    "became-not-nullable": ({"type": ["string", "null"]}, TEXT),
    "const-changed": ({**TEXT, "const": "a"}, {**TEXT, "const": "b"}),
    "content-encoding-changed": ({**TEXT, "contentEncoding": "base64"}, {**TEXT, "contentEncoding": "base32"}),
    "content-media-type-changed": ({**TEXT, "contentMediaType": "a/b"}, {**TEXT, "contentMediaType": "a/c"}),
    "default-value-changed": ({**TEXT, "default": "a"}, {**TEXT, "default": "b"}),
    "dependent-required-changed": (
        {**MAPS, "dependentRequired": {"a": ["b"]}},
        {**MAPS, "dependentRequired": {"a": ["c"]}},
    ),
    "discriminator-property-name-changed": (told_apart("kind"), told_apart("claws")),
    "discriminator-mapping-changed": (
        told_apart(cat="#/components/schemas/Cat"),
        told_apart(cat="#/components/schemas/Dog"),
    ),
    "pattern-changed": ({**TEXT, "pattern": "^a"}, {**TEXT, "pattern": "^b"}),
    "pattern-generalized": ({**TEXT, "pattern": "^a"}, {**TEXT, "pattern": ".*"}),
    "type-changed": (TEXT, NUMBER),
    "type-compatible": (NUMBER, TEXT),
    "type-generalized": (NUMBER, {"type": "number"}),
    "type-specialized": ({"type": "number"}, NUMBER),
    "list-of-types-widened": ({"anyOf": [TEXT, NUMBER]}, {"anyOf": [TEXT, NUMBER, {"type": "boolean"}]}),
    "list-of-types-narrowed": ({"anyOf": [TEXT, NUMBER, {"type": "boolean"}]}, {"anyOf": [TEXT, NUMBER]}),
}
LIMITS = {
    "max": ("integer", "maximum"),
    "min": ("integer", "minimum"),
    "exclusive-max": ("integer", "exclusiveMaximum"),
    "exclusive-min": ("integer", "exclusiveMinimum"),
    "max-length": ("string", "maxLength"),
    "min-length": ("string", "minLength"),
    "max-items": ("array", "maxItems"),
    "min-items": ("array", "minItems"),
    "max-contains": ("array", "maxContains"),
    "min-contains": ("array", "minContains"),
}


def _schemas() -> dict[str, tuple[Document, Document]]:
    """Return the schemas before and after by the rest of the rule's name, for any place."""
    schemas = {f"{name}-added": pair for name, pair in ADDED.items()}
    schemas |= {f"{name}-removed": (new, old) for name, (old, new) in ADDED.items()}
    schemas |= {"discriminator-mapping-deleted": schemas["discriminator-mapping-removed"], **CHANGED}
    for name, (kind, word) in LIMITS.items():
        contains = {"contains": {"minLength": 2}} if "contains" in name else {}
        low, high = ({**limit(kind, word, value), **contains} for value in (5, 10))
        none = {key: value for key, value in low.items() if key != word}
        schemas |= {f"{name}-increased": (low, high), f"{name}-decreased": (high, low)}
        schemas |= {f"{name}-set": (none, low), f"{name}-unset": (low, none)}
    return schemas


def schema_cases() -> dict[str, Case]:
    """Return a case for each rule about a keyword, in each place where it may stand."""
    cases: dict[str, Case] = {}
    for prefix, (place, name) in PLACES.items():
        for rest, (old, new) in _schemas().items():
            reported = name
            # A response of another type is a change of the method.
            if prefix == "response-body" and rest.startswith(("type-", "list-of-types-")):
                reported = "client.labs.read(id)"
            cases[f"{prefix}-{rest}"] = case(place, old, new, reported, **COMPONENTS)
    cases["response-mediatype-enum-value-removed"] = cases["response-body-enum-value-removed"]
    return cases


def all_cases() -> dict[str, Case]:
    """Return the cases by the names of the rules."""
    return schema_cases() | edit_cases()
