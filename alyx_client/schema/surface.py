"""What a server offers, as a small value: its actions, the filters they take, the fields they are sent and answer.

A surface is what two schemas are compared by. It knows nothing of prose, of the order in which a document lists things,
or of how a document divides its schemas into components.

Its text is JSON Lines: a header, then one line for each action, each filter, each field sent and each field answered,
sorted. A field that several actions of an endpoint share is one line that names them, so that a new field is a new
line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

__all__ = ["Action", "Name", "Source", "Surface", "Value", "dump", "fingerprint", "load", "route"]

Scalar = str | int | float | bool
Source = Literal["OpenAPI", "CoreAPI"]
Values = Mapping[str, "Value"]

_FORM = 1


@dataclass(frozen=True, slots=True)
class Value:
    """What a filter or a field takes or holds.

    Parameters
    ----------
    types
        The alternatives, sorted: ``text``, ``integer``, ``number``, ``boolean``, ``date``, ``date-time``, ``uuid``,
        ``file``, ``record``, ``object``, ``anything``, and ``list of …`` and ``mapping of …`` these: ``list of text``,
        ``list of (number or null)``.
    required
        Of what is sent: whether it must be there. Of an answer: whether it always is.
    nullable
        Whether it may be null.
    enum
        The values it may have; empty where any will do. Those of a list's items, if it is a list.
    limits
        What the server checks besides, by OpenAPI's keyword: ``maxLength``, ``pattern``, ``format``; ``blank`` where a
        blank text is taken whatever they say. Those of a list's items, too. Only of what is sent.
    """

    types: tuple[str, ...]
    required: bool = False
    nullable: bool = False
    enum: tuple[Scalar, ...] = ()
    limits: tuple[tuple[str, Scalar], ...] = ()


@dataclass(frozen=True, slots=True)
class Name:
    """What users write for an action.

    Parameters
    ----------
    endpoint, action
        The endpoint and the method, as on the client. Where the client has no method for it, `action` is the HTTP
        method and the path.
    sends, answers
        The classes of what is sent and answered; empty where there are none.
    """

    endpoint: str
    action: str
    sends: str = ""
    answers: str = ""

    @property
    def is_method(self) -> bool:
        """Whether the client has a method for it."""
        return "/" not in self.action

    @property
    def typed(self) -> str:
        """The method, as users write it: ``client.labs.delete``."""
        return f"client.{self.endpoint}.{self.action}" if self.is_method else self.action


def _no_values() -> dict[str, Value]:
    return {}


@dataclass(frozen=True, slots=True)
class Action:
    """One operation of the server.

    Parameters
    ----------
    name
        What users write for it.
    method, path
        The HTTP method in capitals, and the path with its keys in braces.
    keys
        The keys in the path with their types, in order.
    takes
        The body: ``record``, ``list``, ``record or list``, or empty.
    answer
        What comes back: ``page of records``, ``list of records``, ``record``, ``nothing``, ``file``, or types.
    filters, sent, answered
        By the server's names; fields of nested records as ``probe_insertion[].name``.
    """

    name: Name
    method: str
    path: str
    keys: tuple[tuple[str, str], ...] = ()
    takes: str = ""
    answer: str = "nothing"
    filters: Values = field(default_factory=_no_values)
    sent: Values = field(default_factory=_no_values)
    answered: Values = field(default_factory=_no_values)


@dataclass(frozen=True, slots=True)
class Surface:
    """All that a server offers.

    Parameters
    ----------
    actions
        By `route`.
    source
        The form of the document that it was read from. A CoreAPI document describes no answers.
    """

    actions: Mapping[str, Action]
    source: Source = "OpenAPI"

    @property
    def names(self) -> dict[str, Name]:
        """What users write for each action, by its route."""
        return {key: action.name for key, action in self.actions.items()}


def route(method: str, path: str) -> str:
    """Return what identifies an operation, whatever its keys are called: ``GET /labs/{}``."""
    segments = ("{}" if each.startswith("{") and each.endswith("}") else each for each in path.split("/"))
    return f"{method.upper()} {'/'.join(segments)}"


# --- as text


def dump(surface: Surface) -> str:
    """Return the canonical text of a surface: the same for the same surface, on any machine."""
    return _text(surface, named=True)


def fingerprint(surface: Surface) -> str:
    """Return the SHA-256 of a surface's text, in hexadecimal; what classes are called has no part in it."""
    return hashlib.sha256(_text(surface, named=False).encode()).hexdigest()


