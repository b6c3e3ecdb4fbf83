from __future__ import annotations

import io
import zipfile
from typing import Any

import httpx2
import pytest

from alyx_client.testing import LocalAlyx

SESSION = "flowers/2020-01-01/001"


def register(http: httpx2.Client, **body: Any) -> httpx2.Response:
    return http.post("/register-file", json={"path": f"{SESSION}/alf", "filenames": ["spikes.times.npy"], **body})


def test_registration_creates_datasets_and_file_records(http: httpx2.Client) -> None:
    response = register(
        http,
        path=f"{SESSION}/alf/probe03",
        filenames=["spikes.times.npy", "spikes.clusters.npy"],
        hashes=["ab", "cd"],
        filesizes="10,20",
        versions="1.2",
        qc=["PASS", "FAIL"],
        name="data_server",
        created_by="amina",
    )
    assert response.status_code == 201
    first, second = response.json()
    assert (first["name"], first["file_size"], first["subject"], first["created_by"]) == (
        "spikes.times.npy",
        10,
        "flowers",
        "amina",
    )
    assert (first["collection"], first["revision"], first["default"], first["qc"]) == ("alf/probe03", "", True, 10)
    assert (first["session_number"], first["session_users"]) == (1, "olivier,amina")
    assert second["qc"] == 40
    records = {row["data_repository"]: row for row in first["file_records"]}
    assert {name: row["exists"] for name, row in records.items()} == {"data_server": True, "cortexlab_rig": False}
    assert records["data_server"]["relative_path"] == f"{SESSION}/alf/probe03/spikes.times.npy"
    dataset = http.get(f"/datasets/{first['id']}").json()
    assert (dataset["hash"], dataset["version"], dataset["qc"]) == ("ab", "1.2", "PASS")


def test_revision_folder_creates_a_revision(http: httpx2.Client) -> None:
    response = register(http, filenames="#2022-02-02#/spikes.times.npy")
    assert response.json()[0]["revision"] == "2022-02-02"
    assert http.get("/revisions/2022-02-02").status_code == 200
    assert response.json()[0]["file_records"][0]["relative_path"].endswith("alf/#2022-02-02#/spikes.times.npy")


def test_registering_again_updates_the_dataset(http: httpx2.Client) -> None:
    first = register(http, hashes="aa", name="data_server").json()[0]
    second = register(http, hashes="bb", exists=False).json()[0]
    assert second["id"] == first["id"]
    assert not any(row["exists"] for row in second["file_records"])
    assert http.get(f"/datasets/{first['id']}").json()["hash"] == "bb"


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"path": ""}, 500, {"detail": "The path argument is required."}),
        ({"path": "flowers"}, 400, {"error": "The path flowers should be `nickname/YYYY-MM-DD/n/..."}),
        (
            {"path": "nobody/2020-01-01/001"},
            400,
            {"error": 'A subject with nickname "nobody" does not exist.'},
        ),
        (
            {"path": "flowers/2030-01-01/001"},
            400,
            {"error": "A base session for flowers on 2030-01-01 does not exist"},
        ),
        (
            {"path": "flowers/2020-01-01/009"},
            400,
            {"error": "A session for flowers/9 on 2020-01-01 does not exist"},
        ),
        ({"filenames": ["what.is.this"]}, 500, {"detail": 'No dataset type found for filename "what.is.this"'}),
        ({"name": "nowhere"}, 400, {"detail": "The specified repository does not exist."}),
        ({"labs": "nolab"}, 400, {"detail": "One or more of the specified labs do not exist."}),
        ({"created_by": "nobody"}, 500, {"detail": "LabMember matching query does not exist."}),
        (
            {"content_type": "subject"},
            400,
            {"error": "Both content_type and object_id should be provided together."},
        ),
        (
            {"qc": "GOOD"},
            400,
            {"detail": f'Invalid QC value "GOOD" for dataset "{SESSION}/alf/spikes.times.npy"'},
        ),
    ],
)
def test_invalid_registrations(http: httpx2.Client, body: dict[str, Any], status: int, error: dict[str, str]) -> None:
    response = register(http, **body)
    assert (response.status_code, response.json()) == (status, {**error, "status_code": status})


