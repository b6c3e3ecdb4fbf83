"""Schema documents in memory: endpoints, their operations, and the objects these accept and return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

JSONObject = dict[str, Any]
Kind = Literal["string", "integer", "number", "boolean", "array", "object", "any"]


@dataclass(frozen=True)
class FieldSchema:
    """One field of an object, with the constraints that a schema document can express."""

    name: str
    kind: Kind = "any"
    format: str | None = None
    nullable: bool = False
    required: bool = False
    read_only: bool = False
    write_only: bool = False
    max_length: int | None = None
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[object, ...] | None = None
    may_be_blank: bool = False
    has_default: bool = False
    default: object = None
    items: FieldSchema | None = None
    schema: ObjectSchema | None = None


@dataclass(frozen=True)
class ObjectSchema:
    """The fields of one object, in the document's order."""

    name: str
    fields: Mapping[str, FieldSchema]

    @classmethod
    def of(cls, *names: str) -> ObjectSchema:
        """Build a schema from the names of its fields alone."""
        return cls("", {name: FieldSchema(name) for name in names})


@dataclass(frozen=True)
class Operation:
    """One method on one path, with the objects that it accepts and returns.

    Attributes
    ----------
    name
        The action in the words of Django REST framework: ``"list"``, ``"create"``, ``"partial_update"`` ...
    filters
        Names of the query parameters that the document declares.
    """

    name: str
    method: str
    path: str
    filters: frozenset[str] = frozenset()
    request: ObjectSchema | None = None
    response: ObjectSchema | None = None


@dataclass(frozen=True)
class Endpoint:
    """The paths that share their first segment."""

    name: str
    lookup: str | None
    operations: Mapping[str, Operation]


@dataclass(frozen=True)
class Document:
    """A schema document.

    Attributes
    ----------
    raw
        The document as it was loaded.
    format
        ``"openapi"`` or ``"coreapi"``.
    paths
        Path templates with the methods that they serve.
    endpoints
        Endpoints by name.
    """

    raw: JSONObject
    format: Literal["openapi", "coreapi"]
    paths: Mapping[str, frozenset[str]]
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict[str, Endpoint])
