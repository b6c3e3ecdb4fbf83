"""Schemas of servers that nobody has seen: each a tiny document of a form that drf-spectacular can write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .inline import answer, body, document, key, page, query, ref, resource

JSON = dict[str, Any]
TEXT: JSON = {"type": "string"}
THING: JSON = {"type": "object", "properties": {"id": {"type": "integer"}, "name": TEXT}}


def things(**operations: JSON) -> JSON:
    """Return a document with a list of things and what else is given for their path."""
    return document({"/things": {"get": answer(ref("Page")), **operations}}, {"Thing": THING, "Page": page("Thing")})


def at(paths: Mapping[str, Any], **components: JSON) -> JSON:
    return document(paths, {"Thing": THING, "Page": page("Thing"), **components})


def with_components(schema: JSON, **components: JSON) -> JSON:
    schema["components"]["schemas"] |= components
    return schema


def text_of(kind: str) -> JSON:
    return {"responses": {"200": {"content": {kind: {"schema": TEXT}}}}}


def version_31(schema: JSON) -> JSON:
    return {**schema, "openapi": "3.1.0"}


def keys(*names: str) -> JSON:
    return {"parameters": [{"in": "path", "name": name, "required": True, "schema": TEXT} for name in names]}


FORMATS = (
    "date",
    "time",
    "duration",
    "date-time",
    "decimal",
    "ipv4",
    "email",
    "uri",
    "byte",
    "uuid",
    "double",
    "binary",
)


def schemas() -> dict[str, JSON]:
    """Return the documents by what is special about each."""
    return {**_fields(), **_names(), **_paths(), **_exchanges()}


def _fields() -> dict[str, JSON]:
    blank, null = {"enum": [""]}, {"enum": [None]}
    sex = {"type": "string", "enum": ["M", "F"]}
    tree = {"type": "object", "properties": {"name": TEXT, "children": {"type": "array", "items": ref("Tree")}}}
    anything = {"oneOf": [TEXT, {"type": "array", "items": ref("Anything")}]}
    animal = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}
    dog = {"allOf": [ref("Animal"), {"type": "object", "properties": {"breed": TEXT}}]}
    return {
        "types with null": version_31(
            resource({"a": {"type": ["string", "null"]}, "b": {"type": ["integer", "string"]}, "c": {"type": "null"}})
        ),
        "const": version_31(resource({"kind": {"const": "mouse"}, "level": {"type": "integer", "const": 3}})),
        "examples": version_31(resource({"name": {"type": "string", "examples": ['"""', "b"], "example": "x"}})),
        "enum with blank and null": with_components(
            resource({"sex": {"nullable": True, "oneOf": [ref("SexEnum"), ref("BlankEnum"), ref("NullEnum")]}}),
            SexEnum=sex,
            BlankEnum=blank,
            NullEnum=null,
        ),
        "integer enum with blank": with_components(
            resource({"level": {"oneOf": [ref("LevelEnum"), ref("BlankEnum")]}}),
            LevelEnum={"type": "integer", "enum": [0, 1, 2]},
            BlankEnum=blank,
        ),
        "enums of floats, booleans and nothing": resource(
            {"a": {"enum": [0.5, 1.5]}, "b": {"enum": [True, False]}, "c": {"enum": []}, "d": {"enum": [{"x": 1}, [2]]}}
        ),
        "allOf with one reference": with_components(
            resource({"sex": {"allOf": [ref("SexEnum")], "nullable": True, "description": "Either."}}), SexEnum=sex
        ),
        "nullable reference": with_components(
            version_31(
                resource({"a": {"oneOf": [ref("Inner"), {"type": "null"}]}, "b": {**ref("Inner"), "readOnly": True}})
            ),
            Inner=THING,
        ),
        "maps": resource(
            {
                "free": {"type": "object", "additionalProperties": {}},
                "true": {"type": "object", "additionalProperties": True},
                "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
                "nested": {"type": "object", "additionalProperties": {"type": "object", "properties": {"n": TEXT}}},
                "bare": {"type": "object"},
                "anything": {},
            }
        ),
        "files": resource(
            {
                "name": TEXT,
                "image": {"type": "string", "format": "binary", "nullable": True},
                "scan": {"type": "string", "format": "uri", "readOnly": True},
                "pages": {"type": "array", "items": {"type": "string", "format": "binary"}},
            }
        ),
        "arrays of arrays": resource(
            {
                "grid": {
                    "type": "array",
                    "items": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                }
            }
        ),
        "objects inside": resource(
            {
                "meta": {
                    "type": "object",
                    "properties": {"author": TEXT, "deep": {"type": "object", "properties": {"n": TEXT}}},
                },
                "rows": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "integer"}}}},
            }
        ),
        "recursive components": with_components(
            resource({"tree": ref("Tree"), "any": ref("Anything"), "loop": ref("Loop")}),
            Tree=tree,
            Anything=anything,
            Loop=ref("Loop"),
        ),
        "inheritance": with_components(resource({"dog": ref("Dog")}), Animal=animal, Dog=dog),
        "formats": resource({name.replace("-", "_"): {"type": "string", "format": name} for name in FORMATS}),
        "limits": resource(
            {
                "code": {"type": "string", "pattern": r"^(?=x)\w+$", "maxLength": 4},
                "exact": {"type": "string", "minLength": 2, "maxLength": 2, "pattern": "^[a-z]+$"},
                "share": {"type": "number", "maximum": 1, "exclusiveMaximum": True, "minimum": 0},
                "count": {"type": "integer", "maximum": 9223372036854775807, "minimum": 0, "default": 5},
                "day": {"type": "string", "format": "date", "maxLength": 10},
                "key": {"type": "string", "format": "uuid", "minLength": 36},
                "tags": {"type": "array", "items": TEXT, "uniqueItems": True, "maxItems": 2},
                "price": {"type": "number", "multipleOf": 0.01},
            }
        ),
        "read-only, write-only and required": resource(
            {"id": {"type": "integer", "readOnly": True}, "secret": {**TEXT, "writeOnly": True}, "name": TEXT},
            ["id", "name"],
        ),
        "unions": with_components(
            resource(
                {
                    "a": {"anyOf": [TEXT, {"type": "integer"}, ref("Inner")]},
                    "b": {"oneOf": [ref("Inner"), ref("Other")]},
                }
            ),
            Inner=THING,
            Other={"type": "object", "properties": {"other": TEXT}},
        ),
        "references to nothing": resource({"a": ref("Missing"), "b": {"type": "array", "items": ref("Missing")}}),
        "true and false as schemas": version_31(resource({"a": True, "b": {"type": "array", "items": True}})),
        "empty component": at(
            {"/things": {"get": answer(ref("Empty")), "post": {**body(ref("Empty")), **answer(ref("Empty"))}}}, Empty={}
        ),
    }