def test_files_are_registered_for_a_subject(http: httpx2.Client) -> None:
    key = http.get("/subjects/flowers").json()["id"]
    body = {"path": "Subjects/cortexlab/flowers", "content_type": "subject", "object_id": key, "name": "data_server"}
    created = register(http, **body).json()[0]
    assert (created["content_type"], created["object_id"], created["subject"]) == ("subjects.subject", key, "flowers")
    assert "session" not in created


def test_protected_files_are_reported_and_not_patched(http: httpx2.Client) -> None:
    parameters = {"path": f"{SESSION}/alf", "filenames": ["trials.table.pqt", "wheel.position.npy"]}
    by_body = http.request("GET", "/check-protected", json=parameters)
    assert by_body.status_code == 200
    assert by_body.json() == {
        "status_code": 403,
        "error": "One or more datasets is protected",
        "details": [{"trials.table.pqt": [{"": True}]}, {"wheel.position.npy": [{"": False}]}],
    }
    by_query = http.get("/check-protected", params={"path": f"{SESSION}/alf", "filenames": "wheel.position.npy"})
    assert by_query.json() == {"status_code": 200, "details": "None of the datasets are protected"}
    assert register(http, filenames=["trials.table.pqt"], check_protected=True).status_code == 403
    patched = register(http, filenames=["trials.table.pqt"])
    assert patched.status_code == 403
    assert patched.json()["detail"].endswith("is protected, cannot patch")


def test_downloads_are_counted(http: httpx2.Client, local_alyx: LocalAlyx) -> None:
    keys = [row["id"] for row in local_alyx.store.rows("datasets")[:2]]
    first = http.post("/new-download", json={"datasets": keys, "projects": ["practice"]})
    assert first.status_code == 201
    assert first.json()["count"] == [1, 1]
    again = http.post("/new-download", json={"datasets": keys[0]}).json()
    assert again == {"download": [first.json()["download"][0]], "count": [2]}
    assert http.post("/new-download", data={"datasets": ",".join(keys)}).json()["count"] == [3, 2]
    missing = http.post("/new-download", json={"datasets": ["00000000-0000-0000-0000-000000000000"]})
    assert (missing.status_code, missing.json()["detail"]) == (500, "Dataset matching query does not exist.")


def test_water_requirement_has_a_row_for_every_day(http: httpx2.Client) -> None:
    query = {"start_date": "2020-02-01", "end_date": "2020-02-03"}
    requirement = http.get("/water-requirement/flowers", params=query).json()
    assert requirement["implant_weight"] == 1.2
    days = requirement["records"]
    assert [day["date"] for day in days] == ["2020-02-01", "2020-02-02", "2020-02-03"]
    assert days[0]["weight"] == days[0]["weighing_at"] == 22.0
    assert (days[0]["given_water_total"], days[0]["is_water_restricted"]) == (0.8, True)
    assert http.get("/water-requirement/nobody").status_code == 500


def test_sync_status(http: httpx2.Client) -> None:
    assert http.get("/sync-file-status").json() == []
    assert http.post("/sync-file-status").json() == "ok"


def test_cache_tables(http: httpx2.Client, local_alyx: LocalAlyx) -> None:
    info = http.get("/cache/info/").json()
    assert info["tables"]["sessions"]["nrecs"] == 30
    assert http.get("/cache/info").headers["location"] == "/cache/info/"
    assert http.get("/cache/info/2021_Q1_first_release/").json()["origin"] == "alyx"
    missing = http.get("/cache/info/nothing/")
    assert (missing.status_code, missing.text) == (404, "Tag matching query does not exist.")
    archive = http.get("/cache.zip")
    assert archive.headers["content-type"] == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(archive.content)).namelist() == ["sessions.pqt", "datasets.pqt"]
    assert httpx2.get(f"{local_alyx.url}/cache.zip").status_code == 403
