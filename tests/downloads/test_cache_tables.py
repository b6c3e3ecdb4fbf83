from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import pytest

from alyx_client.downloads.archive import unpack
from alyx_client.downloads.data_servers import DataServers
from alyx_client.downloads.downloader import Downloader
from alyx_client.errors import (
    AuthenticationError,
    DamagedArchiveError,
    DiskFullError,
    ForeignURLError,
    ServerError,
    UnexpectedAnswerError,
)
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx
from tests import faults
from tests.download_faults import serve
from tests.faults import FaultServer

QUICK = Retries(base=0.001, cap=0.001)
INFO = {"date_created": "2021-06-01 12:00", "min_api_version": "2.10", "tables": {"sessions": {"nrecs": 3, "size": 9}}}
ROOT = Path(__file__).parents[2]


def zipped(entries: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(zipfile.ZipInfo(name), content)
    return archive.getvalue()


ZIP = zipped({"sessions.pqt": b"sessions", "datasets.pqt": b"datasets" * 5000, "README": b"read me"})


def routes(info: dict[str, Any] | None = None, archive: bytes = ZIP) -> dict[str, list[faults.Step]]:
    return {"/cache/info/": [faults.json_response(info or INFO)] * 9, "/cache.zip": [serve(archive)] * 9}


def tables_of(url: str, folder: Path, token: str = "s3cret") -> Downloader:
    servers = DataServers(base_url=url, token=lambda: {"Authorization": f"Token {token}"})
    return Downloader(servers, folder=folder, silent=True, retries=QUICK)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "home")


def test_current_tables_are_not_fetched_again(tmp_path: Path) -> None:
    with FaultServer(routes=routes()) as server:
        files = tables_of(server.url, tmp_path / "tables")
        paths = files.download_cache_tables()
        assert [path.name for path in paths] == ["sessions.pqt", "datasets.pqt"]
        assert paths[0].read_bytes() == b"sessions"
        assert names(tmp_path / "tables") == [".alyx-cache-tables.json", "README", "datasets.pqt", "sessions.pqt"]
        assert tables_of(server.url, tmp_path / "tables").download_cache_tables() == paths
        assert files.download_cache_tables(info=INFO) == paths
        assert (server.count("/cache/info/"), server.count("/cache.zip")) == (2, 1)
        assert set(server.tokens) == {"s3cret"}
        assert files.download_cache_tables(destination=tmp_path / "elsewhere")[0].parent == tmp_path / "elsewhere"
        assert server.count("/cache.zip") == 2


@pytest.mark.parametrize("change", ["newer", "missing", "truncated", "metadata damaged"])
def test_outdated_or_damaged_tables_are_fetched_again(change: str, tmp_path: Path) -> None:
    with FaultServer(routes=routes()) as server:
        paths = tables_of(server.url, tmp_path).download_cache_tables()
        if change == "newer":
            newer = {**INFO, "date_created": "2021-06-02 12:00"}
            server.script("/cache/info/", faults.json_response(newer))
        elif change == "missing":
            paths[1].unlink()
        elif change == "truncated":
            paths[1].write_bytes(b"half")
        else:
            (tmp_path / ".alyx-cache-tables.json").write_bytes(b"{half")
        assert tables_of(server.url, tmp_path).download_cache_tables() == paths
        assert paths[1].read_bytes() == b"datasets" * 5000
        assert server.count("/cache.zip") == 2


def test_tables_of_local_alyx_are_downloaded(tmp_path: Path) -> None:
    with LocalAlyx() as local:
        files = tables_of(local.url, tmp_path, local.token("olivier"))
        paths = files.download_cache_tables()
        assert {path.name for path in paths} == {"sessions.pqt", "datasets.pqt"}
        assert files.download_cache_tables() == paths
        with pytest.raises(AuthenticationError):
            tables_of(local.url, tmp_path / "other").download_cache_tables()


def test_token_is_not_sent_to_store_of_zip(tmp_path: Path) -> None:
    with FaultServer(then=serve(ZIP)) as store, FaultServer(routes=routes()) as server:
        server.script("/cache.zip", faults.redirect(f"{store.url}/cache.zip?X-Amz-Signature=s"))
        assert tables_of(server.url, tmp_path / "a").download_cache_tables()
        moved = {**INFO, "location": f"{store.url}/other.zip?X-Amz-Signature=s"}
        server.script("/cache/info/", *[faults.json_response(moved)] * 2)
        files = tables_of(server.url, tmp_path / "b")
        assert files.download_cache_tables() == files.download_cache_tables()
        assert store.paths == ["/cache.zip", "/other.zip"]
        assert all("authorization" not in request.headers for request in store.requests)
        assert "X-Amz" not in (tmp_path / "b" / ".alyx-cache-tables.json").read_text()


