"""The calls that public pipelines make of Alyx, 25 kinds of them: each by name with plain dictionaries, and typed."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import vcr
from vcr.record_mode import RecordMode

from alyx_client.errors import BadRequestError, InvalidCallError, NotFoundError, ServerError
from alyx_client.http.message import Request
from alyx_client.rest.scheme import RestScheme
from alyx_client.rest.scheme_reader import read_scheme

from .bench import PREFIX, Bench
from .cassettes import FOLDER
from .endpoints import ENDPOINTS
from .package import AlyxClient, AsyncAlyxClient, models
from .targets import Target, recording
from .test_services import PNG

_SCHEMA = Path(__file__).parents[2] / "schemas" / "alyx-3.6.1.json"
ALIGNED = "Ephys aligned histology track"
REGION, REGION_ID = "CA1", 382  # in the Allen atlas
STRANGERS = [UUID(int=number) for number in range(1, 81)]


@functools.cache
def _scheme() -> RestScheme:
    return read_scheme(json.loads(_SCHEMA.read_text("utf-8")))


@pytest.fixture
def client(client: AlyxClient, target: Target) -> AlyxClient:
    """Give the client; where exchanges are kept, it has the schema already, which is longer than all of them."""
    if target.name in ("recorded", "record"):
        client._calls.known_scheme = _scheme()
    return client


@pytest.fixture
def async_client(async_client: AsyncAlyxClient, target: Target) -> AsyncAlyxClient:
    """Give the asynchronous client in the same way."""
    if target.name in ("recorded", "record"):
        async_client._calls.known_scheme = _scheme()
    return async_client


@contextmanager
def _kept(target: Target, name: str) -> Iterator[None]:
    """Record, or replay, what is said outside of any one test."""
    if target.name not in ("recorded", "record"):
        yield
        return
    path = FOLDER / "test_calls" / f"{name}.yaml"
    if target.name == "record":
        path.unlink(missing_ok=True)
    mode = RecordMode.NEW_EPISODES if target.name == "record" else RecordMode.NONE
    with vcr.VCR(**_brief(recording(target.url))).use_cassette(str(path), record_mode=mode):
        yield


def _brief(settings: dict[str, Any]) -> dict[str, Any]:
    """Keep of the headers no more than these tests need."""
    request, response = settings["before_record_request"], settings["before_record_response"]

    def asked(sent: Any) -> Any:
        kept = request(sent)
        kept.headers = {}
        return kept

    def answered(received: dict[str, Any]) -> dict[str, Any]:
        kept = response(received)
        names = {"content-type", "location"} if 300 <= kept["status"]["code"] < 400 else {"content-type"}
        headers = {name: value for name, value in kept["headers"].items() if name.lower() in names}
        return {**kept, "headers": headers}

    return {**settings, "before_record_request": asked, "before_record_response": answered}


@pytest.fixture
def vcr_config(vcr_config: dict[str, Any]) -> dict[str, Any]:
    return _brief(vcr_config)


@pytest.fixture(scope="module")
def mouse(_client: AlyxClient, target: Target) -> Iterator[Bench]:
    """Give the subject of all these tests, its lab and a session."""
    bench = Bench(_client)
    with _kept(target, "mouse_made"):
        bench.session  # noqa: B018
    yield bench
    with _kept(target, "mouse_removed"):
        bench.clear()


@pytest.fixture
def bench(bench: Bench, mouse: Bench) -> Bench:
    """Give the bench with the subject and its session on it already."""
    bench.lab, bench.subject, bench.session = mouse.lab, mouse.subject, mouse.session
    return bench


@pytest.fixture
def sent(client: AlyxClient, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Give the requests that the client sends."""
    requests: list[Request] = []
    send = client.send

    def note(request: Request, **how: Any) -> Any:
        requests.append(request)
        return send(request, **how)

    monkeypatch.setattr(client, "send", note)
    return requests


@pytest.fixture
def sessions(bench: Bench) -> tuple[str, str]:
    """Give the keys of two sessions of one subject, two days apart; the first has a project and a quality check."""
    project = bench.create("projects", models.Project(name=f"{PREFIX}-project", users=[]))
    change(
        bench,
        projects=[project.name],
        task_protocol="alyx_client_test_protocol_6.4",
        n_trials=200,
        n_correct_trials=190,
        extended_qc={"dlc": 0.9},
    )
    return str(bench.session.id), str(_another_day(bench).id)


def change(bench: Bench, **fields: Any) -> None:
    """Change the session, which has its old values back when the test ends."""
    session, before = bench.session.id, {name: getattr(bench.session, name) for name in fields}
    bench.client.sessions.partial_update(session, **fields)
    bench.later("change", lambda: bench.client.sessions.partial_update(session, **before))


def _another_day(bench: Bench, **fields: Any) -> Any:
    start = datetime(2020, 1, 14, 10)
    return bench.create(
        "sessions", models.Session(subject=bench.subject.nickname, start_time=start, number=1, **fields)
    )


def created(bench: Bench, endpoint: str, data: Any, **others: Any) -> Any:
    """Create a record, or several, by name; the bench removes them."""
    record = bench.client.rest(endpoint, "create", data=data, **others)
    name = endpoint.replace("-", "_")
    for each in record if isinstance(record, list) else [record]:
        lookup = ENDPOINTS[name].lookup
        bench.keep(name, key(each) if lookup == "id" else each[lookup])
    return record


def key(row: Any) -> str:
    """Return the key of a row, be it a dictionary or typed."""
    if not isinstance(row, dict):
        return str(row.id)
    return row["id"] if "id" in row else row["url"].rpartition("/")[2]


def keys(rows: Any) -> list[str]:
    return sorted(key(row) for row in rows)


def refused_read(client: AlyxClient, endpoint: str, record: Any) -> None:
    """Check that a record is gone."""
    with pytest.raises(NotFoundError):
        client.rest(endpoint, "read", record)


def test_01_sessions_by_protocol_project_and_datasets_string(
    client: AlyxClient, bench: Bench, sessions: tuple[str, str]
) -> None:
    filters: dict[str, Any] = {
        "task_protocol": "test_protocol",
        "projects": f"{PREFIX}-project",
        "django": f"subject__nickname,{bench.subject.nickname},n_trials__gte,200",
    }
    types = [bench.dataset.dataset_type]
    assert keys(client.rest("sessions", "list", dataset_types=types, **filters)) == [sessions[0]]
    assert client.rest("sessions", "list", dataset_types=[*types, "alyxClientTest.none"], **filters) == []
    assert _or_division_by_zero(lambda: client.rest("sessions", "list", performance_gte=70, **filters)) in (
        [sessions[0]],
        None,
    )


