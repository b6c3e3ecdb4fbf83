"""Schemas whose fields or names are special, each a tiny document that drf-spectacular can write."""

from __future__ import annotations

from .foreign_parts import JSON, TEXT, THING, at, keys, things, version_31, with_components
from .inline import body, key, query, ref, resource, returns

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


def fields() -> dict[str, JSON]:
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
            {
                "/things": {
                    "get": returns(ref("Empty")),
                    "post": {**body(ref("Empty")), **returns(ref("Empty"))},
                }
            },
            Empty={},
        ),
    }


def names() -> dict[str, JSON]:
    return {
        "fields of every name": resource(dict.fromkeys(FIELD_NAMES, TEXT)),
        "fields called as the shapes in them": with_components(
            resource({"Session": ref("Session"), "SessionRecord": {"type": "array", "items": ref("Session")}}),
            Session=THING,
        ),
        "filters, files and fields that become one": at(
            {
                "/things/{id}": {
                    "patch": {**key(), **body(ref("Odd")), **returns(ref("Thing"))}
                    | {"parameters": [*key()["parameters"], *query({"name": "x.y", "schema": TEXT})["parameters"]]}
                },
                "/files": {"post": {**body(ref("Files")), **returns(ref("Thing"))}},
            },
            Odd={"type": "object", "properties": {"x-y": TEXT, "id": TEXT}},
            Files={
                "type": "object",
                "properties": {name: {"type": "string", "format": "binary"} for name in ("a-b", "a b", "self")},
            },
        ),
        "fields called as another module's shapes": at(
            {
                "/a/{id}": {"get": {**key(), **returns(ref("Thing"))}},
                "/b/{id}": {"get": {**key(), **returns(ref("Other"))}},
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
                    "get": {**key(), **returns(ref("lab_thing"))},
                    "patch": {**key(), **body(ref("lab_thing")), **returns(ref("lab_thing"))},
                },
                "/b/{id}": {
                    "get": {**key(), **returns(ref("LabThing"))},
                    "patch": {**key(), **body(ref("LabThing")), **returns(ref("LabThing"))},
                },
                "/c/{id}": {"patch": {**key(), **body(ref("LabThingUpdate")), **returns(ref("LabThingChanges"))}},
            },
            lab_thing={"type": "object", "properties": {"a": TEXT}},
            LabThing={"type": "object", "properties": {"b": TEXT}},
            LabThingUpdate={"type": "object", "properties": {"c": TEXT}},
            LabThingChanges={"type": "object", "properties": {"d": TEXT}},
        ),
        "endpoints that become one": at(
            {
                "/lab-things": {"get": returns(ref("Page"))},
                "/lab_things": {"get": returns(ref("Page"))},
                "/Lab/Things": {"get": returns(ref("Page"))},
            }
        ),
        "endpoints whose classes are like others'": at(
            {
                f"/{name}": {"get": returns(ref("Page"))}
                for name in ("things", "async_things", "action", "client", "thing", "aux")
            }
        ),
        "filters that become one": things()
        | {
            "paths": {
                "/things/{x-y}": {
                    "get": {
                        **returns(ref("Thing")),
                        "parameters": [
                            *keys("x-y")["parameters"],
                            *query({"name": "x_y", "schema": TEXT}, {"name": "x.y", "schema": TEXT})["parameters"],
                        ],
                    }
                },
                "/things": {
                    "get": {
                        **returns(ref("Page")),
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
