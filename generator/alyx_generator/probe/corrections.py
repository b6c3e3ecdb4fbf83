"""Corrections that make a schema match what was observed."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

from alyx_client.schema.openapi import Schema, as_schema
from alyx_generator.probe.describe import JSON_TYPES
from alyx_generator.probe.infer import infer
from alyx_generator.probe.observations import Location, Observation
from alyx_generator.probe.response_schema import allowed_types
from alyx_generator.probe.values import ValueShape
from alyx_generator.probe.working_document import WorkingDocument
from alyx_generator.source.openapi import JSONDict, nullable
from alyx_generator.source.overlay import Correction

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STRUCTURE = (
    *("type", "format", "enum", "const", "items", "properties", "required", "additionalProperties"),
    *("allOf", "oneOf", "anyOf", "$ref", "pattern"),
)
_RESTRICTING = ("enum", "const", "format", "allOf", "oneOf", "anyOf", "$ref", "properties", "pattern", "type")
_VALUE_KEYWORDS = ("enum", "const", "format")


def json_path(location: Location) -> str:
    """Return a location as the JSONPath of an overlay's target."""
    return "$" + "".join(map(_json_path_step, location))


def _json_path_step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN_KEY.fullmatch(step) else f"[{json.dumps(step)}]"


def _update(location: Location, update: JSONDict) -> Correction:
    return Correction(json_path(location), "", update)


def _removal(location: Location) -> Correction:
    return Correction(json_path(location), "", remove=True)


