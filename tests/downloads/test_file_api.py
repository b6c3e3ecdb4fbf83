"""Downloads through both clients; the downloads themselves are tested in the other modules."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.config import DataServer
from alyx_client.errors import AuthenticationError, DownloadsFailedError, ForeignURLError, NoDataURLError
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx
from alyx_client.webclient import dataset_record_to_url, file_record_to_url, http_download_file
from tests.faults import FaultServer, Received

QUICK = Retries(base=0.001, cap=0.001)


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Return a function that creates a client, whose methods are called by name and awaited."""
    with asyncio.Runner() as runner:
        clients: list[Any] = []

        def make(local: LocalAlyx, **settings: Any) -> Callable[..., Any]:
            server = DataServer(local.data_url, "local", "alyx")
            settings = {"data_server": server, "cache_dir": tmp_path / "data", "retries": QUICK, **settings}
            settings = {"token": local.token(), "silent": True, **settings}
            client: Any = (AlyxClient if request.param == "sync" else AsyncAlyxClient)(local.url, **settings)
            clients.append(client)

            def call(method: str, *arguments: Any, **options: Any) -> Any:
                result = getattr(client, method)(*arguments, **options)
                return runner.run(result) if asyncio.iscoroutine(result) else result

            return call

        yield make
        for client in clients:
            client.close() if request.param == "sync" else runner.run(client.aclose())


@pytest.fixture
def datasets(local_alyx: LocalAlyx) -> list[dict[str, Any]]:
    with AlyxClient(local_alyx.url, token=local_alyx.token()) as client:
        rows = client.rest("datasets", "list")
    return [row for row in rows if any(file["exists"] and file["data_url"] for file in row["file_records"])][:5]


def test_sources_of_every_kind_are_downloaded(
    connect: Callable[..., Any], local_alyx: LocalAlyx, datasets: list[dict[str, Any]], tmp_path: Path
) -> None:
    alyx = connect(local_alyx)
    url = dataset_record_to_url(datasets[0])[0]
    path = alyx("download_file", datasets[0])
    assert path.parent == tmp_path / "data"
    assert path.stat().st_size == datasets[0]["file_size"]
    for source in (
        url,
        url.removeprefix(local_alyx.data_url).lstrip("/"),
        [file for file in datasets[0]["file_records"] if file["data_url"]],
    ):
        again = alyx("download_file", source, target_dir=tmp_path / "again", clobber=True)
        again = again[0] if isinstance(again, list) else again
        assert again.read_bytes() == path.read_bytes()
    paths = alyx("download_file", datasets, keep_tree=True)
    assert [path.stat().st_size for path in paths] == [row["file_size"] for row in datasets]
    assert paths[0] == tmp_path / "data" / url.removeprefix(local_alyx.data_url).lstrip("/")


def test_typed_record_is_downloaded(
    connect: Callable[..., Any], local_alyx: LocalAlyx, datasets: list[dict[str, Any]]
) -> None:
    with AlyxClient(local_alyx.url, token=local_alyx.token()) as client:
        record = client.datasets.read(datasets[0]["url"])
    assert dataset_record_to_url(record) == dataset_record_to_url(datasets[0])
    assert file_record_to_url(record.file_records) == file_record_to_url(datasets[0]["file_records"])
    assert connect(local_alyx)("download_file", record).stat().st_size == record.file_size


def test_records_without_url_are_left_out() -> None:
    records = [{"data_url": None}, {"data_url": "http://x/a"}, {}]
    assert file_record_to_url(records) == ["http://x/a"]
    assert dataset_record_to_url({"file_records": records}) == ["http://x/a"]
    assert dataset_record_to_url([{"file_records": []}, {"file_records": records}]) == ["http://x/a"]


def test_dataset_without_file_is_an_error(connect: Callable[..., Any], local_alyx: LocalAlyx) -> None:
    with pytest.raises(NoDataURLError, match="spikes"):
        connect(local_alyx)("download_file", {"name": "spikes.times.npy", "file_records": [{"data_url": None}]})


def test_wrong_data_login_is_an_error_that_says_what_to_check(
    connect: Callable[..., Any], local_alyx: LocalAlyx, datasets: list[dict[str, Any]], tmp_path: Path
) -> None:
    alyx = connect(local_alyx, data_server=DataServer(local_alyx.data_url, "local", "wrong"))
    with pytest.raises(AuthenticationError, match="data server"):
        alyx("download_file", datasets[0])
    with pytest.raises(DownloadsFailedError) as raised:
        alyx("download_file", datasets)
    assert [type(result) for result in raised.value.results] == [AuthenticationError] * 5
    assert not list((tmp_path / "data").glob("*.npy"))
    path = alyx("download_file", datasets[0], username="local", password="alyx")
    assert path.exists()


