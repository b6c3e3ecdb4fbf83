"""The endpoints of a server as its schema declares them: their actions, filters and fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from alyx_client.errors import InvalidCallError, printable
from alyx_client.http.arguments import require
from alyx_client.http.suggestions import suggest
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.filter_values import FilterType
from alyx_client.schema.paging import ALYX_PAGING, Paging
from alyx_client.schema.routes import action_rank

__all__ = ["FieldInfo", "RestOperation", "RestScheme"]

FieldInfo = dict[str, Any]
"""A filter or a field: ``name``, ``in``, ``required`` and ``schema``."""

_MAX_VALUES = 6
_MAX_DESCRIPTION = 120


@dataclass(frozen=True, slots=True)
class RestOperation:
    """One action of an endpoint.

    Parameters
    ----------
    method, path
        The HTTP method in capitals, and the path with its lookup key in braces.
    fields
        Its filters and fields, each with ``name``, ``in`` (``path``, ``query`` or ``body``), ``required`` and
        ``schema`` (``type``, ``description``, ``enum``).
    joined
        Names of the filters whose values are sent as one text, joined by commas.
    row_key
        For a list: the fields that may hold a row's key, the first choice first; none if no field certainly does.
    paging
        For a list: how it is divided into pages.
    types
        The declared types of filters, for a list, or of the keys in the path; of those that are checked.
    """

    method: str
    path: str
    fields: tuple[FieldInfo, ...]
    joined: frozenset[str] = frozenset()
    row_key: tuple[str, ...] = ()
    paging: Paging = ALYX_PAGING
    types: Mapping[str, FilterType] = field(default_factory=dict[str, FilterType])


class RestScheme:
    """The endpoints of a server, as its schema declares them.

    Parameters
    ----------
    operations
        By endpoint and action.
    backend
        The schema's form: ``"open_api_v3"``, or ``"core_api"`` for servers before 3.3.
    """

    def __init__(self, operations: Mapping[str, Mapping[str, RestOperation]], backend: str) -> None:
        self._operations = operations
        self.backend = backend

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self._operations)} endpoints, {self.backend}>"

    @property
    def endpoints(self) -> list[str]:
        """The names of the endpoints, in alphabetical order."""
        return sorted(self._operations)

    def actions(self, endpoint: str) -> list[str]:
        """Return the names of an endpoint's actions.

        Raises
        ------
        InvalidCallError
            There is no such endpoint; the message suggests similar names.
        """
        return sorted(self._endpoint(endpoint), key=lambda action: (action_rank(action), action))

    def fields(self, endpoint: str, action: str) -> list[FieldInfo]:
        """Return the filters and fields of an action: dictionaries with ``name``, ``in``, ``required``, ``schema``.

        Raises
        ------
        InvalidCallError
            There is no such endpoint or action.
        """
        return [dict(field) for field in self.operation(endpoint, action).fields]

    def field_names(self, endpoint: str, action: str) -> list[str]:
        """Return the names of an action's filters and fields.

        Raises
        ------
        InvalidCallError
            There is no such endpoint or action.
        """
        return [field["name"] for field in self.operation(endpoint, action).fields]

    def url(self, endpoint: str, action: str) -> str:
        """Return an action's path, such as ``/sessions/{id}``.

        Raises
        ------
        InvalidCallError
            There is no such endpoint or action.
        """
        return self.operation(endpoint, action).path

    def operation(self, endpoint: str, action: str) -> RestOperation:
        """Return one action.

        Raises
        ------
        InvalidCallError
            There is no such endpoint or action.
        """
        operations = self._endpoint(endpoint)
        require("action", action, str, "the name of an action")
        if action not in operations:
            raise InvalidCallError(
                f"The endpoint {endpoint!r} has no action {action!r}. {suggest(action, self.actions(endpoint))}"
            )
        return operations[action]

    def describe(self, endpoint: str, action: str | None = None) -> str:
        """Return readable lines about an endpoint's actions and their fields.

        Raises
        ------
        InvalidCallError
            There is no such endpoint or action.
        """
        names = self.actions(endpoint) if action is None else [action]
        blocks = [printable(f"{endpoint}: {', '.join(self.actions(endpoint))}")]
        for name in names:
            operation = self.operation(endpoint, name)
            lines = [f"{name}: {operation.method} {operation.path}", *_lines(operation.fields)]
            blocks.append("\n".join(map(printable, lines)))
        return "\n\n".join(blocks)

    def print_endpoint_info(self, endpoint: str, action: str | None = None) -> None:
        """Print what `describe` returns."""
        print(self.describe(endpoint, action))

    def _endpoint(self, endpoint: str) -> Mapping[str, RestOperation]:
        require("endpoint", endpoint, str, "the name of an endpoint")
        if endpoint not in self._operations:
            raise InvalidCallError(f"There is no endpoint {endpoint!r}. {suggest(endpoint, self.endpoints)}")
        return self._operations[endpoint]


def _lines(fields: Iterable[FieldInfo]) -> list[str]:
    ordered = sorted(fields, key=lambda field: (not field["required"], field["name"]))
    width = max((len(field["name"]) for field in ordered), default=0)
    return [_line(field, width) for field in ordered]


def _line(field: FieldInfo, width: int) -> str:
    schema = field["schema"]
    kind = _type_text(schema) + (", required" if field["required"] else "")
    description = " ".join(str(schema.get("description", "")).split())
    text = f"    {field['name']:<{width}}  {kind}"
    return f"{text}: {description[:_MAX_DESCRIPTION]}" if description else text


def _type_text(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array":
        return f"list of {_type_text(schema.get('items', {}))}"
    values = [str(value) for value in schema.get("enum", ()) if value not in (None, "")]
    if values:
        more = ["..."] if len(values) > _MAX_VALUES else []
        return " | ".join([*values[:_MAX_VALUES], *more])
    return str(schema.get("format") or schema.get("type") or "any")