def test_01_sessions_by_protocol_project_and_datasets_typed(
    client: AlyxClient, bench: Bench, sessions: tuple[str, str]
) -> None:
    filters: dict[str, Any] = {
        "task_protocol": "test_protocol",
        "projects": f"{PREFIX}-project",
        "django": {"subject__nickname": bench.subject.nickname, "n_trials__gte": 200},
    }
    types = [bench.dataset.dataset_type]
    assert keys(client.sessions.list(dataset_types=types, **filters)) == [sessions[0]]
    assert keys(client.sessions.list(dataset_types=[*types, "alyxClientTest.none"], **filters)) == []
    assert _or_division_by_zero(lambda: client.sessions.list(performance_gte=70, **filters)) in ([sessions[0]], None)


def _or_division_by_zero(rows: Any) -> list[str] | None:
    """Return the keys; None where PostgreSQL works the performance out for sessions of no trials, too."""
    try:
        return keys(rows())
    except ServerError as error:
        if error.detail != "division by zero\n":
            raise
        return None


def _place(bench: Bench) -> str:
    place = bench.client.locations.list(max_items=1)[0].name
    change(bench, location=place)
    return place


def test_02_sessions_of_a_subject_by_days_and_place_string(
    client: AlyxClient, bench: Bench, sessions: tuple[str, str]
) -> None:
    subject, place = bench.subject.nickname, _place(bench)
    days = ["2020-01-12", "2020-01-14"]
    assert keys(client.rest("sessions", "list", subject=subject, date_range=days)) == sorted(sessions)
    assert keys(client.rest("sessions", "list", subject=subject, date_range=["2020-01-13", days[1]])) == [sessions[1]]
    lookup = f"location__name__icontains,{place.upper()}"
    assert keys(client.rest("sessions", "list", subject=subject, date_range=days, django=lookup)) == [sessions[0]]


def test_02_sessions_of_a_subject_by_days_and_place_typed(
    client: AlyxClient, bench: Bench, sessions: tuple[str, str]
) -> None:
    subject, place = bench.subject.nickname, _place(bench)
    days = (date(2020, 1, 12), date(2020, 1, 14))
    assert keys(client.sessions.list(subject=subject, date_range=days)) == sorted(sessions)
    assert keys(client.sessions.list(subject=subject, date_range=(date(2020, 1, 13), days[1]))) == [sessions[1]]
    lookup = {"location__name__icontains": place.upper()}
    assert keys(client.sessions.list(subject=subject, date_range=days, django=lookup)) == [sessions[0]]


def _tag(bench: Bench, **fields: Any) -> str:
    """Tag the dataset."""
    tag = bench.create("tags", models.Tag(name=f"{PREFIX}-tag", **fields)).name
    bench.client.datasets.partial_update(bench.dataset.id, tags=[tag])
    return tag


def _slices(bench: Bench) -> str:
    """Put the session's probe into a region, and give its subject a histology session; return that one's key."""
    bench.create(
        "trajectories",
        models.TrajectoryEstimate(
            probe_insertion=bench.insertion.id, provenance=ALIGNED, x=1, y=2, depth=3000, theta=15, phi=0
        ),
    )
    trajectory = bench.client.trajectories.list(probe_insertion=bench.insertion.id)[0]
    bench.create("channels", models.Channel(trajectory_estimate=trajectory.id, axial=20, brain_region=REGION_ID))
    return str(_another_day(bench, procedures=["Histology"]).id)


def test_03_sessions_by_tag_and_by_region_string(client: AlyxClient, bench: Bench) -> None:
    assert keys(client.rest("sessions", "list", tag=_tag(bench))) == [str(bench.session.id)]
    sliced, mine = _slices(bench), {"subject": bench.subject.nickname}
    assert keys(client.rest("sessions", "list", histology=True, **mine)) == sorted([str(bench.session.id), sliced])
    rows = client.rest("sessions", "list", histology=True, atlas_acronym=REGION, **mine)
    assert keys(rows) == [str(bench.session.id)]
    assert client.rest("sessions", "list", histology=False, **mine) == []


def test_03_sessions_by_tag_and_by_region_typed(client: AlyxClient, bench: Bench) -> None:
    assert keys(client.sessions.list(tag=_tag(bench))) == [str(bench.session.id)]
    sliced, mine = _slices(bench), bench.subject.nickname
    assert keys(client.sessions.list(histology=True, subject=mine)) == sorted([str(bench.session.id), sliced])
    rows = client.sessions.list(histology=True, atlas_acronym=REGION, subject=mine)
    assert keys(rows) == [str(bench.session.id)]
    assert keys(client.sessions.list(histology=False, subject=mine)) == []


def test_04_sessions_by_id_string(client: AlyxClient, bench: Bench, sent: list[Request]) -> None:
    first, second = str(bench.session.id), str(_another_day(bench).id)
    sent.clear()
    assert keys(client.rest("sessions", "list", id=first)) == [first]
    assert sent[-1].params == (("django", f"pk,{first}"),)
    many = [first, *map(str, STRANGERS), second]
    batches = [client.rest("sessions", "list", django=f"pk__in,{batch}") for batch in (many[:41], many[41:])]
    assert [keys(batch) for batch in batches] == [[first], [second]]
    sent.clear()
    assert keys(client.rest("sessions", "list", id=many)) == sorted([first, second])
    assert len(sent) > 1
    assert client.rest("sessions", "list", id=[]) == []


def test_04_sessions_by_id_typed(client: AlyxClient, bench: Bench, sent: list[Request]) -> None:
    first, second = bench.session.id, _another_day(bench).id
    sent.clear()
    assert [row.id for row in client.sessions.list(id=first)] == [first]
    assert ("django", f"pk,{first}") in sent[-1].params
    sent.clear()
    rows = client.sessions.list(django={"pk__in": [first, *STRANGERS, second]})
    assert {row.id for row in rows} == {first, second}
    assert len(rows) == 2
    assert len(sent) > 1


