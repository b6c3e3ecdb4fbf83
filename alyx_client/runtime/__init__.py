"""What generated code rests on: actions, endpoints, models, responses, filters and lists.

Generated packages, those of labs among them, import this room and `alyx_client.client`, and nothing else of this
package. The names in ``__all__`` are that contract: they are kept, with their signatures, from release to release, and
a change to one of them means that packages have to be regenerated, which the changelog then says.

May import `auth`, `config`, `schema`, `http`, `storage` and `errors`; pydantic is imported here alone.
"""

from __future__ import annotations

from alyx_client.runtime.action import Action, ListAction, Upload
from alyx_client.runtime.drift import Answer, PageAnswer
from alyx_client.runtime.endpoint import AsyncEndpoint, AsyncJsonFields, Endpoint, JsonFields
from alyx_client.runtime.filters import DateRange, DjangoFilter, known_filters
from alyx_client.runtime.models import UNSET, DateInput, DateTimeInput, Record, Resource, UUIDInput, WithIdInUrl
from alyx_client.runtime.results import AsyncResults, Results

__all__ = [
    "UNSET",
    "Action",
    "Answer",
    "AsyncEndpoint",
    "AsyncJsonFields",
    "AsyncResults",
    "DateInput",
    "DateRange",
    "DateTimeInput",
    "DjangoFilter",
    "Endpoint",
    "JsonFields",
    "ListAction",
    "PageAnswer",
    "Record",
    "Resource",
    "Results",
    "UUIDInput",
    "Upload",
    "WithIdInUrl",
    "known_filters",
]
