"""Find out whether the server carried out a ``create`` whose response was lost: look for the record.

A record is recognised by fields that only one record has (names, by Alyx's own constraints), or that two records have
only by mistake: no animal is weighed twice in the same microsecond. Fields are compared here, since Alyx ignores
filters that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from alyx_client.http.json_body import read_json
from alyx_client.http.message import Request, Response
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.references import key_of_url

__all__ = ["NATURAL_KEYS", "NaturalKey", "lookup_request", "matches"]


@dataclass(frozen=True, slots=True)
class NaturalKey:
    """The fields by which a record is recognised.

    Parameters
    ----------
    required
        Fields that must be known; without one of them, the record cannot be recognised.
    filters
        The list's filters, and the fields whose values they take.
    compared
        Further fields that must be equal where they were sent.
    """

    required: tuple[str, ...]
    filters: Mapping[str, str]
    compared: tuple[str, ...] = ()


_NAME = NaturalKey(("name",), {"name": "name"})
_EVENT = {"nickname": "subject", "date_time": "date_time"}
NATURAL_KEYS: Mapping[str, NaturalKey] = {
    # Alyx: unique together.
    "subjects": NaturalKey(("nickname", "lab"), {"nickname": "nickname", "lab": "lab"}),
    "insertions": NaturalKey(("session", "name"), {"session": "session", "name": "name"}),
    # Not unique in Alyx.
    "sessions": NaturalKey(("subject", "start_time"), {"subject": "subject"}, ("number", "type", "task_protocol")),
    "weighings": NaturalKey(("subject", "date_time", "weight"), _EVENT),
    "water_administrations": NaturalKey(
        ("subject", "date_time", "water_administered"), _EVENT, ("water_type", "adlib")
    ),
    # Alyx: unique. Lists without a filter by name have few rows.
    **dict.fromkeys(("data_formats", "dataset_types", "labs", "projects", "revisions", "tags"), _NAME),
}
"""Natural keys by endpoint. Others have none: a note may well be written twice."""

_LIMIT = 1000
_TIMES = frozenset({"date_time", "start_time"})
_NUMBERS = frozenset({"number", "water_administered", "weight"})


def lookup_request(endpoint: str, path: str, fields: Mapping[str, Any]) -> Request | None:
    """Return the request that lists the records which the one that was sent may be among.

    Parameters
    ----------
    endpoint, path
        The endpoint, and the path of its list.
    fields
        The fields that were sent.

    Returns
    -------
    Request or None
        None if the record cannot be recognised.
    """
    key = NATURAL_KEYS.get(endpoint)
    if key is None or any(fields.get(name) in (None, "") for name in key.required):
        return None
    params = [(name, str(fields[field])) for name, field in key.filters.items()]
    if endpoint == "sessions":
        day = str(fields["start_time"])[:10]
        params.append(("date_range", f"{day},{day}"))
    return Request("GET", path, params=(*params, ("limit", str(_LIMIT))), endpoint=endpoint, action="list")


def matches(endpoint: str, fields: Mapping[str, Any], response: Response) -> list[dict[str, Any]] | None:
    """Return the records of a list that are the one that was sent.

    Parameters
    ----------
    endpoint
        The endpoint.
    fields
        The fields that were sent.
    response
        The list.

    Returns
    -------
    list or None
        None if the response is not the whole list, so that the record may be on another page.
    """
    body = read_json(response)
    rows: object = body
    if isinstance(body, dict):
        page = cast("dict[str, Any]", body)
        rows = page.get("results")
        if page.get("next"):
            return None
    if not isinstance(rows, list):
        return None
    records = [cast("dict[str, Any]", row) for row in cast("list[object]", rows) if isinstance(row, dict)]
    key = NATURAL_KEYS[endpoint]
    names = (*key.required, *(name for name in key.compared if fields.get(name) is not None))
    # A row without the field cannot be told from the record.
    if any(name not in record for record in records for name in names):
        return None
    return [record for record in records if all(_equal(name, fields[name], record[name]) for name in names)]


def _equal(name: str, sent: object, received: object) -> bool:
    if name in _TIMES:
        return _time(sent) is not None and _time(sent) == _time(received)
    if name in _NUMBERS:
        return _number(sent) is not None and _number(sent) == _number(received)
    # The server sends some keys as URLs.
    return _key(sent) == _key(received)


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).replace(tzinfo=None)
    except ValueError:
        return None


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _key(value: object) -> object:
    return key_of_url(value) if isinstance(value, str) and value.startswith(("http://", "https://")) else value