def test_05_sessions_without_a_project_and_by_extended_qc_string(
    client: AlyxClient, bench: Bench, sessions: tuple[str, str]
) -> None:
    mine: dict[str, Any] = {"subject": bench.subject.nickname}
    rows = client.rest("sessions", "list", django=f"~projects__name__icontains,{PREFIX}-proj", **mine)
    assert keys(rows) == [sessions[1]]
    rows = client.rest("sessions", "list", django="extended_qc__has_any_keys,['dlc','ephys']", **mine)
    assert keys(rows) == [sessions[0]]
    assert client.rest("sessions", "list", django="extended_qc__has_any_keys,['ephys','none']", **mine) == []
    with pytest.raises(ServerError, match="project"):  # in 3.6.1 a session has "projects"
        client.rest("sessions", "list", django="~project__name__icontains,x", **mine)


def test_05_sessions_without_a_project_and_by_extended_qc_typed(
    client: AlyxClient, bench: Bench, sessions: tuple[str, str]
) -> None:
    mine = bench.subject.nickname
    rows = client.sessions.list(django={"~projects__name__icontains": f"{PREFIX}-proj"}, subject=mine)
    assert keys(rows) == [sessions[1]]
    rows = client.sessions.list(django={"extended_qc__has_any_keys": ["dlc", "ephys"]}, subject=mine)
    assert keys(rows) == [sessions[0]]
    assert keys(client.sessions.list(django={"extended_qc__has_any_keys": ["ephys", "none"]}, subject=mine)) == []


def test_06_a_session_by_id_and_by_url_string(client: AlyxClient, bench: Bench) -> None:
    session = _another_day(bench).id
    record = client.rest("sessions", "read", id=str(session))
    assert (record["subject"], record["start_time"]) == (bench.subject.nickname, "2020-01-14T10:00:00")
    assert record["url"].startswith("http")
    assert client.get(record["url"]) == record
    assert client.rest("sessions", "read", id=record["url"]) == record
    client.rest("sessions", "delete", id=record["url"])
    refused_read(client, "sessions", session)


def test_06_a_session_by_id_and_by_url_typed(client: AlyxClient, bench: Bench) -> None:
    session = _another_day(bench).id
    record = client.sessions.read(session)
    assert (record.subject, record.start_time) == (bench.subject.nickname, datetime(2020, 1, 14, 10))
    assert client.sessions.read(record.url) == record
    client.sessions.delete(record.url)
    with pytest.raises(NotFoundError):
        client.sessions.read(session)


def test_07_a_session_is_written_string(client: AlyxClient, bench: Bench) -> None:
    fields = {
        "subject": bench.subject.nickname,
        "users": [bench.me],
        "lab": bench.lab.name,
        "type": "Experiment",
        "start_time": "2020-01-13T09:30:00",
        "number": 3,
        "n_trials": 12,
        "json": {"rig": [1, None]},
    }
    record = created(bench, "sessions", fields)
    assert {name: record[name] for name in fields} == fields

    changes = {"subject": fields["subject"], "start_time": fields["start_time"], "number": 4, "narrative": "by hand"}
    assert client.rest("sessions", "update", id=key(record), data=changes)["number"] == 4
    changed = client.rest("sessions", "partial_update", id=key(record), data={"end_time": "2020-01-13T10:30:00"})
    assert (changed["end_time"], changed["narrative"]) == ("2020-01-13T10:30:00", "by hand")
    assert client.rest("sessions", "read", id=key(record)) == changed


def test_07_a_session_is_written_typed(client: AlyxClient, bench: Bench) -> None:
    start = datetime(2020, 1, 13, 9, 30)
    record = bench.create(
        "sessions",
        models.Session(
            subject=bench.subject.nickname,
            users=[bench.me],
            lab=bench.lab.name,
            type="Experiment",
            start_time=start,
            number=3,
            json={"rig": [1, None]},
        ),
    )
    assert (record.users, record.type, record.json) == ([bench.me], "Experiment", {"rig": [1, None]})

    replacement = models.Session(subject=bench.subject.nickname, start_time=start, number=4, narrative="by hand")
    assert client.sessions.update(record.id, replacement).number == 4
    changed = client.sessions.partial_update(record.id, end_time=datetime(2020, 1, 13, 10, 30))
    assert (changed.end_time, changed.narrative) == (datetime(2020, 1, 13, 10, 30), "by hand")
    assert client.sessions.read(record.id) == changed


def _two_probes(bench: Bench) -> str:
    """Make a second probe beside the first, and call the first one's quality critical."""
    bench.client.insertions.partial_update(bench.insertion.id, json={"qc": "CRITICAL"})
    second = models.ProbeInsertion(name="probe01", session=bench.session.id, json={"qc": "PASS"})
    return str(bench.create("insertions", second).id)


def test_08_insertions_of_a_session_string(
    client: AlyxClient, bench: Bench, target: Target, tmp_path: Path, sent: list[Request]
) -> None:
    session, second = str(bench.session.id), _two_probes(bench)
    rows = client.rest("insertions", "list", session=session, name="probe00", no_cache=True)
    assert keys(rows) == [str(bench.insertion.id)]
    assert dict(sent[-1].params) == {"session": session, "name": "probe00"}
    lookup = f"session__subject__nickname,{bench.subject.nickname},~json__qc,CRITICAL,json__isnull,False"
    assert keys(client.rest("insertions", "list", django=lookup)) == [second]

    with AlyxClient(target.url, token=target.token, cache_dir=tmp_path, silent=True) as keeping:
        keeping._calls.known_scheme = client.rest_schemes
        first = keeping.rest("insertions", "list", session=session, expires=timedelta(days=1))
        client.insertions.delete(second)
        assert keeping.rest("insertions", "list", session=session, expires=timedelta(days=1)) == first
        assert keys(keeping.rest("insertions", "list", session=session, no_cache=True)) == [str(bench.insertion.id)]


def test_08_insertions_of_a_session_typed(client: AlyxClient, bench: Bench, target: Target, tmp_path: Path) -> None:
    session, second = bench.session.id, _two_probes(bench)
    assert keys(client.insertions.list(session=session, name="probe00")) == [str(bench.insertion.id)]
    lookup = {
        "session__subject__nickname": bench.subject.nickname,
        "~json__qc": "CRITICAL",
        "json__isnull": False,
    }
    assert keys(client.insertions.list(django=lookup)) == [second]

    with AlyxClient(target.url, token=target.token, cache_dir=tmp_path, silent=True, strict=True) as keeping:
        keeping.default_expiry = timedelta(days=1)
        first = list(keeping.insertions.list(session=session))
        client.insertions.delete(second)
        assert list(keeping.insertions.list(session=session)) == first
        keeping.cache_mode = None
        assert keys(keeping.insertions.list(session=session)) == [str(bench.insertion.id)]