FIELD_NAMES = (
    *(
        "json",
        "copy",
        "model_config",
        "model_dump",
        "class",
        "self",
        "2d",
        "_private",
        "x-y",
        "x_y",
        "list",
        "str",
        "None",
    ),
    *(
        "date",
        "datetime",
        "UUID",
        "Any",
        "to_wire",
        "id",
        "naïve",
        "名",
        "a b",
        "schema",
        "validate",
        "Field",
        "import",
    ),
)
COMPONENT_NAMES = ("lab.Thing", "Lab Thing", "Thïng", "名", "class", "None", "3D", "Action", "Record", "UUID", "Thing.")


def _names() -> dict[str, JSON]:
    return {
        "fields of every name": resource(dict.fromkeys(FIELD_NAMES, TEXT)),
        "fields called as the shapes in them": with_components(
            resource({"Session": ref("Session"), "SessionRecord": {"type": "array", "items": ref("Session")}}),
            Session=THING,
        ),
        "filters, files and fields that become one": at(
            {
                "/things/{id}": {
                    "patch": {**key(), **body(ref("Odd")), **answer(ref("Thing"))}
                    | {"parameters": [*key()["parameters"], *query({"name": "x.y", "schema": TEXT})["parameters"]]}
                },
                "/files": {"post": {**body(ref("Files")), **answer(ref("Thing"))}},
            },
            Odd={"type": "object", "properties": {"x-y": TEXT, "id": TEXT}},
            Files={
                "type": "object",
                "properties": {name: {"type": "string", "format": "binary"} for name in ("a-b", "a b", "self")},
            },
        ),
        "fields called as another module's shapes": at(
            {
                "/a/{id}": {"get": {**key(), **answer(ref("Thing"))}},
                "/b/{id}": {"get": {**key(), **answer(ref("Other"))}},
            },
            Other={"type": "object", "properties": {"ThingRecord": ref("Thing")}},
        ),
        "dates beside fields called date": resource(
            {"date": {"type": "string", "format": "date"}, "datetime": {"type": "string", "format": "date-time"}}
        ),
        **{
            f"component called {name}": resource({"name": TEXT, "up": ref(name)}, name=name) for name in COMPONENT_NAMES
        },
        "components that become one": at(
            {
                "/a/{id}": {
                    "get": {**key(), **answer(ref("lab_thing"))},
                    "patch": {**key(), **body(ref("lab_thing")), **answer(ref("lab_thing"))},
                },
                "/b/{id}": {
                    "get": {**key(), **answer(ref("LabThing"))},
                    "patch": {**key(), **body(ref("LabThing")), **answer(ref("LabThing"))},
                },
                "/c/{id}": {"patch": {**key(), **body(ref("LabThingUpdate")), **answer(ref("LabThingChanges"))}},
            },
            lab_thing={"type": "object", "properties": {"a": TEXT}},
            LabThing={"type": "object", "properties": {"b": TEXT}},
            LabThingUpdate={"type": "object", "properties": {"c": TEXT}},
            LabThingChanges={"type": "object", "properties": {"d": TEXT}},
        ),
        "endpoints that become one": at(
            {
                "/lab-things": {"get": answer(ref("Page"))},
                "/lab_things": {"get": answer(ref("Page"))},
                "/Lab/Things": {"get": answer(ref("Page"))},
            }
        ),
        "endpoints whose classes are like others'": at(
            {
                f"/{name}": {"get": answer(ref("Page"))}
                for name in ("things", "async_things", "action", "client", "thing", "aux")
            }
        ),
        "filters that become one": things()
        | {
            "paths": {
                "/things/{x-y}": {
                    "get": {
                        **answer(ref("Thing")),
                        "parameters": [
                            *keys("x-y")["parameters"],
                            *query({"name": "x_y", "schema": TEXT}, {"name": "x.y", "schema": TEXT})["parameters"],
                        ],
                    }
                },
                "/things": {
                    "get": {
                        **answer(ref("Page")),
                        **query(
                            *(
                                {"name": name, "schema": TEXT}
                                for name in ("a-b", "a_b", "max_items", "self", "limit", "from", "1st", "")
                            )
                        ),
                    }
                },
            }
        },
    }


