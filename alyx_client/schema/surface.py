"""The surface of a server as plain values: its actions, their filters, and the fields of requests and responses.

Two schemas are compared by their surfaces. A surface holds no prose, and does not depend on the order in which a
document lists things, or on how it divides its schemas into components.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from alyx_client.lazy_dataclasses import dataclass

__all__ = [
    "ActionFacts",
    "ActionName",
    "Keywords",
    "Scalar",
    "Surface",
    "SurfaceAction",
    "SurfaceSource",
    "ValueSpec",
    "Values",
]

Scalar = str | int | float | bool
SurfaceSource = Literal["OpenAPI", "CoreAPI"]
Keywords = tuple[tuple[str, Scalar], ...]
"""Keywords of the document with their values, sorted; a value that is no scalar as JSON."""
Values = Mapping[str, "ValueSpec"]
"""Filters or fields, by the server's names."""


@dataclass(frozen=True, slots=True)
class ValueSpec:
    """The type of a filter or a field, and what else the document says of it.

    Parameters
    ----------
    types
        The alternatives, sorted: ``text``, ``integer``, ``number``, ``boolean``, ``date``, ``date-time``, ``uuid``,
        ``file``, ``record``, ``object``, ``anything``, and ``list of …`` and ``mapping of …`` these: ``list of text``,
        ``list of (number or null)``.
    required
        In a request: whether it must be present. In a response: whether it always is.
    nullable
        Whether it may be null.
    enum
        The values it may have; empty if it may have any. Of a list: the values of its items.
    keywords
        What else `alyx_client.schema.keywords` reads: limits (``maxLength``, ``pattern``, ``format``), ``default``,
        ``deprecated``; ``blank`` if a blank text is accepted whatever the limits say. Of a list: those of its items,
        too.
    """

    types: tuple[str, ...]
    required: bool = False
    nullable: bool = False
    enum: tuple[Scalar, ...] = ()
    keywords: Keywords = ()


@dataclass(frozen=True, slots=True)
class ActionName:
    """The names under which a client offers an action.

    Parameters
    ----------
    endpoint, action
        The endpoint and the method, as on the client. If the client has no method for it, `action` is the HTTP
        method and the path.
    request_class, response_class
        The classes of what is sent and returned; empty if there are none.
    """

    endpoint: str
    action: str
    request_class: str = ""
    response_class: str = ""

    @property
    def is_method(self) -> bool:
        """True if the client has a method for it."""
        return "/" not in self.action

    @property
    def qualified(self) -> str:
        """The method as users write it: ``client.labs.delete``."""
        return f"client.{self.endpoint}.{self.action}" if self.is_method else self.action


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """Facts about an operation besides its fields.

    Parameters
    ----------
    media
        The media types of requests.
    returns
        The media types of responses to a success.
    statuses
        The declared statuses of responses.
    security
        The logins of which one is required, as text; empty for none.
    paging
        Of a page of records: the parameters that select a page, and the fields by which pages are followed.
    about
        ``deprecated``, ``sunset``, ``stability``, ``operationId`` and ``tags``.
    """

    media: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    security: tuple[str, ...] = ()
    paging: tuple[str, ...] = ()
    about: Keywords = ()


def _no_values() -> dict[str, ValueSpec]:
    return {}


@dataclass(frozen=True, slots=True)
class SurfaceAction:
    """One operation of the server.

    Parameters
    ----------
    name
        The names under which a client offers it.
    method, path
        The HTTP method in capitals, and the path with its lookup keys in braces.
    keys
        The lookup keys of the path, in order.
    body
        The body of requests: ``record``, ``list``, ``record or list``, or empty.
    response
        The content of responses: ``page of records``, ``list of records``, ``record``, ``nothing``, ``file``, or types.
    filters, request_fields, response_fields
        By the server's names; fields of nested records as ``probe_insertion[].name``, of one of
        several records as ``shape<Point>.coordinates``. A header or a cookie is a filter
        called ``header X-Lab``. The field with the empty name is the body as a whole.
    facts
        Media types, statuses, logins and others.
    """

    name: ActionName
    method: str
    path: str
    keys: tuple[tuple[str, ValueSpec], ...] = ()
    body: str = ""
    response: str = "nothing"
    filters: Values = field(default_factory=_no_values)
    request_fields: Values = field(default_factory=_no_values)
    response_fields: Values = field(default_factory=_no_values)
    facts: ActionFacts = ActionFacts()


@dataclass(frozen=True, slots=True)
class Surface:
    """All actions of a server.

    Parameters
    ----------
    actions
        By their `alyx_client.schema.routes.route`.
    source
        The form of the document that it was read from. A CoreAPI document does not describe responses.
    servers
        The paths of the server's addresses.
    services
        The paths that clients use by themselves, such as that of the login.
    """

    actions: Mapping[str, SurfaceAction]
    source: SurfaceSource = "OpenAPI"
    servers: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    @property
    def names(self) -> dict[str, ActionName]:
        """The names of the actions, by their routes."""
        return {key: action.name for key, action in self.actions.items()}