def test_09_an_insertion_is_written_string(client: AlyxClient, bench: Bench) -> None:
    fields = {"session": str(bench.session.id), "name": "probe00", "model": "3A", "serial": "17", "json": {"qc": None}}
    record = created(bench, "insertions", fields)
    assert {name: record[name] for name in fields} == fields

    changes = {"session": fields["session"], "name": "probe01", "model": "3A", "serial": "18"}
    changed = client.rest("insertions", "update", id=key(record), data=changes)
    assert {name: changed[name] for name in changes} == changes
    changed = client.rest("insertions", "partial_update", id=key(record), data={"json": {"qc": "PASS"}})
    assert (changed["json"], changed["serial"]) == ({"qc": "PASS"}, "18")
    assert client.rest("insertions", "read", id=key(record))["json"] == {"qc": "PASS"}


def test_09_an_insertion_is_written_typed(client: AlyxClient, bench: Bench) -> None:
    record = bench.create("insertions", models.ProbeInsertion(session=bench.session.id, name="probe00", serial="17"))
    assert (record.name, record.serial, record.session) == ("probe00", "17", bench.session.id)

    replacement = models.ProbeInsertionUpdate(session=bench.session.id, name="probe01", serial="18")
    assert client.insertions.update(record.id, replacement).name == "probe01"
    assert client.insertions.partial_update(record.id, json={"qc": "PASS"}).serial == "18"
    assert client.insertions.read(record.id).json == {"qc": "PASS"}


def test_10_trajectories_by_provenance_and_place_string(client: AlyxClient, bench: Bench, sent: list[Request]) -> None:
    insertion = str(bench.insertion.id)
    place = {"x": -1000.5, "y": 2, "theta": 15}
    fields = {"probe_insertion": insertion, "provenance": ALIGNED, "depth": 3000, "phi": 180, **place}
    record = created(bench, "trajectories", fields)
    planned = str(bench.trajectory.id)

    assert keys(client.rest("trajectories", "list", provenance=ALIGNED, probe_insertion=insertion)) == [key(record)]
    assert dict(sent[-1].params)["provenance"] == ALIGNED
    assert keys(client.rest("trajectories", "list", probe_insertion=insertion, **place)) == [key(record)]
    assert keys(client.rest("trajectories", "list", probe_insertion=insertion)) == sorted([key(record), planned])
    changed = client.rest("trajectories", "partial_update", id=key(record), data={"json": {"uploads": [1]}})
    assert (changed["json"], changed["probe_insertion"], changed["x"]) == ({"uploads": [1]}, insertion, -1000.5)


def test_10_trajectories_by_provenance_and_place_typed(client: AlyxClient, bench: Bench) -> None:
    insertion = bench.insertion.id
    record = bench.create(
        "trajectories",
        models.TrajectoryEstimate(
            probe_insertion=insertion, provenance=ALIGNED, x=-1000.5, y=2, theta=15, depth=3000, phi=180
        ),
    )
    planned = bench.trajectory.id

    assert [row.id for row in client.trajectories.list(provenance=ALIGNED, probe_insertion=insertion)] == [record.id]
    assert [row.id for row in client.trajectories.list(x=-1000.5, y=2, theta=15, probe_insertion=insertion)] == [
        record.id
    ]
    assert {row.id for row in client.trajectories.list(probe_insertion=insertion)} == {record.id, planned}
    changed = client.trajectories.partial_update(record.id, json={"uploads": [1]})
    assert (changed.json, changed.probe_insertion, changed.x) == ({"uploads": [1]}, insertion, -1000.5)


def test_11_channels_as_a_list_string(client: AlyxClient, bench: Bench) -> None:
    trajectory = str(bench.trajectory.id)
    body = [{"trajectory_estimate": trajectory, "axial": axial, "brain_region": 8} for axial in (20, 40.5)]
    records = created(bench, "channels", body)
    assert [(record["axial"], record["brain_region"]) for record in records] == [(20, 8), (40.5, 8)]
    assert keys(client.rest("channels", "list", trajectory_estimate=trajectory)) == keys(records)
    with pytest.raises(BadRequestError) as refusal:
        client.rest("channels", "list", trajectory_estimate=str(UUID(int=1)))
    assert refusal.value.fields.keys() == {"trajectory_estimate"}


def test_11_channels_as_a_list_typed(client: AlyxClient, bench: Bench) -> None:
    trajectory = bench.trajectory.id
    body = [models.Channel(trajectory_estimate=trajectory, axial=axial, brain_region=8) for axial in (20, 40.5)]
    records = bench.create("channels", body)
    assert [(record.axial, record.brain_region) for record in records] == [(20, 8), (40.5, 8)]
    assert keys(client.channels.list(trajectory_estimate=trajectory)) == keys(records)
    with pytest.raises(BadRequestError) as refusal:
        client.channels.list(trajectory_estimate=UUID(int=1))
    assert refusal.value.fields.keys() == {"trajectory_estimate"}


def _file(bench: Bench, **fields: Any) -> dict[str, Any]:
    """Return what registers a file of the dataset."""
    bench.client.data_repository.partial_update(bench.repository.name, globus_is_personal=False)
    path = f"{bench.subject.nickname}/2020-01-12/001/alf/{bench.dataset.name}"
    return {"dataset": bench.dataset.url, "data_repository": bench.repository.name, "relative_path": path, **fields}


def _revision(bench: Bench) -> str:
    """Give the dataset a revision."""
    name = bench.create("revisions", models.Revision(name="alyx-client-test-revision")).name
    bench.client.datasets.partial_update(bench.dataset.id, revision=name)
    return name


def test_12_datasets_of_a_session_string(client: AlyxClient, bench: Bench) -> None:
    session, dataset = str(bench.session.id), str(bench.dataset.id)
    named = {"session": session, "collection": "alf", "name": bench.dataset.name}
    assert keys(client.rest("datasets", "list", **named)) == [dataset]
    assert client.rest("datasets", "list", **{**named, "collection": "alf/probe00"}) == []
    assert keys(client.rest("datasets", "list", revision=_revision(bench), collection="alf")) == [dataset]

    among = f"id__in,{[dataset, *map(str, STRANGERS[:20])]}"
    assert client.rest("datasets", "list", exists=True, django=among) == []
    bench.create("files", models.File(**_file(bench, exists=True)))
    assert keys(client.rest("datasets", "list", exists=True, django=among)) == [dataset]


