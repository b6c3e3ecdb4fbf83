"""The paths of Alyx that are not endpoints of records: file registration, downloads, water, cache tables."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Callable, Mapping
from datetime import date

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.records.editor import Editor
from alyx_client.testing.records.json_values import is_object, is_sequence
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.records.water import WaterControl
from alyx_client.testing.records.write_context import now
from alyx_client.testing.views.cache_tables import METADATA, cache_tables
from alyx_client.testing.views.parameters import service_fields, split_words
from alyx_client.testing.views.registration import Registration
from alyx_client.testing.views.requests import ApiRequest, ViewResult

Service = Callable[[ApiRequest], ViewResult]


class Services:
    """The services of a local Alyx."""

    def __init__(self, store: Store, tables: Mapping[str, Table]) -> None:
        self.store = store
        self.tables = tables
        registration = Registration(store, tables)
        self._services: dict[tuple[str, str], Service] = {
            ("/register-file", "POST"): registration.register_file,
            ("/check-protected", "GET"): registration.check_protected,
            ("/new-download", "POST"): self.new_download,
            ("/sync-file-status", "GET"): self.sync_status,
            ("/sync-file-status", "POST"): self.sync,
            ("/water-requirement/{nickname}", "GET"): self.water_requirement,
            ("/cache/info/", "GET"): self.cache_info,
            ("/cache/info/{tag}/", "GET"): self.cache_info,
        }

    def find(self, path: str, method: str) -> Service | None:
        """Return the service at a path, or None."""
        return self._services.get((path, method))

    def water_requirement(self, request: ApiRequest) -> ViewResult:
        """Return a subject's weights, and the water it received and is due, for every day."""
        nickname = request.path_parameters["nickname"]
        subject = self.store.find("subjects", "nickname", nickname)
        if subject is None:
            raise ServerFailure("Subject matching query does not exist.")
        start, end = _day(request, "start_date"), _day(request, "end_date")
        water = WaterControl(self.store, subject)
        return 200, {
            "subject": nickname,
            "implant_weight": water.implant_weight(start),
            "reference_weight_pct": water.reference_weight_pct,
            "zscore_weight_pct": water.zscore_weight_pct,
            "records": water.records(start, end),
        }

    def new_download(self, request: ApiRequest) -> ViewResult:
        """Count a download of every dataset by the user."""
        body = service_fields(request)
        named = body.get("datasets")
        if not isinstance(named, str) and not is_sequence(named) and not is_object(named):
            # Alyx validates nothing here; these are the texts of the exceptions.
            raise ServerFailure(f"'{type(named).__name__}' object is not iterable")
        datasets = [self._dataset(key) for key in split_words(named)]
        projects = [self._project(name) for name in split_words(body.get("projects", ()))]
        downloads = [self._count_download(request.user, dataset, projects) for dataset in datasets]
        return 201, {
            "download": [download["id"] for download in downloads],
            "count": [download["count"] for download in downloads],
        }

    def _count_download(self, user: Record | None, dataset: Record, projects: list[str]) -> Record:
        if user is None:
            raise ServerFailure("['“AnonymousUser” is not a valid UUID.']")
        editor = Editor(self.store, self.tables, user)
        # One row for every user and dataset; later downloads raise its count.
        for download in self.store.related("downloads", "dataset", dataset["id"]):
            if download["user"] == user["id"]:
                return editor.update("downloads", download["id"], {"count": download["count"] + 1})
        values = {"user": user["id"], "dataset": dataset["id"], "projects": projects, "count": 1}
        return editor.create("downloads", {**values, "first_download": now()})

    def sync_status(self, _request: ApiRequest) -> ViewResult:
        """Return the paths of files that only personal repositories have."""
        servers = {row["id"] for row in self.store.related("data-repository", "globus_is_personal", False)}
        files = [row for row in self.store.rows("files") if row["exists"]]
        on_servers = {row["relative_path"] for row in files if row["data_repository"] in servers}
        return 200, sorted({row["relative_path"] for row in files} - on_servers)

    def sync(self, _request: ApiRequest) -> ViewResult:
        """Accept the order to compare the repositories, of which there is nothing to compare."""
        return 200, "ok"

    def _dataset(self, key: str) -> Record:
        try:
            dataset = self.store.get("datasets", str(uuid.UUID(key)))
        except ValueError:
            raise ServerFailure(f"['“{key}” is not a valid UUID.']") from None
        if dataset is None:
            raise ServerFailure("Dataset matching query does not exist.")
        return dataset

    def _project(self, name: str) -> str:
        project = self.store.find("projects", "name", name)
        if project is None:
            raise ServerFailure("Project matching query does not exist.")
        return str(project["id"])

    def cache_info(self, request: ApiRequest) -> ViewResult:
        """Return the versions of the cache tables, or of those of a tag."""
        tag = request.path_parameters.get("tag")
        if tag is not None and self.store.find("tags", "name", tag) is None:
            # The response is an HTML page, not JSON.
            raise LookupError("Tag matching query does not exist.")
        contents = cache_tables(self.store)
        tables = {
            name: {"nrecs": len(self.store.rows(name)), "size": len(content)} for name, content in contents.items()
        }
        return 200, {**METADATA, **({} if tag is None else {"database_tags": [tag]}), "tables": tables}

    def cache_zip(self) -> bytes:
        """Return the archive of the cache tables."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zip_file:
            for name, content in cache_tables(self.store).items():
                # A ZipInfo has a fixed date, so the archive is the same in every run.
                zip_file.writestr(zipfile.ZipInfo(f"{name}.pqt"), content)
        return archive.getvalue()


def _day(request: ApiRequest, name: str) -> date | None:
    values = request.query.get(name)
    if not values:
        return None
    try:
        return date.fromisoformat(values[-1])
    except ValueError:
        # Alyx appends the time of noon before it reads the text.
        detail = f"time data '{values[-1]} 12:00:00' does not match format '%Y-%m-%d %H:%M:%S'"
        raise ServerFailure(detail) from None
