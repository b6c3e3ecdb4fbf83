"""Datasets, files, their registration and the cache tables."""

from __future__ import annotations

from typing import Any

import pytest

from alyx_client.errors import NotFoundError

from ..bench import PREFIX, Bench
from ..package import AlyxClient, models
from ..targets import Target
from .helpers import (
    STRANGERS,
    created,
    file_fields,
    key,
    keys,
    refused_read,
)


def _revision(bench: Bench) -> str:
    """Assign a revision to the dataset."""
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
    bench.create("files", models.File(**file_fields(bench, exists=True)))
    assert keys(client.rest("datasets", "list", exists=True, django=among)) == [dataset]


def test_12_datasets_of_a_session_typed(client: AlyxClient, bench: Bench) -> None:
    session, dataset = bench.session.id, str(bench.dataset.id)
    assert keys(client.datasets.list(session=session, collection="alf", name=bench.dataset.name)) == [dataset]
    assert keys(client.datasets.list(session=session, collection="alf/probe00")) == []
    assert keys(client.datasets.list(revision=_revision(bench), collection="alf")) == [dataset]

    among = {"id__in": [dataset, *STRANGERS[:20]]}
    assert keys(client.datasets.list(exists=True, django=among)) == []
    bench.create("files", models.File(**file_fields(bench, exists=True)))
    assert keys(client.datasets.list(exists=True, django=among)) == [dataset]


def test_13_datasets_are_tagged_and_files_changed_string(client: AlyxClient, bench: Bench) -> None:
    tag = bench.create("tags", models.Tag(name=f"{PREFIX}-tag")).name
    assert client.rest("datasets", "partial_update", id=str(bench.dataset.id), data={"tags": [tag]})["tags"] == [tag]
    assert keys(client.rest("datasets", "list", tag=tag)) == [str(bench.dataset.id)]

    file = created(bench, "files", file_fields(bench, exists=False))
    assert client.rest("files", "partial_update", id=key(file), data={"exists": True})["exists"] is True
    assert client.rest("files", "read", id=key(file))["exists"] is True
    assert client.rest("files", "delete", id=key(file)) is None
    refused_read(client, "files", key(file))


def test_13_datasets_are_tagged_and_files_changed_typed(client: AlyxClient, bench: Bench) -> None:
    tag = bench.create("tags", models.Tag(name=f"{PREFIX}-tag")).name
    assert client.datasets.partial_update(bench.dataset.id, tags=[tag]).tags == [tag]
    assert keys(client.datasets.list(tag=tag)) == [str(bench.dataset.id)]

    file = bench.create("files", models.File(**file_fields(bench, exists=False)))
    assert client.files.partial_update(file.id, exists=True).exists is True
    assert client.files.read(file.id).exists is True
    client.files.delete(file.id)
    with pytest.raises(NotFoundError):
        client.files.read(file.id)


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


def test_23_cache_tables_are_described_string(client: AlyxClient, target: Target, cache_tables: None) -> None:
    info = client.get("/cache/info")
    assert info["tables"].keys() == {"sessions", "datasets"}
    assert info["tables"]["sessions"]["nrecs"] > 0
    with pytest.raises(NotFoundError):
        client.get("/cache/info/alyx_client_test_no_such")
    if target.name in ("recorded", "record"):  # which tags have tables depends on the server
        tagged = client.get("cache/info/Brainwidemap")
        assert tagged["database_tags"] == ["Brainwidemap"]
        assert tagged["tables"]["sessions"]["nrecs"] < info["tables"]["sessions"]["nrecs"]


def test_23_cache_tables_are_described_typed(client: AlyxClient, target: Target, cache_tables: None) -> None:
    info = client.cache_info.read()
    assert info.tables.keys() == {"sessions", "datasets"}
    assert info.tables["sessions"].nrecs > 0
    with pytest.raises(NotFoundError):
        client.cache_info.read("alyx_client_test_no_such")
    if target.name in ("recorded", "record"):
        tagged = client.cache_info.read("Brainwidemap")
        assert tagged.database_tags == ["Brainwidemap"]
        assert tagged.tables["sessions"].nrecs < info.tables["sessions"].nrecs
