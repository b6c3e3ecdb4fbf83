"""Random OpenAPI documents of the forms that drf-spectacular writes, and texts that would like to be code."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from .inline import page, ref

JSON = dict[str, Any]

MARK = "PLANTED_MARK"
_CODE = f"import builtins; builtins.{MARK} = 1"
_WRAPPED = (
    f'"""\n{_CODE}\n"""',
    f"'''\n{_CODE}\n'''",
    f'"; {_CODE}; "',
    f"'; {_CODE}; '",
    f"\n{_CODE}\n",
    f"\r\n{_CODE}\r",
    f"\\\n{_CODE}\n\\",
    f"\\'; {_CODE} #",
    "{{ ''.__class__.__mro__ }}" + _CODE,
    "{% raw %}{{ 7 * 7 }}{% set x = 1 %}{# ",
    f"\u2028{_CODE}\u2029\x85{_CODE}\x0b\x0c",
    f"\x00\x07\x1b[31m{_CODE}",
    f"\u202e\u2066{_CODE}\u2069",
    f"\ud800{_CODE}",
    f")]}}, {_CODE}",
    f"x: {_CODE}",
    f"# type: ignore\n{_CODE}",
    "`rst`_ \\",
    'ends with "',
)
hostile = st.one_of(
    st.sampled_from(_WRAPPED), st.text(max_size=8), st.builds("".join, st.lists(st.sampled_from(_WRAPPED), max_size=3))
)
_WORDS = (
    *(
        "lab",
        "name",
        "Session",
        "session_",
        "class",
        "json",
        "list",
        "id",
        "date",
        "self",
        "x-y",
        "x_y",
        "2d",
        "_p",
        "str",
    ),
    *(
        "Action",
        "Record",
        "UUID",
        "a b",
        "a.b",
        "None",
        "copy",
        "model_config",
        "read",
        "Update",
        "SessionChanges",
        "naïve",
    ),
)
names = st.one_of(st.sampled_from(_WORDS), hostile.filter(bool))
_COMPONENTS = [
    "Session",
    "SessionDetail",
    "session",
    "SessionUpdate",
    "Action",
    "lab.Thing",
    "Lab Thing",
    "PatchedSession",
    "Ünit",
]
_FORMATS = [
    "date",
    "date-time",
    "uuid",
    "time",
    "duration",
    "decimal",
    "ipv4",
    "email",
    "uri",
    "byte",
    "binary",
    "double",
    "int64",
]


def _described(schema: st.SearchStrategy[JSON]) -> st.SearchStrategy[JSON]:
    extras = st.fixed_dictionaries(
        {},
        optional={
            "description": hostile,
            "title": hostile,
            "nullable": st.booleans(),
            "readOnly": st.booleans(),
            "writeOnly": st.booleans(),
            "default": st.one_of(hostile, st.none(), st.integers()),
            "deprecated": st.booleans(),
        },
    )
    return st.builds(lambda one, other: {**other, **one}, schema, extras)


_values = st.one_of(hostile, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False))
_leaves = st.one_of(
    st.just(dict[str, Any]()),
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "format": st.sampled_from(_FORMATS),
            "maxLength": st.integers(0, 300),
            "minLength": st.integers(0, 9),
            "pattern": st.one_of(hostile, st.sampled_from([r"^\w+$", r"^(?=a)b$", "[", r"^-?\d{0,3}(?:\.\d{0,2})?$"])),
            "enum": st.lists(st.one_of(hostile, st.just("a")), max_size=4),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={
            "minimum": st.integers(-5, 5),
            "maximum": st.floats(5, 1e9),
            "exclusiveMinimum": st.one_of(st.booleans(), st.integers(-9, 0)),
            "multipleOf": st.just(0.01),
            "enum": st.lists(st.integers(-3, 3), max_size=3),
        },
    ),
    st.just({"type": "boolean"}),
    st.builds(lambda values: {"enum": values}, st.lists(_values, max_size=4)),
    st.builds(lambda value: {"const": value}, _values),
    st.builds(
        lambda kinds: {"type": kinds}, st.lists(st.sampled_from(["string", "null", "integer", "array"]), max_size=3)
    ),
    st.builds(ref, st.sampled_from([*_COMPONENTS, "Missing"])),
    st.builds(lambda name: {"allOf": [ref(name)]}, st.sampled_from(_COMPONENTS)),
)


def _compound(inner: st.SearchStrategy[JSON]) -> st.SearchStrategy[JSON]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda extra: {"type": "object", "additionalProperties": extra}, st.one_of(inner, st.booleans())),
        st.builds(lambda parts, key: {key: parts}, several, st.sampled_from(["oneOf", "anyOf", "allOf"])),
        objects(inner),
    )


def objects(inner: st.SearchStrategy[JSON]) -> st.SearchStrategy[JSON]:
    fields = st.dictionaries(names, inner, min_size=1, max_size=5)
    return st.builds(
        lambda properties, required, extra: {"type": "object", "properties": properties, "required": required, **extra},
        fields,
        st.lists(names, max_size=2),
        st.sampled_from([{}, {"additionalProperties": True}, {"description": '"""'}]),
    )