@pytest.mark.parametrize("source", ["/tables", "/tables/", "/tables/cache.zip"])
def test_other_source_receives_no_token(source: str, tmp_path: Path) -> None:
    with FaultServer(then=serve(ZIP)) as store:
        files = tables_of("https://alyx.example.org", tmp_path)
        assert len(files.download_cache_tables(store.url + source, tmp_path / "there")) == 2
        assert store.paths == ["/tables/cache.zip"]
        assert "authorization" not in store.requests[0].headers


def test_source_is_required_without_server(tmp_path: Path) -> None:
    with pytest.raises(ForeignURLError, match="source="):
        Downloader(DataServers(), folder=tmp_path).download_cache_tables()


@pytest.mark.parametrize(
    "name",
    [
        "../evil.pqt",
        "/etc/evil.pqt",
        "a/../../evil.pqt",
        "C:/evil.pqt",
        "..\\evil.pqt",
        "NUL",
        "a//b",
        "x.",
        "a:stream",
    ],
)
def test_entry_outside_folder_is_refused_before_unpacking(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in" / "tables"
    archive = zipped({"sessions.pqt": b"new", name: b"evil"})
    refused = pytest.raises(DamagedArchiveError, match="must not be unpacked")
    with FaultServer(routes=routes(archive=archive)) as server, refused:
        tables_of(server.url, folder).download_cache_tables()
    assert names(folder) == []
    assert names(tmp_path / "in") == ["tables"]


def test_links_and_repeated_names_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("sessions.pqt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = tmp_path / "link.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr(link, "/etc/passwd")
    with pytest.raises(DamagedArchiveError, match="link"):
        unpack(archive, tmp_path / "one")
    archive.write_bytes(zipped({"a.pqt": b"1", "A.PQT": b"2"}))
    with pytest.raises(DamagedArchiveError, match="same name"):
        unpack(archive, tmp_path / "two")


def test_folders_in_zip_are_created(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    archive.write_bytes(zipped({"v1/": b"", "v1/sessions.pqt": b"1", "v1/deep/b.pqt": b"2"}))
    assert unpack(archive, tmp_path / "out") == ["v1/sessions.pqt", "v1/deep/b.pqt"]
    assert (tmp_path / "out" / "v1" / "deep" / "b.pqt").read_bytes() == b"2"


@pytest.mark.parametrize(
    "damage",
    [b"no zip", b"", ZIP[: len(ZIP) // 2], ZIP.replace(ZIP[100:104], b"\x07" * 4, 1)],
    ids=["no zip", "empty", "cut", "changed"],
)
def test_damaged_zip_leaves_old_tables_untouched(damage: bytes, tmp_path: Path) -> None:
    with FaultServer(routes=routes()) as server:
        paths = tables_of(server.url, tmp_path).download_cache_tables()
        server.script("/cache/info/", *[faults.json_response({**INFO, "date_created": "2022"})] * 9)
        server.script("/cache.zip", serve(damage))
        with pytest.raises(DamagedArchiveError):
            tables_of(server.url, tmp_path).download_cache_tables()
        assert [path.read_bytes() for path in paths] == [b"sessions", b"datasets" * 5000]
        server.script("/cache.zip", serve(ZIP))
        assert tables_of(server.url, tmp_path).download_cache_tables() == paths


@pytest.mark.parametrize("obstacle", ["a folder with the name of a file", "a file with the name of a folder"])
def test_obstacle_in_folder_leaves_all_old_tables_untouched(obstacle: str, tmp_path: Path) -> None:
    with FaultServer(routes=routes()) as server:
        paths = tables_of(server.url, tmp_path).download_cache_tables()
        newer = zipped({"sessions.pqt": b"newer", "datasets.pqt": b"newer", "README": b"newer", "qc/qc.pqt": b"newer"})
        server.script("/cache/info/", *[faults.json_response({**INFO, "date_created": "2022"})] * 9)
        server.script("/cache.zip", *[serve(newer)] * 9)
        if obstacle == "a folder with the name of a file":
            (tmp_path / "README").unlink()
            (tmp_path / "README").mkdir()
        else:
            (tmp_path / "qc").write_bytes(b"in the way")
        with pytest.raises(OSError, match="README" if "folder with" in obstacle else "qc"):
            tables_of(server.url, tmp_path).download_cache_tables()
        assert [path.read_bytes() for path in paths] == [b"sessions", b"datasets" * 5000]
        (tmp_path / "README").rmdir() if "folder with" in obstacle else (tmp_path / "qc").unlink()
        assert len(tables_of(server.url, tmp_path).download_cache_tables()) == 3
        assert [path.read_bytes() for path in paths] == [b"newer", b"newer"]


def test_zip_larger_than_free_space_is_refused(tmp_path: Path) -> None:
    # The directory at the end declares the size: close to 4 GiB, a thousand times over.
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as packed:
        for number in range(3000):
            packed.writestr(f"{number}.pqt", b"")
    archive = bytearray(many.getvalue())
    start = archive.find(b"PK\x01\x02")
    while start >= 0:
        archive[start + 24 : start + 28] = b"\xfe\xff\xff\xff"
        start = archive.find(b"PK\x01\x02", start + 4)
    (tmp_path / "bomb.zip").write_bytes(archive)
    with pytest.raises(DiskFullError, match=r"it needs \d+ GB more"):
        unpack(tmp_path / "bomb.zip", tmp_path / "out")
    assert names(tmp_path / "out") == []


def test_zip_with_too_small_declared_size_is_refused(tmp_path: Path) -> None:
    archive = bytearray(zipped({"a.pqt": bytes(10_000_000)}))
    start = archive.find(b"PK\x01\x02")
    archive[start + 24 : start + 28] = (100).to_bytes(4, "little")
    (tmp_path / "bomb.zip").write_bytes(archive)
    with pytest.raises(DamagedArchiveError):
        unpack(tmp_path / "bomb.zip", tmp_path / "out")


@pytest.mark.parametrize(
    "response", [faults.html_response(), faults.json_response([]), faults.json_response({"tables": {}})]
)
def test_response_without_tables_is_an_error(response: faults.Step, tmp_path: Path) -> None:
    with FaultServer(routes={"/cache/info/": [response]}) as server, pytest.raises(UnexpectedAnswerError):
        tables_of(server.url, tmp_path).download_cache_tables()
    assert names(tmp_path) == []


def test_server_error_is_raised(tmp_path: Path) -> None:
    failing = {"/cache/info/": [faults.json_response({"detail": "why"}, status=500)]}
    with FaultServer(routes=failing) as server, pytest.raises(ServerError, match="why"):
        tables_of(server.url, tmp_path).download_cache_tables()


def test_interrupted_zip_is_resumed(tmp_path: Path) -> None:
    with FaultServer(routes=routes()) as server:
        server.script("/cache.zip", serve(ZIP, close_after=100), faults.response(status=404), serve(ZIP))
        with pytest.raises(LookupError):
            tables_of(server.url, tmp_path).download_cache_tables()
        assert "cache.zip.part" in names(tmp_path)
        assert len(tables_of(server.url, tmp_path).download_cache_tables()) == 2
        assert server.requests[-1].headers["range"] == "bytes=100-"
    assert names(tmp_path) == [".alyx-cache-tables.json", "README", "datasets.pqt", "sessions.pqt"]


def test_processes_fetch_tables_once(tmp_path: Path) -> None:
    script = """
        import json, sys
        from alyx_client.downloads.data_servers import DataServers
        from alyx_client.downloads.downloader import Downloader
        files = Downloader(DataServers(base_url=sys.argv[1]), folder=sys.argv[2])
        print(json.dumps([path.name for path in files.download_cache_tables()]))
    """
    steps = {"/cache/info/": [faults.json_response(INFO)] * 9, "/cache.zip": [serve(ZIP, drip=0.05)] * 9}
    with FaultServer(routes=steps) as server:
        command = [sys.executable, "-c", textwrap.dedent(script), server.url, str(tmp_path)]
        children = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        for child in children:
            out, _ = child.communicate(timeout=60)
            assert json.loads(out) == ["sessions.pqt", "datasets.pqt"]
        assert server.count("/cache.zip") == 1
