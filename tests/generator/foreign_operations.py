"""Schemas whose paths, responses or bodies are special, each a tiny document that drf-spectacular can write."""

from __future__ import annotations

from .foreign_parts import JSON, TEXT, THING, at, keys, text_of, things
from .inline import body, key, page, query, ref, returns


def paths() -> dict[str, JSON]:
    member = {"type": "object", "properties": {"user": TEXT}}
    members = {
        "/labs": {"get": returns(ref("Page"))},
        "/labs/{lab}/members": {
            "get": {**keys("lab"), **returns(ref("Members"))},
            "post": {**keys("lab"), **body(ref("Member")), **returns(ref("Member"), "201")},
        },
        "/labs/{lab}/members/{id}": {
            method: {
                **keys("lab", "id"),
                **(body(ref("Member")) if method in ("put", "patch") else {}),
                **returns(ref("Member") if method != "delete" else None, "200" if method != "delete" else "204"),
            }
            for method in ("get", "put", "patch", "delete")
        },
        "/labs/{lab}/members/{id}/promote/": {
            "post": {**keys("lab", "id"), **returns(None, "204"), "requestBody": {"content": {}}}
        },
    }
    sessions = {
        "/sessions": {"get": returns(ref("Page"))},
        "/sessions/{id}": {"get": {**key("id", type="string", format="uuid"), **returns(ref("Thing"))}},
        "/sessions/{id}/lock": {
            "post": {**key("id", type="string", format="uuid"), **body(ref("Reason")), **returns(ref("Thing"))}
        },
        "/sessions/{id}/state/": {
            "get": {**key("id", type="string", format="uuid"), **returns(ref("State"))},
            "put": {**key("id", type="string", format="uuid"), **body(ref("State")), **returns(ref("State"))},
        },
        "/sessions/{id}/import": {"post": {**key("id", type="string", format="uuid"), **returns(None, "202")}},
        "/sessions/{id}/read": {"post": {**key("id", type="string", format="uuid"), **returns(None, "201")}},
        "/sessions/summary": {"get": returns(ref("State"))},
        "/sessions/summary/csv": {"get": text_of("text/csv")},
    }
    return {
        "nested paths": at(members, Member=member, Members=page("Member")),
        "extra actions": at(sessions, Reason=member, State={"type": "object", "properties": {"state": TEXT}}),
        "key before the end of a path alone": at(
            {"/things/{id}/parts": {"get": {**keys("id"), **returns(ref("Page"))}}}
        ),
        "page under a key": at({"/things/{lab}": {"get": {**keys("lab"), **returns(ref("Page"))}}}),
        "page with and without a key": at(
            {
                "/things": {"get": returns(ref("Page"))},
                "/things/{lab}": {"get": {**keys("lab"), **returns(ref("Page"))}},
            }
        ),
        "several keys": at({"/things/{lab}/{name}": {"get": {**keys("lab", "name"), **returns(ref("Thing"))}}}),
        "other keys": at(
            {
                "/slugs/{slug}": {
                    "get": {**key("slug", type="string", pattern="^[-a-zA-Z0-9_]+$"), **returns(ref("Thing"))}
                },
                "/numbers/{pk}": {"get": {**key("pk", type="integer"), **returns(ref("Thing"))}},
                "/files/{path}": {"get": {**key("path", type="string", pattern="^.*$"), **returns(ref("Thing"))}},
                "/undeclared/{x}": {"get": returns(ref("Thing"))},
            }
        ),
        "key in part of a segment": at({"/things.{format}": {"get": {**keys("format"), **returns(ref("Page"))}}}),
        "the root, and only a key": at(
            {"/": {"get": returns(ref("Thing"))}, "/{id}": {"get": {**keys("id"), **returns(ref("Thing"))}}}
        ),
        "methods that are no actions": at(
            {"/things": {"get": returns(ref("Page")), "head": returns(None), "options": returns(None)}}
        ),
    }


