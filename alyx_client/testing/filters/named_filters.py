"""The filters of Alyx that are not a field of the record: what each name means on each endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.filters.lookups import Predicate, compile_filter
from alyx_client.testing.filters.minilanguage import parse_pairs
from alyx_client.testing.filters.query import By, Check, Custom, Query, check
from alyx_client.testing.records.relations import FOV_PROVENANCE, QC
from alyx_client.testing.records.store import Record, Store


def _labelled(field: str) -> Custom:
    def make(query: Query, value: str) -> Predicate:
        choices = query.tables[query.table].choices[field]
        wanted = {label.lower(): number for label, number in choices.items()}.get(value.lower().strip())
        if wanted is None:
            raise ServerFailure(f"Invalid{field}, choices are: {', '.join(choices)}")
        return lambda row: row.get(field) == wanted

    return make


def _fov_provenance(_query: Query, value: str) -> Predicate:
    wanted = FOV_PROVENANCE.get(value.lower().strip())
    if wanted is None:
        raise ServerFailure("sequence item 0: expected str instance, __proxy__ found")
    return lambda row: row.get("provenance") == wanted


def _quality(value: str) -> int:
    found = QC.get(value.upper())
    if found is None:
        raise ServerFailure(f"{value} is not a valid QC")
    return found


def _date_range(query: Query, value: str) -> Predicate:
    days = value.split(",")
    if len(days) < 2:
        raise ServerFailure("list index out of range")
    first, last = query.by("start_time__date__gte", days[0]), query.by("start_time__date__lte", days[1])
    return lambda row: first(row) and last(row)


def _all_users(query: Query, value: str) -> Predicate:
    names = value.split(",")
    distinct = [query.by("users__username", name) for name in dict.fromkeys(names)]
    # Alyx counts the users that match, so a name that stands there twice matches nothing.
    return lambda row: sum(has(row) for has in distinct) >= len(names)


def _json_pairs(field: str) -> Custom:
    def make(query: Query, value: str) -> Predicate:
        pairs = parse_pairs(value, f"{field}__")
        several = [query.by(path, wanted) for path, wanted in pairs.items()]
        return lambda row: all(matches(row) for matches in several)

    return make


def _datasets_of(query: Query, row: Record) -> list[Record]:
    if query.table == "sessions":
        return query.store.related("datasets", "session", row["id"])
    return [found for key in row.get("datasets") or () if (found := query.store.get("datasets", key)) is not None]


def _dataset_types(query: Query, value: str) -> Predicate:
    names = value.split(",")

    def keep(row: Record) -> bool:
        types = (query.store.get("dataset-types", dataset["dataset_type"]) for dataset in _datasets_of(query, row))
        # Alyx counts the distinct types that match, so a name that stands there twice matches nothing.
        return len({found["name"] for found in types if found is not None and found["name"] in names}) >= len(names)

    return keep


def _datasets(query: Query, value: str) -> Predicate:
    names = value.split(",")
    worst = _quality(query.first("dataset_qc_lte")) if "dataset_qc_lte" in query.given else QC["FAIL"]
    any_quality = query.table == "fields-of-view"
    only_present = query.table == "sessions"

    def keep(row: Record) -> bool:
        matching = [
            dataset["name"]
            for dataset in _datasets_of(query, row)
            if dataset["name"] in names
            and (any_quality or dataset["qc"] <= worst)
            and (not only_present or on_server(query.store, dataset))
        ]
        # Alyx counts the distinct names of a session's datasets, and the datasets themselves elsewhere.
        return len(set(matching) if query.table == "sessions" else matching) >= len(names)

    return keep


def on_server(store: Store, dataset: Record) -> bool:
    """Whether a record says that the dataset's file exists in a repository that is not personal."""
    for record in store.related("files", "dataset", dataset["id"]):
        repository = store.get("data-repository", record["data_repository"])
        if record["exists"] and repository is not None and repository["globus_is_personal"] is False:
            return True
    return False


def _dataset_quality(query: Query, value: str) -> Predicate:
    worst = _quality(value)
    if "datasets" in query.given:
        return lambda _row: True
    return lambda row: any(dataset["qc"] <= worst for dataset in _datasets_of(query, row))


def _performance(at_least: bool) -> Custom:
    def make(query: Query, value: str) -> Predicate:
        name = "performance_gte" if at_least else "performance_lte"
        bound = check(name, "number", value)
        assert isinstance(bound, float)

        def keep(row: Record) -> bool:
            if row["n_trials"] is None or row["n_correct_trials"] is None:
                return False
            if row["n_trials"] == 0:
                raise ServerFailure("division by zero\n")
            # Whole numbers, since the database divides integers.
            reached: int = 100 * row["n_correct_trials"] // row["n_trials"]
            return reached >= bound if at_least else reached <= bound

        return keep

    return make


def _histology(query: Query, value: str) -> Predicate:
    wanted = check("histology", "boolean", value)
    has = query.by("subject__actions_sessions__procedures__name", "Histology")
    return lambda row: wanted is None or has(row) is wanted


