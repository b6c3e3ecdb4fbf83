"""Downloads and URLs are the same as in ONE."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client import webclient as ours
from alyx_client.testing import LocalAlyx
from tests.against_one.conftest import whole_files

theirs: Any = pytest.importorskip("one.webclient", reason="ONE-api is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


def test_data_files_are_the_same(one: Any, alyx: AlyxClient) -> None:
    rows = [
        row for row in alyx.rest("datasets", "list") if any(f["exists"] and f["data_url"] for f in row["file_records"])
    ]
    rows = [{**row, "file_records": [f for f in row["file_records"] if f["data_url"]]} for row in rows[:4]]
    urls = ours.dataset_record_to_url(rows)
    assert urls == theirs.dataset_record_to_url(rows)
    assert ours.file_record_to_url(rows[0]["file_records"]) == theirs.file_record_to_url(rows[0]["file_records"])
    plain_urls = [url for url in urls if "%" not in url]
    mine, others = alyx.download_file(plain_urls), one.download_file(plain_urls)
    assert [path.name for path in mine] == [path.name for path in others]
    assert [path.read_bytes() for path in mine] == [path.read_bytes() for path in others]
    assert alyx.download_file(urls[0], return_md5=True)[1] == one.download_file(urls[0], return_md5=True)[1]
    pairs = alyx.download_file(plain_urls, return_md5=True), one.download_file(plain_urls, return_md5=True)
    assert tuple(pairs[0][1]) == tuple(pairs[1][1])


LOGIN = {"username": "local", "password": "alyx", "silent": True}

DOWNLOADS: dict[str, Callable[[Any, list[str], Path], Any]] = {
    "one": lambda module, urls, folder: module.http_download_file(urls[0], target_dir=folder, **LOGIN),
    "there already": lambda module, urls, folder: [
        module.http_download_file(urls[0], target_dir=folder, return_md5=True, clobber=clobber, **LOGIN)
        for clobber in (False, False, True)
    ],
    "nothing": lambda module, urls, folder: [module.http_download_file(link) for link in (None, "")],
    "nothing's MD5": lambda module, urls, folder: module.http_download_file(None, return_md5=True),
    "several": lambda module, urls, folder: module.http_download_file_list(urls, target_dir=folder, **LOGIN),
    "a generator": lambda module, urls, folder: module.http_download_file_list(iter(urls), target_dir=folder, **LOGIN),
    "a folder for each": lambda module, urls, folder: module.http_download_file_list(
        urls, target_dir=[folder / "a", folder / "b", folder / "c"], **LOGIN
    ),
    "MD5s": lambda module, urls, folder: module.http_download_file_list(
        urls, target_dir=folder, return_md5=True, **LOGIN
    ),
    "one is None": lambda module, urls, folder: module.http_download_file_list(
        [urls[0], None], target_dir=folder, **LOGIN
    ),
    "none": lambda module, urls, folder: module.http_download_file_list([], target_dir=folder, **LOGIN),
}


@pytest.mark.parametrize("name", DOWNLOADS)
def test_downloads_without_a_client_are_the_same(name: str, alyx: AlyxClient, tmp_path: Path) -> None:
    urls = whole_files(alyx)[:3]
    outcomes = []
    for module, folder in ((theirs, tmp_path / "a"), (ours, tmp_path / "b")):
        folder.mkdir()
        result = DOWNLOADS[name](module, urls, folder)
        files = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        outcomes.append((repr(result).replace(str(folder), ""), files))
    assert outcomes[0] == outcomes[1]


def test_client_downloads_accept_the_same_sources_and_use_the_same_paths(
    local_alyx: LocalAlyx, one: Any, alyx: AlyxClient, tmp_path: Path
) -> None:
    urls = whole_files(alyx)[:3]
    below = urls[0].removeprefix(local_alyx.data_url)
    for source in (urls[0], below, f"/{below}"):
        assert one.download_file(source).relative_to(one.cache_dir) == alyx.download_file(source).relative_to(
            alyx.cache_dir
        )
    for sources in (urls, tuple(urls), iter(urls[:2]), []):
        urls_once = list(sources)
        assert [path.name for path in one.download_file(iter(urls_once), target_dir=tmp_path / "a")] == [
            path.name for path in alyx.download_file(iter(urls_once), target_dir=str(tmp_path / "b"))
        ]


def test_cache_tables_are_the_same(one: Any, alyx: AlyxClient, tmp_path: Path) -> None:
    for where in ({}, {"destination": tmp_path / "tables"}):
        one_paths, our_paths = one.download_cache_tables(**where), alyx.download_cache_tables(**where)
        assert sorted(path.name for path in one_paths) == sorted(path.name for path in our_paths)
        assert all(path.is_file() for path in our_paths)


@pytest.mark.parametrize(
    "records",
    [
        [],
        [{"data_url": None}, {"data_url": "https://a.org/b.npy"}],
        [{"data_url": "https://a.org/b%20c.npy?d=e"}, {"data_url": "https://a.org/f.npy"}],
    ],
)
def test_urls_of_records_are_the_same(records: list[dict[str, Any]]) -> None:
    assert ours.file_record_to_url(records) == theirs.file_record_to_url(records)
    dataset = {"file_records": records}
    for datasets in (dataset, [dataset, dataset], []):
        assert ours.dataset_record_to_url(datasets) == theirs.dataset_record_to_url(datasets)


@pytest.mark.parametrize(
    ("url", "params"),
    [
        ("website.com/?q=", {"pg": 5}),
        ("website.com?q=xxx", {"pg": 5, "foo": ["bar", "baz"]}),
        ("https://a.org/sessions?limit=1&offset=2", {"offset": 3}),
        ("/a?b=c d", {"e": "é"}),
        ("", {"b": 1}),
        ("?x=1", {"b": 1}),
        ("a", {}),
        ("a?b", {"c": 1}),
        ("a?b=1&b=2", {"c": 3}),
        ("a?b=1&b=2", {"b": 3}),
        ("a?b=1", {"b": []}),
        ("a?b=1#frag", {"c": 2}),
        ("a?b=x%20y", {"c": 1}),
        ("a?b=x+y", {"c": 1}),
        ("a?b=c%2Cd", {"e": 1}),
        ("a", {"b": True, "d": ""}),
        ("a", {"b": "x y,é&"}),
        ("a", {"b": ("x", "y")}),
    ],
)
def test_url_parameters_are_updated_in_the_same_way(url: str, params: dict[str, Any]) -> None:
    assert ours.update_url_params(url, params) == theirs.update_url_params(url, params)
