"""Sources, targets and names of downloaded files."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from alyx_client.downloads.addresses import Login
from alyx_client.downloads.data_servers import DataServers
from alyx_client.downloads.downloader import Downloader
from alyx_client.downloads.functions import (
    dataset_record_to_url,
    file_record_to_url,
    http_download_file,
    http_download_file_list,
)
from alyx_client.errors import DownloadsFailedError, ForeignURLError, InvalidFileNameError, NoDataURLError
from alyx_client.testing import LocalAlyx
from tests.download_faults import serve
from tests.downloads.support import BODY, MD5, downloader, names
from tests.faults import FaultServer


def test_a_file_is_downloaded_under_its_own_name(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        path = downloader(server, folder).download(f"{server.url}/lab/spikes.times.npy")
    assert path == folder / "spikes.times.npy"
    assert path.read_bytes() == BODY
    assert names(folder) == ["spikes.times.npy"]
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_functions_without_client_use_downloads_folder(folder: Path, isolated_settings: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        assert http_download_file(f"{server.url}/a.npy", silent=True) == isolated_settings / "Downloads" / "a.npy"
        path, md5 = http_download_file(f"{server.url}/a.npy", cache_dir=folder, return_md5=True)
        assert (path, md5) == (folder / "a.npy", MD5)
        assert http_download_file("") is None
        assert http_download_file("", return_md5=True) == (None, None)


def test_list_returns_paths_in_order(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        links = [f"{server.url}/{number}.npy" for number in range(9)]
        paths = http_download_file_list((link for link in links), target_dir=folder)
        assert [path.name for path in paths] == [f"{number}.npy" for number in range(9)]
        assert all(path.read_bytes() == BODY for path in paths)
        pairs = http_download_file_list(links[:2], target_dir=[folder / "x", folder / "y"], return_md5=True)
        assert pairs == [(folder / "x" / "0.npy", folder / "y" / "1.npy"), (MD5, MD5)]
        with pytest.raises(ValueError, match="1 folders for 2 sources"):
            http_download_file_list(links[:2], target_dir=[folder])
        assert http_download_file_list([]) == []


def test_repeated_source_is_fetched_once(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        paths = downloader(server, folder).download([f"{server.url}/a.npy", "", f"{server.url}/a.npy"])
        assert paths == [folder / "a.npy", None, folder / "a.npy"]
        assert len(server.requests) == 1


def test_paths_and_records_are_sources(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        files = downloader(server, folder)
        assert files.rel_path2url("lab/#1#/a b.npy") == f"{server.url}/lab/%231%23/a%20b.npy"
        record = {
            "name": "c.npy",
            "file_size": len(BODY),
            "hash": MD5,
            "file_records": [
                {"data_url": None, "exists": True},
                {"data_url": f"{server.url}/gone/c.npy", "exists": False},
                {"data_url": "https://elsewhere.example.org/c.npy", "exists": True},
                {"data_url": f"{server.url}/there/c.npy", "exists": True},
            ],
        }
        sources = ["lab/#1#/a b.npy", Path("lab/b.npy"), record, {"data_url": f"{server.url}/d.npy", "file_size": None}]
        paths = files.download(sources)
        assert [path.name for path in paths] == ["a b.npy", "b.npy", "c.npy", "d.npy"]
        targets = {request.target for request in server.requests}
        assert targets == {"/lab/%231%23/a%20b.npy", "/lab/b.npy", "/there/c.npy", "/d.npy"}


def test_typed_records_are_sources(folder: Path) -> None:
    with LocalAlyx() as local:
        from alyx_client import AlyxClient

        with AlyxClient(local.url, "olivier", "olivier", silent=True) as client:
            dataset = next(
                dataset
                for dataset in client.datasets.list(exists=True)
                if dataset.file_size and any(file.data_url and file.exists for file in dataset.file_records)
            )
            detail = client.datasets.read(dataset.id)
        urls = dataset_record_to_url([dataset])
        assert urls
        assert urls == dataset_record_to_url(detail.model_dump()) == file_record_to_url(dataset.file_records)
        files = downloader([Login(local.data_url, *local.data_login)], folder, base_url=local.url)
        path = files.download(dataset, keep_tree=True)
        assert path.stat().st_size == dataset.file_size
        assert path.is_relative_to(folder)
        assert len(path.relative_to(folder).parts) > 3
        assert files.download([detail]) == [folder / path.name]


def test_records_without_url_are_left_out_or_named_in_error(folder: Path) -> None:
    record = {"id": "0b12", "name": "a.npy", "file_records": [{"data_url": None}, {"data_url": "https://x.org/a.npy"}]}
    assert dataset_record_to_url(record) == ["https://x.org/a.npy"]
    assert dataset_record_to_url([record, {"file_records": []}]) == ["https://x.org/a.npy"]
    assert file_record_to_url(record["file_records"]) == ["https://x.org/a.npy"]
    assert file_record_to_url({"data_url": "https://x.org/b.npy"}) == ["https://x.org/b.npy"]
    files = downloader("https://x.org", folder)
    empty = {"id": "0b12", "name": "a.npy", "file_records": [{"data_url": None, "exists": True}]}
    with pytest.raises(NoDataURLError, match=r"'a\.npy' '0b12'"):
        files.download(empty)
    with pytest.raises(NoDataURLError, match="exists"):
        files.download({"name": "a", "file_records": [{"data_url": "https://x.org/a.npy", "exists": False}]})
    with pytest.raises(NoDataURLError, match="data_url"):
        files.download({"relative_path": "lab/a.npy"})
    with pytest.raises(TypeError, match="int"):
        files.download(5)


def test_foreign_server_receives_no_request(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server, FaultServer(then=serve(BODY)) as other:
        with pytest.raises(ForeignURLError, match="data_server="):
            downloader(server, folder).download(f"{other.url}/b.npy?sig=s3cret")
        assert not server.requests
        with pytest.raises(DownloadsFailedError, match="data_server="):
            downloader(server, folder).download([f"{server.url}/a.npy", f"{other.url}/b.npy?sig=s3cret"])
        assert server.paths == ["/a.npy"]
        assert not other.requests
        assert downloader([Login(server.url), Login(other.url)], folder).download(f"{other.url}/b.npy")


def test_keep_tree_keeps_folders_of_server(folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        files = downloader(f"{server.url}/public", folder)
        paths = files.download([f"{server.url}/public/lab/x/a%20b.npy", "lab/y/a b.npy"], keep_tree=True)
        assert paths == [folder / "lab" / "x" / "a b.npy", folder / "lab" / "y" / "a b.npy"]
        with pytest.raises(DownloadsFailedError, match="keep_tree"):
            files.download(["lab/x/a.npy", "lab/y/A.npy"])
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("/a/two words.npy", "two words.npy"),
        ("/a/#2022-08-08#.npy", "#2022-08-08#.npy"),
        ("/a/%232022%23.npy", "#2022#.npy"),
        ("/a/100%.npy", "100%.npy"),
        ("/a/50%25.npy", "50%.npy"),
        ("/a/été 測.npy", "été 測.npy"),
        ("/a/signed.npy?X-Amz-Signature=s3cret&name=b/c", "signed.npy"),
    ],
)
def test_local_name_is_decoded_name_of_url(link: str, name: str, folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        path = downloader(server, folder).download(f"{server.url}{link}")
        assert (path.name, path.read_bytes()) == (name, BODY)
        assert names(folder) == [name]
        assert "#" not in server.requests[0].target


@pytest.mark.parametrize(
    "link", ["/a/..", "/a/%2e%2e", "/a/..%2f..%2fb", "/a/..%5Cb", "/a/NUL", "/a/", "/a/x%00", "/a/x."]
)
def test_unsafe_name_is_refused_before_any_request(link: str, folder: Path) -> None:
    with FaultServer(then=serve(BODY)) as server:
        with pytest.raises(InvalidFileNameError):
            downloader(server, folder).download(f"{server.url}{link}")
        assert not server.requests
    assert not folder.exists()


def test_name_of_maximum_length_has_a_partial_download(folder: Path) -> None:
    name = "x" * 255
    with FaultServer([serve(BODY, close_after=500)], then=serve(BODY)) as server:
        path = downloader(server, folder).download(f"{server.url}/{name}")
    assert path.read_bytes() == BODY
    assert names(folder) == [name]


KEY = "0b12ba9e-01e3-4784-8c35-d7bb1bab414f"
MISTAKEN: dict[str, tuple[object, str]] = {
    "key": (KEY, rf"client\.datasets\.read\('{KEY}'\); of a session, client\.datasets\.list\(session="),
    "UUID": (UUID(KEY), rf"client\.datasets\.read\('{KEY}'\)"),
    "key in capitals": (f" {KEY.upper()} ", r"names a record, and no file"),
    "key without hyphens": (KEY.replace("-", ""), r"names a record, and no file"),
    "URL of a record": (
        f"{{url}}/datasets/{KEY}/",
        rf"'http://.*/datasets/{KEY}/' .*client\.datasets\.read\('{KEY}'\)",
    ),
    "number": (5, r"type int is not a source of a file; pass a URL, a path on the data server or the record"),
    "content": (b"x", r"type bytes is not a source"),
    "row of ONE": ({"rel_path": "alf/a.npy", "session_path": "lab/x"}, r"client\.datasets\.read\(id\)"),
    "session": ({"id": KEY, "subject": "x"}, r"has no data_url"),
}


@pytest.mark.parametrize("is_listed", [False, True], ids=["alone", "in a list"])
@pytest.mark.parametrize("case", MISTAKEN)
def test_what_names_no_file_is_refused_with_the_way(case: str, is_listed: bool, folder: Path) -> None:
    source, message = MISTAKEN[case]
    with FaultServer(then=serve(BODY)) as server:
        servers = DataServers([Login(f"{server.url}/data", "", "")], base_url=server.url)
        files = Downloader(servers, folder=folder, silent=True)
        source = source.format(url=server.url) if isinstance(source, str) else source
        with pytest.raises((TypeError, ValueError, NoDataURLError, DownloadsFailedError), match=message):
            files.download([source] if is_listed else source)
        assert server.requests == []


def test_row_of_the_cache_tables_is_one_source(folder: Path) -> None:
    pandas = pytest.importorskip("pandas")
    row = pandas.Series({"rel_path": "alf/a.npy", "session_path": "lab/x", "file_size": 5})
    with FaultServer(then=serve(BODY)) as server:
        with pytest.raises(NoDataURLError, match=r"'alf/a\.npy' has no data_url.*client\.datasets\.read\(id\)"):
            downloader(server, folder).download(row)
        urls = pandas.Series({KEY: f"{server.url}/a.npy"})
        assert downloader(server, folder).download(urls) == [folder / "a.npy"]
