"""From what a probe has seen to corrections: an overlay with its evidence, to be read by a person."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import yaml

from alyx_client.schema.openapi import as_schema
from alyx_generator.probe.check import kinds_of
from alyx_generator.probe.describe import KINDS, REF, label, look, named, said
from alyx_generator.probe.observations import Place, Seen, Shape, Sight
from alyx_generator.source.openapi import nullable
from alyx_generator.source.overlay import Correction, correct

Schema = dict[str, Any]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORM = ("type", "format", "enum", "const", "items", "properties", "required", "additionalProperties", "allOf", "oneOf")
_STRUCTURE = (*_FORM, "anyOf", "$ref", "pattern")
_CONFINING = ("enum", "const", "format", "allOf", "oneOf", "anyOf", "$ref", "properties", "pattern")


@dataclass(frozen=True)
class Evidence:
    """What one operation showed of a field.

    Parameters
    ----------
    operation
        For instance ``/subjects list``.
    found
        What was found against the schema, and how often.
    rows
        How many values, or records that should have had one, were looked at.
    """

    operation: str
    found: Mapping[str, int]
    rows: int


@dataclass(frozen=True)
class Finding:
    """One place of the schema that the answers speak against.

    Parameters
    ----------
    field
        Which field: ``SubjectList.alive``, ``User.lab[]`` for the items of a list.
    declared
        What the schema says.
    found
        What was found.
    evidence
        Where, and how often.
    corrections
        What makes the schema true.
    """

    field: str
    declared: str
    found: str
    evidence: tuple[Evidence, ...]
    corrections: tuple[Correction, ...]


def findings(document: Mapping[str, Any], sights: Mapping[str, Sight]) -> list[Finding]:
    """Return what is wrong in a schema.

    Parameters
    ----------
    document
        The document that was checked against.
    sights
        What each operation showed.
    """
    places: dict[Place, dict[str, Seen]] = {}
    for operation, sight in sights.items():
        for place, seen in sight.items():
            if seen.wrong or seen.extra or seen.unnamed:
                places.setdefault(place, {})[operation] = seen
    totals = {place: [sight[place] for sight in sights.values() if place in sight] for place in places}
    writer = _Writer(document)
    # What is inside comes first ("^" sorts after "." and "["): the correction of a place holds what the corrections
    # inside it have made of it.
    order = sorted(places, key=lambda place: (f"{label(place)}^", -len(place)))
    retyped = {place for place, seen in places.items() if any(each.wrong for each in seen.values())}
    found: list[Finding] = []
    for place in order:
        made = list(writer.findings(place, places[place], totals[place]))
        found += made
        if any(place[:end] in retyped for end in range(len(place))):
            writer.apply(tuple(each for one in made for each in one.corrections))
    return found


def to_yaml(title: str, corrections: Collection[Correction]) -> str:
    """Return an overlay as YAML, in the form that `read_overlay` reads."""
    actions = [
        {"target": each.target, "description": each.description}
        | ({"remove": True} if each.remove else {"update": each.update})
        for each in corrections
    ]
    document = {"overlay": "1.0.0", "info": {"title": title, "version": "1.0.0"}, "actions": actions}
    head = "# Proposed by alyx-generate probe. Read it, mend it, and keep what is true.\n"
    return head + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=False)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def target(place: Place) -> str:
    """Return a place as the JSONPath of an action."""
    return "$" + "".join(_step(each) for each in place)


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN.fullmatch(step) else f"[{json.dumps(step)}]"


class _Writer:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self._declared = document
        self._document = document
        self._schemas = as_schema(as_schema(document.get("components")).get("schemas"))
        self._sent = _sent(document, self._schemas)

    def apply(self, corrections: tuple[Correction, ...]) -> None:
        """Take what is proposed for granted in all that follows."""
        if not corrections:
            return
        self._document = correct(self._document, corrections, strict=False).document
        self._schemas = as_schema(as_schema(self._document.get("components")).get("schemas"))

    def findings(self, place: Place, by_operation: Mapping[str, Seen], all_seen: list[Seen]) -> Iterator[Finding]:
        seen = _joined(all_seen)
        wrong = {
            kind: count for kind, count in seen.wrong.items() if kind != "undeclared" or self._is_plain(place, seen)
        }
        inside: list[Correction] = []
        for name, shape in sorted(seen.extra.items()):
            evidence = tuple(
                Evidence(operation, {look(each.extra[name]): sum(each.extra[name].kinds.values())}, each.rows)
                for operation, each in by_operation.items()
                if name in each.extra
            )
            made = list(self._extra(place, name, shape, seen.rows))
            inside += made
            yield self._finding((*place, "properties", name), "nothing", look(shape), evidence, made)
        if seen.unnamed:
            evidence = tuple(
                Evidence(operation, {"other field": each.unnamed}, each.rows)
                for operation, each in by_operation.items()
                if each.unnamed
            )
            update = self._for_answers(place, {"additionalProperties": True})
            made = [Correction(target(place), "", update)]
            inside += made
            yield self._finding(place, "no other fields", "other fields", evidence, made)
        if wrong:
            self.apply(tuple(inside))
            made = list(self._wrong(place, wrong, seen, all_seen))
            evidence = tuple(
                Evidence(operation, named(each), each.rows) for operation, each in by_operation.items() if each.wrong
            )
            yield self._finding(place, said(_at(self._declared, place)), ", ".join(sorted(named(seen))), evidence, made)

    def _finding(
        self, place: Place, declared: str, found: str, evidence: tuple[Evidence, ...], made: list[Correction]
    ) -> Finding:
        told = "; ".join(
            f"{', '.join(f'{what} in {count}' for what, count in each.found.items())} of {each.rows} ({each.operation})"
            for each in evidence
        )
        field = label(place)
        text = f"{field}: declared {declared}; found {told}."
        return Finding(
            field,
            declared,
            found,
            evidence,
            tuple(Correction(each.target, text, each.update, each.remove) for each in made),
        )

    def _wrong(self, place: Place, wrong: Mapping[str, int], seen: Seen, all_seen: list[Seen]) -> Iterator[Correction]:
        old = as_schema(_at(self._document, place))
        if "answered" in wrong:
            yield Correction(target((*place, "writeOnly")), "", remove=True)
        if "absent" in wrong:
            yield from self._absent(place, old, wrong["absent"] == seen.rows)
        media = [kind.removeprefix("media ") for kind in wrong if kind.startswith("media ")]
        if media:
            content = {each: {"schema": {"type": "string", "format": "binary"}} for each in media}
            yield self._content(place, content)
        if "undeclared" in wrong:
            if place[0] == "paths" and place[-1] != "items":
                yield self._undeclared(place, infer(seen.shape))
            else:
                yield Correction(target(place), "", self._for_answers(place, infer(seen.shape)))
            return
        kinds = {kind for kind in wrong if kind in KINDS}
        if kinds:
            yield from self._retyped(place, old, seen, null="null" in wrong)
        else:
            if "format" in wrong or "enum" in wrong:
                yield from self._loosened(place, wrong, seen)
            if "null" in wrong:
                yield Correction(target(place), "", self._for_answers(place, {"nullable": True}))

    def _is_plain(self, place: Place, seen: Seen) -> bool:
        if place[-1:] != ("items",):
            return True
        kinds = set(seen.shape.kinds) - {"null"}
        return bool(kinds) and (kinds <= {"integer", "number"} or (len(kinds) == 1 and not kinds & {"array", "object"}))

    def _absent(self, place: Place, old: Mapping[str, Any], always: bool) -> Iterator[Correction]:
        parent, name = place[:-2], place[-1]
        if not always:
            yield Correction(target(parent), "", {"x-sometimes": [name]})
        elif self._is_sent(place):
            yield Correction(target(place), "", {"writeOnly": True})
        else:
            yield Correction(target(place), "", remove=True)

    def _content(self, place: Place, content: Schema) -> Correction:
        if place[-1] == "get":
            return Correction(target(place), "", {"responses": {"200": {"description": "", "content": content}}})
        return Correction(target(place), "", {"content": content})

    def _undeclared(self, place: Place, schema: Schema) -> Correction:
        if place[-1] == "schema":
            return Correction(target(place[:-1]), "", {"schema": schema})
        return self._content(place, {"application/json": {"schema": schema}})

    def _retyped(self, place: Place, old: Mapping[str, Any], seen: Seen, *, null: bool) -> Iterator[Correction]:
        new: Schema = infer(seen.shape)
        kept = {key: old[key] for key in (*_STRUCTURE, "x-sometimes") if key in old}
        if old.get("x-answered"):
            kept |= {key: value for key, value in old["x-answered"].items() if key in _STRUCTURE}
        others = not {"format", "enum"}.isdisjoint(seen.wrong)
        widened = kept.get("type") == "integer" and new.get("type") == "number"
        if (seen.fine or others) and not widened:
            said_of_it = {key: value for key, value in self._followed(place)[1].items() if key in _STRUCTURE}
            loose = {key: value for key, value in said_of_it.items() if key not in ("enum", "const", "format")}
            options: list[Schema] = [loose if others else kept, *new.get("oneOf", [new])]
            new = {"oneOf": options}
        if null:
            new["nullable"] = True
        yield from self._replaced(place, old, new)

    def _replaced(self, place: Place, old: Mapping[str, Any], new: Schema) -> Iterator[Correction]:
        answered = as_schema(old.get("x-answered"))
        where, now = (place, old) if not answered else ((*place, "x-answered"), answered)
        gone = [key for key in (*_CONFINING, "type") if key in now and key not in new]
        again = [key for key in ("oneOf", "properties") if key in now and key in new]
        for key in (*gone, *again):
            yield Correction(target((*where, key)), "", remove=True)
        if answered:
            yield Correction(target(where), "", new)
            return
        if self._is_sent(place):
            if not gone and not again:
                yield Correction(target(place), "", {"x-answered": new})
                return
            # The word for what is sent is laid over the rest, so it takes back what it does not replace.
            nothing: Schema = {"oneOf": [], "nullable": False}
            back = {key: none for key, none in nothing.items() if key in new}
            new = {**new, "x-sent": {**back, **{key: old[key] for key in (*_STRUCTURE, "nullable") if key in old}}}
        yield Correction(target(place), "", new)

    def _loosened(self, place: Place, wrong: Mapping[str, int], seen: Seen) -> Iterator[Correction]:
        where, schema = self._followed(place)
        options = [key for key in ("oneOf", "anyOf") if key in schema]
        kinds: set[str] = set()
        keys = options or [
            key for key in ("enum", "const", "format") if key in schema and (key in wrong or key == "const")
        ]
        if options or "format" not in keys:
            kinds = {kind for each in self._leaves(schema) for kind in kinds_of(each) or ["any"]} - {"null"}
        for key in keys:
            yield Correction(target((*where, key)), "", remove=True)
        update: Schema = {}
        if "type" not in schema and kinds and "any" not in kinds:
            types: list[Schema] = [{"type": kind} for kind in sorted(kinds)]
            update = types[0] if len(types) == 1 else {"oneOf": types}
            if any(nullable(each) or None in each.get("enum", ()) for each in self._leaves(schema)):
                update["nullable"] = True
        if self._is_sent(where):
            update["x-sent"] = {key: schema[key] for key in keys}
            if "oneOf" in update:
                update["x-sent"].setdefault("oneOf", [])
            if "nullable" in update:
                update["x-sent"]["nullable"] = nullable(schema)
        if update:
            yield Correction(target(where), "", update)

    def _leaves(self, schema: Mapping[str, Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
        parts = [as_schema(part) for key in ("oneOf", "anyOf", "allOf") for part in schema.get(key, ())]
        reference = schema.get("$ref")
        if isinstance(reference, str):
            parts.append(as_schema(self._schemas.get(reference.removeprefix(REF))))
        if not parts:
            yield schema
        for part in parts if depth < 5 else ():
            yield from self._leaves(part, depth + 1)

    def _followed(self, place: Place) -> tuple[Place, Mapping[str, Any]]:
        schema = as_schema(_at(self._document, place))
        for _ in range(40):
            own = as_schema(schema.get("x-answered"))
            if "$ref" in own or "allOf" in own or "enum" in own or "format" in own or "oneOf" in own:
                schema, place = own, (*place, "x-answered")
            reference = schema.get("$ref")
            parts = _list(schema.get("allOf"))
            if isinstance(reference, str) and reference.startswith(REF):
                place = ("components", "schemas", reference.removeprefix(REF))
                schema = as_schema(self._schemas.get(place[-1]))
            elif len(parts) == 1:
                place, schema = (*place, "allOf", 0), as_schema(parts[0])
            else:
                break
        return place, schema

    def _extra(self, place: Place, name: str, shape: Shape, rows: int) -> Iterator[Correction]:
        schema = infer(shape)
        if self._is_sent(place):
            schema = {**schema, "readOnly": True}
        update: Schema = {"properties": {name: schema}}
        if sum(shape.kinds.values()) < rows:
            update["x-sometimes"] = [name]
        yield Correction(target(place), "", update)

    def _for_answers(self, place: Place, update: Schema) -> Schema:
        return {"x-answered": update} if self._is_sent(place) else update

    def _is_sent(self, place: Place) -> bool:
        """Tell whether a place also describes what is sent."""
        if place[:2] != ("components", "schemas") or place[2] not in self._sent or "x-answered" in place:
            return False
        return not any(
            as_schema(_at(self._document, place[: end + 1])).get("readOnly")
            for end in range(3, len(place))
            if place[end - 1] == "properties"
        )


def infer(shape: Shape) -> Schema:
    """Return a schema that all values of a shape have."""
    kinds = set(shape.kinds) - {"null"}
    if {"integer", "number"} <= kinds:
        kinds.remove("integer")
    options = [_of_kind(kind, shape) for kind in sorted(kinds)]
    if not options:
        return {}
    result: Schema = options[0] if len(options) == 1 else {"oneOf": options}
    return {**result, "nullable": True} if "null" in shape.kinds else result


def _of_kind(kind: str, shape: Shape) -> Schema:
    if kind == "string" and len(shape.formats) == 1 and "" not in shape.formats:
        return {"type": kind, "format": next(iter(shape.formats))}
    if kind == "array":
        return {"type": kind, "items": infer(shape.items) if shape.items is not None else {}}
    if kind == "object" and shape.fields is not None:
        return {"type": kind, "properties": {name: infer(each) for name, each in sorted(shape.fields.items())}}
    return {"type": kind, "additionalProperties": True} if kind == "object" else {"type": kind}


def _at(document: Mapping[str, Any], place: Place) -> Any:
    node: Any = document
    for step in place:
        try:
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return None
    return node


def _joined(all_seen: list[Seen]) -> Seen:
    result = Seen()
    for each in all_seen:
        result.rows += each.rows
        result.fine += each.fine
        result.unnamed += each.unnamed
        for kind, count in each.wrong.items():
            result.wrong[kind] = result.wrong.get(kind, 0) + count
        result.shape.join(each.shape)
        for name, shape in each.extra.items():
            result.extra.setdefault(name, Shape()).join(shape)
    return result


def _sent(document: Mapping[str, Any], schemas: Mapping[str, Any]) -> set[str]:
    """Return the components that describe what is sent."""
    found: set[str] = set()
    waiting: list[Any] = [
        as_schema(operation).get("requestBody")
        for item in as_schema(document.get("paths")).values()
        for operation in as_schema(item).values()
    ]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += _list(cast("Any", node))
        elif isinstance(node, Mapping):
            given = cast("Mapping[str, Any]", node)
            reference = given.get("$ref")
            if isinstance(reference, str) and reference.startswith(REF):
                name = reference.removeprefix(REF)
                if name not in found:
                    found.add(name)
                    waiting.append(schemas.get(name))
            waiting += given.values()
    return found


def _list(value: Any) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list) else ()
