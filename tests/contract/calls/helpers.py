"""Helpers of the tests of calls."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from alyx_client.errors import NotFoundError

from ..bench import Bench
from ..endpoints import ENDPOINTS
from ..package import AlyxClient, new_session

STRANGERS = [UUID(int=number) for number in range(1, 81)]


REGION, REGION_ID = "CA1", 382  # in the Allen atlas


ALIGNED = "Ephys aligned histology track"


def change(bench: Bench, **fields: Any) -> None:
    """Change the session, and restore its values when the test ends."""
    session, before = bench.session.id, {name: getattr(bench.session, name) for name in fields}
    bench.client.sessions.partial_update(session, **fields)
    bench.later("change", lambda: bench.client.sessions.partial_update(session, **before))


def another_day(bench: Bench, **fields: Any) -> Any:
    start = datetime(2020, 1, 14, 10)
    return bench.create("sessions", new_session(subject=bench.subject.nickname, start_time=start, number=1, **fields))


def created(bench: Bench, endpoint: str, data: Any, **others: Any) -> Any:
    """Create a record, or several, by name; the bench removes them."""
    result = bench.client.rest(endpoint, "create", data=data, **others)
    name = endpoint.replace("-", "_")
    lookup = ENDPOINTS[name].lookup
    for record in result if isinstance(result, list) else [result]:
        bench.keep(name, key(record) if lookup == "id" else record[lookup])
    return result


def key(row: Any) -> str:
    """Return the key of a row, whether a dictionary or typed."""
    if not isinstance(row, dict):
        return str(row.id)
    return row["id"] if "id" in row else row["url"].rpartition("/")[2]


def keys(rows: Any) -> list[str]:
    return sorted(key(row) for row in rows)


def refused_read(client: AlyxClient, endpoint: str, record: Any) -> None:
    """Check that a record no longer exists."""
    with pytest.raises(NotFoundError):
        client.rest(endpoint, "read", record)


def file_fields(bench: Bench, **fields: Any) -> dict[str, Any]:
    """Return the fields that register a file of the dataset."""
    bench.client.data_repository.partial_update(bench.repository.name, globus_is_personal=False)
    path = f"{bench.subject.nickname}/2020-01-12/001/alf/{bench.dataset.name}"
    return {"dataset": bench.dataset.url, "data_repository": bench.repository.name, "relative_path": path, **fields}
