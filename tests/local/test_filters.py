from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from alyx_client.testing import LocalAlyx

Rows = list[dict[str, Any]]
Test = Callable[[dict[str, Any]], bool]


@pytest.fixture
def rows(http: httpx2.Client) -> Callable[..., Rows]:
    def get(path: str, **filters: Any) -> Rows:
        response = http.get(path, params={"limit": 1000, **filters})
        assert response.status_code == 200, response.text
        return list(response.json()["results"])

    return get


SESSION_FILTERS: list[tuple[dict[str, object], Test]] = [
    ({"subject": "FLOWERS"}, lambda row: row["subject"] == "flowers"),
    ({"nickname": "flowers"}, lambda row: row["subject"] == "flowers"),
    ({"lab": "HillSide"}, lambda row: row["lab"] == "hillside"),
    ({"task_protocol": "CHOICE"}, lambda row: "choice" in row["task_protocol"]),
    ({"projects": "brain"}, lambda row: "brain_map" in row["projects"]),
    ({"number": 2}, lambda row: row["number"] == 2),
    ({"date_range": "2020-01-05,2020-01-08"}, lambda row: "2020-01-05" <= row["start_time"][:10] <= "2020-01-08"),
    ({"start_time": "2020-01-05T13:30:00"}, lambda row: row["start_time"] == "2020-01-05T13:30:00"),
]


@pytest.mark.parametrize(("filters", "test"), SESSION_FILTERS)
def test_session_filters_select_the_matching_rows(
    rows: Callable[..., Rows], filters: dict[str, object], test: Test
) -> None:
    selected = rows("/sessions", **filters)
    assert selected
    assert [row["id"] for row in selected] == [row["id"] for row in rows("/sessions") if test(row)]


@pytest.mark.parametrize(
    ("filters", "field", "value"),
    [
        ({"qc": "pass"}, "qc", "PASS"),
        ({"users": "olivier,amina"}, "users", ["olivier", "amina"]),
        ({"location": "RIG-1"}, "location", "rig-1"),
        ({"procedures": "histo"}, "procedures", ["Histology"]),
        ({"type": "experiment"}, "type", "Experiment"),
        ({"extended_qc": "_task_stimOn,PASS,ok,True"}, "extended_qc", None),
        ({"json": "rig__gte,1"}, "json", None),
        ({"performance_gte": 60}, "n_trials", None),
        ({"tag": "first_release"}, "subject", None),
        ({"dataset_types": "spikes.times,clusters.metrics"}, "subject", None),
        ({"datasets": "spikes.times.npy", "dataset_qc_lte": "FAIL"}, "subject", None),
        ({"histology": "True"}, "subject", None),
        ({"atlas_acronym": "VISp"}, "subject", None),
        ({"atlas_id": 1089}, "subject", None),
        ({"atlas_name": "visual"}, "subject", None),
    ],
)
def test_session_filters_by_values_that_rows_do_not_contain(
    http: httpx2.Client, rows: Callable[..., Rows], filters: dict[str, object], field: str, value: object
) -> None:
    selected = rows("/sessions", **filters)
    assert 0 < len(selected) < 30
    if value is not None:
        assert all(http.get(f"/sessions/{row['id']}").json()[field] == value for row in selected)


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/sessions", "users", "olivier"),
        ("/sessions", "dataset_types", "spikes.times"),
        ("/insertions", "dataset_types", "spikes.times"),
        ("/sessions", "datasets", "spikes.times.npy"),
        ("/insertions", "datasets", "spikes.times.npy"),
    ],
)
def test_repeated_name_matches_nothing(rows: Callable[..., Rows], path: str, name: str, value: str) -> None:
    assert rows(path, **{name: value})
    assert rows(path, **{name: f"{value},{value}"}) == []


def test_datasets_filter_of_insertions_counts_datasets_rather_than_names(
    http: httpx2.Client, rows: Callable[..., Rows]
) -> None:
    insertion = rows("/insertions", datasets="spikes.times.npy")[0]
    session = rows("/datasets", session=insertion["session"])[0]["session"]
    fields = {"name": "spikes.times.npy", "dataset_type": "spikes.times", "data_format": "npy", "session": session}
    names = "spikes.times.npy,spikes.times.npy"
    http.post("/datasets", json={**fields, "collection": f"alf/{insertion['name']}/second"}).raise_for_status()
    # Saving an insertion links the datasets whose collection has its name.
    http.patch(f"/insertions/{insertion['id']}", json={"json": {}}).raise_for_status()
    assert [row["id"] for row in rows("/insertions", datasets=names)] == [insertion["id"]]
    assert rows("/insertions", datasets=f"{names},spikes.times.npy") == []


