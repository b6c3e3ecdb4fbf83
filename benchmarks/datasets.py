"""Rows of the endpoint ``datasets``, as a server sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid5

ROWS = 3000

_SPACE = UUID(int=0)


def rows(base_url: str = "https://alyx.example.org", count: int = ROWS) -> list[dict[str, object]]:
    """Return datasets of the server at `base_url`."""
    return [_row(base_url, n) for n in range(count)]


def page(results: Sequence[Mapping[str, object]]) -> bytes:
    """Return the response of a server that sends all rows as one page."""
    return json.dumps({"count": len(results), "next": None, "previous": None, "results": results}).encode()


def _row(base_url: str, n: int) -> dict[str, object]:
    return {
        "url": f"{base_url}/datasets/{uuid5(_SPACE, str(n))}",
        "name": f"spikes.times.{n}.npy",
        "created_by": "olivier" if n % 4 else None,
        "created_datetime": "2021-01-02T15:52:00",
        "dataset_type": "spikes.times",
        "data_format": "npy",
        "collection": "alf/probe00",
        "session": f"{base_url}/sessions/{uuid5(_SPACE, f's{n}')}",
        "file_size": 239200 + n,
        "hash": f"{n:032x}",
        "version": "2.1.0",
        "experiment_number": n % 5 or None,
        "file_records": [
            {
                "id": str(uuid5(_SPACE, f"{n}{repository}")),
                "data_repository": repository,
                "data_repository_path": "/public/",
                "relative_path": f"cortexlab/Subjects/KS005/2020-01-01/001/alf/spikes.times.{n}.npy",
                "data_url": None if repository == "local" else f"https://data.example.org/{n}",
                "exists": True,
            }
            for repository in ("flatiron", "local")
        ],
        "auto_datetime": "2026-11-23T06:43:00.888236",
        "revision": None,
        "default_dataset": True,
        "protected": 0,
        "public": 1,
        "tags": ["2022_Q2_IBL"],
        "qc": "PASS",
        "json": None,
    }
