"""The cache tables: sessions and datasets, as Parquet where pandas and pyarrow are installed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from alyx_client.testing.records.relations import QC
from alyx_client.testing.records.store import Record, Store

__all__ = ["CACHE_TABLES", "METADATA", "cache_tables"]

CACHE_TABLES = ("sessions", "datasets")
METADATA = {"date_created": "2021-06-01 12:00", "origin": "alyx", "min_api_version": "2.10"}

_QUALITIES = {value: name for name, value in sorted(QC.items(), key=lambda item: item[1])}


def cache_tables(store: Store) -> dict[str, bytes]:
    """Return the files of the tables by table.

    Parameters
    ----------
    store
        The records.
    """
    write = _parquet if find_spec("pandas") and find_spec("pyarrow") else _json_lines
    rows: dict[str, Callable[[Store], Iterable[dict[str, Any]]]] = {"sessions": _sessions, "datasets": _datasets}
    return {name: write(name, list(rows[name](store))) for name in CACHE_TABLES}


def _sessions(store: Store) -> Iterable[dict[str, Any]]:
    for row in store.rows("sessions"):
        yield {
            "id": row["id"],
            "lab": _name(store, "labs", row["lab"]),
            "subject": _name(store, "subjects", row["subject"], "nickname"),
            "date": row["start_time"][:10],
            "number": row["number"] or 0,
            "task_protocol": row["task_protocol"],
            "projects": ",".join(_name(store, "projects", key) for key in row["projects"]),
        }


def _datasets(store: Store) -> Iterable[dict[str, Any]]:
    servers = {row["id"] for row in store.related("data-repository", "globus_is_personal", False)}
    present = {row["dataset"] for row in store.rows("files") if row["exists"] and row["data_repository"] in servers}
    for row in store.rows("datasets"):
        if row["session"] and row["id"] in present:
            revision = _name(store, "revisions", row["revision"])
            parts = (row["collection"], f"#{revision}#" if revision else "", row["name"])
            yield {
                "eid": row["session"],
                "id": row["id"],
                "rel_path": "/".join(filter(None, parts)),
                "file_size": row["file_size"] or 0,
                "hash": row["hash"],
                "default_revision": bool(row["default_dataset"]),
                "qc": _QUALITIES[row["qc"]],
                "exists": True,
            }


def _name(store: Store, table: str, key: str | None, column: str = "name") -> str:
    row: Record | None = store.get(table, key) if key else None
    return str(row[column]) if row else ""


def _json_lines(_name: str, rows: list[dict[str, Any]]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _parquet(name: str, rows: list[dict[str, Any]]) -> bytes:
    pandas, pyarrow, parquet = (import_module(module) for module in ("pandas", "pyarrow", "pyarrow.parquet"))
    frame = pandas.DataFrame(rows)
    if name == "sessions":
        frame["date"] = pandas.to_datetime(frame["date"]).dt.date
        frame = frame.astype({"number": "uint16"}).set_index("id")
    else:
        frame["qc"] = pandas.Categorical(frame["qc"], list(_QUALITIES.values()), ordered=True)
        frame = frame.astype({"file_size": "uint64"}).set_index(["eid", "id"])
    table = pyarrow.Table.from_pandas(frame.sort_index())
    table = table.replace_schema_metadata({"one_metadata": json.dumps(METADATA).encode(), **table.schema.metadata})
    file = io.BytesIO()
    parquet.write_table(table, file)
    return file.getvalue()