def test_12_datasets_of_a_session_typed(client: AlyxClient, bench: Bench) -> None:
    session, dataset = bench.session.id, str(bench.dataset.id)
    assert keys(client.datasets.list(session=session, collection="alf", name=bench.dataset.name)) == [dataset]
    assert keys(client.datasets.list(session=session, collection="alf/probe00")) == []
    assert keys(client.datasets.list(revision=_revision(bench), collection="alf")) == [dataset]

    among = {"id__in": [dataset, *STRANGERS[:20]]}
    assert keys(client.datasets.list(exists=True, django=among)) == []
    bench.create("files", models.File(**_file(bench, exists=True)))
    assert keys(client.datasets.list(exists=True, django=among)) == [dataset]


def test_13_datasets_are_tagged_and_files_changed_string(client: AlyxClient, bench: Bench) -> None:
    tag = bench.create("tags", models.Tag(name=f"{PREFIX}-tag")).name
    assert client.rest("datasets", "partial_update", id=str(bench.dataset.id), data={"tags": [tag]})["tags"] == [tag]
    assert keys(client.rest("datasets", "list", tag=tag)) == [str(bench.dataset.id)]

    file = created(bench, "files", _file(bench, exists=False))
    assert client.rest("files", "partial_update", id=key(file), data={"exists": True})["exists"] is True
    assert client.rest("files", "read", id=key(file))["exists"] is True
    assert client.rest("files", "delete", id=key(file)) is None
    refused_read(client, "files", key(file))


def test_13_datasets_are_tagged_and_files_changed_typed(client: AlyxClient, bench: Bench) -> None:
    tag = bench.create("tags", models.Tag(name=f"{PREFIX}-tag")).name
    assert client.datasets.partial_update(bench.dataset.id, tags=[tag]).tags == [tag]
    assert keys(client.datasets.list(tag=tag)) == [str(bench.dataset.id)]

    file = bench.create("files", models.File(**_file(bench, exists=False)))
    assert client.files.partial_update(file.id, exists=True).exists is True
    assert client.files.read(file.id).exists is True
    client.files.delete(file.id)
    with pytest.raises(NotFoundError):
        client.files.read(file.id)


def test_14_tasks_that_wait_string(client: AlyxClient, bench: Bench) -> None:
    lab, repository = bench.lab.name, bench.repository.name
    fields = {
        "executable": "x.Task",
        "session": str(bench.session.id),
        "status": "Waiting",
        "priority": 10,
        "parents": [],
        "arguments": {"force": True},
    }
    here = created(bench, "tasks", {**fields, "name": f"{PREFIX}-here", "data_repository": repository})
    created(bench, "tasks", {**fields, "name": f"{PREFIX}-nowhere"})
    assert {name: here[name] for name in fields} == fields

    lookup = f"session__lab__name__in,['{lab}','none'],data_repository__name,{repository}"
    waiting = {"status": "Waiting", "django": lookup, "no_cache": True}
    assert keys(client.rest("tasks", "list", **waiting)) == [key(here)]
    changed = client.rest("tasks", "partial_update", id=key(here), data={"status": "Complete", "log": "done"})
    assert (changed["status"], changed["log"]) == ("Complete", "done")
    assert client.rest("tasks", "list", **waiting) == []


def test_14_tasks_that_wait_typed(client: AlyxClient, bench: Bench) -> None:
    lab, repository = bench.lab.name, bench.repository.name
    fields: dict[str, Any] = {"executable": "x.Task", "session": bench.session.id, "status": "Waiting"}
    here = bench.create("tasks", models.Task(**fields, name=f"{PREFIX}-here", data_repository=repository))
    bench.create("tasks", models.Task(**fields, name=f"{PREFIX}-nowhere"))

    lookup = {"session__lab__name__in": [lab, "none"], "data_repository__name": repository}
    assert keys(client.tasks.list(status="Waiting", django=lookup)) == [str(here.id)]
    changed = client.tasks.partial_update(here.id, status="Complete", log="done")
    assert (changed.status, changed.log) == ("Complete", "done")
    assert keys(client.tasks.list(status="Waiting", django=lookup)) == []


def test_15_notes_are_found_and_deleted_string(client: AlyxClient, bench: Bench, tmp_path: Path) -> None:
    image = tmp_path / "slice.png"
    image.write_bytes(PNG)
    session = str(bench.session.id)
    fields = {
        "user": bench.me,
        "content_type": "session",
        "object_id": session,
        "text": "Größe of a slice",
        "width": "orig",
        "json": json.dumps({"title": "overview"}),
    }
    with image.open("rb") as file:
        note = created(bench, "notes", fields, files={"image": file})
    assert (note["text"], note["json"]) == ("Größe of a slice", {"title": "overview"})
    assert note["image"].endswith(".png")
    created(bench, "notes", {**{name: fields[name] for name in ("user", "content_type", "object_id")}, "text": "b"})

    (found,) = client.rest("notes", "list", django=f"object_id,{session},text,Größe of a slice")
    assert key(found) == key(note)
    client.rest("notes", "delete", id=key(found))
    assert [row["text"] for row in client.rest("notes", "list", django=f"object_id,{session}")] == ["b"]


def test_15_notes_are_found_and_deleted_typed(client: AlyxClient, bench: Bench) -> None:
    session = bench.session.id
    about: dict[str, Any] = {"user": bench.me, "content_type": "actions.session", "object_id": session}
    shape = models.Note(**about, text="Größe of a slice", json={"title": "overview"}, width="orig")
    note = bench.create("notes", shape, image=PNG)
    assert (note.text, note.json) == ("Größe of a slice", {"title": "overview"})
    assert note.image is not None
    bench.create("notes", models.Note(**about, text="b"))

    (found,) = client.notes.list(django={"object_id": session, "text": "Größe of a slice"})
    assert found.id == note.id
    client.notes.delete(found.id)
    assert [row.text for row in client.notes.list(django={"object_id": session})] == ["b"]


DIGITS = "90210437"


