"""The intermediate representation: a server's endpoints, actions and models as plain values.

Nothing here depends on OpenAPI, Jinja2 or HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from alyx_client.runtime.closed_sets import ClosedSet
from alyx_client.runtime.lists.paging import ALYX_PAGING, Paging
from alyx_client.runtime.references import Origin, Reference
from alyx_generator.model.nouns import Noun
from alyx_generator.model.server_facts import ServerFacts

ResponseKind = Literal["record", "page", "list", "value", "bytes", "nothing", "anything"]
ModelKind = Literal["request", "response"]
FilterStyle = Literal["plain", "boolean", "moment", "comma", "repeat", "range", "day", "id", "django"]
LookupKind = Literal["uuid", "integer", "text", "path"]
BodyEncoding = Literal["json", "multipart", "urlencoded"]
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
class ModelField:
    """One field of a model; `schema` is JSON Schema whose references are names of models.

    `preserved_by_patch` marks a field that PATCH needs, or that the server clears when it is omitted. `record` names
    the endpoint and the field of the record referred to, where name and type do not tell; `reference` is the result.
    `joined` marks a list that is sent as one text, joined by commas.
    """

    name: str
    schema: JSONSchema
    required: bool
    description: str = ""
    preserved_by_patch: bool = False
    is_url: bool = False
    record: str = ""
    reference: Reference | None = None
    joined: bool = False


@dataclass(frozen=True)
class Model:
    """A record as it is sent or as it is returned; `note` is shown below its description.

    `upload_lists` are those of the `uploads` that hold several files.
    `record_of` names the endpoint of records that are parts of others; `origin` is where the records belong.
    """

    name: str
    kind: ModelKind
    endpoint: str
    fields: tuple[ModelField, ...]
    description: str = ""
    uploads: tuple[str, ...] = ()
    upload_lists: frozenset[str] = frozenset()
    id_in_url: bool = False
    note: str = ""
    record_of: str = ""
    origin: Origin | None = None


@dataclass(frozen=True)
class Filter:
    """One filter of a list: the server's name, the Python keyword, its annotation and how it is sent.

    `members` are its values, if they are from a closed set. If it is also the column of that name, `is_column` is true,
    and `relations` are those that lead to it from other endpoints.
    `record` and `reference` are as for fields. `type` is the one that values are checked for, empty for text.
    """

    name: str
    keyword: str
    annotation: str
    style: FilterStyle
    description: str = ""
    required: bool = False
    members: ClosedSet | None = None
    is_column: bool = False
    relations: tuple[str, ...] = ()
    record: str = ""
    reference: Reference | None = None
    type: str = ""


@dataclass(frozen=True)
class Lookup:
    """A key in a path; `reference` is the record that it is the key of, `own` whether that is one of the endpoint."""

    name: str
    kind: LookupKind
    optional: bool = False
    reference: Reference | None = None
    own: bool = False


@dataclass(frozen=True)
class ResponseType:
    """The type of an action's response; `annotation` is a model's name, or the annotation of a plain value."""

    kind: ResponseKind
    annotation: str = ""


@dataclass(frozen=True)
class EndpointAction:
    """One action of an endpoint.

    `parents` are the keys before the path's last one; `alternatives` are further models that may be sent in place of
    `body`; `single` is false where records can only be sent as a sequence; `finder` is the filter of the endpoint's
    list by the key, empty if it has none, None if there is no list or the key needs none; `row_key` are the fields that
    may hold the key of a list's row; `paging` is how a list is divided into pages;
    `accept` and `json_type` are the media types of JSON in the response and in the body, if it is not called so.
    """

    name: str
    method: str
    path: str
    response: ResponseType
    lookup: Lookup | None = None
    parents: tuple[Lookup, ...] = ()
    bare_path: str = ""
    filters: tuple[Filter, ...] = ()
    body: str = ""
    alternatives: tuple[str, ...] = ()
    many: bool = False
    single: bool = True
    uploads: tuple[str, ...] = ()
    upload_lists: frozenset[str] = frozenset()
    encoding: BodyEncoding = "json"
    accept: str = ""
    json_type: str = ""
    preserved_fields: tuple[str, ...] = ()
    by_uuid: bool = False
    finder: str | None = None
    row_key: tuple[str, ...] = ()
    paging: Paging = ALYX_PAGING
    description: str = ""

    @property
    def paged(self) -> bool:
        """True if it returns all records of a list, however many requests that takes."""
        return self.name == "list" or self.response.kind == "page"

    @property
    def bodies(self) -> tuple[str, ...]:
        """The names of the models that may be sent."""
        return (self.body, *self.alternatives) if self.body else ()


@dataclass(frozen=True)
class ConditionField:
    """A field of a model in conditions: its class in `alyx_client.runtime.query`, or the model that it leads to.

    `values` are those of a closed set, for which the database may hold `numbers`; `to_many` marks relations to several
    records.
    """

    name: str
    kind: str
    description: str
    model: str = ""
    to_many: bool = False
    values: tuple[str | int, ...] = ()
    numbers: bool = False


@dataclass(frozen=True)
class ConditionModel:
    """A model whose fields conditions compare; `endpoint` has its records, and `key` is the kind of their key."""

    name: str
    noun: Noun
    fields: tuple[ConditionField, ...]
    endpoint: str = ""
    key: str = "uuid"


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of the server; `noun` is what a record of it is called.

    `condition_model` is the model of its rows in conditions; empty if that is unknown.
    """

    name: str
    class_name: str
    path: str
    noun: Noun
    actions: tuple[EndpointAction, ...]
    models: tuple[Model, ...] = ()
    description: str = ""
    condition_model: str = ""


@dataclass(frozen=True)
class Api:
    """Everything that a client is generated from."""

    endpoints: tuple[Endpoint, ...]
    findings: tuple[Finding, ...] = ()
    operations: int = 0
    facts: ServerFacts = field(default_factory=ServerFacts)
    condition_models: tuple[ConditionModel, ...] = ()

    @property
    def models(self) -> dict[str, Model]:
        """The models of all endpoints, by name."""
        return {model.name: model for endpoint in self.endpoints for model in endpoint.models}
