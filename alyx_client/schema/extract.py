"""From a schema document to the surface that it describes: OpenAPI 3.0 and 3.1, and CoreAPI."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from alyx_client.schema.coreapi import is_core_api, links
from alyx_client.schema.naming import resource_name, snake_case
from alyx_client.schema.surface import Action, Name, Surface, Value, route
from alyx_client.schema.types import Schema, Values, as_list, as_schema

__all__ = ["UnreadableDocumentError", "surface_of"]

NO_RECORDS = frozenset({"/api/schema", "/auth-token", "/docs"})
"""Paths that are no endpoints of a client: the schema itself, the login, and pages for people."""

_METHODS = ("get", "post", "put", "patch", "delete")
_VERBS = {"GET": "read", "POST": "create", "PUT": "update", "PATCH": "partial_update", "DELETE": "delete"}
_PAGING = frozenset({"limit", "offset"})
_CORE_TYPES = {"string": "text", "array": "list of anything", "enum": "text"}
# What is read is the record, and what is listed its summary, if that is another shape; what is created is the resource.
_READING_ORDER = ("read", "update", "partial_update", "list", "create")
_SENDING_ORDER = ("create", "update", "partial_update")


class UnreadableDocumentError(ValueError):
    """The document is no schema in OpenAPI 3 or CoreAPI."""


def surface_of(document: Mapping[str, Any], names: Mapping[str, Name] | None = None) -> Surface:
    """Return what a schema document offers, as it is published or corrected.

    Parameters
    ----------
    document
        The decoded document.
    names
        What users write, by the actions' routes, where the generator has settled it. Other actions are named by plain
        rules: the path in snake case, the component without ``List`` or ``Detail``; beside settled names, one whose
        path has several words is known by its method and path, since only the generator knows what it would be called.

    Raises
    ------
    UnreadableDocumentError
        It is neither an OpenAPI 3 nor a CoreAPI document.
    """
    if str(document.get("openapi", "")).startswith("3."):
        actions, source = _Document(document).actions(), "OpenAPI"
    elif is_core_api(document):
        actions, source = _core_actions(document), "CoreAPI"
    else:
        raise UnreadableDocumentError("this is no schema: neither an OpenAPI 3 nor a CoreAPI document")
    found = actions if names is None else {key: _named(each, names.get(key)) for key, each in actions.items()}
    return Surface(_distinct(found), "OpenAPI" if source == "OpenAPI" else "CoreAPI")


def _named(action: Action, name: Name | None) -> Action:
    if name is not None:
        return replace(action, name=name)
    words = [each for each in action.path.split("/") if each and not each.startswith("{")]
    plain = f"{action.method} {action.path}"
    return action if len(words) < 2 else replace(action, name=replace(action.name, action=plain))


def _distinct(actions: Mapping[str, Action]) -> dict[str, Action]:
    """Return the actions with names of their own; one whose name is taken is known by its method and path."""
    taken: set[tuple[str, str]] = set()
    result: dict[str, Action] = {}
    for key, action in sorted(actions.items(), key=lambda each: (each[1].path, each[0])):
        name = action.name
        if (name.endpoint, name.action) in taken:
            keyed = name.action == "read" and action.keys
            name = replace(name, action=f"read({action.keys[-1][0]})" if keyed else f"{action.method} {action.path}")
        taken.add((name.endpoint, name.action))
        result[key] = replace(action, name=name)
    return result


def _endpoint(path: str) -> str:
    name = snake_case(path)
    if name[0].isdigit():
        name = f"endpoint_{name}"
    return f"{name}_" if keyword.iskeyword(name) or keyword.issoftkeyword(name) else name


def _keys(path: str) -> list[str]:
    return [each[1:-1] for each in path.split("/") if each.startswith("{") and each.endswith("}")]


def _is_listed(path: str) -> bool:
    return path.rstrip("/") not in NO_RECORDS


class _Document:
    """An OpenAPI document and how its operations are read."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._paths = as_schema(document.get("paths"))
        self._values = Values(document)

    def actions(self) -> dict[str, Action]:
        found: dict[str, Action] = {}
        components: dict[str, tuple[str, str]] = {}
        for path in sorted(filter(_is_listed, self._paths)):
            item = self._values.resolved(self._paths[path])
            for method in _METHODS:
                spec = as_schema(item.get(method))
                if method not in item or spec.get("x-alyx-skip"):
                    continue
                key = route(method, path)
                found[key], components[key] = self._action(path, method.upper(), item, spec)
        return _with_classes(found, components)

    def _action(self, path: str, method: str, item: Schema, spec: Schema) -> tuple[Action, tuple[str, str]]:
        parameters = self._parameters(item, spec)
        kinds = {name: self._kind(schema) for (where, name), schema in parameters.items() if where == "path"}
        filters = {
            name: replace(self._values.value(as_schema(each.get("schema"))), required=bool(each.get("required")))
            for (where, name), each in parameters.items()
            if where == "query" and name not in _PAGING
        }
        takes, body = self._body(spec)
        sent = self._values.fields(body, sent=True) if body else {}
        if method == "PATCH":
            sent = {name: replace(value, required=False) for name, value in sent.items()}
        answer, row = self._answer(method, spec)
        action = Action(
            Name(*self._name(path, method, answer)),
            method,
            path,
            tuple((key, kinds.get(key, "text")) for key in _keys(path)),
            takes,
            answer,
            filters,
            sent,
            self._values.fields(row) if row else {},
        )
        return action, (self._values.component(body), self._values.component(row))

    def _parameters(self, item: Schema, spec: Schema) -> dict[tuple[str, str], Schema]:
        """Return an operation's parameters by place and name, its own in place of the path's."""
        found: dict[tuple[str, str], Schema] = {}
        for each in (*as_list(item.get("parameters")), *as_list(spec.get("parameters"))):
            parameter = self._values.resolved(each)
            if "name" in parameter:
                found[str(parameter.get("in")), str(parameter["name"])] = parameter
        return found

    def _kind(self, parameter: Schema) -> str:
        return " or ".join(self._values.value(as_schema(parameter.get("schema"))).types)

    def _name(self, path: str, method: str, answer: str) -> tuple[str, str]:
        verb = _VERBS[method]
        segments = [each for each in path.split("/") if each]
        if method == "GET" and answer.endswith("of records") and (answer.startswith("page") or not path.endswith("}")):
            return _endpoint(path), "list"
        above = f"/{'/'.join(segments[:-1])}"
        done_to_a_record = len(segments) > 2 and segments[-2].startswith("{") and not segments[-1].startswith("{")
        if done_to_a_record and (above in self._paths or f"{above}/" in self._paths):
            return _endpoint(above), _endpoint(segments[-1])
        return _endpoint(path), verb

    def _body(self, spec: Schema) -> tuple[str, Schema]:
        """Return what is taken, in words, and the schema of one record of it."""
        schema = _json(self._values.resolved(spec.get("requestBody")))
        if schema is None:
            return "", {}
        target = self._values.resolved(schema)
        options = as_list(target.get("oneOf") or target.get("anyOf")) or [schema]
        lists = [each for each in map(self._values.resolved, options) if each.get("type") == "array"]
        single = [each for each in options if self._values.resolved(each).get("type") != "array"]
        words = " or ".join(word for word, there in (("record", single), ("list", lists)) if there)
        chosen = single or [each.get("items") for each in lists]
        return words, as_schema(chosen[0]) if len(chosen) == 1 else {"oneOf": chosen}

    def _answer(self, method: str, spec: Schema) -> tuple[str, Schema]:
        """Return what is answered, in words, and the schema of one record of it."""
        responses = as_schema(spec.get("responses"))
        answers = [self._values.resolved(responses[code]) for code in sorted(responses) if str(code).startswith("2")]
        with_content = [each for each in answers if each.get("content")]
        if not with_content:
            empty = method == "DELETE" or any(code in responses for code in ("204", "205"))
            return "nothing" if empty else "anything", {}
        media = as_schema(with_content[0]["content"])
        if not any("json" in name for name in media):
            return "file", {}
        schema = _json(with_content[0]) or {}
        target = self._values.resolved(schema)
        rows = self._rows_of_page(target)
        if rows is not None and method == "GET":
            return "page of records", rows
        value = self._values.value(schema)
        if value.types == ("list of record",):
            return "list of records", as_schema(target.get("items"))
        return " or ".join(value.types), schema if "record" in value.types else {}

    def _rows_of_page(self, target: Schema) -> Schema | None:
        properties = as_schema(target.get("properties"))
        results = self._values.resolved(properties.get("results"))
        is_page = "count" in properties or ("next" in properties and "previous" in properties)
        return as_schema(results.get("items")) if is_page and results.get("type") == "array" else None


