"""CoreAPI, the form in which servers before 3.3 describe themselves, as OpenAPI 3.

A CoreAPI document lists links with their fields and says nothing about answers. What an endpoint answers is therefore
taken from a server that is known: the endpoint of the same path. All fields are optional there, since a server of
another version may lack any. Where no such endpoint is known, the form that creates a record stands in. What is sent is
taken from the known endpoint, too, where the document leaves it out.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from alyx_client.schema.coreapi import links
from alyx_client.schema.naming import class_name, snake_case
from alyx_client.schema.openapi import as_list, as_schema
from alyx_generator.source.openapi import component_of, is_object, resolved

Schema = dict[str, Any]
Table = Mapping[str, Any]

_REF = "#/components/schemas/"
_KINDS = frozenset({"string", "integer", "number", "boolean", "array"})
# What says that a record is one of a list: in CoreAPI both are read by `get`.
_LIST = "list"
_BODIES = ("post", "put", "patch")


def read_coreapi(document: Table, likeness: Table, name: str) -> Schema:
    """Return a CoreAPI document as OpenAPI 3.

    Parameters
    ----------
    document
        The decoded CoreAPI document.
    likeness
        The OpenAPI document of a server that is most like this one, as it was published: it gives answers, the types
        of fields and filters that CoreAPI only calls text, and the kinds of keys.
    name
        What that document is called in docstrings.

    Returns
    -------
    dict
        The document. ``x-all-optional`` says of it that an answer may lack any field.
    """
    return _Reader(document, likeness, name).read()


class _Reader:
    def __init__(self, document: Table, likeness: Table, name: str) -> None:
        self._document = document
        self._known_paths: Table = likeness["paths"]
        self._known: Table = likeness["components"]["schemas"]
        self._security = likeness["components"].get("securitySchemes", {})
        self._name = name
        self._components: dict[str, Schema] = {}

    def read(self) -> Schema:
        paths: dict[str, dict[str, Any]] = {}
        found = list(links(self._document))
        forms: dict[str, Schema] = {}
        for action, link in found:
            if action in ("create", "update") and (form := self._form(link)):
                forms.setdefault(_collection(str(link["url"])), form)
        for action, link in found:
            path, method = str(link["url"]), str(link.get("action", "get")).lower()
            paths.setdefault(path, {})[method] = self._operation(action, path, method, link, forms)
        title = str(cast("Table", self._document.get("_meta") or {}).get("title", ""))
        return {
            "openapi": "3.0.3",
            "info": {"title": title, "version": ""},
            "x-all-optional": True,
            "paths": dict(sorted(paths.items())),
            "components": {"schemas": dict(sorted(self._components.items())), "securitySchemes": self._security},
        }

    def _operation(self, action: str, path: str, method: str, link: Table, forms: Mapping[str, Schema]) -> Schema:
        known = self._known_operation(path, method)
        operation: Schema = {
            "operationId": f"{snake_case(path)}_{action}",
            "parameters": [self._parameter(field, known) for field in _fields(link, "path", "query")],
            "responses": self._responses(action, path, method, known, forms),
        }
        if link.get("description"):
            operation["description"] = str(link["description"])
        body = self._body(path, method, link, known) if method in _BODIES else None
        if body is not None:
            operation["requestBody"] = body
        return operation

    # --- what is asked for

    def _parameter(self, field: Table, known: Table) -> Schema:
        """Return a filter or a key. CoreAPI calls a boolean, a date or a UUID text; a known server says more."""
        name, place = str(field["name"]), str(field["location"])
        own = _schema_of(field)
        parameter: Schema = {"name": name, "in": place, "required": bool(field.get("required")) or place == "path"}
        for each in cast("Sequence[Table]", known.get("parameters", ())):
            if each.get("in") == place and (each["name"] == name or place == "path") and own.get("type") == "string":
                parameter |= {key: each[key] for key in ("style", "explode") if key in each}
                own = {**copy.deepcopy(each["schema"]), **({"description": d} if (d := own.get("description")) else {})}
                break
        else:
            own |= _kind_of_key(own) if place == "path" else {}
        description = own.pop("description", "")
        return parameter | {"schema": own} | ({"description": description} if description else {})

    def _body(self, path: str, method: str, link: Table, known: Table) -> Schema | None:
        form = self._form(link)
        if not form:
            # Alyx's CoreAPI leaves out the forms of endpoints whose serialiser it cannot find out.
            self._take_all(known.get("requestBody"))
            return copy.deepcopy(known.get("requestBody"))
        content = cast("Table", cast("Table", known.get("requestBody", {})).get("content", {}))
        like = _first_schema(content)
        component = self._like_component(like, method)
        if component is None:
            component = _resource(path) + ("Update" if method == "put" else "")
            component = f"Patched{component}" if method == "patch" else component
            self._components[component] = form
        else:
            self._fit(component, form)
        whole: Schema = {"$ref": _REF + component}
        if like and (like.get("oneOf") or like.get("anyOf")):
            whole = {"oneOf": [whole, {"type": "array", "items": dict(whole)}]}
        media = [str(link.get("encoding") or "application/json"), *content]
        return {"content": {each: {"schema": whole} for each in dict.fromkeys(media)}, "required": method != "patch"}

    def _like_component(self, like: Table | None, method: str) -> str | None:
        """Return the known component that is sent, its name kept so that corrections find it."""
        options = [like, *(like.get("oneOf") or like.get("anyOf") or ())] if like else []
        for option in options:
            name = component_of(option)
            if name is not None and is_object(self._known.get(name, {}), self._known):
                self._take(name)
                return name
        return None

    def _fit(self, component: str, form: Schema) -> None:
        """Make what can be sent of a known component what this server's form has."""
        target = self._components[component]
        properties = cast("dict[str, Schema]", target.setdefault("properties", {}))
        taken, required = form["properties"], form.get("required", [])
        fitted = set(target.get("x-fitted", ()))
        for name, schema in properties.items():
            if name in taken:
                schema.pop("readOnly", None)
                own = taken[name]
                if _contradicts(own, resolved(schema, self._known)):
                    schema["x-sent"] = own
            elif name not in fitted and not schema.get("writeOnly"):
                schema["readOnly"] = True
        for name, own in taken.items():
            if name not in properties:
                properties[name] = {**own, "writeOnly": True}
        target["x-fitted"] = sorted(fitted | set(taken))
        target["required"] = sorted(required)

    def _form(self, link: Table) -> Schema:
        fields = list(_fields(link, "form", "body"))
        if not fields:
            return {}
        properties = {str(field["name"]): _schema_of(field) for field in fields}
        required = sorted(str(field["name"]) for field in fields if field.get("required"))
        return {"type": "object", "properties": properties} | ({"required": required} if required else {})

    # --- what is answered

    def _responses(self, action: str, path: str, method: str, known: Table, forms: Mapping[str, Schema]) -> Schema:
        if method == "delete":
            return {"204": {"description": ""}}
        like = cast("Table", known.get("responses", {}))
        if like:
            for schema in _schemas_in(like):
                self._take_all(schema)
            return copy.deepcopy(dict(like))
        form = forms.get(_collection(path))
        if not form:
            return {"200": {"description": ""}}
        component = f"{_resource(path)}Detail"
        self._components.setdefault(
            component,
            {
                **copy.deepcopy(form),
                "x-about-answers": "This server does not say what it answers: the fields are those of the form that "
                "creates a record, and any of them may be missing.",
            },
        )
        row: Schema = {"$ref": _REF + component}
        return {
            "200": {
                "description": "",
                "content": {"application/json": {"schema": _page(row) if action == _LIST else row}},
            }
        }

    def _known_operation(self, path: str, method: str) -> Table:
        found: Table = self._known_path(path).get(method, {})
        return found

    def _known_path(self, path: str) -> Table:
        if path in self._known_paths:
            return cast("Table", self._known_paths[path])
        # The key of the same endpoint may be called otherwise.
        for other, item in self._known_paths.items():
            if _collection(other) == _collection(path) and other.count("{") == path.count("{"):
                return cast("Table", item)
        return {}

    def _take_all(self, node: Any) -> None:
        if isinstance(node, Mapping):
            for key, value in cast("Table", node).items():
                if key == "$ref" and isinstance(value, str) and value.startswith(_REF):
                    self._take(value.removeprefix(_REF))
                else:
                    self._take_all(value)
        elif isinstance(node, list):
            for item in cast("Sequence[Any]", node):
                self._take_all(item)

    def _take(self, name: str) -> None:
        """Take a component from the known server, with all that it refers to."""
        if name in self._components or name not in self._known:
            return
        taken = copy.deepcopy(dict(self._known[name]))
        self._components[name] = taken
        self._take_all(taken)
        if is_object(taken, self._known):
            taken["x-about-answers"] = (
                f"This server does not say what it answers: the fields are those of {self._name}, and any of them may "
                "be missing."
            )