@pytest.mark.parametrize(
    ("path", "filters", "count"),
    [
        ("/subjects", {"alive": "True"}, 6),
        ("/subjects", {"alive": "false"}, 1),
        ("/subjects", {"alive": "1"}, 7),
        ("/subjects", {"stock": "true"}, 1),
        ("/subjects", {"water_restricted": "True"}, 3),
        ("/subjects", {"responsible_user": "olivier"}, 2),
        ("/subjects", {"sex": "F"}, 2),
        ("/subjects", {"project": "practice"}, 4),
        ("/datasets", {"public": "True"}, 3),
        ("/datasets", {"protected": "True"}, 3),
        ("/datasets", {"tag": "2021_Q1_first_release"}, 3),
        ("/datasets", {"hash": ""}, 77),
        ("/tasks", {"status": "waiting"}, 2),
        ("/tasks", {"lab": "cortexlab"}, 5),
        ("/trajectories", {"provenance": "planned"}, 0),
        ("/trajectories", {"probe": "probe00", "provenance": "Histology track"}, 8),
        ("/insertions", {"model": "Neuropixels 1.0"}, 3),
        ("/insertions", {"atlas_acronym": "HPF"}, 4),
        ("/channels", {"brain_region": 382}, 4),
        ("/brain-regions", {"acronym": "ctx"}, 1),
        ("/brain-regions", {"ancestors": "CA1"}, 7),
        ("/brain-regions", {"descendants": "VIS"}, 7),
        ("/files", {"globus_is_personal": "true"}, 38),
        ("/users", {"is_stock_manager": "true"}, 1),
        ("/data-notices", {"importance": 40}, 1),
        ("/surgeries", {"procedure": "Craniotomy"}, 3),
        ("/fields-of-view", {"imaging_type": "meso"}, 3),
        ("/downloads", {"dataset_type": "TRIALS"}, 3),
    ],
)
def test_filters_of_other_endpoints(
    rows: Callable[..., Rows], path: str, filters: dict[str, object], count: int
) -> None:
    assert len(rows(path, **filters)) == count


LOOKUPS: list[tuple[str, Test]] = [
    ("number,1", lambda row: row["number"] == 1),
    ("number__gt,1.5", lambda row: row["number"] is not None and row["number"] > 1),
    ("number__isnull,True", lambda row: row["number"] is None),
    ("number,None", lambda row: row["number"] is None),
    ("~number,1", lambda row: row["number"] != 1),
    ("number__in,[2]", lambda row: row["number"] == 2),
    ("number__range,(2,3)", lambda row: row["number"] == 2),
    ("start_time__date,2020-01-05", lambda row: row["start_time"][:10] == "2020-01-05"),
    ("start_time__date__gte,2020-02-01", lambda row: row["start_time"] >= "2020-02-01"),
    ("start_time__lt,2020-01-05T13:30:00", lambda row: row["start_time"] < "2020-01-05T13:30:00"),
    ("start_time__month,2", lambda row: row["start_time"][5:7] == "02"),
    (
        "start_time__date__range,['2020-01-02','2020-01-03']",
        lambda row: row["start_time"][:10] in ("2020-01-02", "2020-01-03"),
    ),
    ("subject__nickname,flowers", lambda row: row["subject"] == "flowers"),
    ("subject__nickname__in,['flowers','clover']", lambda row: row["subject"] in ("flowers", "clover")),
    ("subject__nickname__iexact,FLOWERS", lambda row: row["subject"] == "flowers"),
    ("subject__nickname__startswith,f", lambda row: row["subject"].startswith("f")),
    ("subject__nickname__endswith,s", lambda row: row["subject"].endswith("s")),
    ("subject__nickname__regex,^[a-h].*r", lambda row: row["subject"] in ("flowers", "clover", "heron")),
    ("subject__nickname,437", lambda _row: False),
    ("projects__name,brain_map", lambda row: "brain_map" in row["projects"]),
    ("~projects__name__icontains,BRAIN", lambda row: "brain_map" not in row["projects"]),
    ("projects__isnull,True", lambda row: not row["projects"]),
    ("lab__name__contains,side,number,1", lambda row: row["lab"] == "hillside" and row["number"] == 1),
]


@pytest.mark.parametrize(("expression", "test"), LOOKUPS)
def test_django_lookups_select_the_matching_rows(rows: Callable[..., Rows], expression: str, test: Test) -> None:
    everything = rows("/sessions")
    assert [row["id"] for row in rows("/sessions", django=expression)] == [row["id"] for row in everything if test(row)]


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("json__isnull,True", 15),
        ("json__rig,1", 5),
        ("~json__rig,1", 25),
        ("json__nothing,1", 0),
        # A key that is absent is neither equal nor unequal; a column that is null passes.
        ("~json__nothing,1", 15),
        ("json__nothing__isnull,True", 30),
        ("json__has_key,rig", 15),
        ("json__has_any_keys,['rig','x']", 15),
        ("json__has_keys,['rig','x']", 0),
        ("json__notes__0,a", 15),
        ("extended_qc__dlc__gte,0.5", 10),
        ("extended_qc__ok,True", 10),
        ("extended_qc___task_stimOn__icontains,pas", 20),
        ("json,None", 0),
        ("tasks__status,20", 2),
        ("data_dataset_session_related__tags__name__icontains,first", 3),
        ("data_dataset_session_related__isnull,True", 14),
        ("probe_insertion__name,probe00", 12),
        ("qc__gte,30", 18),
    ],
)
def test_django_lookups_into_json_and_relations(rows: Callable[..., Rows], expression: str, count: int) -> None:
    assert len(rows("/sessions", django=expression)) == count