def test_16_subjects_by_nickname_string(client: AlyxClient, bench: Bench) -> None:
    lab = bench.lab.name
    made = created(bench, "subjects", {"nickname": DIGITS, "lab": lab, "birth_date": "2019-08-01", "sex": "F"})
    assert client.rest("subjects", "read", id=DIGITS)["id"] == made["id"]
    assert client.rest("subjects", "read", DIGITS)["birth_date"] == "2019-08-01"
    assert client.rest("subjects", "read", int(DIGITS))["nickname"] == DIGITS

    rows = client.rest("subjects", "list", lab=lab, alive=True, water_restricted=False, stock=False)
    assert {row["nickname"] for row in rows} == {DIGITS, bench.subject.nickname}
    client.rest("subjects", "partial_update", id=DIGITS, data={"death_date": "2020-01-01"})
    assert keys(client.rest("subjects", "list", lab=lab, alive=True, stock=False)) == [str(bench.subject.id)]
    assert keys(client.rest("subjects", "list", lab=lab, alive=False, stock=False)) == [made["id"]]
    assert client.rest("subjects", "list", lab=lab, water_restricted=True, stock=False) == []


def test_16_subjects_by_nickname_typed(client: AlyxClient, bench: Bench) -> None:
    lab = bench.lab.name
    made = bench.create("subjects", models.Subject(nickname=DIGITS, lab=lab, birth_date=date(2019, 8, 1), sex="F"))
    read = client.subjects.read(DIGITS)
    assert (read.id, read.birth_date) == (made.id, date(2019, 8, 1))

    rows = client.subjects.list(lab=lab, alive=True, water_restricted=False, stock=False)
    assert {row.nickname for row in rows} == {DIGITS, bench.subject.nickname}
    client.subjects.partial_update(DIGITS, death_date=date(2020, 1, 1))
    assert keys(client.subjects.list(lab=lab, alive=True, stock=False)) == [str(bench.subject.id)]
    assert keys(client.subjects.list(lab=lab, alive=False, stock=False)) == [str(made.id)]
    assert len(client.subjects.list(lab=lab, water_restricted=True, stock=False)) == 0


JSON_FIELDS = {
    "sessions": ("session", "id", "extended_qc"),
    "insertions": ("insertion", "id", "json"),
    "subjects": ("subject", "nickname", "json"),
    "data-repository": ("repository", "name", "json"),
}


def test_17_json_fields_string(client: AlyxClient, bench: Bench) -> None:
    for endpoint, (record, lookup, field) in JSON_FIELDS.items():
        which = str(getattr(getattr(bench, record), lookup))

        assert client.json_field_write(endpoint, which, field, {"dlc": 0.5, "ok": True}) == {"dlc": 0.5, "ok": True}
        updated = {"dlc": 0.9, "ok": True, "new": [1, None]}
        assert client.json_field_update(endpoint, which, field, {"dlc": 0.9, "new": [1, None]}) == updated
        assert client.rest(endpoint, "read", which)[field] == updated
        assert client.json_field_remove_key(endpoint, which, field, "ok") == {"dlc": 0.9, "new": [1, None]}
        assert client.rest(endpoint, "read", which)[field] == {"dlc": 0.9, "new": [1, None]}
        assert client.json_field_delete(endpoint, which, field) is None
        assert client.rest(endpoint, "read", which)[field] is None


def test_17_json_fields_typed(client: AlyxClient, bench: Bench) -> None:
    for endpoint, (record, lookup, field) in JSON_FIELDS.items():
        which = getattr(getattr(bench, record), lookup)
        typed: Any = getattr(client, endpoint.replace("-", "_"))

        typed.partial_update(which, **{field: {"dlc": 0.5, "ok": True}})
        updated = {"dlc": 0.9, "ok": True, "new": [1, None]}
        assert typed.json_field_update(which, field, {"dlc": 0.9, "new": [1, None]}) == updated
        assert typed.json_field_remove_key(which, field, "ok") == {"dlc": 0.9, "new": [1, None]}
        assert getattr(typed.read(which), field) == {"dlc": 0.9, "new": [1, None]}
        typed.json_field_delete(which, field)
        assert getattr(typed.read(which), field) is None


NAMED = {
    "tags": {"name": f"{PREFIX} tag, 100%", "description": "a"},
    "revisions": {"name": "alyx-client-test-revision", "description": "a"},
    "dataset-types": {"name": "alyxClientTest.intervals", "filename_pattern": "*alyxclienttest.intervals*"},
    "data-repository": {"name": f"{PREFIX}-repository", "globus_path": "/data/"},
}


@pytest.mark.parametrize("endpoint", NAMED)
def test_18_records_by_name_string(endpoint: str, client: AlyxClient, bench: Bench) -> None:
    fields = NAMED[endpoint]
    created(bench, endpoint, fields)
    record = client.rest(endpoint, "read", id=fields["name"])
    assert {name: record[name] for name in fields} == fields
    assert client.rest(endpoint, "delete", id=fields["name"]) is None
    refused_read(client, endpoint, fields["name"])


@pytest.mark.parametrize("endpoint", NAMED)
def test_18_records_by_name_typed(endpoint: str, client: AlyxClient, bench: Bench) -> None:
    fields, name = NAMED[endpoint], endpoint.replace("-", "_")
    typed: Any = getattr(client, name)
    shape = {"tags": models.Tag, "revisions": models.Revision, "dataset_types": models.DatasetType}.get(name)
    if shape is None:
        assert bench.repository.name == fields["name"]
    else:
        bench.create(name, shape(**fields))
    assert typed.read(fields["name"]).name == fields["name"]
    typed.delete(fields["name"])
    with pytest.raises(NotFoundError):
        typed.read(fields["name"])


def _surgery(client: AlyxClient) -> tuple[Any, str]:
    """Return a surgery that the server has, and the name of one of its procedures in other letters."""
    surgery = client.surgeries.list(django={"procedures__isnull": False}, max_items=1)[0]
    names = {row.id: row.name for row in client.procedures.list()}
    return surgery, names[surgery.procedures[0]].upper()


def test_19_water_weight_and_surgeries_string(client: AlyxClient, bench: Bench) -> None:
    mouse = {"subject": bench.subject.nickname, "date_time": "2020-01-12T09:00:00"}
    water = created(bench, "water-administrations", {**mouse, "water_administered": 1.25, "water_type": "Water"})
    weight = created(bench, "weighings", {**mouse, "weight": 20.5})
    assert (water["water_administered"], water["water_type"], water["date_time"]) == (1.25, "Water", mouse["date_time"])
    assert (weight["weight"], weight["subject"]) == (20.5, mouse["subject"])
    rows = client.rest("weighings", "list", nickname=mouse["subject"])
    assert [row["weight"] for row in rows] == [20.5]

    surgery, procedure = _surgery(client)
    rows = client.rest("surgeries", "list", subject=surgery.subject, procedure=procedure)
    assert str(surgery.id) in keys(rows)
    assert {row["subject"] for row in rows} == {surgery.subject}
    assert client.rest("surgeries", "list", subject=surgery.subject, procedure="alyx client test") == []


