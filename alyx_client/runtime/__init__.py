"""The runtime of generated code: actions, endpoints, models, parsers of responses, filters and lists.

Generated packages, those of labs among them, import this package and `alyx_client.client`, and nothing else of
`alyx_client`. The names in ``__all__`` are that contract, with their signatures and these private ones: the methods
``_send``, ``_list`` and ``_many`` and the attribute ``_client`` of endpoints, the attributes ``_read`` and
``_partial_update`` of endpoints with JSON fields, and the attributes ``_surface``, ``_preserved_fields``,
``_joined_fields``, ``_closed_sets``, ``_row_keys``, ``_token_scheme`` and ``_zones`` of clients. If one of them
changes, generated packages have to be regenerated, and the changelog says so.

May import `auth`, `config`, `schema`, `http`, `storage` and `errors`; the only package that imports pydantic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from alyx_client.http.token_scheme import TokenScheme
from alyx_client.runtime.action import Action, ListAction
from alyx_client.runtime.bodies import Upload
from alyx_client.runtime.closed_sets import ClosedSet, ClosedSets, Column
from alyx_client.runtime.endpoint import AsyncEndpoint, AsyncJsonFields, Endpoint, JsonFields
from alyx_client.runtime.filters import DateRange, DjangoFilter, known_filters
from alyx_client.runtime.inputs import UNSET, DateInput, DateTimeInput, UUIDInput, ZonedDateTimeInput
from alyx_client.runtime.lists.paging import Paging
from alyx_client.runtime.lists.results import Results
from alyx_client.runtime.models import Resource, ZonedResource
from alyx_client.runtime.records import Record, WithIdInUrl
from alyx_client.runtime.references import Origin, RecordOf, RecordOr, RecordsOr, Reference
from alyx_client.runtime.response import PageParser, ResponseParser
from alyx_client.runtime.signatures import completes

if TYPE_CHECKING:
    from alyx_client.runtime.bulk_options import ByKey
    from alyx_client.runtime.bulk_results import BulkResults
    from alyx_client.runtime.lists.async_results import AsyncResults

__all__ = [
    "UNSET",
    "Action",
    "AsyncEndpoint",
    "AsyncJsonFields",
    "AsyncResults",
    "BulkResults",
    "ByKey",
    "ClosedSet",
    "ClosedSets",
    "Column",
    "DateInput",
    "DateRange",
    "DateTimeInput",
    "DjangoFilter",
    "Endpoint",
    "JsonFields",
    "ListAction",
    "Origin",
    "PageParser",
    "Paging",
    "Record",
    "RecordOf",
    "RecordOr",
    "RecordsOr",
    "Reference",
    "Resource",
    "ResponseParser",
    "Results",
    "TokenScheme",
    "UUIDInput",
    "Upload",
    "WithIdInUrl",
    "ZonedDateTimeInput",
    "ZonedResource",
    "completes",
    "known_filters",
]

_LATE = {
    "AsyncResults": "alyx_client.runtime.lists.async_results",
    "BulkResults": "alyx_client.runtime.bulk_results",
    "ByKey": "alyx_client.runtime.bulk_options",
}


def __getattr__(name: str) -> Any:
    # Results of methods that few programs call; in generated code, nothing but a type checker reads these names.
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATE[name]), name)