def test_foreign_server_is_refused(connect: Callable[..., Any], local_alyx: LocalAlyx) -> None:
    with pytest.raises(ForeignURLError):
        connect(local_alyx)("download_file", "https://other.example.org/a.npy")


def test_relative_path_becomes_url(connect: Callable[..., Any], local_alyx: LocalAlyx) -> None:
    alyx = connect(local_alyx)
    assert (
        alyx("rel_path2url", "/lab/Subjects/a b/#1#")
        == f"{local_alyx.data_url.rstrip(chr(47))}/lab/Subjects/a%20b/%231%23"
    )


def test_cache_tables_are_fetched_once(connect: Callable[..., Any], local_alyx: LocalAlyx, tmp_path: Path) -> None:
    alyx = connect(local_alyx, token=None, username="admin", password="admin")
    tables = alyx("download_cache_tables")
    assert sorted(path.name for path in tables) == ["datasets.pqt", "sessions.pqt"]
    assert {path.parent for path in tables} == {tmp_path / "data"}
    assert alyx("download_cache_tables") == tables
    assert [request.path for request in local_alyx.requests].count("/cache.zip") == 1
    tables[0].unlink()
    assert sorted(alyx("download_cache_tables", destination=tmp_path / "elsewhere")) != tables
    assert sorted(alyx("download_cache_tables")) == sorted(tables)


def test_cache_dir_can_be_changed(local_alyx: LocalAlyx, datasets: list[dict[str, Any]], tmp_path: Path) -> None:
    with AlyxClient(local_alyx.url, token=local_alyx.token(), data_server=local_alyx.data_url, silent=True) as client:
        client.cache_dir = tmp_path / "new"
        assert (tmp_path / "new").is_dir()
        path = client.download_file(datasets[0], username="local", password="alyx")
        assert path.parent == tmp_path / "new"
        again = pickle.loads(pickle.dumps(client))
        assert again.download_file(datasets[0]) == path


async def test_cancelled_task_stops_its_download(tmp_path: Path) -> None:
    arrived, gone = threading.Event(), threading.Event()

    def drip(received: Received, connection: Any) -> bool:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nETag: "a"\r\n\r\n' + bytes(1000))
        arrived.set()
        gone.wait(20)
        return False

    with FaultServer(then=drip) as server:
        async with AsyncAlyxClient(
            server.url, token="a", data_server=server.url, cache_dir=tmp_path, silent=True
        ) as client:
            task = asyncio.create_task(client.download_file(f"{server.url}/a.npy"))
            await asyncio.to_thread(arrived.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        gone.set()
    assert not (tmp_path / "a.npy").exists()


def test_functions_need_no_client(local_alyx: LocalAlyx, datasets: list[dict[str, Any]], tmp_path: Path) -> None:
    url = dataset_record_to_url(datasets[0])[0]
    login = {"username": "local", "password": "alyx"}
    path, digest = http_download_file(url, **login, target_dir=tmp_path, silent=True, return_md5=True)
    assert path.parent == tmp_path
    assert digest == datasets[0]["hash"] or len(digest) == 32


@pytest.mark.parametrize("records", ["string", "typed"])
def test_download_file_with_chunks_clobber_and_md5(
    connect: Callable[..., Any], local_alyx: LocalAlyx, datasets: list[dict[str, Any]], records: str, tmp_path: Path
) -> None:
    alyx = connect(local_alyx)
    with AlyxClient(local_alyx.url, token=local_alyx.token()) as client:
        listed = datasets if records == "string" else [client.datasets.read(row["url"]) for row in datasets]
    urls = dataset_record_to_url(listed)
    relative = [url.removeprefix(local_alyx.data_url).lstrip("/") for url in urls]
    wholes = alyx("download_file", urls)
    assert [path.stat().st_size for path in wholes] == [row["file_size"] for row in datasets]
    part = alyx("download_file", relative[0], chunks=(10, 20))
    assert part.read_bytes() == wholes[0].read_bytes()[10:30]
    assert part != wholes[0]
    wholes[0].write_bytes(b"changed")
    assert alyx("download_file", urls[0]).read_bytes() == b"changed", "a present file is trusted, as ONE does"
    again, digest = alyx("download_file", relative[0], clobber=True, return_md5=True)
    assert (again, again.read_bytes()[10:30]) == (wholes[0], part.read_bytes())
    paths, digests = alyx("download_file", relative, return_md5=True)
    assert (list(paths), digests[0], len(digests)) == (wholes, digest, len(urls))


def test_url_is_refused_as_path_on_data_server(connect: Callable[..., Any], local_alyx: LocalAlyx) -> None:
    with pytest.raises(ForeignURLError, match="a URL already"):
        connect(local_alyx)("rel_path2url", "http://x/y")
