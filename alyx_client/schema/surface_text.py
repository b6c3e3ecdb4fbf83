"""The text of a surface, for files and fingerprints.

It is JSON Lines: a header, then one line for each action, filter, field of requests and field of responses, sorted. A
field that several actions of an endpoint share is one line that names them, so that a new field is a new line in a
diff.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields, replace
from typing import Any, Literal

from alyx_client.schema.routes import route
from alyx_client.schema.surface import ActionFacts, ActionName, Surface, SurfaceAction, Values, ValueSpec

__all__ = ["dump", "fingerprint", "load"]

Part = Literal["filters", "sent", "answered"]

_FORMAT_VERSION = 2
_PARTS: tuple[Part, ...] = ("filters", "sent", "answered")
_VALUE_KEYS = frozenset({"type", "required", "nullable", "enum"})


def dump(surface: Surface) -> str:
    """Return the canonical text of a surface: the same text for equal surfaces, on any machine."""
    return _text(surface, surface.actions.values())


def fingerprint(surface: Surface) -> str:
    """Return the SHA-256 of a surface's text, in hexadecimal; the names of methods and classes are not part of it."""
    # The fingerprint identifies a server's version, which must not change with the rules for names.
    unnamed = [replace(action, name=ActionName(action.path, action.method)) for action in surface.actions.values()]
    return hashlib.sha256(_text(surface, unnamed).encode()).hexdigest()


def load(text: str) -> Surface:
    """Read the text of a surface.

    Raises
    ------
    ValueError
        It is not the text of a surface, or one of another version.
    """
    try:
        header, *rows = [json.loads(line) for line in text.splitlines()]
        _, version, source, attributes = header
        if header[0] != "surface" or version != _FORMAT_VERSION or source not in ("OpenAPI", "CoreAPI"):
            raise ValueError
        servers, services = (tuple(map(str, attributes[key])) for key in ("servers", "services"))
        return Surface(_read_actions(rows), source, servers, services)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise ValueError(
            "this is not the text of a surface that this version can read. Regenerate the client with "
            "alyx-generate client"
        ) from None


def _text(surface: Surface, actions: Iterable[SurfaceAction]) -> str:
    lines = [_line(*row) for row in _rows(list(actions))]
    attributes = {"servers": surface.servers, "services": surface.services}
    return "\n".join((_line("surface", _FORMAT_VERSION, surface.source, attributes), *sorted(lines))) + "\n"


def _line(*items: Any) -> str:
    return json.dumps(items, sort_keys=True)


def _rows(actions: list[SurfaceAction]) -> Iterator[tuple[Any, ...]]:
    for action in actions:
        classes = [action.name.request_class, action.name.response_class]
        attributes = {
            "method": action.method,
            "path": action.path,
            "keys": [(name, _described(value)) for name, value in action.keys],
            "takes": action.body,
            "answer": action.response,
            "classes": classes if any(classes) else [],
            **asdict(action.facts),
        }
        present = {key: attribute for key, attribute in attributes.items() if attribute}
        yield action.name.endpoint, "action", action.name.action, present
    # PATCH comes last: it accepts what the others accept, and requires less.
    ordered = sorted(actions, key=lambda action: (action.method == "PATCH", action.name.action))
    for part in _PARTS:
        yield from _value_rows(part, ordered)


def _value_rows(part: Part, actions: Iterable[SurfaceAction]) -> Iterator[tuple[Any, ...]]:
    shared: dict[tuple[str, str, ValueSpec], list[str]] = {}
    for action in actions:
        for name, value in _values(action, part).items():
            key = (action.name.endpoint, name, value)
            # PATCH requires no field, and so would have a line of its own for most of them; `load` undoes this.
            required = (action.name.endpoint, name, replace(value, required=True))
            if part == "sent" and action.method == "PATCH" and key not in shared and required in shared:
                key = required
            shared.setdefault(key, []).append(action.name.action)
    for (endpoint, name, value), names in shared.items():
        yield endpoint, part, name, sorted(names), _described(value)


def _values(action: SurfaceAction, part: Part) -> Values:
    values = {"filters": action.filters, "sent": action.request_fields, "answered": action.response_fields}
    return values[part]


def _described(value: ValueSpec) -> dict[str, Any]:
    described: dict[str, Any] = {"type": value.types[0] if len(value.types) == 1 else value.types}
    if value.required:
        described["required"] = True
    if value.nullable:
        described["nullable"] = True
    if value.enum:
        described["enum"] = value.enum
    return described | dict(value.keywords)


def _read_value(described: Mapping[str, Any]) -> ValueSpec:
    types = described["type"]
    return ValueSpec(
        (types,) if isinstance(types, str) else tuple(types),
        bool(described.get("required")),
        bool(described.get("nullable")),
        tuple(described.get("enum", ())),
        tuple(sorted((key, value) for key, value in described.items() if key not in _VALUE_KEYS)),
    )


def _read_actions(rows: Iterable[list[Any]]) -> dict[str, SurfaceAction]:
    attributes: dict[tuple[str, str], Mapping[str, Any]] = {}
    values: dict[tuple[str, str], dict[Part, dict[str, ValueSpec]]] = {}
    for endpoint, part, name, *content in rows:
        if part == "action":
            attributes[endpoint, name] = content[0]
            continue
        actions, described = content
        for action in actions:
            values.setdefault((endpoint, action), {}).setdefault(part, {})[name] = _read_value(described)
    if values.keys() - attributes.keys():
        raise ValueError
    read = [_read_action(*key, attributes[key], values.get(key, {})) for key in attributes]
    return {route(action.method, action.path): action for action in read}


def _read_action(
    endpoint: str, action: str, attributes: Mapping[str, Any], values: Mapping[Part, dict[str, ValueSpec]]
) -> SurfaceAction:
    method = attributes["method"]
    request_fields = values.get("sent", {})
    if method == "PATCH":
        request_fields = {name: replace(value, required=False) for name, value in request_fields.items()}
    request_class, response_class = attributes.get("classes") or ("", "")
    return SurfaceAction(
        ActionName(endpoint, action, request_class, response_class),
        method,
        attributes["path"],
        tuple((name, _read_value(described)) for name, described in attributes.get("keys", ())),
        attributes.get("takes", ""),
        attributes.get("answer", ""),
        values.get("filters", {}),
        request_fields,
        values.get("answered", {}),
        _read_facts(attributes),
    )


def _read_facts(attributes: Mapping[str, Any]) -> ActionFacts:
    lists = {item.name: attributes.get(item.name, ()) for item in fields(ActionFacts)}
    about = tuple((str(key), value) for key, value in lists.pop("about"))
    return ActionFacts(**{name: tuple(map(str, values)) for name, values in lists.items()}, about=about)
