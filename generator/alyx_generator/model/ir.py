"""What a server offers, as plain values: the middle of the build step.

Nothing here knows of OpenAPI, Jinja2 or HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

AnswerKind = Literal["record", "page", "list", "value", "bytes", "nothing", "anything"]
FilterStyle = Literal["plain", "comma", "repeat", "range", "day", "id", "django"]
LookupKind = Literal["uuid", "integer", "text", "path"]
JSONSchema = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """A problem with one operation, or a decision about it that a reader should know of."""

    endpoint: str
    action: str
    reason: str

    def __str__(self) -> str:
        return f"{self.endpoint}.{self.action}: {self.reason}" if self.action else f"{self.endpoint}: {self.reason}"


@dataclass(frozen=True)
class Field:
    """One field of a shape; `schema` is JSON Schema whose references are names of shapes."""

    name: str
    schema: JSONSchema
    required: bool
    description: str = ""
    kept_by_patch: bool = False


@dataclass(frozen=True)
class Shape:
    """One form in which a record is sent or answered; `note` is what to know of it besides its description."""

    name: str
    kind: Literal["request", "answer"]
    endpoint: str
    fields: tuple[Field, ...]
    description: str = ""
    uploads: tuple[str, ...] = ()
    id_in_url: bool = False
    note: str = ""


@dataclass(frozen=True)
class Filter:
    """One filter of a list: the server's name, the Python keyword, its annotation and how it is sent."""

    name: str
    keyword: str
    annotation: str
    style: FilterStyle
    description: str = ""
    required: bool = False


@dataclass(frozen=True)
class Lookup:
    """The key in a path."""

    name: str
    kind: LookupKind
    optional: bool = False


@dataclass(frozen=True)
class Answer:
    """What an action answers; `shape` is a shape's name, or the annotation of a plain value."""

    kind: AnswerKind
    shape: str = ""


@dataclass(frozen=True)
class Action:
    """One thing that an endpoint can do.

    `parents` are the keys before the path's last one; `also` are further shapes that may be sent in place of `body`;
    `single` is false where only several records can be sent at once.
    """

    name: str
    method: str
    path: str
    answer: Answer
    lookup: Lookup | None = None
    parents: tuple[Lookup, ...] = ()
    bare_path: str = ""
    filters: tuple[Filter, ...] = ()
    body: str = ""
    body_optional: bool = False
    also: tuple[str, ...] = ()
    many: bool = False
    single: bool = True
    uploads: tuple[str, ...] = ()
    preserved_fields: tuple[str, ...] = ()
    by_uuid: bool = False
    description: str = ""

    @property
    def paged(self) -> bool:
        """Whether it returns all records of a list, however many requests that takes."""
        return self.name == "list" or self.answer.kind == "page"


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of the server."""

    name: str
    class_name: str
    path: str
    actions: tuple[Action, ...]
    shapes: tuple[Shape, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Api:
    """All that a client is generated from."""

    endpoints: tuple[Endpoint, ...]
    findings: tuple[Finding, ...] = ()
    operations: int = 0
    owners: Mapping[str, str] = field(default_factory=dict[str, str])
