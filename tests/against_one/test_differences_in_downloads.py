"""Faults of ONE's downloads that this client does not have."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client import webclient as ours
from alyx_client.errors import AlyxError, DownloadsFailedError
from alyx_client.testing import LocalAlyx
from tests.against_one.conftest import whole_files

theirs: Any = pytest.importorskip("one.webclient", reason="ONE-api is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


def test_names_are_percent_encoded_once(one: Any, alyx: AlyxClient) -> None:
    url = next(url for url in ours.dataset_record_to_url(list(alyx.rest("datasets", "list"))) if "%23" in url)
    with pytest.raises(OSError, match="404"):
        one.download_file(url)
    assert alyx.download_file(url).exists()


def test_part_of_a_file_does_not_pass_for_the_whole(one: Any, alyx: AlyxClient) -> None:
    rows = [row for row in alyx.rest("datasets", "list") if row["file_records"] and row["file_records"][0]["data_url"]]
    url = ours.dataset_record_to_url(rows[0])[0]
    one.download_file(url, chunks=(0, 10))
    assert one.download_file(url).stat().st_size == 10
    alyx.download_file(url, chunks=(0, 10))
    assert alyx.download_file(url).stat().st_size == rows[0]["file_size"]


def test_records_without_url_are_skipped() -> None:
    assert theirs.file_record_to_url([{"data_url": ""}]) == [""]
    with pytest.raises(KeyError):
        theirs.file_record_to_url([{}])
    with pytest.raises(TypeError):
        theirs.file_record_to_url({"data_url": "https://a.org/b"})
    assert ours.file_record_to_url([{"data_url": ""}, {}]) == []
    assert ours.file_record_to_url({"data_url": "https://a.org/b"}) == ["https://a.org/b"]


# In a URL, spaces and # have to be percent-encoded.
def test_relative_paths_are_percent_encoded(one: Any, alyx: AlyxClient) -> None:
    path = "a b/#2020-01-01#/c.npy"
    assert one.rel_path2url(path).endswith(f"/data/{path}")
    assert alyx.rel_path2url(path).endswith("/data/a%20b/%232020-01-01%23/c.npy")


# ONE's own message suggests passing the login for the data server with the call.
def test_data_server_login_can_be_passed_with_the_call(one: Any, alyx: AlyxClient) -> None:
    login = {"username": "local", "password": "alyx"}
    with pytest.raises(TypeError):
        one.download_file(whole_files(alyx)[0], **login)
    assert alyx.download_file(whole_files(alyx)[0], **login).exists()


def test_truncated_file_does_not_pass_for_the_whole(
    one: Any, alyx: AlyxClient, local_alyx: LocalAlyx, tmp_path: Path
) -> None:
    url = whole_files(alyx)[0]
    local_alyx.faults.add("/data/*", "cut_body", times=None)
    with contextlib.suppress(OSError):
        one.download_file(url, target_dir=tmp_path / "a")
    with pytest.raises(AlyxError):
        alyx.download_file(url, target_dir=tmp_path / "b")
    local_alyx.faults.clear()
    (shorter, complete) = (
        client.download_file(url, target_dir=tmp_path / name) for client, name in ((one, "a"), (alyx, "b"))
    )
    assert shorter.stat().st_size < complete.stat().st_size


def test_one_failure_does_not_hide_the_other_files(one: Any, alyx: AlyxClient) -> None:
    first, second, third = whole_files(alyx)[:3]
    urls = [first, f"{second}x", third]
    with pytest.raises(OSError, match="404") as failure:
        one.download_file(urls)
    assert not hasattr(failure.value, "results")
    with pytest.raises(DownloadsFailedError) as failures:
        alyx.download_file(urls)
    results = failures.value.results
    assert [isinstance(result, Path) for result in results] == [True, False, True]