def load(text: str) -> Surface:
    """Read the text of a surface.

    Raises
    ------
    ValueError
        It is not the text of a surface, or one of another form.
    """
    try:
        header, *rows = [json.loads(line) for line in text.splitlines()]
        if header != ["surface", _FORM, header[2]] or header[2] not in ("OpenAPI", "CoreAPI"):
            raise ValueError
        return Surface(_actions(rows), header[2])
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise ValueError(
            "this is not the text of a surface that this version reads. Generate the client anew: alyx-generate client"
        ) from None


def _text(surface: Surface, *, named: bool) -> str:
    actions = list(surface.actions.values())
    if not named:
        actions = [replace(each, name=Name(each.path, each.method)) for each in actions]
    lines = [_line(*row) for row in _rows(actions)]
    return "\n".join((_line("surface", _FORM, surface.source), *sorted(lines))) + "\n"


def _line(*items: Any) -> str:
    return json.dumps(items, sort_keys=True)


def _rows(actions: Iterable[Action]) -> Iterator[tuple[Any, ...]]:
    for action in actions:
        about = {
            "method": action.method,
            "path": action.path,
            "keys": action.keys,
            "takes": action.takes,
            "answer": action.answer,
            "classes": [action.name.sends, action.name.answers] if action.name.sends or action.name.answers else [],
        }
        yield action.name.endpoint, "action", action.name.action, {key: each for key, each in about.items() if each}
    for part in ("filters", "sent", "answered"):
        shared: dict[tuple[str, str, Value], list[str]] = {}
        # What PATCH takes is what the others take, but for what they require.
        for action in sorted(actions, key=lambda each: (each.method == "PATCH", each.name.action)):
            values: Values = getattr(action, part)
            for name, value in values.items():
                key = (action.name.endpoint, name, value)
                required = (action.name.endpoint, name, replace(value, required=True))
                if part == "sent" and action.method == "PATCH" and key not in shared and required in shared:
                    key = required
                shared.setdefault(key, []).append(action.name.action)
        for (endpoint, name, value), names in shared.items():
            yield endpoint, part, name, sorted(names), _described(value)


def _described(value: Value) -> dict[str, Any]:
    described: dict[str, Any] = {"type": value.types[0] if len(value.types) == 1 else value.types}
    if value.required:
        described["required"] = True
    if value.nullable:
        described["nullable"] = True
    if value.enum:
        described["enum"] = value.enum
    return described | dict(value.limits)


def _value(described: Mapping[str, Any]) -> Value:
    known = {"type", "required", "nullable", "enum"}
    types = described["type"]
    return Value(
        (types,) if isinstance(types, str) else tuple(types),
        bool(described.get("required")),
        bool(described.get("nullable")),
        tuple(described.get("enum", ())),
        tuple(sorted((key, value) for key, value in described.items() if key not in known)),
    )


def _actions(rows: Iterable[list[Any]]) -> dict[str, Action]:
    found: dict[tuple[str, str], Action] = {}
    parts: list[list[Any]] = []
    for row in rows:
        if row[1] != "action":
            parts.append(row)
            continue
        endpoint, _, action, about = row
        sends, answers = about.get("classes") or ("", "")
        found[endpoint, action] = Action(
            Name(endpoint, action, sends, answers),
            about["method"],
            about["path"],
            tuple((name, kind) for name, kind in about.get("keys", ())),
            about.get("takes", ""),
            about.get("answer", ""),
        )
    for endpoint, part, name, actions, described in parts:
        value = _value(described)
        for each in actions:
            action = found[endpoint, each]
            optional = part == "sent" and action.method == "PATCH"
            values = cast(
                "dict[str, Value]", {"filters": action.filters, "sent": action.sent}.get(part, action.answered)
            )
            values[name] = replace(value, required=False) if optional else value
    return {route(action.method, action.path): action for action in found.values()}
