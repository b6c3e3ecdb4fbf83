"""Reader of CoreAPI documents, the form in which servers before 3.3 describe themselves."""

from __future__ import annotations

from alyx_client.testing.schema.document import (
    Action,
    Document,
    Endpoint,
    Field,
    JSONObject,
    Kind,
    Shape,
    load,
    snapshot,
)

_KINDS: dict[str, Kind] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "array",
}
_ACTIONS = ("list", "read", "create", "update", "partial_update", "delete")


def read_coreapi(raw: JSONObject) -> Document:
    """Read a CoreAPI document.

    A CoreAPI document says nothing about answers. Shapes are taken from the shipped snapshot of the same
    endpoint where there is one, and from the form that creates a record where there is none.
    """
    newer = _shipped()
    paths: dict[str, set[str]] = {}
    endpoints: dict[str, Endpoint] = {}
    for name, links in _objects(raw):
        if name.startswith("_"):
            continue
        known = newer.get(name)
        form = next((_form(links[action]) for action in ("create", "update") if action in links), None)
        actions: dict[str, Action] = {}
        lookup: str | None = None
        for action, link in _links(links):
            path, method = str(link["url"]), str(link["action"]).upper()
            paths.setdefault(path, set()).add(method)
            if action not in _ACTIONS:
                continue
            if path.endswith("}"):
                lookup = path.rsplit("{", 1)[-1].rstrip("}")
            like = known.actions.get(action) if known else None
            filters = frozenset(str(item["name"]) for item in link.get("fields", ()) if item.get("location") == "query")
            request = (like.request if like else None) or form
            answer = (like.answer if like else None) or form
            actions[action] = Action(action, method, path, filters, request, answer)
        if actions:
            endpoints[name] = Endpoint(name, lookup, actions)
    return Document(raw, "coreapi", {path: frozenset(methods) for path, methods in paths.items()}, endpoints)


def _shipped() -> dict[str, Endpoint]:
    path = snapshot(corrected=True) or snapshot()
    return dict(load(path).endpoints) if path is not None else {}


def _objects(described: JSONObject) -> list[tuple[str, JSONObject]]:
    return [(name, value) for name, value in described.items() if isinstance(value, dict)]


def _links(links: JSONObject, prefix: str = "") -> list[tuple[str, JSONObject]]:
    found: list[tuple[str, JSONObject]] = []
    for name, link in _objects(links):
        if "url" in link and "action" in link:
            found.append((name, link))
        else:
            found += _links(link, name)
    return found


def _form(link: JSONObject) -> Shape:
    fields: dict[str, Field] = {}
    for item in link.get("fields", ()):
        if item.get("location") != "form":
            continue
        name, required = str(item["name"]), bool(item.get("required"))
        kind = _KINDS.get(str(item.get("schema", {}).get("_type", "string")), "any")
        fields[name] = Field(name, kind, nullable=not required, required=required, may_be_blank=not required)
    return Shape("", fields)
