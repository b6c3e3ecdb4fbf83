"""Arguments of generated methods, made from what the document says of each operation, and what they must become."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from alyx_generator.model.ir import EndpointAction
from alyx_generator.model.naming import upload_names

from .document import Document, Operation, is_json
from .examples import Examples, NoExampleError, Style, merged
from .wire import FORMS, Pairs

_PAGING = frozenset({"limit", "offset", "page", "page_size", "cursor"})
FILE = b"\x89PNG\r\n\x1a\n content of a file"


@dataclass
class Call:
    """The arguments of one call, and what has to arrive."""

    style: str
    keys: list[Any] = field(default_factory=list[Any])
    body: Any = None
    keywords: dict[str, Any] = field(default_factory=dict[str, Any])
    path: str = ""
    query: Pairs = field(default_factory=list[tuple[str, str]])
    json: Any = None
    files: dict[str, list[bytes]] = field(default_factory=dict[str, list[bytes]])


class CallMaker:
    """Arguments of the methods of one package.

    Parameters
    ----------
    document
        The document.
    package
        The name of the package, for its models.
    """

    def __init__(self, document: Document, package: str) -> None:
        self._document = document
        self._examples = Examples(document, "readOnly")
        self._package = package

    def undeclared(self, operation: Operation, action: EndpointAction) -> list[str]:
        """Return the query parameters that a method has no keyword for."""
        keywords = {one.name for one in action.filters} | paging_parameters(action)
        names = [str(one["name"]) for one in operation.parameters_in("query")]
        return [name for name in names if name not in keywords]

    def call(self, operation: Operation, action: EndpointAction, style: Style) -> Call:
        """Return the arguments of a method in one style.

        Raises
        ------
        NoExampleError
            The document has no valid value for one of them.
        InvalidFieldError
            The package refuses one.
        """
        call = Call(style.name)
        self._add_keys(call, operation, action, style)
        self._add_filters(call, operation, action, style)
        if action.body or action.uploads:
            self._add_body(call, operation, action, style)
        return call

    def _add_keys(self, call: Call, operation: Operation, action: EndpointAction, style: Style) -> None:
        declared = {str(one["name"]): one.get("schema", {}) for one in operation.parameters_in("path")}
        # Some documents have paths with a query, to tell the uses of one path apart.
        call.path, _, query = operation.path.partition("?")
        call.query += parse_qsl(query, keep_blank_values=True)
        for name in re.findall(r"\{([^{}]+)\}", operation.path):
            schema = merged(self._document, declared.get(name, {"type": "string"}))
            value = self._examples.example(schema, Style(style.name, turn=style.turn))
            # A key of any text may have any character but the slash, which few servers route.
            if schema.get("type") == "string" and not {"format", "enum", "pattern", "maxLength"} & schema.keys():
                value = "a key & more"
            call.keys.append(value)
            call.path = call.path.replace(f"{{{name}}}", str(value))

    def _add_filters(self, call: Call, operation: Operation, action: EndpointAction, style: Style) -> None:
        keywords = {one.name: one.keyword for one in action.filters}
        for parameter in operation.parameters_in("query"):
            name = str(parameter["name"])
            if name not in keywords or not (style.optional or parameter.get("required")):
                continue
            content = parameter.get("content") or {}
            schema = parameter.get("schema") or next(iter(content.values()), {}).get("schema", {})
            # A filter has neither null nor an empty value, which would be no filter at all.
            choice = Style(style.name, turn=style.turn, items=max(style.items, 1))
            value = self._examples.example(_without_blank(schema, self._document), choice)
            call.keywords[keywords[name]] = value
            call.query += _serialised(parameter, value)

    def _add_body(self, call: Call, operation: Operation, action: EndpointAction, style: Style) -> None:
        problems: list[Exception] = []
        for media_type, schema in _in_order(operation.bodies, with_files=style.optional and bool(action.uploads)):
            fields, files = self._without_files(schema, action)
            if media_type not in FORMS or not style.optional:
                files = [name for name in files if name in (fields.get("required") or ())]
            for alternative in self._alternatives(fields, style):
                if not isinstance(alternative, dict | list):
                    continue
                if isinstance(alternative, dict) and media_type in FORMS:
                    # A form has no list without items.
                    alternative = {name: value for name, value in alternative.items() if value != []}
                call.json, call.files = alternative, {}
                if isinstance(alternative, dict):
                    call.files = {name: [FILE] * (2 if name in action.upload_lists else 1) for name in files}
                try:
                    self._fill(call, action, alternative)
                except Exception as error:
                    problems.append(error)
                    continue
                return
        raise problems[0] if problems else NoExampleError("no body can be made")

    def _alternatives(self, schema: Any, style: Style) -> Iterator[Any]:
        yield self._examples.example(schema, style)
        node = merged(self._document, schema)
        for key in ("oneOf", "anyOf"):
            if isinstance(node.get(key), list) and "properties" not in node:
                for option in node[key]:
                    yield self._examples.example(option, style)

    def _without_files(self, schema: Any, action: EndpointAction) -> tuple[Any, list[str]]:
        """Return a body's schema without the fields that are files, and their names."""
        node = merged(self._document, schema)
        if not action.uploads or "properties" not in node:
            return schema, []
        names = [name for name in node["properties"] if name in action.uploads]
        rest = {name: part for name, part in node["properties"].items() if name not in names}
        return {**node, "properties": rest}, names

    def _fill(self, call: Call, action: EndpointAction, value: Any) -> None:
        """Set the arguments for a body; of the models that the method takes, the first one that takes the value."""
        call.body = None
        keys = [one.name for one in (*action.parents, *filter(None, (action.lookup,)))]
        uploads = upload_names(action.uploads, keys)
        call.keywords |= {
            uploads[name]: contents if name in action.upload_lists else contents[0]
            for name, contents in call.files.items()
        }
        if not action.body:
            return
        module = importlib.import_module(f"{self._package}.models")
        problems: list[Exception] = []
        for model in (getattr(module, name) for name in action.bodies):
            try:
                if action.name == "partial_update" and action.single and isinstance(value, Mapping):
                    if not value and not call.files:
                        raise NoExampleError("there is nothing to change")
                    call.keywords |= _python_names(model, value)
                elif isinstance(value, list):
                    call.body = [model(**_python_names(model, item)) for item in value]
                else:
                    one = model(**_python_names(model, value))
                    call.body = one if action.single else [one]
                    call.json = value if action.single else [value]
                return
            except Exception as error:
                problems.append(error)
        raise problems[0]


