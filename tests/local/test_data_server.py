from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from alyx_client.testing import LocalAlyx


@pytest.fixture
def data(local_alyx: LocalAlyx) -> Iterator[httpx2.Client]:
    with httpx2.Client(auth=local_alyx.data_login) as client:
        yield client


@pytest.fixture
def dataset(http: httpx2.Client) -> dict[str, Any]:
    return dict(http.get("/datasets", params={"name": "spikes.times.npy", "exists": "True"}).json()["results"][0])


@pytest.fixture
def url(dataset: dict[str, Any]) -> str:
    return str(dataset["file_records"][0]["data_url"])


def test_files_match_their_records(http: httpx2.Client, data: httpx2.Client) -> None:
    checked = 0
    for row in http.get("/datasets", params={"exists": "True"}).json()["results"]:
        existing = [record for record in row["file_records"] if record["exists"]]
        response = data.get(existing[0]["data_url"])
        assert response.status_code == 200
        if row["file_size"] is not None:
            assert len(response.content) == row["file_size"]
            assert hashlib.md5(response.content).hexdigest() == row["hash"]
            checked += 1
    assert checked > 40


def test_paths_follow_the_convention_of_public_servers(
    url: str, dataset: dict[str, Any], data: httpx2.Client, local_alyx: LocalAlyx
) -> None:
    key = str(dataset["url"]).rsplit("/")[-1]
    assert url.startswith(f"{local_alyx.data_url}hillside/Subjects/") or "cortexlab/Subjects/" in url
    assert url.endswith(f"/alf/probe00/spikes.times.{key}.npy")
    assert data.get(url.replace(f".{key}", "")).content == data.get(url).content


def test_range_and_entity_tag(url: str, data: httpx2.Client) -> None:
    whole = data.get(url)
    tag = whole.headers["etag"]
    assert whole.headers["accept-ranges"] == "bytes"
    part = data.get(url, headers={"Range": "bytes=10-19", "If-Range": tag})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    rest = data.get(url, headers={"Range": "bytes=10-"})
    assert rest.content == whole.content[10:]
    assert data.get(url, headers={"Range": "bytes=-5"}).content == whole.content[-5:]
    changed = data.get(url, headers={"Range": "bytes=10-", "If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, whole.content)
    beyond = data.get(url, headers={"Range": f"bytes={len(whole.content)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole.content)}")
    assert data.get(url, headers={"If-None-Match": tag}).status_code == 304


def test_head_returns_the_length_without_a_body(url: str, data: httpx2.Client) -> None:
    head = data.head(url)
    assert head.status_code == 200
    assert int(head.headers["content-length"]) == len(data.get(url).content)


def test_authentication_is_required(url: str) -> None:
    response = httpx2.get(url)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Basic")
    assert httpx2.get(url, auth=("local", "wrong")).status_code == 401


def test_missing_file_is_a_404(local_alyx: LocalAlyx, data: httpx2.Client) -> None:
    assert data.get(f"{local_alyx.data_url}nothing/here.npy").status_code == 404


def test_saved_content_replaces_generated_content(local_alyx: LocalAlyx, data: httpx2.Client, url: str) -> None:
    local_alyx.save_data("free/path.bin", b"mine")
    assert data.get(f"{local_alyx.data_url}free/path.bin").content == b"mine"
    local_alyx.save_data(url.removeprefix(local_alyx.data_url), b"other")
    assert data.get(url).content == b"other"