def _json(holder: Schema) -> Schema | None:
    """Return the schema of what is sent or answered as JSON, or else in the first form there is."""
    content = as_schema(holder.get("content"))
    media = next((name for name in content if "json" in name), next(iter(content), None))
    return None if media is None else as_schema(as_schema(content[media]).get("schema"))


def _with_classes(actions: Mapping[str, Action], components: Mapping[str, tuple[str, str]]) -> dict[str, Action]:
    """Return the actions with the classes of what they send and answer, named by the components."""
    answers: dict[str, str] = {}
    for key in _in_order(actions, _READING_ORDER):
        component = components[key][1]
        if component and component not in answers:
            resource = resource_name(component)
            other = "Summary" if actions[key].name.action in ("list", "create") else "Updated"
            answers[component] = _free(answers.values(), f"{resource}Record", f"{resource}{other}")
    sends: dict[str, str] = {}
    last: dict[str, str] = {}
    for key in _in_order(actions, _SENDING_ORDER):
        action, component = actions[key], components[key][0]
        before = last.get(action.name.endpoint)
        if not component:
            continue
        # What may be changed one by one is what may be replaced, and what is replaced often what is created.
        if before and (action.method == "PATCH" or action.sent == actions[before].sent):
            sends[key] = sends[before]
        else:
            resource = resource_name(component)
            sends[key] = _free(sends.values(), resource, f"{resource}Update") if before else resource
            last[action.name.endpoint] = key
    return {
        key: replace(
            action, name=replace(action.name, sends=sends.get(key, ""), answers=answers.get(components[key][1], ""))
        )
        for key, action in actions.items()
    }


