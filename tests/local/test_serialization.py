from __future__ import annotations

from typing import Any

import httpx2
import pytest

from alyx_client.testing import LocalAlyx

LIST_KEYS = {
    "sessions": {"id", "subject", "start_time", "number", "lab", "projects", "url", "task_protocol"},
    "insertions": {
        *("id", "session", "model", "session_info", "name", "json", "serial", "auto_datetime", "chronic_insertion"),
        "datasets",
    },
    "files": {"url", "dataset", "data_repository", "name", "json", "relative_path", "exists"},
    "imaging-stack": {"id", "slices"},
    "weighings": {"subject", "date_time", "weight", "user", "url"},
    "water-restricted-subjects": {
        *("nickname", "url", "expected_water", "remaining_water", "reference_weight", "last_water_restriction"),
        *("reference_weight_pct", "zscore_weight_pct"),
    },
}


@pytest.mark.parametrize("endpoint", sorted(LIST_KEYS))
def test_list_rows_have_their_keys(http: httpx2.Client, endpoint: str) -> None:
    for row in http.get(f"/{endpoint}").json()["results"]:
        assert set(row) == LIST_KEYS[endpoint]


def first(http: httpx2.Client, path: str, **filters: Any) -> dict[str, Any]:
    return dict(http.get(path, params=filters).json()["results"][0])


def test_session_detail_nests_its_recordings(http: httpx2.Client, local_alyx: LocalAlyx) -> None:
    key = local_alyx.store.rows("notes")[0]["object_id"]
    detail = http.get(f"/sessions/{key}").json()
    assert {"data_dataset_session_related", "wateradmin_session_related", "probe_insertion", "field_of_view"} < set(
        detail
    )
    dataset = detail["data_dataset_session_related"][0]
    assert set(dataset) == {
        *("id", "name", "dataset_type", "data_url", "url", "file_size", "hash", "version", "collection"),
        *("revision", "default_revision", "qc"),
    }
    assert dataset["default_revision"] == "True"
    assert dataset["revision"] == ""
    assert detail["notes"][0]["content_type"] == "actions.session"
    info = detail["probe_insertion"][0]["session_info"]
    assert set(info) == {"subject", "start_time", "number", "lab", "id", "projects", "task_protocol"}


def test_dataset_flags_appear_only_in_lists(http: httpx2.Client) -> None:
    row = first(http, "/datasets", tag="2021_Q1_first_release")
    assert (row["protected"], row["public"]) == (1, 1)
    assert type(row["protected"]) is int
    detail = http.get(row["url"]).json()
    assert set(row) - set(detail) == {"protected", "public"}
    assert not {"subject", "date", "number"} & set(row)
    assert detail["experiment_number"] == 1
    record = detail["file_records"][0]
    assert set(record) == {"id", "data_repository", "data_repository_path", "relative_path", "data_url", "exists"}


def test_dataset_flags_are_counts(http: httpx2.Client) -> None:
    row = first(http, "/datasets", tag="2021_Q1_first_release")
    http.post("/tags", json={"name": "locked", "protected": True})
    http.patch(row["url"], json={"tags": [*row["tags"], "locked"]})
    row = first(http, "/datasets", tag="locked")
    assert (row["protected"], row["public"]) == (2, 1)


def test_stack_is_repeated_for_every_slice(http: httpx2.Client) -> None:
    page = http.get("/imaging-stack").json()
    assert page["count"] == 2
    assert [len(row["slices"]) for row in page["results"]] == [2, 2, 0]


def test_insertion_without_session_cannot_be_read(http: httpx2.Client, local_alyx: LocalAlyx) -> None:
    created = http.get("/insertions").json()["results"][0]
    local_alyx.store.update("insertions", created["id"], {"session": None})  # as rows loaded behind REST have it
    row = next(row for row in http.get("/insertions").json()["results"] if row["id"] == created["id"])
    assert (row["session"], row["session_info"]) == (None, None)
    response = http.get(f"/insertions/{created['id']}")
    assert response.status_code == 500
    assert response.json()["detail"] == "'NoneType' object has no attribute 'data_dataset_session_related'"


def test_insertion_has_keys_in_lists_and_datasets_in_detail(http: httpx2.Client) -> None:
    row = next(row for row in http.get("/insertions").json()["results"] if row["datasets"])
    assert all(isinstance(key, str) for key in row["datasets"])
    detail = http.get(f"/insertions/{row['id']}").json()
    assert isinstance(detail["datasets"][0]["qc"], int)
    assert detail["datasets"][0]["url"].endswith(detail["datasets"][0]["id"])


def test_genotype_is_text_in_lists_and_objects_in_detail(http: httpx2.Client) -> None:
    assert first(http, "/subjects", nickname="flowers")["genotype"] == ["Rosa26 +/-", "Pv +/+"]
    assert http.get("/subjects/flowers").json()["genotype"][1] == {"allele": "Pv", "zygosity": 2}


def test_subject_has_computed_fields(http: httpx2.Client) -> None:
    detail = http.get("/subjects/flowers").json()
    assert detail["alive"] is True
    assert isinstance(detail["age_weeks"], int)
    assert detail["reference_weight"] == pytest.approx(21.3)
    assert detail["expected_water"] == detail["remaining_water"] > 0
    assert detail["last_water_restriction"] == "2020-01-01T08:00:00"
    assert detail["session_projects"] == ["practice"]
    assert len(detail["weighings"]) == len(detail["water_administrations"]) == 5
    assert http.get("/subjects/437").json()["alive"] is False


def test_closed_sets_are_labels(http: httpx2.Client) -> None:
    assert {row["status"] for row in http.get("/tasks").json()["results"]} >= {"Waiting", "Complete"}
    assert {row["provenance"] for row in http.get("/trajectories").json()["results"]} >= {"Histology track"}


def test_region_zero_is_a_record(http: httpx2.Client) -> None:
    region = http.get("/brain-regions/0").json()
    assert (region["id"], region["acronym"], region["parent"]) == (0, "void", None)
    related = http.get("/brain-regions/382").json()["related_descriptions"]
    assert related[0] == {"id": 997, "name": "root", "description": "The whole brain", "level": 1}


def test_location_has_fewer_fields_in_lists(http: httpx2.Client) -> None:
    row = first(http, "/fov-location")
    assert set(http.get(f"/fov-location/{row['id']}").json()) - set(row) == {"json", "field_of_view"}
    assert first(http, "/fields-of-view", name="FOV_00")["location"][0]["id"] in {
        location["id"] for location in http.get("/fov-location").json()["results"]
    }


def test_notice_is_rendered_as_html(http: httpx2.Client) -> None:
    html = {row["description_html"] for row in http.get("/data-notices").json()["results"]}
    assert "<p><strong>All</strong> of it is affected</p>" in html


def test_chronic_insertion_has_the_full_model_names_of_its_probes(http: httpx2.Client) -> None:
    detail = first(http, "/chronic-insertions", subject="flowers")
    assert set(detail["probe_insertion"][0]) == {"id", "name", "model", "serial", "session_info"}
    assert {probe["model"] for probe in detail["probe_insertion"]} == {"Neuropixels phase 3A", "Neuropixels 1.0", None}


def test_seeds_are_the_same_in_every_run(http: httpx2.Client) -> None:
    assert first(http, "/labs")["name"] == "cortexlab"
    assert http.get("/subjects/flowers").json()["id"] == "a25e4b4f-3170-52c4-9dd7-43d5c4fe0e5a"
