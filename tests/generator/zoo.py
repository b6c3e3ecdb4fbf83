"""The schema of a zoo: some 25 operations with all that schemas can say, mixed as in documents of real servers."""

from __future__ import annotations

from typing import Any

from .foreign_parts import JSON, TEXT, at, keys
from .inline import body, key, page, query, ref, returns

NUMBER: JSON = {"type": "integer"}
MOMENT: JSON = {"type": "string", "format": "date-time"}
FILE: JSON = {"type": "string", "format": "binary"}
UUID: JSON = {"type": "string", "format": "uuid"}


def listed(schema: JSON) -> JSON:
    return {"type": "array", "items": schema}


def _object(required: tuple[str, ...] = (), /, **properties: JSON) -> JSON:
    return {"type": "object", "properties": properties, "required": [*required]}


def _components() -> dict[str, JSON]:
    animal = _object(
        ("id", "name", "kind", "values"),
        id={**UUID, "readOnly": True},
        name={**TEXT, "maxLength": 40},
        kind=ref("Kind"),
        mood={"nullable": True, "oneOf": [ref("Mood"), {"enum": [""]}, {"enum": [None]}]},
        values=ref("Values"),
        items=listed(ref("Inner")),
        keeper={"allOf": [ref("Keeper")], "nullable": True, "readOnly": True},
        born={"type": "string", "format": "date", "nullable": True},
        seen={**MOMENT, "nullable": True},
        weight={"type": "number", "minimum": 0, "exclusiveMinimum": True},
        price={"type": "string", "format": "decimal", "pattern": r"^-?\d{0,4}(?:\.\d{0,2})?$"},
        fed_at={"type": "string", "format": "time"},
        stay={"type": "string", "format": "duration"},
        legs={"type": "integer", "minimum": 0, "maximum": 1000},
        tags={**listed(TEXT), "minItems": 1},
        notes={"type": "object", "additionalProperties": {**NUMBER, "nullable": True}},
        anything={},
        secret={**TEXT, "writeOnly": True},
        parent={"allOf": [ref("Animal")], "nullable": True, "readOnly": True},
    )
    cat = _object(("type", "lives"), type=TEXT, lives=NUMBER)
    fish = _object(("type",), type=TEXT, depth={"type": "number", "nullable": True})
    return {
        "Animal": animal,
        "PatchedAnimal": {**animal, "required": []},
        "Kind": {**TEXT, "enum": ["cat", "fish", "no such"]},
        "Mood": {**TEXT, "enum": ["good", "bad"]},
        # Fields whose names are taken, of models that are defined below the one that has them.
        "Values": _object(("items",), items=listed(TEXT), keys=NUMBER, validate={"type": "boolean"}),
        "Inner": _object(("class",), **{"class": TEXT, "from": ref("Values")}),
        "Keeper": _object(("id", "username"), id=NUMBER, username=TEXT, phone={**TEXT, "nullable": True}),
        "Cat": cat,
        "Fish": fish,
        "Guest": {
            "oneOf": [ref("Cat"), ref("Fish")],
            "discriminator": {
                "propertyName": "type",
                "mapping": {"cat": ref("Cat")["$ref"], "fish": ref("Fish")["$ref"]},
            },
        },
        "Photo": _object(("image",), image=FILE, others=listed(FILE), caption=TEXT, sizes=listed(NUMBER), about={}),
        "PhotoRecord": _object(("id", "image"), id=NUMBER, image={"type": "string", "format": "uri"}, caption=TEXT),
        "Feeding": _object(("animal",), animal=UUID, grams={"type": "number"}, extra=ref("Inner")),
        "Visit": _object(("keeper",), keeper=ref("Keeper"), weight={"type": "number"}),
        "VisitPage": page("Visit"),
        "Ids": _object(("ids",), ids=listed(NUMBER)),
        "AnimalPage": page("Animal"),
    }


FILTERS = query(
    {"name": "kind", "schema": ref("Kind")},
    {"name": "ids", "schema": listed(NUMBER)},
    {"name": "tags", "schema": listed(TEXT), "explode": False},
    {"name": "moods", "schema": listed(ref("Mood"))},
    {"name": "born", "schema": {"type": "string", "format": "date"}},
    {"name": "seen after", "schema": MOMENT},
    {"name": "alive", "schema": {"type": "boolean"}},
    {"name": "weight[gte]", "schema": {"type": "number"}},
    {"name": "class", "schema": TEXT},
    {"name": "where", "style": "deepObject", "schema": {"type": "object"}},
    {"name": "parts", "style": "pipeDelimited", "schema": listed(TEXT)},
    {"name": "limit", "schema": NUMBER},
    {"name": "offset", "schema": NUMBER},
)