def _regions_within(store: Store, roots: Iterable[Record]) -> set[object]:
    found: set[object] = set()
    waiting = list(roots)
    while waiting:
        region = waiting.pop()
        if region["id"] not in found:
            found.add(region["id"])
            waiting += store.related("brain-regions", "parent", region["id"])
    return found


def _atlas(path: str, kind: Check = "text") -> Custom:
    def make(query: Query, value: str) -> Predicate:
        checked = check("atlas_id", kind, value)
        matches = compile_filter(query.store, query.tables, "brain-regions", path, checked)
        regions = _regions_within(query.store, [row for row in query.store.rows("brain-regions") if matches(row)])
        store = query.store

        def covered(insertion: Record, field: str) -> bool:
            return any(
                channel["brain_region"] in regions
                for trajectory in store.related("trajectories", field, insertion["id"])
                if trajectory["provenance"] >= 70
                for channel in store.related("channels", "trajectory_estimate", trajectory["id"])
            )

        def imaged(fov: Record) -> bool:
            return any(
                location["default_provenance"] and regions.intersection(location["brain_region"])
                for location in store.related("fov-location", "field_of_view", fov["id"])
            )

        def keep(row: Record) -> bool:
            if query.table == "insertions":
                return covered(row, "probe_insertion")
            if query.table == "chronic-insertions":
                return covered(row, "chronic_insertion")
            if query.table == "fields-of-view":
                return imaged(row)
            if query.table == "imaging-stack":
                return any(imaged(fov) for fov in store.related("fields-of-view", "stack", row["id"]))
            return any(
                covered(one, "probe_insertion") for one in store.related("insertions", "session", row["id"])
            ) or any(imaged(fov) for fov in store.related("fields-of-view", "session", row["id"]))

        return keep

    return make


def _alive(query: Query, value: str) -> Predicate:
    wanted = check("alive", "boolean", value)
    today = date.today().isoformat()
    return lambda row: wanted is None or (row["death_date"] is None or row["death_date"] > today) is wanted


def _stock(query: Query, value: str) -> Predicate:
    wanted = check("stock", "boolean", value)

    def keep(row: Record) -> bool:
        user = query.store.get("users", row["responsible_user"])
        return wanted is None or (user is not None and bool(user["is_stock_manager"])) is wanted

    return keep


def water_restricted(store: Store, subject: Record) -> bool:
    """Whether a subject is under a water restriction that has no end."""
    return any(
        restriction["end_time"] is None for restriction in store.related("water-restriction", "subject", subject["id"])
    )


def _water_restricted(query: Query, value: str) -> Predicate:
    wanted = check("water_restricted", "boolean", value)
    alive = _alive(query, "true")
    return lambda row: wanted is None or (water_restricted(query.store, row) is wanted and alive(row))


def _exists(query: Query, value: str) -> Predicate:
    wanted = check("exists", "boolean", value)

    def keep(row: Record) -> bool:
        for record in query.store.related("files", "dataset", row["id"]):
            repository = query.store.get("data-repository", record["data_repository"])
            personal = repository is None or repository["globus_is_personal"] is not False
            if record["exists"] is wanted and not personal:
                return True
        return wanted is None

    return keep


def _dataset_probe(query: Query, value: str) -> Predicate:
    probe = query.store.get("insertions", str(check("probe_insertion", "uuid", value)))
    if probe is None:
        raise ServerFailure("ProbeInsertion matching query does not exist.")
    name = probe["name"].lower()
    return lambda row: row["session"] == probe["session"] and name in row["collection"].lower()


def _tagged(field: str) -> Custom:
    def make(query: Query, value: str) -> Predicate:
        wanted = check(field, "boolean", value)
        has = query.by(f"tags__{field}", True)
        return lambda row: wanted is None or has(row) is wanted

    return make


def _region(query: Query, value: str) -> Record:
    field, wanted = ("id", int(value)) if value.isdigit() else ("acronym", value)
    found = query.store.find("brain-regions", field, wanted)
    if found is None:
        raise ServerFailure("BrainRegion matching query does not exist.")
    return found


def _descendants(query: Query, value: str) -> Predicate:
    regions = _regions_within(query.store, [_region(query, value)]) - {0}
    return lambda row: row["id"] in regions


def _ancestors(query: Query, value: str) -> Predicate:
    regions: set[object] = set()
    region: Record | None = _region(query, value)
    while region is not None and region["id"] not in regions:
        regions.add(region["id"])
        region = query.store.get("brain-regions", region["parent"])
    return lambda row: row["id"] in regions - {0}