def test_19_water_weight_and_surgeries_typed(client: AlyxClient, bench: Bench) -> None:
    mouse: dict[str, Any] = {"subject": bench.subject.nickname, "date_time": datetime(2020, 1, 12, 9)}
    water = bench.create(
        "water_administrations", models.WaterAdministration(**mouse, water_administered=1.25, water_type="Water")
    )
    weight = bench.create("weighings", models.Weighing(**mouse, weight=20.5))
    assert (water.water_administered, water.water_type, water.date_time) == (1.25, "Water", mouse["date_time"])
    assert [(row.weight, row.id) for row in client.weighings.list(nickname=mouse["subject"])] == [(20.5, weight.id)]

    surgery, procedure = _surgery(client)
    rows = client.surgeries.list(subject=surgery.subject, procedure=procedure)
    assert surgery.id in {row.id for row in rows}
    assert {row.subject for row in rows} == {surgery.subject}
    assert len(client.surgeries.list(subject=surgery.subject, procedure="alyx client test")) == 0


def _needs_a_disposable(target: Target) -> None:
    if not target.is_disposable:
        pytest.skip("an imaging stack cannot be deleted, and would stay on the live server")


def test_20_fields_of_view_string(client: AlyxClient, bench: Bench, target: Target) -> None:
    _needs_a_disposable(target)
    stack = client.rest("imaging-stack", "create", data={"name": f"{PREFIX} stack by name"})
    fields = {
        "name": "FOV_00",
        "session": str(bench.session.id),
        "imaging_type": "mesoscope",
        "stack": stack["id"],
        "json": {"depth": 200},
    }
    view = created(bench, "fields-of-view", fields)
    assert {name: view[name] for name in fields} == fields
    place = {
        "field_of_view": key(view),
        "provenance": "L",
        "coordinate_system": "IBL-Allen",
        "x": [1, 2.5, 3, 4],
        "y": [1, 2, 3, 4],
        "z": [0, 0, 0, -1],
        "n_xyz": [512, 512, 1],
        "brain_region": [8, 997],
    }
    location = created(bench, "fov-location", place)
    assert {name: location[name] for name in ("x", "z", "n_xyz", "provenance")} == {
        name: place[name] for name in ("x", "z", "n_xyz", "provenance")
    }
    assert sorted(location["brain_region"]) == [8, 997]
    (read,) = client.rest("fields-of-view", "list", session=fields["session"])
    assert keys(read["location"]) == [key(location)]


def test_20_fields_of_view_typed(client: AlyxClient, bench: Bench, target: Target) -> None:
    _needs_a_disposable(target)
    stack = client.imaging_stack.create(models.ImagingStack(name=f"{PREFIX} stack typed"))
    view = bench.create(
        "fields_of_view", models.FOV(name="FOV_00", session=bench.session.id, imaging_type="mesoscope", stack=stack.id)
    )
    assert (view.name, view.stack) == ("FOV_00", stack.id)
    location = bench.create(
        "fov_location",
        models.FOVLocation(
            field_of_view=view.id,
            provenance="L",
            coordinate_system="IBL-Allen",
            x=[1, 2.5, 3, 4],
            y=[1, 2, 3, 4],
            z=[0, 0, 0, -1],
            n_xyz=[512, 512, 1],
            brain_region=[8, 997],
        ),
    )
    assert (location.x, location.n_xyz, sorted(location.brain_region)) == ([1, 2.5, 3, 4], [512, 512, 1], [8, 997])
    (read,) = client.fields_of_view.list(session=bench.session.id)
    assert keys(read.location) == [str(location.id)]


def test_21_brain_regions_above_and_below_string(client: AlyxClient) -> None:
    above = {row["acronym"] for row in client.rest("brain-regions", "list", ancestors="CTX")}
    assert {"root", "grey", "CTX"} <= above
    assert "CA1" not in above
    assert client.rest("brain-regions", "list", descendants="CTX", limit=2)[0]["acronym"] == "CTX"
    assert "CA1" in {row["acronym"] for row in client.rest("brain-regions", "list", ancestors="CA1")}
    assert len(client.rest("brain-regions", "list", descendants="CTX", limit=2)) > 10


def test_21_brain_regions_above_and_below_typed(client: AlyxClient) -> None:
    above = {row.acronym for row in client.brain_regions.list(ancestors="CTX")}
    assert {"root", "grey", "CTX"} <= above
    assert "CA1" not in above
    rows = client.brain_regions.list(descendants="CTX", limit=2)
    assert rows[0].acronym == "CTX"
    assert rows.total > 10


def _two_files(bench: Bench) -> dict[str, Any]:
    return {
        "path": f"{bench.subject.nickname}/2020-01-12/001/alf",
        "filenames": [bench.dataset_type.name + ".npy", bench.dataset_type.name + ".probe00.npy"],
    }


def test_22_files_are_registered_string(client: AlyxClient, bench: Bench) -> None:
    files = _two_files(bench)
    body = {**files, "name": bench.repository.name, "created_by": bench.me, "filesizes": [1234, None]}
    registered = client.rest("register-file", "create", data=body)
    for row in registered:
        bench.keep("datasets", key(row))
    assert [(row["name"], row["file_size"]) for row in registered] == list(
        zip(files["filenames"], (1234, None), strict=True)
    )

    assert client.get("/check-protected", data=files)["status_code"] == 200
    tag = bench.create("tags", models.Tag(name=f"{PREFIX}-protected", protected=True)).name
    client.rest("datasets", "partial_update", id=key(registered[0]), data={"tags": [tag]})
    assert client.get("/check-protected", data=files)["status_code"] == 403

    counted = [client.rest("new-download", "create", data={"datasets": [key(registered[1])]}) for _ in range(2)]
    assert counted[1]["download"] == counted[0]["download"]
    assert counted[1]["count"][0] == counted[0]["count"][0] + 1


