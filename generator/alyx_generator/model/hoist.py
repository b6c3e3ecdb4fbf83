"""Giving objects that stand inside other schemas a component of their own, so that each becomes a shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from alyx_client.schema.openapi import as_schema
from alyx_generator.model.naming import class_name
from alyx_generator.source.openapi import component_of, is_object, nullable

Schemas = Mapping[str, Any]

_ABOUT_THE_PLACE = frozenset({"nullable", "readOnly", "writeOnly", "description", "deprecated"})
_ONE = ("items", "additionalProperties", "x-answered", "x-sent")
_SEVERAL = ("oneOf", "anyOf", "allOf")


class Components(dict[str, Any]):
    """A document's components, to which those of nested objects are added.

    Parameters
    ----------
    schemas
        The components as the document has them.
    """

    def __init__(self, schemas: Schemas) -> None:
        super().__init__({name: schema if isinstance(schema, Mapping) else {} for name, schema in schemas.items()})
        for name in list(self):
            self[name] = self._inner(name, self[name])

    def placed(self, name: str, schema: Any) -> dict[str, Any]:
        """Return a schema with a reference in place of each object in it.

        Parameters
        ----------
        name
            What the objects are named after.
        schema
            The schema of a body or of an answer.
        """
        if not isinstance(schema, Mapping):
            return {}
        given = cast("Schemas", schema)
        if component_of(given) is not None or not is_object(given, self):
            return self._inner(name, given)
        own = {key: value for key, value in given.items() if key not in _ABOUT_THE_PLACE}
        while name in self and self[name] != own:
            name += "_"
        if name not in self:
            self[name] = own
            self[name] = self._inner(name, own)
        place = {key: value for key, value in given.items() if key in _ABOUT_THE_PLACE}
        place |= {"nullable": True} if nullable(given) else {}
        return {"allOf": [{"$ref": f"#/components/schemas/{name}"}], **place}

    def _inner(self, name: str, schema: Schemas) -> dict[str, Any]:
        result = dict(schema)
        for key in _ONE:
            if isinstance(result.get(key), Mapping):
                result[key] = self.placed(name + ("Sent" if key == "x-sent" else ""), result[key])
        for key in _SEVERAL:
            # The parts of an object's allOf are merged into it and stay.
            if isinstance(result.get(key), list):
                merges = key == "allOf"
                parts = cast("Sequence[Any]", result[key])
                result[key] = [
                    self._inner(name, as_schema(part)) if merges else self._part(name, part) for part in parts
                ]
        if isinstance(result.get("properties"), Mapping):
            fields = cast("Schemas", result["properties"])
            result["properties"] = {
                field: self.placed(f"{name}{class_name(field)}", value) for field, value in fields.items()
            }
        return result

    def _part(self, name: str, part: Any) -> dict[str, Any]:
        title = as_schema(part).get("title")
        return self.placed(f"{name}{class_name(title)}" if isinstance(title, str) and title else f"{name}Option", part)
