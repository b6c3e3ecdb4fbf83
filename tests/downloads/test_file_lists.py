"""Lists of which some files cannot be downloaded: each fault concerns its own source, with both clients."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.config import DataServer
from alyx_client.downloads.data_servers import DataServers
from alyx_client.downloads.downloader import Downloader
from alyx_client.downloads.functions import http_download_file_list
from alyx_client.errors import (
    AlyxConnectionError,
    AuthenticationError,
    ChecksumError,
    DownloadsFailedError,
    ForeignURLError,
    IncompleteDownloadError,
    InvalidCallError,
    InvalidFileNameError,
    NoDataURLError,
    NotFoundError,
    PermissionDeniedError,
)
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx
from tests import faults
from tests.download_faults import content, serve
from tests.faults import FaultServer

QUICK = Retries(base=0.001, cap=0.001)
BODY = content(5000)
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
LOCKED = serve(BODY, login="nobody's")
KEY = "5ac57b68-932f-55b9-832e-103ca99e6146"


class Servers(NamedTuple):
    alyx: FaultServer
    data: FaultServer
    locked: FaultServer
    foreign: FaultServer
    closed: str


@pytest.fixture
def servers() -> Iterator[Servers]:
    routes = {"/gone.npy": [faults.response(status=404)] * 9, "/secret.npy": [faults.response(status=403)] * 9}
    with (
        FaultServer(then=faults.json_response({"detail": "Invalid token."}, status=401)) as alyx,
        FaultServer(then=serve(BODY), routes=routes) as data,
        FaultServer(then=LOCKED) as locked,
        FaultServer(then=serve(BODY)) as foreign,
    ):
        yield Servers(alyx, data, locked, foreign, f"http://127.0.0.1:{faults.closed_port()}")


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Return a function that creates a client of one kind and returns its `download_file`, awaited."""
    with asyncio.Runner() as runner:
        clients: list[Any] = []

        def make(url: str, **settings: Any) -> Callable[..., Any]:
            settings = {"retries": QUICK, "silent": True, "token": "abc", **settings}
            client: Any = (AlyxClient if request.param == "sync" else AsyncAlyxClient)(url, **settings)
            clients.append(client)

            def download(source: Any, **options: Any) -> Any:
                result = client.download_file(source, **options)
                return runner.run(result) if asyncio.iscoroutine(result) else result

            return download

        yield make
        for client in clients:
            client.close() if request.param == "sync" else runner.run(client.aclose())


@pytest.fixture
def download(connect: Callable[..., Any], servers: Servers, folder: Path) -> Callable[..., Any]:
    data_servers = [DataServer(servers.data.url), DataServer(servers.locked.url), DataServer(servers.closed)]
    return connect(servers.alyx.url, data_server=data_servers, cache_dir=folder)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.exists() else []


