"""A call by name as a value, and the errors about its arguments."""

from __future__ import annotations

from collections.abc import Sequence

from alyx_client.errors import InvalidCallError
from alyx_client.http.flow import Expires
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.rest.scheme import RestOperation, RestScheme

__all__ = ["ACTIONS_WITH_DATA", "NamedCall", "missing_data", "unexpected_filters"]

ACTIONS_WITH_DATA = frozenset({"create", "update", "partial_update"})
"""The actions that send data."""


@dataclass(frozen=True, slots=True)
class NamedCall:
    """A call of an endpoint's action, and how the cache may serve it."""

    endpoint: str
    action: str
    operation: RestOperation
    expires: Expires
    bypass_cache: bool


def missing_data(call: NamedCall, scheme: RestScheme) -> InvalidCallError:
    """Return the error for a call without the data that its action needs."""
    fields = [field for field in scheme.fields(call.endpoint, call.action) if field["in"] == "body"]
    names = [field["name"] + (" (required)" if field["required"] else "") for field in fields]
    return InvalidCallError(
        f"{call.endpoint}: {call.action} needs data, a dictionary of: {', '.join(names) or 'the fields to send'}"
    )


def unexpected_filters(call: NamedCall, names: Sequence[str]) -> InvalidCallError:
    """Return the error for a call with filters that its action does not take."""
    hint = "Pass what is to be stored as data={...}." if call.action in ACTIONS_WITH_DATA else "A list takes them."
    return InvalidCallError(f"{call.endpoint}: {call.action} takes no filters, but got {', '.join(names)}. {hint}")
