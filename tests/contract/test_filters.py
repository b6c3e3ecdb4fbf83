"""Filters as public pipelines use them: the rows must be those that match."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest

from alyx_client.errors import ServerError

from .bench import PREFIX, Bench
from .package import AlyxClient, models
from .targets import Target


@pytest.fixture
def days(bench: Bench) -> list[Any]:
    """Four sessions of one subject, on four days."""
    project = bench.create("projects", models.Project(name=f"{PREFIX}-project", users=[]))
    details: list[dict[str, Any]] = [
        {"qc": "PASS", "n_trials": 200, "n_correct_trials": 100, "json": {"qc": "CRITICAL"}},
        {"qc": "FAIL", "n_trials": 200, "n_correct_trials": 190, "projects": [project.name]},
        {
            "qc": "PASS",
            "extended_qc": {"dlc": 0.9, "ok": True},
            "json": {"qc": "PASS"},
            "end_time": datetime(2020, 1, 14, 11),
        },
        {"qc": "NOT_SET", "task_protocol": "alyx-client-test-protocol, second", "narrative": "a b"},
    ]
    return [
        bench.create(
            "sessions",
            models.Session(
                subject=bench.subject.nickname,
                users=[bench.me],
                lab=bench.lab.name,
                number=1,
                start_time=datetime(2020, 1, 12 + place, 10),
                **fields,
            ),
        )
        for place, fields in enumerate(details)
    ]


CASES: dict[str, tuple[dict[str, Any], set[int]]] = {
    "subject": ({}, {0, 1, 2, 3}),
    "date_range of dates": ({"date_range": (date(2020, 1, 13), date(2020, 1, 14))}, {1, 2}),
    "date_range of text": ({"date_range": ["2020-01-13", "2020-01-15"]}, {1, 2, 3}),
    "date_range of one day": ({"date_range": date(2020, 1, 12)}, {0}),
    "qc": ({"qc": "PASS"}, {0, 2}),
    "several qc": ({"qc": ["PASS", "NOT_SET"]}, {0, 2, 3}),
    "several qc as text": ({"qc": "FAIL,PASS"}, {0, 1, 2}),
    "several qc and a lookup": ({"qc": ["PASS", "FAIL"], "django": {"narrative": ""}}, {0, 1, 2}),
    "qc in lower case": ({"qc": "fail"}, {1}),
    "number of qc": ({"qc": 0}, {3}),
    "django name": ({"django": {"qc": "FAIL"}}, {1}),
    "django names": ({"django": {"qc__in": ["FAIL", "NOT_SET"]}}, {1, 3}),
    "django bound": ({"django": {"qc__gte": "PASS"}}, {0, 1, 2}),
    "django number as bound": ({"django": {"qc__lt": 30}}, {0, 2, 3}),
    "django excluded name": ({"django": {"~qc": "PASS"}}, {1, 3}),
    "django names as text": ({"django": "qc__in,['FAIL', 'PASS'],number,1"}, {0, 1, 2}),
    "django name of a subject": ({"django": {"subject__sex": "u"}}, {0, 1, 2, 3}),
    "project": ({"projects": f"{PREFIX}-project"}, {1}),
    "part of the protocol": ({"task_protocol": "client-test-protocol"}, {3}),
    "django dates": ({"django": {"start_time__date__gte": date(2020, 1, 14)}}, {2, 3}),
    "django datetime": ({"django": {"start_time__lt": datetime(2020, 1, 13, 10)}}, {0}),
    "django exclusion": ({"django": {"~json__qc": "CRITICAL", "json__isnull": False}}, {2}),
    "django in": ({"django": {"projects__name__in": [f"{PREFIX}-project", "none of these"]}}, {1}),
    "django text": ({"django": "narrative__icontains,A B"}, {3}),
    "django None": ({"django": {"end_time": None}}, {0, 1, 3}),
    "extended_qc": ({"extended_qc": "dlc__gte,0.5,ok,True"}, {2}),
    "has_dataset": ({"dataset_types": "alyxClientTest.none"}, set()),
    "several": ({"qc": "PASS", "date_range": ("2020-01-13", "2020-01-20"), "lab": "alyx_client_test"}, {2}),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.replace(" ", "_"))
def test_filter_returns_matching_sessions(case: str, client: AlyxClient, bench: Bench, days: list[Any]) -> None:
    filters, expected = CASES[case]
    rows = client.sessions.list(subject=bench.subject.nickname, **filters)
    assert {row.id for row in rows} == {days[place].id for place in expected}
    assert len(rows) == len(expected)


def test_filter_by_performance_returns_matching_sessions(
    client: AlyxClient, bench: Bench, days: list[Any], target: Target
) -> None:
    refusal = None
    try:
        rows = list(client.sessions.list(subject=bench.subject.nickname, performance_gte=70))
    except ServerError as error:
        rows, refusal = [], error.detail
    # PostgreSQL may work it out for all sessions, also those of no trials, before it looks at the subject.
    assert [row.id for row in rows] == [days[1].id] or (target.is_real and refusal == "division by zero\n")


def test_keys_return_their_records(client: AlyxClient, days: list[Any]) -> None:
    first, _, third, _ = days
    assert [row.id for row in client.sessions.list(id=first.id)] == [first.id]
    assert {row.id for row in client.sessions.list(id=[first.id, str(third.id)])} == {first.id, third.id}
    assert list(client.sessions.list(id=[])) == []
    assert [row.id for row in client.sessions.list(id=[first.id, third.id], qc="PASS", number=1)] != []


def test_long_list_of_keys_is_split_into_requests(client: AlyxClient, days: list[Any]) -> None:
    strangers = [UUID(int=number) for number in range(1, 128)]
    keys = [days[2].id, *strangers[:70], days[0].id, *strangers[70:], days[3].id, days[0].id]

    rows = [row.id for row in client.sessions.list(id=keys)]

    assert sorted(rows) == sorted({days[2].id, days[0].id, days[3].id})
    assert {row.id for row in client.sessions.list(django={"id__in": keys, "qc": 10})} == {days[0].id, days[2].id}


def test_unknown_filter_is_an_error_before_any_request(client: AlyxClient) -> None:
    unknown: Any = {"subjct": "flowers"}
    with pytest.raises(TypeError, match="'subject'"):
        client.sessions.list(**unknown)


def test_extra_params_pass_undeclared_parameters(client: AlyxClient, bench: Bench, days: list[Any]) -> None:
    rows = client.sessions.list(extra_params={"subject": bench.subject.nickname, "alyx_client_test": "ignored"})
    assert {row.id for row in rows} == {session.id for session in days}


def test_booleans_select_subjects(client: AlyxClient, bench: Bench) -> None:
    gone = bench.create(
        "subjects", models.Subject(nickname=f"{PREFIX}-gone", lab=bench.lab.name, death_date=date(2020, 1, 1), sex="F")
    )
    mine, alive = bench.lab.name, bench.subject
    assert {row.id for row in client.subjects.list(lab=mine, alive=False)} == {gone.id}
    assert {row.id for row in client.subjects.list(lab=mine, alive=True)} == {alive.id}
    assert {row.id for row in client.subjects.list(lab=mine, sex="F")} == {gone.id}
    assert {row.id for row in client.subjects.list(lab=mine, death_date=date(2020, 1, 1))} == {gone.id}
    assert len(client.subjects.list(lab=mine, water_restricted=True)) == 0


def _file(bench: Bench, *, exists: bool) -> models.File:
    client, dataset = bench.client, bench.dataset
    client.data_repository.partial_update(bench.repository.name, globus_is_personal=False)
    path = f"{bench.subject.nickname}/2020-01-12/001/alf/{dataset.name}"
    return models.File(dataset=dataset.url, data_repository=bench.repository.name, relative_path=path, exists=exists)


def test_datasets_of_session(client: AlyxClient, bench: Bench) -> None:
    dataset, session = bench.dataset, bench.session.id
    tag = bench.create("tags", models.Tag(name=f"{PREFIX}-tag", public=True))
    client.datasets.partial_update(dataset.id, tags=[tag.name])

    for filters in (
        {"session": session, "collection": "alf", "name": dataset.name},
        {"dataset_type": dataset.dataset_type, "subject": bench.subject.nickname},
        {"session": session, "public": True},
        {"session": session, "django": {"id__in": [dataset.id], "name__startswith": "alyxClientTest."}},
    ):
        assert [row.id for row in client.datasets.list(**filters)] == [dataset.id], filters
    assert len(client.datasets.list(session=session, exists=True)) == 0
    file = bench.create("files", _file(bench, exists=False))
    assert [row.id for row in client.datasets.list(session=session, exists=False)] == [dataset.id]
    client.files.partial_update(file.id, exists=True)
    assert [row.id for row in client.datasets.list(session=session, exists=True)] == [dataset.id]
    assert len(client.datasets.list(session=session, protected=True)) == 0
    assert {row.id for row in client.sessions.list(tag=tag.name)} == {session}


def test_sessions_by_dataset_types(client: AlyxClient, bench: Bench) -> None:
    dataset, session = bench.dataset, bench.session.id
    bench.create("files", _file(bench, exists=True))
    assert [row.id for row in client.sessions.list(dataset_types=dataset.dataset_type)] == [session]
    assert [row.id for row in client.sessions.list(dataset_types=[dataset.dataset_type], datasets=[dataset.name])] == [
        session
    ]
    assert len(client.sessions.list(dataset_types=[dataset.dataset_type, "alyxClientTest.none"])) == 0


def test_insertions_trajectories_and_channels(client: AlyxClient, bench: Bench) -> None:
    trajectory, insertion = bench.trajectory, bench.insertion
    assert [row.id for row in client.insertions.list(session=bench.session.id, name="probe00")] == [insertion.id]
    assert [row.id for row in client.insertions.list(subject=bench.subject.nickname)] == [insertion.id]
    rows = client.trajectories.list(provenance="Planned", probe_insertion=insertion.id, x=1, y=2.5, theta=15)
    assert [row.id for row in rows] == [trajectory.id]
    assert len(client.trajectories.list(provenance="Histology track", probe_insertion=insertion.id)) == 0


def test_descendants_and_ancestors_of_brain_region(client: AlyxClient) -> None:
    region = client.brain_regions.list(acronym="CA1")[0]
    assert "CA1" in {row.acronym for row in client.brain_regions.list(ancestors="CA1")}
    assert {row.acronym for row in client.brain_regions.list(ancestors="CA1")} >= {"root"}
    assert region.id in {row.id for row in client.brain_regions.list(id=[region.id])}


def test_waiting_tasks(client: AlyxClient, bench: Bench) -> None:
    for status in ("Waiting", "Complete"):
        bench.create(
            "tasks", models.Task(name=f"{PREFIX} {status}", executable="x", session=bench.session.id, status=status)
        )
    rows = client.tasks.list(status="Waiting", django={"session__lab__name__in": [bench.lab.name]})
    assert [row.name for row in rows] == [f"{PREFIX} Waiting"]


def test_closed_sets_of_relations_and_other_columns(client: AlyxClient, bench: Bench) -> None:
    session, insertion, trajectory = bench.session, bench.insertion, bench.trajectory
    tasks = [
        bench.create("tasks", models.Task(name=f"{PREFIX} {status}", executable="x", session=session.id, status=status))
        for status in ("Waiting", "Held", "Complete")
    ]
    mine = {"session": session.id}
    dataset = client.datasets.partial_update(bench.dataset.id, qc="WARNING")

    assert {row.name for row in client.tasks.list(status=["Waiting", "complete"], **mine)} == {
        tasks[0].name,
        tasks[2].name,
    }
    assert {row.name for row in client.tasks.list(django={"status__lte": "Held", **mine})} == {
        tasks[0].name,
        tasks[1].name,
    }
    own = {"id": session.id}
    assert [row.id for row in client.sessions.list(django={"tasks__status": "Held"}, **own)] == [session.id]
    assert len(client.sessions.list(django={"tasks__status": "Errored"}, **own)) == 0
    assert [row.id for row in client.datasets.list(qc=["WARNING", "FAIL"], **mine)] == [dataset.id]
    assert [row.id for row in client.datasets.list(django={"session__qc": "NOT_SET", **mine})] == [dataset.id]
    quality = "data_dataset_session_related__qc__in"
    assert [row.id for row in client.sessions.list(django={quality: ["WARNING"]}, **own)] == [session.id]
    assert len(client.sessions.list(django={quality: ["FAIL", "PASS"]}, **own)) == 0
    provenances = ["Planned", "Histology track"]
    rows = client.trajectories.list(provenance=provenances, probe_insertion=insertion.id)
    assert [row.id for row in rows] == [trajectory.id]
    provenance = "trajectory_estimate__provenance"
    rows = client.insertions.list(django={f"{provenance}__in": provenances}, id=insertion.id)
    assert [row.id for row in rows] == [insertion.id]
    assert len(client.insertions.list(django={f"~{provenance}": "Planned"}, id=insertion.id)) == 0
    assert [row.id for row in client.subjects.list(sex=["U", "f"], nickname=bench.subject.nickname)] == [
        bench.subject.id
    ]


def test_several_values_are_joined_or_repeated(client: AlyxClient, bench: Bench, days: list[Any]) -> None:
    project = client.projects.read(f"{PREFIX}-project")
    assert {row.id for row in client.sessions.list(users=[bench.me], lab=bench.lab.name)} == {
        session.id for session in days
    }
    client.subjects.partial_update(bench.subject.nickname, projects=[project.name])
    assert [row.id for row in client.subjects.list(project=project.name)] == [bench.subject.id]
