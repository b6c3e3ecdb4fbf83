"""The surface of a server as plain values: its actions, their filters, and the fields of requests and responses.

Two schemas are compared by their surfaces. A surface holds no prose, and does not depend on the order in which a
document lists things, or on how it divides its schemas into components.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["ActionName", "Scalar", "Surface", "SurfaceAction", "SurfaceSource", "ValueSpec", "Values"]

Scalar = str | int | float | bool
SurfaceSource = Literal["OpenAPI", "CoreAPI"]
Values = Mapping[str, "ValueSpec"]
"""Filters or fields, by the server's names."""


@dataclass(frozen=True, slots=True)
class ValueSpec:
    """The type of a filter or a field, and what the server checks of it.

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
    limits
        What else the server checks, by OpenAPI's keyword: ``maxLength``, ``pattern``, ``format``; ``blank`` if a
        blank text is accepted whatever they say. Of a list: the limits of its items, too. Only in requests.
    """

    types: tuple[str, ...]
    required: bool = False
    nullable: bool = False
    enum: tuple[Scalar, ...] = ()
    limits: tuple[tuple[str, Scalar], ...] = ()


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
        The lookup keys of the path with their types, in order.
    body
        The body of requests: ``record``, ``list``, ``record or list``, or empty.
    response
        The content of responses: ``page of records``, ``list of records``, ``record``, ``nothing``, ``file``, or types.
    filters, request_fields, response_fields
        By the server's names; fields of nested records as ``probe_insertion[].name``.
    """

    name: ActionName
    method: str
    path: str
    keys: tuple[tuple[str, str], ...] = ()
    body: str = ""
    response: str = "nothing"
    filters: Values = field(default_factory=_no_values)
    request_fields: Values = field(default_factory=_no_values)
    response_fields: Values = field(default_factory=_no_values)


@dataclass(frozen=True, slots=True)
class Surface:
    """All actions of a server.

    Parameters
    ----------
    actions
        By their `alyx_client.schema.routes.route`.
    source
        The form of the document that it was read from. A CoreAPI document does not describe responses.
    """

    actions: Mapping[str, SurfaceAction]
    source: SurfaceSource = "OpenAPI"

    @property
    def names(self) -> dict[str, ActionName]:
        """The names of the actions, by their routes."""
        return {key: action.name for key, action in self.actions.items()}