def paging_parameters(action: EndpointAction) -> frozenset[str]:
    """Return the query parameters that the package sends by itself to divide a list into pages."""
    own = {action.paging.size, action.paging.position} - {None}
    return (_PAGING | own) if action.paged else frozenset()


def _in_order(bodies: Mapping[str, Any], *, with_files: bool) -> list[tuple[str, Any]]:
    """Return the bodies that are sent: JSON first, unless files go with it."""
    sendable = [(name, schema) for name, schema in bodies.items() if is_json(name) or name in (*FORMS, "*/*")]
    return sorted(sendable, key=lambda one: is_json(one[0]) if with_files else not is_json(one[0]))


def _python_names(model: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.alias or name: name for name, one in model.model_fields.items()}
    return {names.get(name, name): item for name, item in value.items()}


def _serialised(parameter: Mapping[str, Any], value: Any) -> Pairs:
    """Return a query parameter as its style says (OpenAPI, Style Values)."""
    name, style = str(parameter["name"]), parameter.get("style", "form")
    if "content" in parameter:
        return [(name, json.dumps(value))]
    explode = parameter.get("explode", style == "form")
    if isinstance(value, dict):
        if style == "deepObject":
            return [(f"{name}[{key}]", _plain(item)) for key, item in value.items()]
        if explode:
            return [(key, _plain(item)) for key, item in value.items()]
        return [(name, ",".join(text for key, item in value.items() for text in (key, _plain(item))))]
    if isinstance(value, list):
        separator = {"pipeDelimited": "|", "spaceDelimited": " "}.get(style, ",")
        texts = [_plain(item) for item in value]
        return [(name, text) for text in texts] if explode else [(name, separator.join(texts))]
    return [(name, _plain(value))]


def _without_blank(declared: Any, document: Document) -> dict[str, Any]:
    """Return the schema of a filter with text in place of anything, and without the value that is no filter at all."""
    schema = merged(document, declared)
    values = [value for value in schema.get("enum") or () if value != ""]
    if isinstance(schema.get("items"), dict):
        schema = {**schema, "items": _without_blank(schema["items"], document)}
    if not ({"type", "oneOf", "anyOf", "enum", "const", "properties", "items"} & schema.keys()):
        return {"type": "string"}
    return {**schema, "enum": values} if values else schema


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