schemas = st.recursive(_described(_leaves), lambda inner: _described(_compound(inner)), max_leaves=4)
_components = st.builds(
    lambda known, others: {**known, **others},
    st.fixed_dictionaries({name: objects(schemas) for name in _COMPONENTS[:3]}),
    st.dictionaries(st.one_of(st.sampled_from(_COMPONENTS), names), st.one_of(objects(schemas), schemas), max_size=3),
)
_answers = st.one_of(
    st.sampled_from(_COMPONENTS).map(ref),
    st.none(),
    schemas,
    st.sampled_from(_COMPONENTS).map(ref),
    st.sampled_from(_COMPONENTS).map(page),
    st.sampled_from(_COMPONENTS).map(lambda name: {"type": "array", "items": ref(name)}),
)
_media = st.sampled_from(["application/json", "application/json", "multipart/form-data", "text/csv"])


def _content(schema: JSON | None, media: str) -> JSON:
    return {} if schema is None else {"content": {media: {"schema": schema}}}


_parameters = st.lists(
    st.fixed_dictionaries(
        {"in": st.sampled_from(["query", "query", "query", "header", "cookie"]), "name": names, "schema": schemas},
        optional={
            "required": st.booleans(),
            "explode": st.booleans(),
            "description": hostile,
            "style": st.just("deepObject"),
        },
    ),
    max_size=3,
)
_operations = st.builds(
    lambda answer, answer_media, status, body, body_media, parameters, extra: {
        "responses": {status: {"description": "", **_content(answer, answer_media)}},
        "parameters": parameters,
        **({"requestBody": _content(body, body_media)} if body is not None else {}),
        **extra,
    },
    _answers,
    _media,
    st.sampled_from(["200", "201", "202", "204", "default"]),
    _answers,
    _media,
    _parameters,
    st.fixed_dictionaries({}, optional={"description": hostile, "summary": hostile, "deprecated": st.booleans()}),
)
_segments = st.one_of(
    st.sampled_from(
        ["sessions", "labs", "lock", "summary", "client", "Sessions", "read", "date", "{id}", "{lab}", "{id}"]
    ),
    names.map(lambda name: name.replace("/", "") or "x"),
    names.map(lambda name: "{" + name.replace("/", "").replace("{", "").replace("}", "") + "}"),
)
_paths = st.builds(
    lambda parts, end: "/" + "/".join(parts) + end, st.lists(_segments, max_size=4), st.sampled_from(["", "/"])
)
_items = st.dictionaries(
    st.sampled_from(["get", "post", "put", "patch", "delete"]), _operations, min_size=1, max_size=3
)
documents = st.builds(
    lambda version, paths, components: {"openapi": version, "paths": paths, "components": {"schemas": components}},
    st.sampled_from(["3.0.3", "3.1.0"]),
    st.dictionaries(_paths, _items, min_size=1, max_size=4),
    _components,
)