def zoo() -> JSON:
    """Return the document."""
    animal, one = returns(ref("Animal")), key("id", **UUID)
    feedings = listed(ref("Feeding"))
    either: JSON = {"oneOf": [ref("Feeding"), feedings]}
    paths: dict[str, Any] = {
        "/animals/": {
            "get": {**FILTERS, **returns(ref("AnimalPage"))},
            "post": {**body(ref("Animal")), **returns(ref("Animal"), "201")},
            "patch": {**body(ref("PatchedAnimal")), **animal},
            "delete": {**body(ref("Ids")), **returns(None, "204")},
        },
        "/animals/{id}/": {
            "get": {**one, **animal},
            "put": {**one, **body(ref("Animal")), **animal},
            "patch": {**one, **body(ref("PatchedAnimal")), **animal},
            "delete": {**one, **returns(None, "204")},
        },
        "/animals/{id}/photos/": {"post": {**one, **_photo(), **returns(ref("PhotoRecord"), "201")}},
        "/animals/{id}/photos/{number}/": {
            "get": {**_keys(id=UUID, number=NUMBER), **returns(ref("PhotoRecord"))},
        },
        "/animals/{id}/photos/{number}/file/": {
            "get": {
                **_keys(id=UUID, number=NUMBER),
                "responses": {"200": {"content": {"image/png": {"schema": FILE}}}},
            },
        },
        "/feedings": {
            "get": {"responses": {**returns(feedings)["responses"], "204": {"description": ""}}},
            "post": {**body(either), **_or_nothing(either)},
            "put": {**body(feedings), **returns(feedings)},
        },
        "/guests": {
            "get": {**query({"name": "cursor", "schema": TEXT}), **returns(_cursor_page())},
            "post": {**body(ref("Guest")), **returns(ref("Guest"), "201")},
        },
        # Rows that nothing tells apart, with records in them.
        "/visits": {"get": {**_offsets(), **returns(ref("VisitPage"))}},
        "/keepers/{username}": {
            "get": {**keys("username"), **returns(ref("Keeper"))},
            "put": {**keys("username"), **_form(ref("Keeper")), **returns(ref("Keeper"))},
        },
        "/keepers/{username}/dismiss": {"post": {**keys("username"), **returns(None, "204"), "requestBody": {}}},
        "/summary": {"get": {**_years({"name": "by", "schema": ref("Kind")}), **returns(_summary())}},
        # The same filter takes any text here.
        "/summary/{number}/": {"get": {**_keyed({"name": "by", "schema": TEXT}), **returns(_summary())}},
        "/moods/{mood}": {"get": {**key("mood", enum=["good", "bad"], type="string"), **returns(listed(TEXT))}},
        "/status": {"get": returns(_object(("ok",), ok={"type": "boolean"}))},
        "/export.csv": {"get": {"responses": {"200": {"content": {"text/csv": {"schema": TEXT}}}}}},
    }
    return at(paths, **_components())


def _keys(**schemas: JSON) -> JSON:
    return {"parameters": [one for name, schema in schemas.items() for one in key(name, **schema)["parameters"]]}


def _offsets() -> JSON:
    return query({"name": "limit", "schema": NUMBER}, {"name": "offset", "schema": NUMBER})


def _or_nothing(schema: JSON) -> JSON:
    """Return responses of which one has no content, as for what was known before."""
    return {"responses": {**returns(schema)["responses"], "208": {"description": ""}}}


def _years(*parameters: JSON) -> JSON:
    return query({"name": "year", "required": True, "schema": NUMBER}, *parameters)


def _keyed(*parameters: JSON) -> JSON:
    return {"parameters": [*key("number", type="integer")["parameters"], *query(*parameters)["parameters"]]}


def _photo() -> JSON:
    return {"requestBody": {"content": {"multipart/form-data": {"schema": ref("Photo")}}}}


def _form(schema: JSON) -> JSON:
    return {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": schema}}}}


def _cursor_page() -> JSON:
    link = {"type": "string", "format": "uri", "nullable": True}
    return _object(("results",), next=link, previous=link, results=listed(ref("Guest")))


def _summary() -> JSON:
    return _object(("animals",), animals={"type": "object", "additionalProperties": ref("Animal")}, total=NUMBER)
