"""Insertions, trajectories, channels, fields of view and brain regions."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from alyx_client.errors import BadRequestError
from alyx_client.http.message import Request

from ..bench import PREFIX, Bench
from ..package import AlyxClient, models
from ..targets import Target
from .helpers import (
    ALIGNED,
    created,
    key,
    keys,
)


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

    with AlyxClient(target.url, token=target.token, cache_dir=tmp_path, silent=True) as caching:
        caching._calls.known_scheme = client.rest_schemes
        first = caching.rest("insertions", "list", session=session, expires=timedelta(days=1))
        client.insertions.delete(second)
        assert caching.rest("insertions", "list", session=session, expires=timedelta(days=1)) == first
        assert keys(caching.rest("insertions", "list", session=session, no_cache=True)) == [str(bench.insertion.id)]


def test_08_insertions_of_a_session_typed(client: AlyxClient, bench: Bench, target: Target, tmp_path: Path) -> None:
    session, second = bench.session.id, _two_probes(bench)
    assert keys(client.insertions.list(session=session, name="probe00")) == [str(bench.insertion.id)]
    lookup = {
        "session__subject__nickname": bench.subject.nickname,
        "~json__qc": "CRITICAL",
        "json__isnull": False,
    }
    assert keys(client.insertions.list(django=lookup)) == [second]

    with AlyxClient(target.url, token=target.token, cache_dir=tmp_path, silent=True, strict=True) as caching:
        caching.default_expiry = timedelta(days=1)
        first = list(caching.insertions.list(session=session))
        client.insertions.delete(second)
        assert list(caching.insertions.list(session=session)) == first
        caching.cache_mode = None
        assert keys(caching.insertions.list(session=session)) == [str(bench.insertion.id)]


def test_09_insertion_is_written_string(client: AlyxClient, bench: Bench) -> None:
    fields = {"session": str(bench.session.id), "name": "probe00", "model": "3A", "serial": "17", "json": {"qc": None}}
    record = created(bench, "insertions", fields)
    assert {name: record[name] for name in fields} == fields

    changes = {"session": fields["session"], "name": "probe01", "model": "3A", "serial": "18"}
    changed = client.rest("insertions", "update", id=key(record), data=changes)
    assert {name: changed[name] for name in changes} == changes
    changed = client.rest("insertions", "partial_update", id=key(record), data={"json": {"qc": "PASS"}})
    assert (changed["json"], changed["serial"]) == ({"qc": "PASS"}, "18")
    assert client.rest("insertions", "read", id=key(record))["json"] == {"qc": "PASS"}


def test_09_insertion_is_written_typed(client: AlyxClient, bench: Bench) -> None:
    record = bench.create("insertions", models.ProbeInsertion(session=bench.session.id, name="probe00", serial="17"))
    assert (record.name, record.serial, record.session) == ("probe00", "17", bench.session.id)

    replacement = models.ProbeInsertionUpdate(session=bench.session.id, name="probe01", serial="18")
    assert client.insertions.update(record.id, replacement).name == "probe01"
    assert client.insertions.partial_update(record.id, json={"qc": "PASS"}).serial == "18"
    assert client.insertions.read(record.id).json == {"qc": "PASS"}


def test_10_trajectories_by_provenance_and_coordinates_string(
    client: AlyxClient, bench: Bench, sent: list[Request]
) -> None:
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


def test_10_trajectories_by_provenance_and_coordinates_typed(client: AlyxClient, bench: Bench) -> None:
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


def test_21_brain_region_ancestors_and_descendants_string(client: AlyxClient) -> None:
    above = {row["acronym"] for row in client.rest("brain-regions", "list", ancestors="CTX")}
    assert {"root", "grey", "CTX"} <= above
    assert "CA1" not in above
    assert client.rest("brain-regions", "list", descendants="CTX", limit=2)[0]["acronym"] == "CTX"
    assert "CA1" in {row["acronym"] for row in client.rest("brain-regions", "list", ancestors="CA1")}
    assert len(client.rest("brain-regions", "list", descendants="CTX", limit=2)) > 10


def test_21_brain_region_ancestors_and_descendants_typed(client: AlyxClient) -> None:
    above = {row.acronym for row in client.brain_regions.list(ancestors="CTX")}
    assert {"root", "grey", "CTX"} <= above
    assert "CA1" not in above
    rows = client.brain_regions.list(descendants="CTX", page_size=2)
    assert rows[0].acronym == "CTX"
    assert rows.total > 10
