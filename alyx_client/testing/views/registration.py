"""Registration of files: a dataset for each, and a file record for every repository that should have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alyx_client.testing.failures import Failure, ServerFailure
from alyx_client.testing.records.relations import QC, Table
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.records.write_context import WriteContext
from alyx_client.testing.views.parameters import is_true, service_fields, split_words, value_per_file
from alyx_client.testing.views.registered_dataset import registered_dataset
from alyx_client.testing.views.registrar import Registrar, is_protected
from alyx_client.testing.views.registration_target import AlfFile, RegistrationTarget
from alyx_client.testing.views.repositories import find_repositories, find_repository
from alyx_client.testing.views.requests import ApiRequest, ViewResult


class Registration:
    """The services that register files."""

    def __init__(self, store: Store, tables: Mapping[str, Table]) -> None:
        self.store = store
        self.tables = tables

    def check_protected(self, request: ApiRequest) -> ViewResult:
        """Tell whether any of the named files has a tag that protects it."""
        # A GET request, but Alyx accepts the parameters in its body as well.
        parameters = request.fields() or {name: values[-1] for name, values in request.query.items()}
        context = WriteContext(self.store, self.tables, request.user)
        target = RegistrationTarget.find(context, parameters, internal=True)
        protected, details = self._protection(target, split_words(parameters.get("filenames")))
        if protected:
            # The status is in the body alone; that of the response is 200.
            return 200, {"status_code": 403, "error": "One or more datasets is protected", "details": details}
        return 200, {"status_code": 200, "details": "None of the datasets are protected"}

    def register_file(self, request: ApiRequest) -> ViewResult:
        """Register files that exist in a repository."""
        body = service_fields(request)
        context = WriteContext(self.store, self.tables, self._user(request, body))
        repository = find_repository(self.store, body)
        target = RegistrationTarget.find(context, body, internal=False)
        filenames = [name for name in split_words(body.get("filenames")) if name]
        files = [target.parse(name) for name in filenames]
        server_only = is_true(body.get("server_only", False))
        repositories = find_repositories(target, body, repository, server_only=server_only)
        if is_true(body.get("check_protected", False)):
            protected, details = self._protection(target, filenames)
            if protected:
                raise Failure(403, {"error": "One or more datasets is protected", "details": details})
        holders: list[Record] = []
        # Files are expected in the other repositories, and transferred there later.
        if is_true(body.get("exists", True)):
            holders = repositories if server_only else [repository] if repository else []
        registrar = Registrar(context, target, repositories, holders)
        registered = [
            registered_dataset(self.store, registrar.register(file, values))
            for file, values in self._values_by_file(files, body, context.user)
        ]
        return 201, registered

    def _user(self, request: ApiRequest, body: Record) -> Record | None:
        if not body.get("created_by"):
            return request.user
        user = self.store.find("users", "username", body["created_by"])
        if user is None:
            raise ServerFailure("LabMember matching query does not exist.")
        return user

    def _protection(self, target: RegistrationTarget, filenames: list[str]) -> tuple[bool, list[Record]]:
        """Return whether any file is protected, and the protection of every revision of every file."""
        details: list[Record] = []
        protected = False
        for filename in filenames:
            revisions: list[dict[str, bool]] = []
            for dataset in target.datasets(target.parse(filename)):
                revision = self.store.get("revisions", dataset["revision"])
                revisions.append({revision["name"] if revision else "": is_protected(self.store, dataset)})
                protected = protected or is_protected(self.store, dataset)
            details.append({filename: revisions})
        return protected, details

    def _values_by_file(
        self, files: list[AlfFile], body: Record, user: Record | None
    ) -> Iterator[tuple[AlfFile, Record]]:
        count = len(files)
        columns = (
            value_per_file(body.get("hashes"), count),
            value_per_file(body.get("filesizes"), count),
            value_per_file(body.get("versions"), count, repeat=True),
            value_per_file(body.get("qc"), count, repeat=True),
        )
        # Not strict: Alyx registers only as many files as there are values.
        for file, digest, size, version, qc in zip(files, *columns, strict=False):
            yield (
                file,
                {
                    "hash": digest or "",
                    "file_size": _file_size(size),
                    "version": version or "",
                    "qc": _qc(qc, file),
                    "default_dataset": is_true(body.get("default", True)),
                    "created_by": user["id"] if user else None,
                },
            )


def _file_size(value: object) -> int | None:
    if isinstance(value, int | float | str):
        return int(value)
    if value is None:
        return None
    raise ServerFailure(f"int() argument must be a string or a number, not {type(value).__name__!r}")


def _qc(value: object, file: AlfFile) -> int:
    label = str(value or "NOT_SET").upper()
    if label in QC:
        return QC[label]
    if label.isdigit() and int(label) in QC.values():
        return int(label)
    raise Failure(400, {"detail": f'Invalid QC value "{value}" for dataset "{file.relative_path}"'})