def _fields(link: Table, *places: str) -> Iterator[Table]:
    fields = (as_schema(each) for each in as_list(link.get("fields")))
    return (field for field in fields if field.get("location") in places and "name" in field)


def _schema_of(field: Table) -> Schema:
    """Return a field's type. Text stands for all that CoreAPI has no word for, and an object for any JSON."""
    given = as_schema(field.get("schema"))
    kind = str(given.get("_type", "string"))
    described = str(given.get("description") or field.get("description") or "")
    result: Schema = {"description": described} if described else {}
    if kind == "enum":
        values = as_list(given.get("enum"))
        return result | ({"enum": values} if values else {"type": "string"})
    if kind == "array":
        return result | {"type": "array", "items": {}}
    return result | ({"type": kind} if kind in _KINDS else {})


def _kind_of_key(schema: Table) -> Schema:
    described = str(schema.get("description", ""))
    if described.startswith("A UUID string identifying"):
        return {"format": "uuid"}
    return {"type": "integer"} if described.startswith("A unique integer value identifying") else {}


def _contradicts(own: Table, known: Table) -> bool:
    kind, other = own.get("type"), known.get("type")
    # Numbers and lists are called so; text may be anything.
    return kind in ("integer", "number", "boolean", "array") and other is not None and other != kind


def _collection(path: str) -> str:
    return "/".join(segment for segment in path.strip("/").split("/") if not segment.startswith("{"))


def _first_schema(content: Table) -> Table | None:
    media = next((each for each in content if "json" in each), next(iter(content), None))
    return cast("Table", content[media].get("schema")) if media else None


def _schemas_in(responses: Table) -> Iterator[Any]:
    for response in responses.values():
        for media in cast("Table", response.get("content", {})).values():
            yield media.get("schema")


def _resource(path: str) -> str:
    """Return what one record of an endpoint is called, from the endpoint's name in the plural."""
    name = class_name(snake_case(path))
    if name.endswith("ies"):
        return f"{name.removesuffix('ies')}y"
    return name.removesuffix("s") if name.endswith("s") and not name.endswith(("ss", "us", "is")) else name


def _page(row: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {
            "count": {"type": "integer"},
            "next": {"type": "string", "nullable": True},
            "previous": {"type": "string", "nullable": True},
            "results": {"type": "array", "items": row},
        },
    }
