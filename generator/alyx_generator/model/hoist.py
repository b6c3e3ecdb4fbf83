"""Moving objects that stand inside other schemas into components of their own, so that each becomes a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alyx_client.schema.openapi import Schema, as_list, as_schema, component_reference
from alyx_generator.model.naming import class_name
from alyx_generator.source.openapi import JSONDict, Schemas, component_of, is_object, nullable

# What holds for one use of an object, and so stays beside the reference to it.
_USE_KEYWORDS = frozenset({"nullable", "readOnly", "writeOnly", "description", "deprecated"})
_SINGLE_SCHEMAS = ("items", "additionalProperties", "x-answered", "x-sent")
_SCHEMA_LISTS = ("oneOf", "anyOf", "allOf", "prefixItems")


class Components(JSONDict):
    """A document's components, to which those of nested objects are added.

    Parameters
    ----------
    schemas
        The components as the document has them.
    """

    def __init__(self, schemas: Schemas) -> None:
        super().__init__({name: as_schema(schema) for name, schema in schemas.items()})
        # The document's own names are taken before nested objects need some.
        for name in list(self):
            self[name] = self._with_hoisted_parts(name, self[name])

    def placed(self, name: str, schema: Any) -> JSONDict:
        """Return a schema with a reference in place of each object in it.

        Parameters
        ----------
        name
            What the objects are named after.
        schema
            The schema of a body or of a response.
        """
        if not isinstance(schema, Mapping):
            return {}
        original = as_schema(schema)
        if component_of(original) is not None or not is_object(original, self):
            return self._with_hoisted_parts(name, original)
        content = {key: value for key, value in original.items() if key not in _USE_KEYWORDS}
        # The same object may stand in several places; another one of that name gets a name of its own.
        while name in self and self[name] != content:
            name += "_"
        if name not in self:
            self[name] = content  # before its parts, which may lead back to it
            self[name] = self._with_hoisted_parts(name, content)
        use = {key: value for key, value in original.items() if key in _USE_KEYWORDS}
        use |= {"nullable": True} if nullable(original) else {}
        return {"allOf": [{"$ref": component_reference(name)}], **use}

    def _with_hoisted_parts(self, name: str, schema: Schema) -> JSONDict:
        result = dict(schema)
        for key in _SINGLE_SCHEMAS:
            if isinstance(result.get(key), Mapping):
                result[key] = self.placed(name + ("Sent" if key == "x-sent" else ""), result[key])
        for key in _SCHEMA_LISTS:
            if isinstance(result.get(key), list):
                result[key] = [self._part(key, name, as_schema(part)) for part in as_list(result[key])]
        if isinstance(result.get("properties"), Mapping):
            result["properties"] = {
                field: self.placed(f"{name}{class_name(field)}", value)
                for field, value in as_schema(result["properties"]).items()
            }
        return result

    def _part(self, keyword: str, name: str, part: Schema) -> JSONDict:
        if keyword == "allOf":
            # The parts of an object's allOf are merged into it and stay in place.
            return self._with_hoisted_parts(name, part)
        title = part.get("title")
        return self.placed(f"{name}{class_name(title)}" if isinstance(title, str) and title else f"{name}Option", part)