class CorrectionWriter:
    """Writes corrections of a document; their descriptions are left to the caller.

    Schemas often describe requests as well as responses. What is observed in responses must not change what may be
    sent, so corrections of such schemas are put below ``x-answered``, or restore the declaration below ``x-sent``.

    Parameters
    ----------
    document
        The document, with the corrections proposed so far.
    """

    def __init__(self, document: WorkingDocument) -> None:
        self._document = document

    def extra_field(self, location: Location, name: str, shape: ValueShape, checked: int) -> Correction:
        """Declare a field that an object has and its schema lacks.

        Parameters
        ----------
        location
            The location of the object's schema.
        name, shape
            The field, and the shape of its values.
        checked
            The number of objects checked.
        """
        schema = infer(shape)
        if self._document.is_sent(location):  # nothing shows that the server would accept it
            schema = {**schema, "readOnly": True}
        update: JSONDict = {"properties": {name: schema}}
        if shape.count < checked:
            update["x-sometimes"] = [name]
        return _update(location, update)

    def other_fields(self, location: Location) -> Correction:
        """Allow fields besides the declared ones."""
        return self._response_update(location, {"additionalProperties": True})

    def mismatches(self, location: Location, kinds: Collection[str], observation: Observation) -> Iterator[Correction]:
        """Correct a schema that values contradict.

        Parameters
        ----------
        location
            The location of the schema.
        kinds
            The kinds of mismatch to correct.
        observation
            What all operations returned there.
        """
        if "write-only" in kinds:
            yield _removal((*location, "writeOnly"))
        if "absent" in kinds:
            yield self._absent(location, always=observation.mismatches["absent"] == observation.checked)
        media_types = [kind.removeprefix("media ") for kind in kinds if kind.startswith("media ")]
        if media_types:
            binary = {"schema": {"type": "string", "format": "binary"}}
            yield self._content(location, dict.fromkeys(media_types, binary))
        if "undeclared" in kinds:
            yield self._undeclared(location, infer(observation.shape))
        elif not JSON_TYPES.isdisjoint(kinds):
            yield from self._retyped(location, observation, null="null" in kinds)
        else:
            if "format" in kinds or "enum" in kinds:
                yield from self._loosened(location, kinds)
            if "null" in kinds:
                yield self._response_update(location, {"nullable": True})

    def _response_update(self, location: Location, update: JSONDict) -> Correction:
        return _update(location, {"x-answered": update} if self._document.is_sent(location) else update)

    def _absent(self, location: Location, *, always: bool) -> Correction:
        if not always:  # the parent of "properties" lists the fields that records may lack
            return _update(location[:-2], {"x-sometimes": [location[-1]]})
        if self._document.is_sent(location):
            return _update(location, {"writeOnly": True})
        return _removal(location)

    def _content(self, location: Location, content: JSONDict) -> Correction:
        if location[-1] == "get":  # no successful response is declared
            return _update(location, {"responses": {"200": {"description": "", "content": content}}})
        return _update(location, {"content": content})

    def _undeclared(self, location: Location, schema: JSONDict) -> Correction:
        if location[0] != "paths" or location[-1] == "items":
            return self._response_update(location, schema)
        if location[-1] == "schema":
            return _update(location[:-1], {"schema": schema})
        return self._content(location, {"application/json": {"schema": schema}})

    def _retyped(self, location: Location, observation: Observation, *, null: bool) -> Iterator[Correction]:
        declared = self._document.at(location)
        overrides = _pick(as_schema(declared.get("x-answered")), _STRUCTURE)
        current = _pick(declared, (*_STRUCTURE, "x-sometimes")) | overrides
        new: JSONDict = infer(observation.shape)
        other_values = not {"format", "enum"}.isdisjoint(observation.mismatches)
        # Integers are numbers: an alternative for each would be redundant.
        is_widened = current.get("type") == "integer" and new.get("type") == "number"
        if (observation.valid or other_values) and not is_widened:
            resolved = _pick(self._document.resolve(location)[1], _STRUCTURE)
            any_value = {key: value for key, value in resolved.items() if key not in _VALUE_KEYWORDS}
            options = [any_value if other_values else current, *new.get("oneOf", [new])]
            new = {"oneOf": options}
        if null:
            new["nullable"] = True
        yield from self._replaced(location, declared, new)

    def _replaced(self, location: Location, declared: Schema, new: JSONDict) -> Iterator[Correction]:
        overrides = as_schema(declared.get("x-answered"))
        target, current = ((*location, "x-answered"), overrides) if overrides else (location, declared)
        removed = [key for key in _RESTRICTING if key in current and key not in new]
        # An overlay merges an update into what is there: lists are extended and objects joined, not replaced.
        removed += [key for key in ("oneOf", "properties") if key in current and key in new]
        for key in removed:
            yield _removal((*target, key))
        if overrides or not self._document.is_sent(location):
            yield _update(target, new)
        elif removed:
            declaration = _pick(declared, (*_STRUCTURE, "nullable"))
            yield _update(location, {**new, "x-sent": _neutral(new) | declaration})
        else:
            yield _update(location, {"x-answered": new})

    def _loosened(self, location: Location, kinds: Collection[str]) -> Iterator[Correction]:
        """Remove the formats and values that a schema is restricted to; its type stays."""
        location, schema = self._document.resolve(location)
        removed = [key for key in ("oneOf", "anyOf") if key in schema] or [
            key for key in _VALUE_KEYWORDS if key in schema and (key in kinds or key == "const")
        ]
        for key in removed:
            yield _removal((*location, key))
        # A format stands beside a type; an enumeration or alternatives may be all that tells the type.
        update = {} if "type" in schema or "format" in removed else self._type_of(schema)
        if self._document.is_sent(location):
            declaration = {key: schema[key] for key in removed} | {"nullable": nullable(schema)}
            update["x-sent"] = _neutral(update) | _pick(declaration, (*removed, *update))
        if update:
            yield _update(location, update)

    def _type_of(self, schema: Schema) -> JSONDict:
        """Return a schema of the types that a schema allows, without its formats and values."""
        leaves = list(self._document.leaves(schema))
        if not all(map(allowed_types, leaves)):
            return {}
        types = sorted({name for leaf in leaves for name in allowed_types(leaf)} - {"null"})
        options: list[JSONDict] = [{"type": name} for name in types]
        update: JSONDict = {} if not options else options[0] if len(options) == 1 else {"oneOf": options}
        if update and any(nullable(leaf) or None in leaf.get("enum", ()) for leaf in leaves):
            update["nullable"] = True
        return update


def _pick(schema: Schema, keywords: Collection[str]) -> JSONDict:
    return {keyword: schema[keyword] for keyword in keywords if keyword in schema}


def _neutral(update: JSONDict) -> JSONDict:
    """Return what undoes an update where the declaration is laid over it: ``x-sent`` cannot remove a keyword."""
    neutral: JSONDict = {"oneOf": [], "nullable": False}
    return {key: value for key, value in neutral.items() if key in update}