def _paths() -> dict[str, JSON]:
    member = {"type": "object", "properties": {"user": TEXT}}
    members = {
        "/labs": {"get": answer(ref("Page"))},
        "/labs/{lab}/members": {
            "get": {**keys("lab"), **answer(ref("Members"))},
            "post": {**keys("lab"), **body(ref("Member")), **answer(ref("Member"), "201")},
        },
        "/labs/{lab}/members/{id}": {
            method: {
                **keys("lab", "id"),
                **(body(ref("Member")) if method in ("put", "patch") else {}),
                **answer(ref("Member") if method != "delete" else None, "200" if method != "delete" else "204"),
            }
            for method in ("get", "put", "patch", "delete")
        },
        "/labs/{lab}/members/{id}/promote/": {
            "post": {**keys("lab", "id"), **answer(None, "204"), "requestBody": {"content": {}}}
        },
    }
    sessions = {
        "/sessions": {"get": answer(ref("Page"))},
        "/sessions/{id}": {"get": {**key("id", type="string", format="uuid"), **answer(ref("Thing"))}},
        "/sessions/{id}/lock": {
            "post": {**key("id", type="string", format="uuid"), **body(ref("Reason")), **answer(ref("Thing"))}
        },
        "/sessions/{id}/state/": {
            "get": {**key("id", type="string", format="uuid"), **answer(ref("State"))},
            "put": {**key("id", type="string", format="uuid"), **body(ref("State")), **answer(ref("State"))},
        },
        "/sessions/{id}/import": {"post": {**key("id", type="string", format="uuid"), **answer(None, "202")}},
        "/sessions/{id}/read": {"post": {**key("id", type="string", format="uuid"), **answer(None, "201")}},
        "/sessions/summary": {"get": answer(ref("State"))},
        "/sessions/summary/csv": {"get": text_of("text/csv")},
    }
    return {
        "nested paths": at(members, Member=member, Members=page("Member")),
        "extra actions": at(sessions, Reason=member, State={"type": "object", "properties": {"state": TEXT}}),
        "key before the end of a path alone": at(
            {"/things/{id}/parts": {"get": {**keys("id"), **answer(ref("Page"))}}}
        ),
        "page under a key": at({"/things/{lab}": {"get": {**keys("lab"), **answer(ref("Page"))}}}),
        "page with and without a key": at(
            {"/things": {"get": answer(ref("Page"))}, "/things/{lab}": {"get": {**keys("lab"), **answer(ref("Page"))}}}
        ),
        "several keys": at({"/things/{lab}/{name}": {"get": {**keys("lab", "name"), **answer(ref("Thing"))}}}),
        "other keys": at(
            {
                "/slugs/{slug}": {
                    "get": {**key("slug", type="string", pattern="^[-a-zA-Z0-9_]+$"), **answer(ref("Thing"))}
                },
                "/numbers/{pk}": {"get": {**key("pk", type="integer"), **answer(ref("Thing"))}},
                "/files/{path}": {"get": {**key("path", type="string", pattern="^.*$"), **answer(ref("Thing"))}},
                "/undeclared/{x}": {"get": answer(ref("Thing"))},
            }
        ),
        "key in part of a segment": at({"/things.{format}": {"get": {**keys("format"), **answer(ref("Page"))}}}),
        "the root, and only a key": at(
            {"/": {"get": answer(ref("Thing"))}, "/{id}": {"get": {**keys("id"), **answer(ref("Thing"))}}}
        ),
        "methods that are no actions": at(
            {"/things": {"get": answer(ref("Page")), "head": answer(None), "options": answer(None)}}
        ),
    }


