"""Responses and bodies of operations, read as schemas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from alyx_client.schema.openapi import Schema, as_schema
from alyx_client.schema.paging import read_paging
from alyx_generator.model import naming
from alyx_generator.model.hoist import Components
from alyx_generator.model.ir import BodyEncoding, Finding
from alyx_generator.model.operations import Operation
from alyx_generator.source.openapi import alternatives, component_of, is_object, resolved

_STATUSES = ("200", "201", "202", "204", "2XX")
_EMPTY = ("204", "205")
_ONE_PAGE = "one page of a list: the method returns that page"
_ONE_CURSOR = "paged by a cursor that its pages do not declare: list_page() returns one page at a time"
_PAGE_PARAMETERS = frozenset(
    {
        "page",
        "cursor",
        "offset",
        "page_token",
        "pageToken",
        "after",
        "before",
        "starting_after",
        "per_page",
        "page_size",
    }
)
_PAGE_FIELDS = frozenset(
    {
        "next",
        "nextpage",
        "nextcursor",
        "nextpagetoken",
        "nexttoken",
        "hasmore",
        "hasnext",
        "cursor",
        "links",
        "pagination",
    }
)
# Neither says that the content is JSON; a client that accepts JSON gets it.
_ANY_MEDIA_TYPE = frozenset({"*/*", "application/*"})
_JSON = "application/json"
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)  # RFC 6838, section 4.2
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def is_collection(operation: Operation, components: Components) -> bool:
    """Return whether an operation returns several records: a page of them, or a list."""
    if operation.method != "get":
        return False
    target = resolved(_json_schema(_success(operation)[1]) or {}, components)
    return _rows_of_page(target) is not None or _is_list_of_records(target, components)


def read_payloads(endpoint: str, operation: Operation, components: Components) -> tuple[Operation, list[Finding]]:
    """Return an operation with its response and its body read, and what a reader should know of them.

    Parameters
    ----------
    endpoint
        The endpoint's name.
    operation
        The operation.
    components
        The document's components; objects that the operation describes in place are added.
    """
    with_response, about_response = _read_response(endpoint, operation, components)
    with_body, about_body = _read_body(endpoint, with_response, components)
    return with_body, [Finding(endpoint, operation.where, reason) for reason in (*about_response, *about_body)]


def _read_response(endpoint: str, operation: Operation, components: Components) -> tuple[Operation, list[str]]:
    status, content = _success(operation)
    empty = _empty_statuses(operation)
    ignored = [
        f"a {code} has no content: that which is declared is ignored" for code, is_declared in empty if is_declared
    ]
    operation = replace(operation, may_be_empty=bool(empty))
    if not content:
        if operation.method == "delete" or any(code in _EMPTY for code, _ in empty) or status in _EMPTY:
            return operation, ignored
        return replace(operation, kind="anything"), ["the schema declares no response: typed as Any"]
    schema = _json_schema(content)
    # Anything but JSON is returned as bytes, as are files that drf-spectacular declares as JSON.
    if schema is None or (schema.get("type") == "string" and schema.get("format") == "binary"):
        return replace(operation, kind="bytes"), ignored
    operation, content_schema, reasons = _classified(replace(operation, accept=_own_json(content)), schema, components)
    name = _component_name(endpoint, operation)
    # A GET response names the record itself; others need a name beside that of the body.
    response = components.placed(name if operation.method == "get" else f"{name}Response", content_schema)
    objects = _objects(response, components)
    if operation.kind == "record" and component_of(response) not in objects:
        operation = replace(operation, kind="value")
    return replace(operation, response=response, response_components=objects), [*ignored, *reasons]


def _classified(operation: Operation, schema: Schema, components: Components) -> tuple[Operation, Any, list[str]]:
    """Return an operation with the kind of its response, the schema of a record in it, and the findings."""
    target = resolved(schema, components)
    row = _rows_of_page(target) if operation.method == "get" else None
    if row is not None:
        fields = {name: resolved(field, components) for name, field in as_schema(target["properties"]).items()}
        paging = read_paging(operation.parameters("query"), fields)
        if paging is None:
            return replace(operation, kind="record", numbered=True), schema, [_ONE_CURSOR]
        return replace(operation, kind="page", paging=paging), row, []
    if _is_list_of_records(target, components):
        # A list in an array has no room for what says that there is more of it.
        part = (
            [f"{_ONE_PAGE}; pass {' or '.join(sorted(names))} for the others"] if (names := _pages(operation)) else []
        )
        return replace(operation, kind="list"), target["items"], part
    is_page = operation.method == "get" and _looks_like_page(target, operation, components)
    return replace(operation, kind="record"), schema, [f"{_ONE_PAGE} as it is"] if is_page else []


def _read_body(endpoint: str, operation: Operation, components: Components) -> tuple[Operation, list[str]]:
    content = _content(operation.spec.get("requestBody"))
    if not content:
        # An empty requestBody declares that nothing is sent, which needs no finding.
        undeclared = operation.method in ("post", "put", "patch") and "requestBody" not in operation.spec
        return operation, ["the schema declares no body: nothing can be sent"] if undeclared else []
    schemas, encoding, reasons = _body_schemas(content)
    operation = replace(operation, json_type=_own_json(content) if encoding == "json" else "")
    name = _component_name(endpoint, operation)
    bodies: dict[str, None] = {}
    is_many = is_single = unread = False
    for number, schema in enumerate(schemas):
        lists, single = _lists_and_single(schema, components)
        is_many, is_single = is_many or bool(lists), is_single or bool(single)
        for part in single or [array.get("items", {}) for array in lists]:
            objects = _objects(components.placed(f"{name}Form" if number else name, part), components)
            bodies.update(dict.fromkeys(objects))
            unread = unread or not objects
    if unread:
        reasons.append(f"the body has no fields: {'only some of its forms' if bodies else 'nothing'} can be sent")
    return replace(operation, bodies=tuple(bodies), many=is_many, single=is_single, encoding=encoding), reasons


def _body_schemas(content: Mapping[str, Schema]) -> tuple[list[Schema], BodyEncoding, list[str]]:
    """Return the different schemas of a body that can be sent, its encoding, and the findings about the others."""
    schema = _json_schema(content)
    forms = [kind for kind in _FORMS if kind in map(_media_type, content)]
    by_type = {_media_type(name): as_schema(media.get("schema")) for name, media in content.items()}
    sendable = [schema] if schema is not None else []
    # A form beside JSON may have files, or fields, that JSON lacks.
    sendable += [by_type[kind] for kind in forms if by_type[kind] not in sendable]
    others = [kind for kind, other in by_type.items() if other not in sendable and not _is_json(kind)]
    if not sendable:
        return [next(iter(by_type.values()))], "json", [f"takes {', '.join(others)} and no JSON; JSON is sent"]
    reasons = [f"also takes {', '.join(others)}, which cannot be sent"] if others else []
    if schema is not None:
        return sendable, "json", reasons
    return sendable, "multipart" if forms[0] == _FORMS[0] else "urlencoded", reasons


def _media_type(name: str) -> str:
    return name.partition(";")[0].strip().lower()


def _lists_and_single(schema: Schema, components: Components) -> tuple[Sequence[Schema], Sequence[Schema]]:
    """Return the alternatives of a body that are lists, and those that are one record."""
    options = [] if is_object(schema, components) else alternatives(resolved(schema, components))
    lists: list[Schema] = []
    single: list[Schema] = []
    for option in options or [schema]:
        target = resolved(option, components)
        if target.get("type") == "array":
            lists.append(target)
        elif target.get("type") != "null":
            single.append(option)
    return lists, single


def _component_name(endpoint: str, operation: Operation) -> str:
    return naming.class_name("_".join((endpoint, *operation.words)))


def _success(operation: Operation) -> tuple[str, Mapping[str, Schema]]:
    """Return the status of the response that a method returns, and its content."""
    responses = as_schema(operation.spec.get("responses"))
    codes = [code for code in map(str, responses) if code.upper().startswith("2")]
    # Where no success is declared, the response for all statuses is the one for success, too.
    codes = codes or [code for code in responses if code == "default"]
    ordered = sorted(codes, key=lambda code: (_STATUSES.index(code) if code in _STATUSES else len(_STATUSES), code))
    contents = {code: _content(responses.get(code)) if code not in _EMPTY else {} for code in ordered}
    filled = [code for code in ordered if contents[code]]
    if not filled:
        return (ordered or [""])[0], {}
    schemas = _distinct_schemas(contents[code] for code in filled)
    # A view may document several successes, such as 200 for a known record and 201 for a new one.
    if len(schemas) > 1:
        return filled[0], {"application/json": {"schema": {"oneOf": schemas}}}
    return filled[0], contents[filled[0]]


def _distinct_schemas(contents: Iterable[Mapping[str, Schema]]) -> list[Schema]:
    schemas: list[Schema] = []
    for content in contents:
        schema = _json_schema(content)
        if schema and schema not in schemas:
            schemas.append(schema)
    return schemas


def _empty_statuses(operation: Operation) -> list[tuple[str, bool]]:
    """Return the successes that have no content, and whether some is declared.

    Those of some statuses never have any (RFC 9110, 15.3.5); others, where the document declares none for them.
    """
    responses = as_schema(operation.spec.get("responses"))
    contents = {str(code): bool(_content(response)) for code, response in responses.items()}
    return [
        (code, is_declared)
        for code, is_declared in contents.items()
        if code in _EMPTY or (not is_declared and code.startswith("2"))
    ]


def _content(holder: Any) -> dict[str, Schema]:
    """Return the media types of a body or a response, each with its media type object."""
    content = as_schema(holder).get("content")
    return {name: as_schema(media) for name, media in as_schema(content).items()}


def _json_schema(content: Mapping[str, Schema]) -> Schema | None:
    name = _json_name(content)
    return as_schema(content[name].get("schema")) if name is not None else None


def _json_name(content: Mapping[str, Schema]) -> str | None:
    """Return the key of the content that is read as JSON; None if none is."""
    names = sorted(filter(_is_json, content), key=lambda name: _media_type(name) != _JSON)
    others = (name for name in content if name in _ANY_MEDIA_TYPE and content[name].get("schema"))
    return next(iter(names), None) or next(others, None)


def _own_json(content: Mapping[str, Schema]) -> str:
    """Return the media type of JSON that is not called so; empty if it is, or if there is none."""
    name = _json_name(content)
    kind = _media_type(name) if name is not None and name not in _ANY_MEDIA_TYPE else _JSON
    return kind if kind != _JSON and _MEDIA_TYPE.fullmatch(kind) else ""


def _is_json(media_type: str) -> bool:
    # Neither application/x-ndjson nor application/json-seq holds a single JSON value.
    return _media_type(media_type).endswith(("/json", "+json"))


def _rows_of_page(target: Schema) -> Any:
    """Return the schema of a row where a schema is a page of Django REST framework; None where it is not."""
    properties = as_schema(target.get("properties"))
    results = as_schema(properties.get("results"))
    # Cursor pagination has no count.
    is_page = "count" in properties or "next" in properties
    return results.get("items", {}) if is_page and results.get("type") == "array" else None


def _pages(operation: Operation) -> set[str]:
    """Return the parameters by which a list that is not of Django REST framework's form is divided into pages."""
    if operation.method != "get":
        return set()
    return {str(parameter["name"]) for parameter in operation.parameters("query")} & _PAGE_PARAMETERS


def _looks_like_page(target: Schema, operation: Operation, components: Components) -> bool:
    """Return whether an object has records in it, and says or is asked which part of a list they are."""
    properties = as_schema(target.get("properties"))
    if not any(_is_list_of_records(resolved(field, components), components) for field in properties.values()):
        return False
    return bool(_PAGE_FIELDS & {str(name).lower().replace("_", "") for name in properties}) or bool(_pages(operation))


def _is_list_of_records(target: Schema, components: Components) -> bool:
    """Return whether the items of a list are more than plain values, which are returned all together."""
    if target.get("type") != "array":
        return False
    row = resolved(target.get("items"), components)
    return is_object(row, components) or bool(alternatives(row)) or row.get("type") == "object"


def _objects(schema: Schema, components: Components, within: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return the components that a schema is, or is one of."""
    component = component_of(schema)
    if component is not None and is_object(components.get(component, {}), components):
        return (component,)
    if component in within:
        return ()
    inside = within | {component} if component else within
    objects: dict[str, None] = {}
    for part in alternatives(resolved(schema, components)):
        objects.update(dict.fromkeys(_objects(part, components, inside)))
    return tuple(objects)
