"""The endpoints that are not about records of their own."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alyx_client.errors import NotFoundError, PermissionDeniedError, ServerError

from .bench import PREFIX, Bench
from .package import AlyxClient, models
from .targets import Target


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = (b"\0" + b"\x80\x20\x20" * width) * height
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PNG = _png(8, 6)


@pytest.fixture
def files(bench: Bench) -> dict[str, Any]:
    """The fields that register two files in a session of the test's own."""
    session = bench.session
    return {
        "path": f"{session.subject}/{session.start_time:%Y-%m-%d}/{session.number:03d}/alf",
        "filenames": [bench.dataset_type.name + ".npy", bench.dataset_type.name + ".probe00.npy"],
    }


def _register(bench: Bench, **fields: Any) -> Any:
    registered = bench.client.register_file.create(models.RegisterFile(name=bench.repository.name, **fields))
    for row in registered:
        bench.keep("datasets", row.id)
    return registered


def test_registered_files_become_datasets(client: AlyxClient, bench: Bench, files: dict[str, Any]) -> None:
    first, second = _register(
        bench,
        **files,
        created_by=bench.me,
        hashes=["d41d8cd98f00b204e9800998ecf8427e", None],
        filesizes=[1234, None],
        versions=["1.0", "2.0"],
        qc=["PASS", None],
    )

    assert (first.name, first.file_size, first.session, first.qc) == (files["filenames"][0], 1234, bench.session.id, 10)
    assert first.dataset_type == second.dataset_type == bench.dataset_type.name
    assert [record.data_repository for record in first.file_records] == [bench.repository.name]
    dataset = client.datasets.read(first.id)
    assert (dataset.collection, dataset.qc, dataset.version) == ("alf", "PASS", "1.0")
    assert {row.id for row in client.datasets.list(session=bench.session.id)} == {first.id, second.id}


def test_protected_file_is_not_registered_again(client: AlyxClient, bench: Bench, files: dict[str, Any]) -> None:
    first, second = _register(bench, **files)
    assert client.check_protected.read(models.CheckProtected(**files)).status_code == 200

    tag = bench.create("tags", models.Tag(name=f"{PREFIX}-protected", protected=True))
    client.datasets.partial_update(first.id, tags=[tag.name])

    protection = client.check_protected.read(models.CheckProtected(**files))
    assert protection.status_code == 403
    assert {name for row in protection.details for name in row} == {first.name, second.name}
    with pytest.raises(PermissionDeniedError, match="protected"):
        client.register_file.create(models.RegisterFile(name=bench.repository.name, check_protected=True, **files))


def test_path_without_session_is_named_in_error(client: AlyxClient, bench: Bench) -> None:
    path = f"{bench.subject.nickname}/2001-01-01/001"
    with pytest.raises(ServerError) as refusal:
        client.check_protected.read(models.CheckProtected(path=path, filenames=["spikes.times.npy"]))
    assert refusal.value.detail


def test_new_download_is_counted(client: AlyxClient, bench: Bench) -> None:
    """The record of the download goes with the dataset."""
    download = client.new_download.create(models.NewDownload(datasets=[bench.dataset.id]))
    again = client.new_download.create(models.NewDownload(datasets=[bench.dataset.id], projects=[]))

    assert again.download == download.download
    assert again.count[0] == download.count[0] + 1
    assert client.downloads.read(download.download[0]).dataset == bench.dataset.id


def test_files_to_synchronise_are_paths(client: AlyxClient) -> None:
    paths = client.sync_file_status.read()
    assert isinstance(paths, list)
    assert all(isinstance(path, str) for path in paths)


def test_water_requirement_of_subject(client: AlyxClient, bench: Bench) -> None:
    bench.create(
        "weighings", models.Weighing(subject=bench.subject.nickname, weight=21.5, date_time="2020-01-12T10:00:00")
    )

    requirement = client.water_requirement.read(
        bench.subject.nickname, start_date=date(2020, 1, 12), end_date=date(2020, 1, 13)
    )

    assert requirement.subject == bench.subject.nickname
    assert [record.date for record in requirement.records] == [date(2020, 1, 12), date(2020, 1, 13)]
    assert requirement.records[0].weighing_at == 21.5
    assert requirement.records[1].weighing_at is None