def test_22_files_are_registered_typed(client: AlyxClient, bench: Bench) -> None:
    files = _two_files(bench)
    shape = models.RegisterFile(**files, name=bench.repository.name, created_by=bench.me, filesizes=[1234, None])
    registered = client.register_file.create(shape)
    for row in registered:
        bench.keep("datasets", row.id)
    assert [(row.name, row.file_size) for row in registered] == list(zip(files["filenames"], (1234, None), strict=True))

    assert client.check_protected.read(models.CheckProtected(**files)).status_code == 200
    tag = bench.create("tags", models.Tag(name=f"{PREFIX}-protected", protected=True)).name
    client.datasets.partial_update(registered[0].id, tags=[tag])
    assert client.check_protected.read(models.CheckProtected(**files)).status_code == 403

    counted = [client.new_download.create(models.NewDownload(datasets=[registered[1].id])) for _ in range(2)]
    assert counted[1].count[0] == counted[0].count[0] + 1


def test_23_the_cache_tables_are_described_string(client: AlyxClient, target: Target) -> None:
    info = client.get("/cache/info")
    assert info["tables"].keys() == {"sessions", "datasets"}
    assert info["tables"]["sessions"]["nrecs"] > 0
    with pytest.raises(NotFoundError):
        client.get("/cache/info/alyx_client_test_no_such")
    if target.name in ("recorded", "record"):  # which tags have tables depends on the server
        tagged = client.get("cache/info/Brainwidemap")
        assert tagged["database_tags"] == ["Brainwidemap"]
        assert tagged["tables"]["sessions"]["nrecs"] < info["tables"]["sessions"]["nrecs"]


def test_23_the_cache_tables_are_described_typed(client: AlyxClient, target: Target) -> None:
    info = client.cache_info.read()
    assert info.tables.keys() == {"sessions", "datasets"}
    assert info.tables["sessions"].nrecs > 0
    with pytest.raises(NotFoundError):
        client.cache_info.read("alyx_client_test_no_such")
    if target.name in ("recorded", "record"):
        tagged = client.cache_info.read("Brainwidemap")
        assert tagged.database_tags == ["Brainwidemap"]
        assert tagged.tables["sessions"].nrecs < info.tables["sessions"].nrecs


def test_25_the_endpoint_as_a_variable_string(client: AlyxClient, bench: Bench) -> None:
    for endpoint in ("sessions", "datasets"):
        which = (_another_day(bench) if endpoint == "sessions" else bench.dataset).id
        assert client.get(f"/{endpoint}/{which}", clobber=True)["qc"] == "NOT_SET"
        assert client.patch(f"/{endpoint}/{which}", data={"qc": "PASS"})["qc"] == "PASS"
        assert client.get(f"/{endpoint}/{which}")["qc"] == "PASS"
        with pytest.raises(BadRequestError) as refusal:
            client.patch(f"/{endpoint}/{which}", data={"qc": "EXCELLENT"})
        assert refusal.value.fields.keys() == {"qc"}


def test_25_the_endpoint_as_a_variable_typed(client: AlyxClient, bench: Bench) -> None:
    for endpoint in ("sessions", "datasets"):
        which = (_another_day(bench) if endpoint == "sessions" else bench.dataset).id
        typed: Any = getattr(client, endpoint)
        assert typed.read(which).qc == "NOT_SET"
        assert typed.partial_update(which, qc="PASS").qc == "PASS"
        assert typed.read(which).qc == "PASS"


MISTAKES = [
    ("insertions", "dataset_type", "spikes.times"),
    ("trajectories", "probe_id", str(UUID(int=1))),
    ("weighings", "date", "2020-01-12"),
    ("datasets", "exist", True),
]


@pytest.mark.parametrize(("endpoint", "name", "value"), MISTAKES, ids=lambda value: None)
def test_filters_that_do_not_exist_are_not_sent(
    endpoint: str, name: str, value: Any, client: AlyxClient, sent: list[Request]
) -> None:
    client.rest_schemes.endpoints  # noqa: B018 - fetches the schema where it is not there yet
    sent.clear()
    with pytest.raises(InvalidCallError, match=name):
        client.rest(endpoint, "list", **{name: value})
    with pytest.raises(TypeError, match=name):
        getattr(client, endpoint).list(**{name: value})
    assert sent == []


async def test_asynchronous_list_of_several_pages_string(async_client: AsyncAlyxClient, bench: Bench) -> None:
    trajectory = str(bench.trajectory.id)
    body = [{"trajectory_estimate": trajectory, "axial": axial} for axial in range(5)]
    for record in await async_client.rest("channels", "create", data=body):
        bench.keep("channels", key(record))
    rows = await async_client.rest("channels", "list", trajectory_estimate=trajectory, limit=2)
    assert len(rows) == 5
    assert sorted([row["axial"] async for row in rows]) == [0, 1, 2, 3, 4]
    whole = await async_client.rest("channels", "list", trajectory_estimate=trajectory)
    assert sorted(row["axial"] for row in whole) == [0, 1, 2, 3, 4]


async def test_asynchronous_record_is_written_string(async_client: AsyncAlyxClient, bench: Bench) -> None:
    name = f"{PREFIX}-async"
    made = await async_client.rest("tags", "create", data={"name": name, "description": "a"})
    bench.keep("tags", name)
    assert await async_client.rest("tags", "read", id=name) == made
    changed = await async_client.rest("tags", "partial-update", id=name, data={"public": True})
    assert (changed["public"], changed["description"]) == (True, "a")
    assert await async_client.get(f"/tags/{name}") == changed
    assert await async_client.rest("tags", "delete", id=name) is None
    with pytest.raises(NotFoundError):
        await async_client.rest("tags", "read", id=name)


async def test_asynchronous_json_field_string(async_client: AsyncAlyxClient, bench: Bench) -> None:
    session = str(_another_day(bench).id)
    await async_client.json_field_write("sessions", session, "extended_qc", {"dlc": 0.5, "ok": True})
    updated = await async_client.json_field_update("sessions", session, "extended_qc", {"dlc": 0.9})
    assert updated == {"dlc": 0.9, "ok": True}
    assert await async_client.json_field_remove_key("sessions", session, "extended_qc", "ok") == {"dlc": 0.9}
    assert (await async_client.rest("sessions", "read", session))["extended_qc"] == {"dlc": 0.9}


async def test_asynchronous_filter_that_does_not_exist_string(async_client: AsyncAlyxClient) -> None:
    with pytest.raises(InvalidCallError, match="'exist'"):
        await async_client.rest("datasets", "list", exist=True)