def dataset(*files: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": KEY, "name": "b.npy", "file_records": list(files), **fields}


def with_urls(value: Any, servers: Servers) -> Any:
    """Insert the URLs of the servers into a source."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda match: getattr(getattr(servers, match[1]), "url", servers.closed), value)
    if isinstance(value, dict):
        return {name: with_urls(item, servers) for name, item in value.items()}
    return [with_urls(item, servers) for item in value] if isinstance(value, list) else value


# A source with a fault, its error, and a part of its line in the message.
KINDS: dict[str, tuple[Any, type[Exception], str]] = {
    "a dataset without a data URL": (dataset({"data_url": None, "exists": True}), NoDataURLError, f"'b.npy' '{KEY}'"),
    "a dataset whose file does not exist": (
        dataset({"data_url": "{data}/b.npy", "exists": False}),
        NoDataURLError,
        f"'b.npy' '{KEY}'",
    ),
    "a dataset without files": (dataset(), NoDataURLError, KEY),
    "files that are none": (dataset(file_records="none"), NoDataURLError, KEY),
    "a file's record without a data URL": ({"relative_path": "lab/b.npy"}, NoDataURLError, "lab/b.npy"),
    "an empty record": ({}, NoDataURLError, "dict"),
    "the record of another endpoint": ({"nickname": "KS001", "url": f"https://x.org/subjects/{KEY}"}, LookupError, KEY),
    "a number": (5, TypeError, "int"),
    "bytes": (b"b.npy", TypeError, "bytes"),
    "a UUID": (uuid.UUID(KEY), InvalidCallError, KEY),
    "an object": (object(), TypeError, "object"),
    "a key": (KEY, InvalidCallError, KEY),
    "a query that is no text": ("{data}/?id=\udcff", ValueError, "/"),
    "a foreign server": ("{foreign}/b.npy?sig=s3cret", ForeignURLError, "/b.npy is on none of the servers"),
    "a dataset on a foreign server": (
        dataset({"data_url": "{foreign}/b.npy?sig=s3cret", "exists": True}),
        ForeignURLError,
        "/b.npy is on none of the servers",
    ),
    "another scheme": ("ftp://x.org/b.npy", ForeignURLError, "x.org"),
    "no host": ("https:///b.npy", ForeignURLError, "/b.npy"),
    "half an IPv6 address": ("http://[::1/b.npy", ForeignURLError, "[::1"),
    "no port": ("http://127.0.0.1:99999/b.npy", ForeignURLError, "99999"),
    "a path that leads out": ("../b.npy", InvalidFileNameError, "../b.npy"),
    "an address that leads out": ("{data}/a/%2e%2e%2fb.npy", InvalidFileNameError, "/a/%2e%2e%2fb.npy"),
    "an address without a name": ("{data}/lab/", InvalidFileNameError, "/lab/"),
    "a reserved name": ("{data}/lab/NUL", InvalidFileNameError, "/lab/NUL"),
    "a name that is not UTF-8": ("{data}/lab/%ff.npy", InvalidFileNameError, "/lab/%ff.npy"),
    "a name that is no text": ("{data}/lab/\udcff.npy", ValueError, "/lab/"),
    "a name that is too long": ("lab/" + "x" * 300, InvalidFileNameError, "lab/xxx"),
    "a path that is a folder here": ("lab/taken.npy", IsADirectoryError, "taken.npy"),
    "a server that wants a login": ("{locked}/b.npy", AuthenticationError, "/b.npy"),
    "an Alyx that wants another token": ("{alyx}/uploaded/b.npy", AuthenticationError, "/uploaded/b.npy"),
    "an unreachable server": ("{closed}/b.npy", AlyxConnectionError, "/b.npy"),
    "a missing file": ("{data}/gone.npy?sig=s3cret", NotFoundError, "/gone.npy"),
    "a file that is not for this user": ("secret.npy", PermissionDeniedError, "secret.npy"),
    "a file of another size": ({"data_url": "{data}/b.npy", "file_size": 7}, IncompleteDownloadError, "/b.npy"),
    "a file with another content": ({"data_url": "{data}/b.npy", "hash": "0" * 32}, ChecksumError, "/b.npy"),
}


def test_files_of_a_session_are_those_of_its_datasets(download: Callable[..., Any], local_alyx: LocalAlyx) -> None:
    with AlyxClient(local_alyx.url, token=local_alyx.token()) as client:
        session = client.sessions.list(subject="flowers")[0]
        with pytest.raises(NoDataURLError, match=r"client\.download_file\(client\.datasets\.list\(session=record\)\)"):
            download(session)


def test_advice_is_not_cut_off_behind_a_long_address(download: Callable[..., Any], servers: Servers) -> None:
    with pytest.raises(DownloadsFailedError, match=r"results\[0\]: .*ALYX_DATA_USERNAME.* expired\.$") as raised:
        download([f"{servers.locked.url}/{'folder/' * 20}b.npy"])
    assert str(raised.value).count("b.npy") == 1


@pytest.mark.parametrize("name", KINDS)
def test_fault_of_one_source_does_not_stop_others(
    name: str, download: Callable[..., Any], servers: Servers, folder: Path
) -> None:
    source, kind, message = KINDS[name]
    source = with_urls(source, servers)
    (folder / "taken.npy").mkdir(parents=True)
    with pytest.raises(DownloadsFailedError, match=r"\A2 of 4 files") as raised:
        download([source, "lab/a.npy", source, f"{servers.data.url}/c.npy"])
    first, a, second, c = raised.value.results
    assert (a, c) == (folder / "a.npy", folder / "c.npy")
    assert (a.read_bytes(), c.read_bytes()) == (BODY, BODY)
    assert [isinstance(error, kind) for error in (first, second)] == [True, True], (first, second)
    heading, *lines = str(raised.value).splitlines()
    assert [line[: len("- results[0]")] for line in lines] == ["- results[0]", "- results[2]"], heading
    assert all(message in line for line in lines), lines
    assert "s3cret" not in str(raised.value)
    assert not servers.foreign.requests
    assert names(folder) == ["a.npy", "c.npy"]
    again = pickle.loads(pickle.dumps(raised.value))
    assert [type(result) for result in again.results] == [type(result) for result in raised.value.results]


@pytest.mark.parametrize("name", KINDS)
def test_single_source_raises_its_own_error(
    name: str, download: Callable[..., Any], servers: Servers, folder: Path
) -> None:
    source, kind, _ = KINDS[name]
    (folder / "taken.npy").mkdir(parents=True)
    with pytest.raises(kind) as raised:
        download(with_urls(source, servers))
    assert not isinstance(raised.value, DownloadsFailedError)
    assert names(folder) == []


def test_nested_list_is_not_a_source(download: Callable[..., Any], folder: Path) -> None:
    with pytest.raises(DownloadsFailedError) as raised:
        download([["b.npy"], "a.npy"])
    assert [type(result) for result in raised.value.results] == [TypeError, type(folder)]


def test_faults_of_all_kinds_in_one_list(download: Callable[..., Any], servers: Servers, folder: Path) -> None:
    (folder / "taken.npy").mkdir(parents=True)
    sources: list[Any] = ["first.npy", None, ""]
    expected = [Path, type(None), type(None)]
    for number, (source, kind, _) in enumerate(KINDS.values()):
        sources += [with_urls(source, servers), f"{number}.npy"]
        expected += [kind, Path]
    # A folder for each, so that no two of them have the same target.
    folders = [folder if "taken" in str(source) else folder / str(index) for index, source in enumerate(sources)]
    with pytest.raises(DownloadsFailedError, match=rf"\A{len(KINDS)} of {len(sources)} files") as raised:
        download(iter(sources), target_dir=folders)
    results = raised.value.results
    wrong = [pair for pair in zip(sources, results, expected, strict=True) if not isinstance(pair[1], pair[2])]
    assert not wrong
    lines = str(raised.value).splitlines()
    assert len(lines) < len(KINDS)
    assert lines[-1] == f"- {len(KINDS) - 20} more, in `results` of this error"


def test_sources_with_the_same_target_are_both_refused(
    download: Callable[..., Any], servers: Servers, folder: Path
) -> None:
    sources = ["lab/x/a.npy", "lab/x/c.npy", "lab/y/A.npy", "lab/x/a.npy", "lab/z/a.npy"]
    with pytest.raises(DownloadsFailedError, match=r"\A4 of 5 files") as raised:
        download(sources)
    results = raised.value.results
    assert results[1] == folder / "c.npy"
    assert all(isinstance(result, InvalidFileNameError) for result in results[:1] + results[2:])
    for index, other in ((0, "/lab/y/A.npy"), (2, "/lab/x/a.npy"), (3, "/lab/y/A.npy"), (4, "/lab/x/a.npy")):
        assert other in str(results[index])
        assert f"{servers.data.url}/{sources[index]}" in str(results[index])
        assert "keep_tree=True" in str(results[index])
    assert servers.data.paths == ["/lab/x/c.npy"]
    assert names(folder) == ["c.npy"]
    paths = download(sources, keep_tree=True)
    assert paths == [folder / source for source in sources]


def test_unusable_folder_is_the_fault_of_its_source_only(
    download: Callable[..., Any], servers: Servers, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    good = [tmp_path / "x", tmp_path / "y"]
    bad = ["~nobody-of-this-name/x", "a\0b", tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("x" * 300)]
    sources = [f"{number}.npy" for number in range(len(bad) + 2)]
    with pytest.raises(DownloadsFailedError, match=r"\A5 of 7 files") as raised:
        download(sources, target_dir=[good[0], *bad, good[1]])
    results = raised.value.results
    assert (results[0], results[-1]) == (good[0] / "0.npy", good[1] / "6.npy")
    assert all(isinstance(result, OSError | RuntimeError | ValueError) for result in results[1:-1])
    assert all(f"results[{number}], {servers.data.url}/" in str(raised.value) for number in range(2, 6))
    assert sorted(servers.data.paths) == ["/0.npy", "/6.npy"]


CALLS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "chunks that are a number": ({"chunks": 5}, TypeError, "chunks"),
    "chunks that are three": ({"chunks": (1, 2, 3)}, ValueError, "chunks"),
    "chunks that are words": ({"chunks": ("a", 1)}, ValueError, "chunks"),
    "chunks without a byte": ({"chunks": (0, 0)}, ValueError, "chunks"),
    "headers that are a list": ({"headers": ["X-Lab"]}, TypeError, "headers"),
    "a header that is a number": ({"headers": {"X-Lab": 5}}, TypeError, "X-Lab"),
    "a header that is two lines": ({"headers": {"X-Lab": "s3cret\nHost: x"}}, ValueError, "X-Lab"),
    "a header that is not ASCII": ({"headers": {"X-Lab": "s3cret é"}}, ValueError, "X-Lab"),
    "a header without a name": ({"headers": {"": "s3cret"}}, ValueError, "headers"),
    "a header of the download's own": ({"headers": {"Range": "bytes=0-1"}}, ValueError, "chunks="),
    "target_dir that is a number": ({"target_dir": 5}, TypeError, "target_dir"),
    "target_dir that is numbers": ({"target_dir": [5, 5, 5]}, TypeError, "target_dir"),
    "target_dir for others": ({"target_dir": ["x"]}, ValueError, "1 folders for 3 sources"),
    "target_dir that is a file": ({"target_dir": "{folder}/file"}, NotADirectoryError, "file"),
    "target_dir below a file": ({"target_dir": "{folder}/file/below"}, OSError, "file"),
    "target_dir that is no path": ({"target_dir": "a\0b"}, ValueError, "NUL"),
    "target_dir of nobody": ({"target_dir": "~nobody-of-this-name/x"}, ValueError, "home folder of an unknown user"),
    "an unknown option": ({"folder": "x"}, TypeError, "folder"),
}


@pytest.mark.parametrize("name", CALLS)
def test_wrong_argument_is_raised_before_anything_is_fetched(
    name: str, download: Callable[..., Any], servers: Servers, tmp_path: Path
) -> None:
    options, kind, message = CALLS[name]
    (tmp_path / "file").write_bytes(b"in the way")
    if isinstance(options.get("target_dir"), str):
        options = {"target_dir": options["target_dir"].replace("{folder}", str(tmp_path))}
    for sources in (["a.npy", "b.npy", {}], "a.npy"):
        if message == "1 folders for 3 sources" and isinstance(sources, str):
            continue
        with pytest.raises(kind, match=message) as raised:
            download(sources, **options)
        assert not isinstance(raised.value, DownloadsFailedError)
        assert "s3cret" not in str(raised.value)
    assert not servers.data.requests


def test_error_of_source_iterator_is_raised(download: Callable[..., Any], servers: Servers) -> None:
    def sources() -> Iterator[str]:
        yield "a.npy"
        raise ConnectionResetError("the list broke off")

    with pytest.raises(ConnectionResetError, match="broke off"):
        download(sources())
    assert not servers.data.requests


def test_empty_sources_yield_none(download: Callable[..., Any], folder: Path) -> None:
    assert download([]) == []
    assert download([None, " "]) == [None, None]
    assert download(None) is None
    assert not names(folder)


def test_missing_data_server_is_reported_per_source(
    connect: Callable[..., Any], servers: Servers, folder: Path
) -> None:
    servers.alyx.script("/uploaded/a.npy", serve(BODY))
    download = connect(servers.alyx.url, data_server=[], cache_dir=folder)
    with pytest.raises(DownloadsFailedError, match=r"\A2 of 3 files") as raised:
        download(["lab/b.npy", f"{servers.alyx.url}/uploaded/a.npy", f"{servers.data.url}/c.npy"])
    assert [type(result) for result in raised.value.results] == [ForeignURLError, type(folder), ForeignURLError]
    assert str(raised.value).count("data_server=") == 2
    with pytest.raises(ForeignURLError, match="data_server="):
        download("lab/b.npy")


def test_next_url_of_dataset_is_used_if_one_is_unusable(
    download: Callable[..., Any], servers: Servers, folder: Path
) -> None:
    urls = [f"{servers.data.url}/a/..%2fb.npy", f"{servers.foreign.url}/b.npy", f"{servers.data.url}/lab/b.npy"]
    path = download(dataset(*({"data_url": url, "exists": True} for url in urls), file_size=len(BODY), hash=MD5))
    assert path == folder / "b.npy"
    with pytest.raises(InvalidFileNameError, match=re.escape("..%2fb.npy")):
        download(dataset(*({"data_url": url, "exists": True} for url in urls[:2])))


def test_md5_is_returned_for_downloaded_files(download: Callable[..., Any], folder: Path) -> None:
    with pytest.raises(DownloadsFailedError) as raised:
        download(["a.npy", {}], return_md5=True)
    assert raised.value.results[0] == folder / "a.npy"
    assert download(["a.npy", "c.npy"], return_md5=True) == [(folder / "a.npy", folder / "c.npy"), (MD5, MD5)]


# Without a client


@pytest.mark.parametrize("name", [name for name, (source, _, _) in KINDS.items() if "foreign" not in name])
def test_fault_of_one_source_without_client_does_not_stop_others(name: str, servers: Servers, folder: Path) -> None:
    source, kind, message = KINDS[name]
    if isinstance(source, str) and "://" not in source and "{" not in source and source != KEY:
        kind = ForeignURLError
    (folder / "taken.npy").mkdir(parents=True)
    sources = [f"{servers.data.url}/a.npy", with_urls(source, servers), f"{servers.data.url}/c.npy"]
    files = Downloader(DataServers(any_server=True), retries=QUICK, silent=True)
    with pytest.raises(DownloadsFailedError, match=r"\A1 of 3 files") as raised:
        files.download(sources, target_dir=folder)
    assert isinstance(raised.value.results[1], kind)
    assert "- results[1]" in str(raised.value)
    assert message.removesuffix(" is on none of the servers") in str(raised.value)
    assert names(folder) == ["a.npy", "c.npy"]


def test_list_function_refuses_a_single_url(servers: Servers, folder: Path) -> None:
    for links in (f"{servers.data.url}/a.npy", {"data_url": f"{servers.data.url}/a.npy"}, None, 5):
        with pytest.raises(TypeError, match="http_download_file"):
            http_download_file_list(links, target_dir=folder)  # type: ignore[arg-type]
    with pytest.raises(DownloadsFailedError) as raised:
        http_download_file_list([f"{servers.data.url}/a.npy", "lab/b.npy"], target_dir=folder, silent=True)
    assert [type(result) for result in raised.value.results] == [type(folder), ForeignURLError]
    assert not servers.foreign.requests


# The records of a whole endpoint


def test_all_datasets_with_a_file_are_downloaded(
    connect: Callable[..., Any], local_alyx: LocalAlyx, folder: Path
) -> None:
    token = local_alyx.token()
    server = DataServer(local_alyx.data_url, *local_alyx.data_login)
    with AlyxClient(local_alyx.url, token=token) as client:
        rows = client.datasets.list()
        typed, plain = list(rows), client.rest("datasets", "list")
    download = connect(local_alyx.url, token=token, data_server=server, cache_dir=folder)
    have_file = [any(file.exists and file.data_url for file in row.file_records) for row in typed]
    assert 0 < sum(have_file) < len(typed)
    for listed in (typed, plain):
        with pytest.raises(DownloadsFailedError, match=rf"\A{have_file.count(False)} of {len(typed)} files") as raised:
            download(listed)
        results = raised.value.results
        assert [isinstance(result, Path) for result in results] == have_file
        came = [(result, row) for result, row in zip(results, typed, strict=True) if isinstance(result, Path)]
        assert all(path.stat().st_size == row.file_size for path, row in came if row.file_size is not None)
        missing = [row for row, has in zip(typed, have_file, strict=True) if not has]
        errors = [result for result in results if not isinstance(result, Path)]
        assert all(isinstance(error, NoDataURLError) for error in errors)
        assert all(repr(row.name) in str(error) for row, error in zip(missing, errors, strict=True))


async def test_asynchronous_list_is_a_source(local_alyx: LocalAlyx, folder: Path) -> None:
    server = DataServer(local_alyx.data_url, *local_alyx.data_login)
    settings: dict[str, Any] = {"data_server": server, "cache_dir": folder, "silent": True, "retries": QUICK}
    async with AsyncAlyxClient(local_alyx.url, token=local_alyx.token(), **settings) as client:
        with pytest.raises(DownloadsFailedError) as raised:
            await client.download_file(client.datasets.list())
        results = raised.value.results
        with pytest.raises(DownloadsFailedError):
            await client.download_file(await client.datasets.list())

        async def good() -> AsyncIterator[Any]:
            async for row in client.datasets.list():
                if any(file.exists and file.data_url for file in row.file_records):
                    yield row

        assert await client.download_file(good()) == [result for result in results if isinstance(result, Path)]


@pytest.mark.parametrize("sources", [["gone.npy"], ["gone.npy", None, ""], ["gone.npy", "secret.npy"]])
def test_others_are_mentioned_only_if_there_are_some(sources: list[Any], download: Callable[..., Any]) -> None:
    with pytest.raises(DownloadsFailedError) as raised:
        download(sources)
    assert "could not be downloaded:" in str(raised.value)
    with pytest.raises(DownloadsFailedError, match="the others were"):
        download([*sources, "a.npy"])
