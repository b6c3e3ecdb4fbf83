"""Targets of a probe: the lists and records to read, and the lists that lead to the records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote, urlsplit

from alyx_client.schema.openapi import Schema, as_list, as_schema
from alyx_client.schema.routes import is_endpoint
from alyx_generator.probe.observations import Location
from alyx_generator.probe.values import is_encodable
from alyx_generator.source.openapi import Document, Schemas, component_of, merged, resolved

LookupKeys = dict[str, str]
"""The values of the lookup keys in a path, by name."""

_LOOKUP_KEY = re.compile(r"\{([^{}]+)\}")
_FILE = re.compile(r"\.\w{2,5}/?$")
# Too many lists have such a field to tell by it which one leads to a record.
_AMBIGUOUS_KEYS = frozenset({"id", "pk", "name", "slug"})


@dataclass(frozen=True)
class Target:
    """A GET operation of the schema.

    Parameters
    ----------
    path
        Its path, with lookup keys in braces.
    schema, location
        The declared schema of the response, and its location; None if nothing is declared.
    paged
        Whether the response is a page, chosen by ``limit`` and ``offset``.
    keys
        The lookup keys of the path.
    keys_from
        The path of the list whose rows contain the last lookup key; empty if there is none.
    skipped
        Why it is not read; empty if it is.
    """

    path: str
    schema: Schema | None
    location: Location
    paged: bool = False
    keys: tuple[str, ...] = ()
    keys_from: str = ""
    skipped: str = ""

    @property
    def name(self) -> str:
        """The name in reports: ``/subjects list``."""
        return f"{self.path} {'list' if self.paged else 'read'}"

    def path_of(self, keys: LookupKeys) -> str:
        """Return the path of a record."""
        return _LOOKUP_KEY.sub(lambda match: quote(keys[match[1]], safe=""), self.path)

    def keys_in(self, row: object, parent_keys: LookupKeys) -> LookupKeys | None:
        """Return the lookup keys of the record that a row stands for; None if the row does not tell.

        Parameters
        ----------
        row
            A row of the list at `keys_from`.
        parent_keys
            The lookup keys in that list's path.
        """
        fields = as_schema(row)
        last = self.keys[-1]
        for value in (fields.get(last), _last_segment(fields.get("url")), fields.get("id")):
            if not isinstance(value, str | int) or isinstance(value, bool):
                continue
            # "." and ".." would leave the path's segment even if quoted.
            if is_encodable(str(value)) and str(value) not in ("", ".", ".."):
                return {**parent_keys, last: str(value)}
        return None


def find_targets(document: Document) -> list[Target]:
    """Return the GET operations of a corrected document, each list before the records that it leads to."""
    components = as_schema(as_schema(document.get("components")).get("schemas"))
    paths = as_schema(document.get("paths"))
    by_path = {
        path: _target(path, as_schema(paths[path]), components)
        for path in sorted(paths)
        if isinstance(as_schema(paths[path]).get("get"), Mapping) and is_endpoint(path)
    }
    return _in_order([_with_list(target, by_path, components) for target in by_path.values()])


def _in_order(targets: list[Target]) -> list[Target]:
    ordered: list[Target] = []
    while targets:
        placed = {"", *(target.path for target in ordered)}
        ready = [target for target in targets if target.keys_from in placed or target.keys_from == target.path]
        # Records directly follow their list, so that few lists must be read again after an interruption. If none is
        # ready, lists lead to each other in a circle.
        following = next((target for target in ready if target.keys_from), None) or next(iter(ready), targets[0])
        ordered.append(following)
        targets.remove(following)
    return ordered


def _target(path: str, item: Schema, components: Schemas) -> Target:
    operation = as_schema(item["get"])
    schema, location = _response_schema(path, operation)
    fields = as_schema(resolved(schema, components).get("properties"))
    paged = "count" in fields and as_schema(fields.get("results")).get("type") == "array"
    keys = tuple(_LOOKUP_KEY.findall(path))
    return Target(path, schema, location, paged, keys, skipped=_skip_reason(path, item, operation))


def _skip_reason(path: str, item: Schema, operation: Schema) -> str:
    if operation.get("x-alyx-skip"):
        return "the corrections leave it out"
    if as_schema(operation.get("requestBody")).get("required"):
        return "it needs a body"
    if _FILE.search(path):
        return "it is a file"
    parameters = map(as_schema, (*as_list(item.get("parameters")), *as_list(operation.get("parameters"))))
    required = [
        str(parameter.get("name"))
        for parameter in parameters
        if parameter.get("required") and parameter.get("in") != "path"
    ]
    return f"it needs {', '.join(required)}" if required else ""


def _response_schema(path: str, operation: Schema) -> tuple[Schema | None, Location]:
    responses = as_schema(operation.get("responses"))
    status = next((str(status) for status in responses if str(status).startswith("2")), None)
    if status is None:
        return None, ("paths", path, "get")
    location: Location = ("paths", path, "get", "responses", status)
    content = as_schema(as_schema(responses[status]).get("content"))
    media_type = next((name for name in content if "json" in name or name == "*/*"), None)
    if media_type is None:
        return ({} if content else None), location
    schema = as_schema(as_schema(content[media_type]).get("schema"))
    return schema or None, (*location, "content", media_type, "schema")


def _with_list(target: Target, by_path: Mapping[str, Target], components: Schemas) -> Target:
    """Return a target with the list that leads to its records."""
    if target.skipped or not target.keys:
        return target
    # The rows of /labs/{lab}/members have the last key of /labs/{lab}/members/{id}; those of /labs have `lab`.
    last = target.keys[-1]
    parent = target.path[: target.path.rindex(f"/{{{last}}}")]
    candidates = [path for path in (parent, f"{parent}/") if path in by_path and not by_path[path].skipped]
    if not candidates and len(target.keys) == 1 and last not in _AMBIGUOUS_KEYS:
        candidates = [path for path, other in by_path.items() if _rows_have(other, last, components)]
    if not candidates:
        return replace(target, skipped="no list has its keys")
    return replace(target, keys_from=candidates[0])


def _rows_have(target: Target, key: str, components: Schemas) -> bool:
    """Return whether a target is a list whose rows have a field."""
    if target.keys or target.skipped or target.schema is None:
        return False
    schema = resolved(target.schema, components)
    rows = as_schema(as_schema(schema.get("properties")).get("results")) if target.paged else schema
    row = as_schema(rows.get("items"))
    name = component_of(row)
    declared = as_schema(components.get(name)) if name is not None else row
    return key in as_schema(merged(declared, components).get("properties"))


def _last_segment(url: object) -> str | None:
    """Return the last path segment of a record's URL, which is its lookup key."""
    if not isinstance(url, str):
        return None
    try:
        return unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2])
    except ValueError:
        return None
