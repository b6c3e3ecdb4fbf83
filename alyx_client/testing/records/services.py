"""The paths of Alyx that are not endpoints of records: registering files, downloads, water due, cache tables."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.records.changes import Editor, now
from alyx_client.testing.records.registration import Registration, words
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.records.views import ApiRequest
from alyx_client.testing.records.water import WaterControl


class Services:
    """The services over a store; each is a method that takes a call and returns a status and a JSON value."""

    def __init__(self, store: Store, tables: Mapping[str, Table]) -> None:
        self.store = store
        self.tables = tables

    def find(self, path: str, method: str) -> Callable[[ApiRequest], tuple[int, Any]] | None:
        """Return the service on a path, or None."""
        registration = Registration(self.store, self.tables)
        return {
            ("/register-file", "POST"): registration.register_file,
            ("/check-protected", "GET"): registration.check_protected,
            ("/new-download", "POST"): self.new_download,
            ("/sync-file-status", "GET"): self.sync_status,
            ("/sync-file-status", "POST"): self.sync,
            ("/water-requirement/{nickname}", "GET"): self.water_requirement,
            ("/cache/info/", "GET"): self.cache_info,
            ("/cache/info/{tag}/", "GET"): self.cache_info,
        }.get((path, method))

    def water_requirement(self, call: ApiRequest) -> tuple[int, Any]:
        """Answer what a subject weighed, was given and is due, day by day."""
        nickname = call.keys["nickname"]
        subject = self.store.find("subjects", "nickname", nickname)
        if subject is None:
            raise ServerFailure("Subject matching query does not exist.")
        start, end = (
            _day(call.query[name][-1]) if call.query.get(name) else None for name in ("start_date", "end_date")
        )
        control = WaterControl(self.store, subject)
        return 200, {
            "subject": nickname,
            "implant_weight": control.implant_weight(start),
            "reference_weight_pct": control.reference_weight_pct(),
            "zscore_weight_pct": control.zscore_weight_pct(),
            "records": control.records(start, end),
        }

    def new_download(self, call: ApiRequest) -> tuple[int, Any]:
        """Count a download of each dataset by the user."""
        body = call.fields()
        datasets = body.get("datasets")
        if datasets is None:
            raise ServerFailure("'NoneType' object is not iterable")
        found = [self._get("datasets", key) for key in words(datasets)]
        projects: list[str] = []
        for name in words(body.get("projects", ())):
            project = self.store.find("projects", "name", name)
            if project is None:
                raise ServerFailure("Project matching query does not exist.")
            projects.append(project["id"])
        assert call.user is not None
        editor = Editor(self.store, self.tables, call.user)
        keys: list[str] = []
        counts: list[int] = []
        for dataset in found:
            earlier = [
                row
                for row in self.store.related("downloads", "dataset", dataset["id"])
                if row["user"] == call.user["id"]
            ]
            if earlier:
                count = earlier[0]["count"] + 1
                download = editor.update("downloads", earlier[0]["id"], {"count": count})
            else:
                values = {"user": call.user["id"], "dataset": dataset["id"], "projects": projects, "count": 1}
                download = editor.create("downloads", {**values, "first_download": now()})
            keys.append(download["id"])
            counts.append(download["count"])
        return 201, {"download": keys, "count": counts}

    def sync_status(self, call: ApiRequest) -> tuple[int, Any]:
        """Answer the paths of files that only personal repositories hold."""
        paths = {row["relative_path"] for row in self.store.rows("files") if row["exists"]}
        return 200, sorted(paths - self._on_servers())

    def sync(self, call: ApiRequest) -> tuple[int, Any]:
        """Answer as if the repositories had been compared."""
        return 200, "ok"

    def _on_servers(self) -> set[str]:
        servers = {row["id"] for row in self.store.related("data-repository", "globus_is_personal", False)}
        rows = self.store.rows("files")
        return {row["relative_path"] for row in rows if row["exists"] and row["data_repository"] in servers}

    def _get(self, table: str, key: Any) -> Record:
        try:
            found = self.store.get(table, str(uuid.UUID(str(key))))
        except ValueError:
            raise ServerFailure(f"['“{key}” is not a valid UUID.']") from None
        if found is None:
            raise ServerFailure(f"{self.tables[table].model} matching query does not exist.")
        return found

    def cache_info(self, call: ApiRequest) -> tuple[int, Any]:
        """Answer the versions of the cache tables, or of those of a tag."""
        tag = call.keys.get("tag")
        if tag is not None and self.store.find("tags", "name", tag) is None:
            raise LookupError("Tag matching query does not exist.")
        sizes = {name: len(content) for name, content in self._cache_tables().items()}
        return 200, {
            "date_created": "2021-06-01 12:00",
            "origin": "alyx",
            "min_api_version": "2.10",
            "tables": {
                name: {"nrecs": len(self.store.rows(name)), "size": sizes[f"{name}.pqt"]}
                for name in ("sessions", "datasets")
            },
        }

    def cache_zip(self) -> bytes:
        """Return an archive with files named as the cache tables are; their content is JSON lines."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in self._cache_tables().items():
                packed.writestr(zipfile.ZipInfo(name), content)
        return archive.getvalue()

    def _cache_tables(self) -> dict[str, bytes]:
        return {
            f"{name}.pqt": "".join(json.dumps({"id": row["id"]}) + "\n" for row in self.store.rows(name)).encode()
            for name in ("sessions", "datasets")
        }


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ServerFailure(f"time data '{text}' does not match format '%Y-%m-%d'") from None