def _in_order(actions: Mapping[str, Action], order: Sequence[str]) -> list[str]:
    """Return the routes endpoint by endpoint, their actions in the order in which they get their names."""
    rank = {action: index for index, action in enumerate(order)}
    return sorted(actions, key=lambda key: (actions[key].name.endpoint, rank.get(actions[key].name.action, 9), key))


def _free(taken: Iterable[str], *wanted: str) -> str:
    known = set(taken)
    return next((name for name in wanted if name not in known), wanted[-1])


# --- CoreAPI


def _core_actions(document: Mapping[str, Any]) -> dict[str, Action]:
    found: dict[str, Action] = {}
    for word, link in links(document):
        path, method = str(link.get("url", "")), str(link.get("action", "get")).upper()
        if not _is_listed(path) or method not in _VERBS:
            continue
        fields: dict[str, dict[str, Value]] = {"path": {}, "query": {}, "form": {}}
        for each in map(as_schema, as_list(link.get("fields"))):
            place = str(each.get("location"))
            fields.setdefault("form" if place == "body" else place, {})[str(each.get("name"))] = _core_value(each)
        if method == "PATCH":
            fields["form"] = {name: replace(each, required=False) for name, each in fields["form"].items()}
        found[route(method, path)] = Action(
            Name(_endpoint(path), "list" if word == "list" else _VERBS[method]),
            method,
            path,
            tuple((key, " or ".join(fields["path"].get(key, Value(("text",))).types)) for key in _keys(path)),
            "record" if fields["form"] else "",
            "",
            {name: each for name, each in fields["query"].items() if name not in _PAGING},
            fields["form"],
        )
    return {key: _with_whole_form(action, found) for key, action in found.items()}


def _with_whole_form(action: Action, actions: Mapping[str, Action]) -> Action:
    """Return an action that creates with the fields of the one that replaces, if it is said to lack any of them.

    Without a request, as when the document is made, Alyx's views choose the serialiser of a list's rows.
    """
    replacing = actions.get(route("PUT", f"{action.path}/{{}}"))
    if action.method != "POST" or replacing is None or not action.sent or not set(replacing.sent) - set(action.sent):
        return action
    return replace(action, sent={**action.sent, **replacing.sent})


def _core_value(declared: Schema) -> Value:
    schema = as_schema(declared.get("schema"))
    kind = str(schema.get("_type"))
    known = {"integer", "number", "boolean", "object"}
    values = cast("Sequence[Any]", as_list(schema.get("enum")))
    return Value(
        (kind if kind in known else _CORE_TYPES.get(kind, "anything"),),
        bool(declared.get("required")),
        enum=tuple(sorted((each for each in values if isinstance(each, str | int | float)), key=str)),
    )