def _exchanges() -> dict[str, JSON]:
    numbered = query(
        {"name": "page", "schema": {"type": "integer"}}, {"name": "page_size", "schema": {"type": "integer"}}
    )
    cursor = query({"name": "cursor", "schema": TEXT}, {"name": "limit", "schema": {"type": "integer"}})
    limited = query({"name": "limit", "schema": {"type": "integer"}}, {"name": "offset", "schema": {"type": "integer"}})
    cursor_page = {
        "type": "object",
        "properties": {"next": TEXT, "previous": TEXT, "results": {"type": "array", "items": ref("Thing")}},
    }
    cat = {
        "type": "object",
        "properties": {"type": {"enum": ["Cat"]}, "lives": {"type": "integer"}},
        "required": ["type", "lives"],
    }
    dog = {"type": "object", "properties": {"type": {"enum": ["Dog"]}, "breed": TEXT}, "required": ["type", "breed"]}
    pet = {
        "oneOf": [ref("Cat"), ref("Dog")],
        "discriminator": {"propertyName": "type", "mapping": {"Cat": "#/components/schemas/Cat"}},
    }
    several = {"type": "array", "items": ref("Thing")}
    secured = {**things(), "security": [{"jwt": []}]}
    secured["components"]["securitySchemes"] = {"jwt": {"type": "http", "scheme": "bearer"}}
    return {
        "no pagination": at({"/things": {"get": answer(several)}}),
        "pages by number": at({"/things": {"get": {**answer(ref("Page")), **numbered}}}),
        "pages by cursor": at({"/things": {"get": {**answer(ref("CursorPage")), **cursor}}}, CursorPage=cursor_page),
        "limit and offset beside a cursor": at(
            {"/things": {"get": {**answer(ref("CursorPage")), **limited}}}, CursorPage=cursor_page
        ),
        "pages of maps and of texts": at(
            {
                "/maps": {
                    "get": answer(
                        {
                            "type": "object",
                            "properties": {"count": {}, "results": {"type": "array", "items": {"type": "object"}}},
                        }
                    )
                },
                "/names": {
                    "get": answer(
                        {"type": "object", "properties": {"count": {}, "results": {"type": "array", "items": TEXT}}}
                    )
                },
            }
        ),
        "polymorphic": at(
            {
                "/pets": {"get": answer(page("Pet")), "post": {**body(ref("Pet")), **answer(ref("Pet"), "201")}},
                "/pets/{id}": {
                    "get": {**key(), **answer(ref("Pet"))},
                    "patch": {**key(), **body(ref("Pet")), **answer(ref("Pet"))},
                },
            },
            Cat=cat,
            Dog=dog,
            Pet=pet,
        ),
        "requests with components of their own": at(
            {
                "/things": {"post": {**body(ref("ThingRequest")), **answer(ref("Thing"), "201")}},
                "/things/{id}": {"patch": {**key(), **body(ref("PatchedThingRequest")), **answer(ref("Thing"))}},
            },
            ThingRequest={"type": "object", "properties": {"name": TEXT}, "required": ["name"]},
            PatchedThingRequest={"type": "object", "properties": {"name": TEXT}},
        ),
        "only several at once": things(post={**body(several), **answer(several, "201")}),
        "bodies without fields": things(
            post={**body(TEXT), **answer(ref("Thing"))}, put={**body({"type": "object"}), **answer(ref("Thing"))}
        ),
        "bodies that are bytes": things(
            post={
                "requestBody": {
                    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
                },
                **answer(None, "201"),
            }
        ),
        "files alone": things(
            post={
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
                        }
                    }
                },
                **answer(ref("Thing")),
            }
        ),
        "patch without a body": at({"/things/{id}": {"patch": {**key(), **answer(ref("Thing"))}}}),
        "answers without content": at(
            {
                "/jobs": {
                    "post": {**body(ref("Thing")), **answer(None, "201")},
                    "put": {**body(ref("Thing")), **answer(None, "202")},
                    "delete": answer(None, "204"),
                    "patch": {**body(ref("Thing")), "responses": {}},
                }
            }
        ),
        "several answers": things(
            post={
                **body(ref("Thing")),
                "responses": {
                    "200": answer(ref("Thing"))["responses"]["200"],
                    "201": answer(ref("Other"), "201")["responses"]["201"],
                },
            }
        )
        | {
            "components": {
                "schemas": {
                    "Thing": THING,
                    "Page": page("Thing"),
                    "Other": {"type": "object", "properties": {"other": TEXT}},
                }
            }
        },
        "several content types": at(
            {
                "/report": {
                    "get": {
                        "responses": {
                            "200": {
                                "content": {"text/csv": {"schema": TEXT}, "application/json": {"schema": ref("Thing")}}
                            }
                        }
                    }
                }
            }
        ),
        "text and files": at({"/report.csv": {"get": text_of("text/csv")}, "/image": {"get": text_of("image/png")}}),
        "plain answers": at(
            {
                f"/{name}": {"get": answer(schema)}
                for name, schema in {
                    "count": {"type": "integer"},
                    "names": {"type": "array", "items": TEXT},
                    "grid": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                    "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
                    "by-name": {"type": "object", "additionalProperties": ref("Thing")},
                    "day": {"type": "string", "format": "date"},
                    "state": {"type": "string", "enum": ["on", "off"], "nullable": True},
                    "anything": {},
                }.items()
            }
        ),
        "deprecated": at(
            {"/things": {"get": {**answer(ref("Page")), "deprecated": True, "description": "Use others."}}}
        ),
        "headers and cookies": at(
            {
                "/things": {
                    "get": {
                        **answer(ref("Page")),
                        "parameters": [
                            {"in": "header", "name": "X-Lab", "required": True, "schema": TEXT},
                            {"in": "cookie", "name": "lab", "schema": TEXT},
                            {"in": "header", "name": "Accept", "schema": TEXT},
                        ],
                    }
                }
            }
        ),
        "other logins": secured,
        "query parameters of every form": things()
        | {
            "paths": {
                "/things": {
                    "parameters": query({"name": "shared", "schema": TEXT})["parameters"],
                    "get": {
                        **answer(ref("Page")),
                        **query(
                            {"name": "ids", "schema": {"type": "array", "items": {"type": "integer"}}},
                            {
                                "name": "tags",
                                "explode": False,
                                "schema": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
                            },
                            {"name": "lab", "required": True, "schema": TEXT},
                            {"name": "kind", "schema": ref("Kind")},
                            {"name": "either", "schema": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
                            {"name": "where", "style": "deepObject", "schema": {"type": "object"}},
                            {"name": "parts", "style": "pipeDelimited", "schema": {"type": "array", "items": TEXT}},
                            {"name": "content", "content": {"application/json": {"schema": TEXT}}},
                        ),
                    },
                }
            },
            "components": {
                "schemas": {"Thing": THING, "Page": page("Thing"), "Kind": {"type": "string", "enum": ["x", "y"]}}
            },
        },
        "shared parameters, bodies and answers": {
            **things(),
            "paths": {
                "/things": {
                    "parameters": [{"$ref": "#/components/parameters/Lab"}],
                    "get": {"responses": {"200": {"$ref": "#/components/responses/Things"}}},
                    "post": {"requestBody": {"$ref": "#/components/requestBodies/Thing"}, **answer(ref("Thing"))},
                }
            },
            "components": {
                "schemas": {"Thing": THING, "Page": page("Thing")},
                "parameters": {"Lab": {"in": "query", "name": "lab", "schema": TEXT}},
                "responses": {"Things": answer(ref("Page"))["responses"]["200"]},
                "requestBodies": {"Thing": body(ref("Thing"))["requestBody"]},
            },
        },
    }