def test_water_requirement_of_unknown_subject_is_a_server_error(client: AlyxClient) -> None:
    with pytest.raises(ServerError) as refusal:
        client.water_requirement.read("alyx-client-test-no-such")
    assert refusal.value.detail == "Subject matching query does not exist."


def test_cache_tables_are_described_and_downloaded(client: AlyxClient, cache_tables: None) -> None:
    info = client.cache_info.read()
    assert info.tables.keys() >= {"sessions", "datasets"}
    with zipfile.ZipFile(io.BytesIO(client.cache_zip.read())) as tables:
        assert {"sessions.pqt", "datasets.pqt"} <= set(tables.namelist())


def test_missing_cache_tables_are_an_error(client: AlyxClient, target: Target) -> None:
    if target.name != "live":
        pytest.skip("the local Alyx and the recorded one have cache tables")
    try:
        client.cache_info.read()
    except (NotFoundError, ServerError):
        with pytest.raises((NotFoundError, ServerError)):
            client.cache_zip.read()
    else:
        pytest.skip("the server has cache tables")


def test_cache_tables_of_unknown_tag_are_not_found(client: AlyxClient) -> None:
    with pytest.raises(NotFoundError):
        client.cache_info.read("alyx_client_test_no_such")


def test_cache_tables_of_tag_are_described(client: AlyxClient, target: Target) -> None:
    if target.name in ("local", "live"):
        pytest.skip("which tags have tables depends on the server")
    assert client.cache_info.read("Brainwidemap").database_tags == ["Brainwidemap"]


@pytest.mark.parametrize("form", ["path", "bytes", "file"])
def test_note_is_created_with_image(form: str, client: AlyxClient, bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "brain.png"
    path.write_bytes(PNG)
    note = models.Note(
        user=bench.me,
        content_type="actions.session",
        object_id=bench.session.id,
        text="Größe",
        json={"title": "overview", "sections": [1, None]},
        width="orig",
    )

    if form == "file":
        with path.open("rb") as file:
            created = bench.create("notes", note, image=file)
    else:
        created = bench.create("notes", note, image=path if form == "path" else PNG)

    assert (created.text, created.json) == ("Größe", {"title": "overview", "sections": [1, None]})
    assert created.image is not None
    assert created.image.endswith(".png")
    assert (created.object_id, created.content_type) == (bench.session.id, "actions.session")


def test_image_of_note_is_downloaded(client: AlyxClient, bench: Bench, target: Target) -> None:
    note = models.Note(user=bench.me, content_type="actions.session", object_id=bench.session.id)
    image = bench.create("notes", note, image=PNG).image
    assert image is not None

    content = client.uploaded.read(image.partition("/uploaded/")[2])

    # A real Alyx leaves uploads to the web server in front; without one, their URL is a path on its disk.
    assert content.startswith(b"\x89PNG") or (target.is_real and b"/uploaded/" in content)


def test_changing_text_of_note_keeps_its_object(client: AlyxClient, bench: Bench) -> None:
    """Alyx fails on a change that leaves out content_type or object_id."""
    note = models.Note(user=bench.me, content_type="subjects.subject", object_id=bench.subject.id, text="one")
    created = bench.create("notes", note)

    changed = client.notes.partial_update(created.id, text="two")

    assert changed == created.model_copy(update={"text": "two"})
    assert [row.id for row in client.notes.list(django={"object_id": bench.subject.id})] == [created.id]


def test_note_without_object_is_an_explained_server_error(client: AlyxClient, bench: Bench) -> None:
    with pytest.raises(ServerError) as refusal:
        client.notes.create(models.Note(user=bench.me, content_type="actions.session", object_id=UUID(int=1), text="x"))
    assert refusal.value.detail