def test_records_are_found_by_primary_keys(rows: Callable[..., Rows]) -> None:
    keys = [row["id"] for row in rows("/sessions")][:3]
    assert {row["id"] for row in rows("/sessions", django=f"pk__in,{keys}")} == set(keys)
    assert [row["id"] for row in rows("/sessions", id=keys[0])] == keys[:1]
    assert [row["id"] for row in rows("/sessions", django=f"pk,{keys[1]}")] == keys[1:2]


def test_repeated_parameters_are_alternatives(http: httpx2.Client, local_alyx: LocalAlyx) -> None:
    parents = [row["parents"][0] for row in local_alyx.store.rows("tasks") if row["parents"]]
    response = http.get("/tasks", params=[("parents", parents[0]), ("parents", parents[1])])
    assert response.json()["count"] == 2


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("django=foo,1", "Cannot resolve keyword 'foo' into field. Choices are: auto_datetime, "),
        ("django=foo", "list index out of range"),
        ("django=number,1,number,2", 'Duplicated fields in "number,1,number,2"'),
        ("django=number,abc", "Field 'number' expected a number but got 'abc'."),
        ("django=number__foo,1", "Unsupported lookup 'foo' for IntegerField or join on the field not permitted."),
        ("django=subject__foo,1", "Unsupported lookup 'foo' for ForeignKey or join on the field not permitted."),
        ("django=lab_id__foo,1", "Unsupported lookup 'foo' for ForeignKey or join on the field not permitted."),
        ("django=projects__foo,1", "Unsupported lookup 'foo' for ForeignKey or join on the field not permitted."),
        ("django=tasks__foo,1", "Unsupported lookup 'foo' for ManyToOneRel or join on the field not permitted."),
        ("django=tasks__foo__bar,1", "Unsupported lookup 'foo__bar' for ManyToOneRel or join on the field not "),
        ("django=start_time__date__foo,1", "Unsupported lookup 'foo' for DateField or join on the field not "),
        ("django=start_time__foo__gte,1", "Unsupported lookup 'foo__gte' for DateTimeField or join on the field not "),
        ("django=start_time__year__foo,1", "Unsupported lookup 'foo' for IntegerField or join on the field not "),
        ("django=pk,abc", "['“abc” is not a valid UUID.']"),
        ("django=subject__nickname__in,[flowers]", "name 'flowers' is not defined"),
        ("django=number__in,1", "'float' object is not iterable"),
        ("django=number__isnull,x", "The QuerySet value for an isnull lookup must be True or False."),
        ("date_range=2020-01-01", "list index out of range"),
        ("qc=BAD", "Invalidqc, choices are: CRITICAL, FAIL, WARNING, NOT_SET, PASS"),
        ("dataset_qc_lte=BAD", "BAD is not a valid QC"),
    ],
)
def test_invalid_filters_are_internal_errors(http: httpx2.Client, query: str, detail: str) -> None:
    response = http.get(f"/sessions?{query}")
    assert response.status_code == 500
    assert response.json()["detail"].startswith(detail)
    assert response.json()["status_code"] == 500


@pytest.mark.parametrize(
    ("path", "field", "message"),
    [
        ("/sessions?start_time=x", "start_time", "Enter a valid date/time."),
        ("/sessions?id=x", "id", "Enter a valid UUID."),
        ("/sessions?number=x", "number", "Enter a number."),
        ("/sessions?performance_gte=x", "performance_gte", "Enter a number."),
        ("/datasets?tags=x", "tags", "“x” is not a valid UUID."),
        (
            "/tasks?session=00000000-0000-0000-0000-000000000000",
            "session",
            "Select a valid choice. That choice is not one of the available choices.",
        ),
        ("/subjects?sex=Q", "sex", "Select a valid choice. Q is not one of the available choices."),
        (
            "/brain-regions?parent=5",
            "parent",
            "Select a valid choice. That choice is not one of the available choices.",
        ),
    ],
)
def test_filter_values_of_the_wrong_type_are_rejected(http: httpx2.Client, path: str, field: str, message: str) -> None:
    response = http.get(path)
    assert response.status_code == 400
    assert response.json() == {field: [message], "status_code": 400}