_ATLAS: dict[str, By | Custom] = {
    "atlas_name": _atlas("name__icontains"),
    "atlas_acronym": _atlas("acronym__iexact"),
    "atlas_id": _atlas("pk", "number"),
}
_BY_ACTION: dict[str, By | Custom] = {
    "subject": By("subject__nickname__iexact"),
    "nickname": By("subject__nickname__iexact"),
    "users": _all_users,
    "date_range": _date_range,
    "lab": By("lab__name__iexact"),
    "location": By("location__name__icontains"),
    "json": _json_pairs("json"),
}
_BY_DATASET: dict[str, By | Custom] = {
    "dataset_types": _dataset_types,
    "datasets": _datasets,
    "dataset_qc_lte": _dataset_quality,
}
FILTERS: dict[str, dict[str, By | Custom]] = {
    "subjects": {
        "alive": _alive,
        "responsible_user": By("responsible_user__username"),
        "stock": _stock,
        "water_restricted": _water_restricted,
        "lab": By("lab__name"),
        "project": By("projects__name"),
        "json": By("json"),
    },
    "sessions": {
        **_BY_ACTION,
        **_BY_DATASET,
        **_ATLAS,
        "performance_gte": _performance(at_least=True),
        "performance_lte": _performance(at_least=False),
        "type": By("type__iexact"),
        "task_protocol": By("task_protocol__icontains"),
        "qc": _labelled("qc"),
        "extended_qc": _json_pairs("extended_qc"),
        "procedures": By("procedures__name__icontains"),
        "projects": By("projects__name__icontains"),
        "project": By("projects__name__icontains"),
        "histology": _histology,
        "tag": By("data_dataset_session_related__tags__name__icontains"),
    },
    "weighings": _BY_ACTION,
    "water-administrations": _BY_ACTION,
    "water-restriction": _BY_ACTION,
    "surgeries": {**_BY_ACTION, "procedure": By("procedures__name__iexact")},
    "datasets": {
        "subject": By("session__subject__nickname"),
        "lab": By("session__lab__name"),
        "created_date": By("created_datetime__date"),
        "date": By("session__start_time__date"),
        "created_by": By("created_by__username"),
        "dataset_type": By("dataset_type__name"),
        "experiment_number": By("session__number"),
        "created_date_gte": By("created_datetime__date__gte", "datetime"),
        "created_date_lte": By("created_datetime__date__lte", "datetime"),
        "exists": _exists,
        "probe_insertion": _dataset_probe,
        "public": _tagged("public"),
        "protected": _tagged("protected"),
        "tag": By("tags__name"),
        "revision": By("revision__name"),
        "qc": _labelled("qc"),
    },
    "files": {
        "lab": By("dataset__session__lab__name"),
        "data_repository": By("data_repository__name"),
        "globus_is_personal": By("data_repository__globus_is_personal", "boolean"),
    },
    "downloads": {
        "json": By("json__icontains"),
        "dataset": By("dataset__name"),
        "user": By("user__username"),
        "dataset_type": By("dataset__dataset_type__name__icontains"),
    },
    "data-notices": {"datasets": By("datasets__id__in", "uuids"), "dataset_tag": By("datasets__tags__name")},
    "insertions": {
        **_BY_DATASET,
        **_ATLAS,
        "subject": By("session__subject__nickname"),
        "date": By("session__start_time__date"),
        "experiment_number": By("session__number"),
        "session": By("session", "uuid"),
        "model": By("model__name"),
        "lab": By("session__lab__name__iexact"),
        "project": By("session__projects__name__icontains"),
        "task_protocol": By("session__task_protocol__icontains"),
        "tag": By("datasets__tags__name__icontains"),
    },
    "chronic-insertions": {
        **_ATLAS,
        "subject": By("subject__nickname"),
        "lab": By("lab__name"),
        "model": By("model__name"),
        "probe": By("probe_insertion__id", "uuid"),
        "session": By("probe_insertion__session__id", "uuid"),
    },
    "trajectories": {
        "provenance": _labelled("provenance"),
        "subject": By("probe_insertion__session__subject__nickname"),
        "project": By("probe_insertion__session__projects__name"),
        "date": By("probe_insertion__session__start_time__date"),
        "experiment_number": By("probe_insertion__session__number"),
        "session": By("probe_insertion__session__id", "uuid"),
        "probe": By("probe_insertion__name"),
    },
    "channels": {
        "session": By("trajectory_estimate__probe_insertion__session", "uuid"),
        "probe_insertion": By("trajectory_estimate__probe_insertion", "uuid"),
        "subject": By("trajectory_estimate__probe_insertion__session__subject__nickname"),
        "lab": By("trajectory_estimate__probe_insertion__session__lab__name"),
    },
    "brain-regions": {
        "acronym": By("acronym__iexact"),
        "description": By("description__icontains"),
        "name": By("name__icontains"),
        "ancestors": _ancestors,
        "descendants": _descendants,
    },
    "fields-of-view": {
        **_BY_DATASET,
        **_ATLAS,
        "subject": By("session__subject__nickname"),
        "lab": By("session__lab__name__iexact"),
        "project": By("session__projects__name"),
        "date": By("session__start_time__date"),
        "experiment_number": By("session__number"),
        "imaging_type": By("imaging_type__name__icontains"),
    },
    "fov-location": {"provenance": _fov_provenance, "coordinate_system": By("coordinate_system__name")},
    "imaging-stack": _ATLAS,
    "tasks": {"lab": By("session__lab__name"), "status": _labelled("status")},
}
