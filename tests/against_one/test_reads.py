"""Reads and lists return the same as in ONE."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alyx_client import AlyxClient

pytest.importorskip("one.webclient", reason="ONE-api is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")

Call = Callable[[Any, dict[str, Any]], Any]

READS: dict[str, Call] = {
    "list": lambda client, k: client.rest("subjects", "list"),
    "pages": lambda client, k: client.rest("datasets", "list", limit=7),
    "index": lambda client, k: [client.rest("datasets", "list", limit=7)[index] for index in (0, 9, -1)],
    "slice": lambda client, k: client.rest("datasets", "list", limit=7)[5:17],
    "length": lambda client, k: len(client.rest("datasets", "list", limit=7)),
    "filters": lambda client, k: client.rest(
        "sessions", "list", subject=k["subject"], date_range=["2020-01-01", "2030-01-01"]
    ),
    "boolean": lambda client, k: client.rest("subjects", "list", alive=True),
    "filters in the endpoint": lambda client, k: client.rest("subjects?alive=True"),
    "leading slash": lambda client, k: client.rest("/subjects", "list"),
    "lists joined": lambda client, k: client.rest("sessions", "list", dataset_types=["trials.table", "wheel.position"]),
    "tuples joined": lambda client, k: client.rest("sessions", "list", date_range=("2020-01-02", "2020-01-10")),
    "number": lambda client, k: client.rest("sessions", "list", number=1),
    "no rows": lambda client, k: client.rest("sessions", "list", lab="nowhere"),
    "filters in the endpoint and beside it": lambda client, k: client.rest(
        "/sessions?number=1", "list", lab="cortexlab"
    ),
    "filters in the endpoint of a read": lambda client, k: client.rest("subjects?alive=True", "read"),
    "slices": lambda client, k: [
        client.rest("datasets", "list", limit=7)[span]
        for span in (slice(3), slice(-3, None), slice(10, None), slice(-5, -2), slice(3, 3), slice(70, 999))
    ],
    "the first and last index": lambda client, k: [
        client.rest("datasets", "list", limit=7)[index] for index in (-77, 76, -8, 38)
    ],
    "iteration": lambda client, k: [row["url"] for row in client.rest("datasets", "list", limit=7)],
    "truth": lambda client, k: bool(client.rest("datasets", "list", limit=7)),
    "special characters on one page": lambda client, k: client.rest("sessions", "list", django="narrative,a&b + c#d %"),
    "django": lambda client, k: client.rest("sessions", "list", django="subject__nickname__icontains,t"),
    "django in parts": lambda client, k: client.rest(
        "sessions", "list", django=["lab__name,cortexlab", "n_trials__gte", 400]
    ),
    "django negated": lambda client, k: client.rest("sessions", "list", django="~lab__name,cortexlab"),
    "django with a list": lambda client, k: client.rest("sessions", "list", django=f"pk__in,{[k['session']]}"),
    "django None": lambda client, k: client.rest("sessions", "list", django=None),
    "id on list": lambda client, k: client.rest("sessions", "list", id=k["session"]),
    "id and django on list": lambda client, k: client.rest(
        "sessions", "list", id=k["session"], django=f"subject__nickname,{k['subject']}"
    ),
    "read": lambda client, k: client.rest("sessions", "read", id=k["session"]),
    "read by UUID": lambda client, k: client.rest("sessions", "read", id=UUID(k["session"])),
    "read by URL": lambda client, k: client.rest("sessions", "read", id=k["url"]),
    "read by name": lambda client, k: client.rest("subjects", "read", id=k["subject"]),
    "read by name with a dot": lambda client, k: client.rest("subjects", "read", "tulip.02"),
    "read by name of digits": lambda client, k: client.rest("subjects", "read", id=437),
    "read by name with special characters": lambda client, k: client.rest("water-type", "read", "Water 10% Sucrose"),
    "read by number": lambda client, k: client.rest("brain-regions", "read", id=997),
    "get": lambda client, k: client.get(f"/sessions/{k['session']}"),
    "get without slash": lambda client, k: client.get(f"sessions/{k['session']}"),
    "get a URL": lambda client, k: client.get(k["url"]),
    "get a list": lambda client, k: client.get(f"/sessions?subject={k['subject']}"),
    "get pages": lambda client, k: client.get("/datasets?limit=5"),
    "get the URL of a list": lambda client, k: client.get(f"{k['server']}/sessions?lab=cortexlab"),
    "get encoded filters": lambda client, k: client.get("/sessions?django=narrative__icontains,went%20well"),
    "get beside the endpoints": lambda client, k: client.get("/cache/info/"),
    "no_cache": lambda client, k: client.rest("labs", "list", no_cache=True),
    "endpoints": lambda client, k: [name for name in client.rest_schemes.endpoints if name != "docs"],
    "actions": lambda client, k: sorted(client.rest_schemes.actions("subjects")),
    "actions of all endpoints": lambda client, k: {
        name: sorted(client.rest_schemes.actions(name)) for name in client.rest_schemes.endpoints if name != "docs"
    },
    "urls of all actions": lambda client, k: {
        (name, action): client.rest_schemes.url(name, action)
        for name in client.rest_schemes.endpoints
        if name != "docs"
        for action in client.rest_schemes.actions(name)
    },
    "filters of all lists": lambda client, k: {
        name: sorted(client.rest_schemes.field_names(name, "list"))
        for name in client.rest_schemes.endpoints
        if name != "docs" and "list" in client.rest_schemes.actions(name)
    },
    "form of the schema": lambda client, k: client.rest_schemes.backend,
    "url of an action": lambda client, k: client.rest_schemes.url("subjects", "read"),
    "base_url": lambda client, k: client.base_url,
    "user": lambda client, k: (client.authenticate(), client.user)[1],
    "is_logged_in": lambda client, k: (client.authenticate(), bool(client.is_logged_in))[1],
    "cache_mode": lambda client, k: client.cache_mode,
    "default_expiry": lambda client, k: client.default_expiry,
    "relative path": lambda client, k: client.rel_path2url("lab/Subjects/a/2020-01-01/001/alf/x.npy"),
    "relative path with slashes": lambda client, k: client.rel_path2url("/a/x.npy/"),
    "relative Path": lambda client, k: client.rel_path2url(Path("a") / "x.npy"),
}


def plain(value: Any) -> Any:
    """Return a list of any kind as a list."""
    return list(value) if not isinstance(value, dict) and hasattr(value, "__len__") else value


@pytest.mark.parametrize("name", READS)
def test_reads_return_the_same(name: str, one: Any, alyx: AlyxClient, facts: dict[str, Any]) -> None:
    assert plain(READS[name](alyx, facts)) == plain(READS[name](one, facts))
