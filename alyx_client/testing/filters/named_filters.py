"""The filters that Alyx declares in addition to those derived from the fields of its models."""

from __future__ import annotations

from alyx_client.testing.filters.dataset_filters import (
    dataset_qc,
    dataset_types,
    datasets,
    file_exists,
    of_insertion,
    tag_flag,
)
from alyx_client.testing.filters.query import FieldFilter, FilterMethod
from alyx_client.testing.filters.region_filters import ancestors, descendants, in_region
from alyx_client.testing.filters.session_filters import (
    all_users,
    by_label,
    date_range,
    fov_provenance,
    histology,
    json_pairs,
    performance,
)
from alyx_client.testing.filters.subject_filters import alive, stock, water_restricted

_REGION_FILTERS: dict[str, FieldFilter | FilterMethod] = {
    "atlas_name": in_region("name__icontains"),
    "atlas_acronym": in_region("acronym__iexact"),
    "atlas_id": in_region("pk", "number"),
}
_ACTION_FILTERS: dict[str, FieldFilter | FilterMethod] = {
    "subject": FieldFilter("subject__nickname__iexact"),
    "nickname": FieldFilter("subject__nickname__iexact"),
    "users": all_users,
    "date_range": date_range,
    "lab": FieldFilter("lab__name__iexact"),
    "location": FieldFilter("location__name__icontains"),
    "json": json_pairs("json"),
}
_DATASET_FILTERS: dict[str, FieldFilter | FilterMethod] = {
    "dataset_types": dataset_types,
    "datasets": datasets,
    "dataset_qc_lte": dataset_qc,
}
FILTERS: dict[str, dict[str, FieldFilter | FilterMethod]] = {
    "subjects": {
        "alive": alive,
        "responsible_user": FieldFilter("responsible_user__username"),
        "stock": stock,
        "water_restricted": water_restricted,
        "lab": FieldFilter("lab__name"),
        "project": FieldFilter("projects__name"),
        "json": FieldFilter("json"),
    },
    "sessions": {
        **_ACTION_FILTERS,
        **_DATASET_FILTERS,
        **_REGION_FILTERS,
        "performance_gte": performance(minimum=True),
        "performance_lte": performance(minimum=False),
        "type": FieldFilter("type__iexact"),
        "task_protocol": FieldFilter("task_protocol__icontains"),
        "qc": by_label("qc"),
        "extended_qc": json_pairs("extended_qc"),
        "procedures": FieldFilter("procedures__name__icontains"),
        "projects": FieldFilter("projects__name__icontains"),
        "project": FieldFilter("projects__name__icontains"),
        "histology": histology,
        "tag": FieldFilter("data_dataset_session_related__tags__name__icontains"),
    },
    "weighings": _ACTION_FILTERS,
    "water-administrations": _ACTION_FILTERS,
    "water-restriction": _ACTION_FILTERS,
    "surgeries": {**_ACTION_FILTERS, "procedure": FieldFilter("procedures__name__iexact")},
    "datasets": {
        "subject": FieldFilter("session__subject__nickname"),
        "lab": FieldFilter("session__lab__name"),
        "created_date": FieldFilter("created_datetime__date"),
        "date": FieldFilter("session__start_time__date"),
        "created_by": FieldFilter("created_by__username"),
        "dataset_type": FieldFilter("dataset_type__name"),
        "experiment_number": FieldFilter("session__number"),
        "created_date_gte": FieldFilter("created_datetime__date__gte", "datetime"),
        "created_date_lte": FieldFilter("created_datetime__date__lte", "datetime"),
        "exists": file_exists,
        "probe_insertion": of_insertion,
        "public": tag_flag("public"),
        "protected": tag_flag("protected"),
        "tag": FieldFilter("tags__name"),
        "revision": FieldFilter("revision__name"),
        "qc": by_label("qc"),
    },
    "files": {
        "lab": FieldFilter("dataset__session__lab__name"),
        "data_repository": FieldFilter("data_repository__name"),
        "globus_is_personal": FieldFilter("data_repository__globus_is_personal", "boolean"),
    },
    "downloads": {
        "json": FieldFilter("json__icontains"),
        "dataset": FieldFilter("dataset__name"),
        "user": FieldFilter("user__username"),
        "dataset_type": FieldFilter("dataset__dataset_type__name__icontains"),
    },
    "data-notices": {
        "datasets": FieldFilter("datasets__id__in", "uuids"),
        "dataset_tag": FieldFilter("datasets__tags__name"),
    },
    "insertions": {
        **_DATASET_FILTERS,
        **_REGION_FILTERS,
        "subject": FieldFilter("session__subject__nickname"),
        "date": FieldFilter("session__start_time__date"),
        "experiment_number": FieldFilter("session__number"),
        "session": FieldFilter("session", "uuid"),
        "model": FieldFilter("model__name"),
        "lab": FieldFilter("session__lab__name__iexact"),
        "project": FieldFilter("session__projects__name__icontains"),
        "task_protocol": FieldFilter("session__task_protocol__icontains"),
        "tag": FieldFilter("datasets__tags__name__icontains"),
    },
    "chronic-insertions": {
        **_REGION_FILTERS,
        "subject": FieldFilter("subject__nickname"),
        "lab": FieldFilter("lab__name"),
        "model": FieldFilter("model__name"),
        "probe": FieldFilter("probe_insertion__id", "uuid"),
        "session": FieldFilter("probe_insertion__session__id", "uuid"),
    },
    "trajectories": {
        "provenance": by_label("provenance"),
        "subject": FieldFilter("probe_insertion__session__subject__nickname"),
        "project": FieldFilter("probe_insertion__session__projects__name"),
        "date": FieldFilter("probe_insertion__session__start_time__date"),
        "experiment_number": FieldFilter("probe_insertion__session__number"),
        "session": FieldFilter("probe_insertion__session__id", "uuid"),
        "probe": FieldFilter("probe_insertion__name"),
    },
    "channels": {
        "session": FieldFilter("trajectory_estimate__probe_insertion__session", "uuid"),
        "probe_insertion": FieldFilter("trajectory_estimate__probe_insertion", "uuid"),
        "subject": FieldFilter("trajectory_estimate__probe_insertion__session__subject__nickname"),
        "lab": FieldFilter("trajectory_estimate__probe_insertion__session__lab__name"),
    },
    "brain-regions": {
        "acronym": FieldFilter("acronym__iexact"),
        "description": FieldFilter("description__icontains"),
        "name": FieldFilter("name__icontains"),
        "ancestors": ancestors,
        "descendants": descendants,
    },
    "fields-of-view": {
        **_DATASET_FILTERS,
        **_REGION_FILTERS,
        "subject": FieldFilter("session__subject__nickname"),
        "lab": FieldFilter("session__lab__name__iexact"),
        "project": FieldFilter("session__projects__name"),
        "date": FieldFilter("session__start_time__date"),
        "experiment_number": FieldFilter("session__number"),
        "imaging_type": FieldFilter("imaging_type__name__icontains"),
    },
    "fov-location": {"provenance": fov_provenance, "coordinate_system": FieldFilter("coordinate_system__name")},
    "imaging-stack": _REGION_FILTERS,
    "tasks": {"lab": FieldFilter("session__lab__name"), "status": by_label("status")},
}
