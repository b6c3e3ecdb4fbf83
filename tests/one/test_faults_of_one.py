"""Reports of ONE's users: tests that fail with ONE's own client, and pass with this one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alyx_client.testing import LocalAlyx
from tests.one import uses
from tests.one.conftest import MakeOne

webclient: Any = pytest.importorskip("one.webclient", reason="ONE-api is not installed")
pytest.importorskip("one.api", reason="ONE-api is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")

BOTH = pytest.mark.parametrize(
    "client",
    [pytest.param("theirs", marks=pytest.mark.xfail(strict=True, reason="a fault of ONE's own client")), "ours"],
)


@pytest.fixture(autouse=True)
def complete_records(local_alyx: LocalAlyx) -> None:
    uses.prepare(local_alyx)


@BOTH
def test_read_after_a_write_is_current(client: str, new_one: MakeOne) -> None:
    one = new_one(client)
    eid = str(uses.first(one))
    one.get_details(eid, full=True)
    one.alyx.rest("sessions", "partial_update", id=eid, data={"narrative": "written"})
    assert one.get_details(eid, full=True)["narrative"] == "written"


@BOTH
def test_search_after_a_registration_finds_it(client: str, new_one: MakeOne) -> None:
    one = new_one(client)
    before = len(one.search(subject="clover", query_type="remote"))
    folder = Path(one.cache_dir, "cortexlab", "Subjects")
    uses.registration(one).create_new_session("clover", folder, date="2023-05-04")
    assert len(one.search(subject="clover", query_type="remote")) == before + 1


@BOTH
def test_updates_of_a_json_field_add_up(client: str, new_one: MakeOne) -> None:
    alyx = new_one(client).alyx
    key = alyx.rest("sessions", "list")[0]["id"]
    alyx.json_field_write("sessions", key, "extended_qc", {"first": 1})
    for name in ("second", "third"):
        alyx.json_field_update("sessions", key, "extended_qc", {name: 2})
    assert alyx.rest("sessions", "read", id=key, no_cache=True)["extended_qc"] == {"first": 1, "second": 2, "third": 2}


@BOTH
def test_second_user_of_a_folder_asks_the_server(
    client: str, new_one: MakeOne, local_alyx: LocalAlyx, tmp_path: Path
) -> None:
    for user in ("admin", "olivier"):
        one = new_one(client, user, cache_dir=tmp_path / "shared")
        local_alyx.requests.clear()
        one.alyx.rest("labs", "list")
        assert "/labs" in [request.path for request in local_alyx.requests]


@BOTH
def test_download_that_breaks_off_is_not_taken_for_whole(client: str, new_one: MakeOne, local_alyx: LocalAlyx) -> None:
    alyx = new_one(client).alyx
    record = alyx.rest("datasets", "list", name="spikes.times.npy", exists=True)[0]
    (url,) = webclient.file_record_to_url(record["file_records"][:1])
    # Twice: ONE's first request is refused, since it has no login.
    local_alyx.faults.add("/data/*", "cut_body", keep=20, times=2)
    for _ in range(2):  # the second call trusts what the first one has left
        assert alyx.download_file(url).stat().st_size == record["file_size"]


@BOTH
def test_refused_token_is_renewed_with_the_password(client: str, new_one: MakeOne, local_alyx: LocalAlyx) -> None:
    one = new_one(client)
    local_alyx.revoke("admin")
    assert one.search(subject="flowers", query_type="remote")


@BOTH
def test_slices_of_lists_need_no_start(client: str, new_one: MakeOne) -> None:
    rows = new_one(client).alyx.rest("datasets", "list", limit=5)
    assert len(rows[:12]) == 12
