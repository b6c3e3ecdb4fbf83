"""What operations answer and what they take: read from their responses and bodies, still as schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alyx_client.schema.openapi import as_schema
from alyx_generator.model import naming
from alyx_generator.model.hoist import Components
from alyx_generator.model.ir import Finding
from alyx_generator.model.operations import Find, Operation
from alyx_generator.source.openapi import alternatives, component_of, is_object, resolved

Schema = Mapping[str, Any]

_STATUSES = ("200", "201", "202", "204", "2XX")


def is_collection(operation: Operation, components: Components) -> bool:
    """Return whether an operation answers several records: a page of them, or a list."""
    if operation.method != "get":
        return False
    target = resolved(_json_of(_success(operation)[1]) or {}, components)
    return _rows_of_page(target) is not None or _is_list_of_records(target, components)


def read_answer(endpoint: str, operation: Operation, components: Components, find: Find) -> None:
    """Set what an operation answers.

    Parameters
    ----------
    endpoint
        The endpoint's name.
    operation
        The operation, which takes the result.
    components
        The document's components; objects that the answer describes by itself are added.
    find
        Takes what a reader should know.
    """
    status, content = _success(operation)
    if not content:
        operation.kind = "nothing" if operation.method == "delete" or status in ("204", "205") else "anything"
        if operation.kind == "anything":
            find(Finding(endpoint, operation.where, "the schema declares no answer: typed as Any"))
        return
    schema = _json_of(content)
    if schema is None or (schema.get("type") == "string" and schema.get("format") == "binary"):
        operation.kind = "bytes"
        return
    target = resolved(schema, components)
    subject: Any = schema
    operation.kind = "record"
    row = _rows_of_page(target) if operation.method == "get" else None
    if row is not None and _is_numbered(operation, target):
        operation.numbered = True
        find(
            Finding(endpoint, operation.where, "paged by a number or a cursor: list_page() returns one page at a time")
        )
    elif row is not None:
        subject, operation.kind = row, "page"
    elif _is_list_of_records(target, components):
        subject, operation.kind = target["items"], "list"
    name = naming.class_name("_".join((endpoint, *operation.words)))
    operation.answer = components.placed(name if operation.method == "get" else f"{name}Answer", subject)
    operation.answer_components = _objects(operation.answer, components)
    if operation.kind == "record" and component_of(operation.answer) not in operation.answer_components:
        operation.kind = "value"


def read_body(endpoint: str, operation: Operation, components: Components, find: Find) -> None:
    """Set what an operation takes; parameters as for `read_answer`."""
    content = _content(operation.spec.get("requestBody"))
    if not content:
        if operation.method in ("post", "put", "patch") and "requestBody" not in operation.spec:
            find(Finding(endpoint, operation.where, "the schema declares no body: nothing can be sent"))
        return
    schema = _json_of(content)
    if schema is None:
        media = next(iter(content))
        schema = as_schema(content[media].get("schema"))
        find(Finding(endpoint, operation.where, f"takes {media} and no JSON, which is sent where there is no file"))
    target = resolved(schema, components)
    options = [] if is_object(schema, components) else alternatives(target)
    options = options or [schema]
    lists = [each for each in (resolved(part, components) for part in options) if each.get("type") == "array"]
    single = [part for part in options if resolved(part, components).get("type") not in ("array", "null")]
    operation.many, operation.single = bool(lists), bool(single)
    name = naming.class_name("_".join((endpoint, *operation.words)))
    found: list[str] = []
    unread = False
    for part in single or [each.get("items", {}) for each in lists]:
        objects = _objects(components.placed(name, part), components)
        found += [each for each in objects if each not in found]
        unread = unread or not objects
    operation.bodies = tuple(found)
    if unread:
        reason = "only some of its forms can be sent" if found else "nothing can be sent"
        find(Finding(endpoint, operation.where, f"the body has no fields: {reason}"))


def _success(operation: Operation) -> tuple[str, Mapping[str, Any]]:
    """Return the status of the answer that a method returns, and its content."""
    responses = as_schema(operation.spec.get("responses"))
    codes = [code for code in map(str, responses) if code.startswith("2")]
    ordered = sorted(codes, key=lambda code: (_STATUSES.index(code) if code in _STATUSES else len(_STATUSES), code))
    contents = {code: _content(responses.get(code)) for code in ordered}
    filled = [code for code in ordered if contents[code]]
    if not filled:
        return (ordered or [""])[0], {}
    schemas: list[Any] = []
    for code in filled:
        schema = _json_of(contents[code])
        if schema and schema not in schemas:
            schemas.append(schema)
    if len(schemas) > 1:
        return filled[0], {"application/json": {"schema": {"oneOf": schemas}}}
    return filled[0], contents[filled[0]]


def _content(holder: Any) -> dict[str, Schema]:
    """Return the media types of a body or an answer, each with what it says."""
    content = as_schema(holder).get("content")
    return {name: as_schema(media) for name, media in as_schema(content).items()}


def _json_of(content: Mapping[str, Schema]) -> Schema | None:
    media = next((name for name in content if _is_json(name)), None)
    if media is None:
        return None
    schema = content[media].get("schema")
    return as_schema(schema)


def _is_json(media: str) -> bool:
    # Neither lines of JSON nor a sequence of texts is one.
    return media.partition(";")[0].strip().lower().endswith(("/json", "+json"))


def _rows_of_page(target: Schema) -> Any:
    """Return the rows' schema, where a schema is that of a page."""
    properties = as_schema(target.get("properties"))
    results = as_schema(properties.get("results"))
    is_page = "count" in properties or ("next" in properties and "previous" in properties)
    return results.get("items", {}) if is_page and results.get("type") == "array" else None


def _is_numbered(operation: Operation, page: Schema) -> bool:
    """Return whether a list is paged otherwise than by limit and offset."""
    names = {str(each["name"]) for each in operation.parameters("query")}
    if "offset" in names:  # drf-spectacular has one component for the pages of one serialiser, whatever pages them
        return False
    return "count" not in page["properties"] or bool(names & {"page", "cursor"})


def _is_list_of_records(target: Schema, components: Components) -> bool:
    """Return whether a list's rows are more than plain values, which are answered all together."""
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
    target = resolved(schema, components)
    inside = within | {component} if component else within
    found: list[str] = []
    for part in alternatives(target):
        found += [each for each in _objects(part, components, inside) if each not in found]
    return tuple(found)