def payloads() -> dict[str, JSON]:
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
    secured = {**things(), "security": [{"session": []}]}
    secured["components"]["securitySchemes"] = {"session": {"type": "apiKey", "in": "cookie", "name": "sessionid"}}
    return {
        "no pagination": at({"/things": {"get": returns(several)}}),
        "pages by number": at({"/things": {"get": {**returns(ref("Page")), **numbered}}}),
        "pages by cursor": at({"/things": {"get": {**returns(ref("CursorPage")), **cursor}}}, CursorPage=cursor_page),
        "limit and offset beside a cursor": at(
            {"/things": {"get": {**returns(ref("CursorPage")), **limited}}}, CursorPage=cursor_page
        ),
        "pages of maps and of texts": at(
            {
                "/maps": {
                    "get": returns(
                        {
                            "type": "object",
                            "properties": {"count": {}, "results": {"type": "array", "items": {"type": "object"}}},
                        }
                    )
                },
                "/names": {
                    "get": returns(
                        {"type": "object", "properties": {"count": {}, "results": {"type": "array", "items": TEXT}}}
                    )
                },
            }
        ),
        "polymorphic": at(
            {
                "/pets": {"get": returns(page("Pet")), "post": {**body(ref("Pet")), **returns(ref("Pet"), "201")}},
                "/pets/{id}": {
                    "get": {**key(), **returns(ref("Pet"))},
                    "patch": {**key(), **body(ref("Pet")), **returns(ref("Pet"))},
                },
            },
            Cat=cat,
            Dog=dog,
            Pet=pet,
        ),
        "requests with components of their own": at(
            {
                "/things": {"post": {**body(ref("ThingRequest")), **returns(ref("Thing"), "201")}},
                "/things/{id}": {"patch": {**key(), **body(ref("PatchedThingRequest")), **returns(ref("Thing"))}},
            },
            ThingRequest={"type": "object", "properties": {"name": TEXT}, "required": ["name"]},
            PatchedThingRequest={"type": "object", "properties": {"name": TEXT}},
        ),
        "only several at once": things(post={**body(several), **returns(several, "201")}),
        "bodies without fields": things(
            post={**body(TEXT), **returns(ref("Thing"))}, put={**body({"type": "object"}), **returns(ref("Thing"))}
        ),
        "bodies that are bytes": things(
            post={
                "requestBody": {
                    "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
                },
                **returns(None, "201"),
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
                **returns(ref("Thing")),
            }
        ),
        "patch without a body": at({"/things/{id}": {"patch": {**key(), **returns(ref("Thing"))}}}),
        "answers without content": at(
            {
                "/jobs": {
                    "post": {**body(ref("Thing")), **returns(None, "201")},
                    "put": {**body(ref("Thing")), **returns(None, "202")},
                    "delete": returns(None, "204"),
                    "patch": {**body(ref("Thing")), "responses": {}},
                }
            }
        ),
        "several answers": things(
            post={
                **body(ref("Thing")),
                "responses": {
                    "200": returns(ref("Thing"))["responses"]["200"],
                    "201": returns(ref("Other"), "201")["responses"]["201"],
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
                f"/{name}": {"get": returns(schema)}
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
            {"/things": {"get": {**returns(ref("Page")), "deprecated": True, "description": "Use others."}}}
        ),
        "headers and cookies": at(
            {
                "/things": {
                    "get": {
                        **returns(ref("Page")),
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
                        **returns(ref("Page")),
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
                    "post": {"requestBody": {"$ref": "#/components/requestBodies/Thing"}, **returns(ref("Thing"))},
                }
            },
            "components": {
                "schemas": {"Thing": THING, "Page": page("Thing")},
                "parameters": {"Lab": {"in": "query", "name": "lab", "schema": TEXT}},
                "responses": {"Things": returns(ref("Page"))["responses"]["200"]},
                "requestBodies": {"Thing": body(ref("Thing"))["requestBody"]},
            },
        },
    }
