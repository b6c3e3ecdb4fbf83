"""Values of pandas and NumPy where tables of records are used: columns, rows, numbers and whole tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alyx_client import AlyxClient, AlyxError
from alyx_client.errors import ChecksumError, IncompleteDownloadError
from alyx_client.models import SessionRecord, Subject
from alyx_client.testing import LocalAlyx
from tests.faults import FaultServer, response

np: Any = pytest.importorskip("numpy")
pd: Any = pytest.importorskip("pandas")

CONTENT = b"0123456789"
IDS = [str(UUID(int=number)) for number in range(2)]


@pytest.fixture
def server() -> Any:
    with FaultServer(then=response(CONTENT, content_type="application/octet-stream")) as running:
        yield running


def data_client(server: FaultServer) -> AlyxClient:
    return AlyxClient(server.url, token="t" * 40, cache_rest=None, silent=True, data_server=server.url)


SIZES: list[Any] = [9, 9.0, "9", np.int64(9), np.float64(9), np.array(9)]


@pytest.mark.parametrize("size", SIZES, ids=[type(size).__name__ for size in SIZES])
def test_size_in_a_table_is_compared(server: FaultServer, tmp_path: Path, size: object) -> None:
    record = {"data_url": f"{server.url}/f", "file_size": size}
    with data_client(server) as client, pytest.raises(IncompleteDownloadError, match="its record says 9"):
        client.download_file(record, target_dir=tmp_path)
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("size", [None, float("nan"), pd.NA, 9.5, True])
def test_size_that_is_none_is_unknown(server: FaultServer, tmp_path: Path, size: object) -> None:
    with data_client(server) as client:
        file = client.download_file({"data_url": f"{server.url}/f", "file_size": size}, target_dir=tmp_path)
    assert file.read_bytes() == CONTENT


def test_row_of_a_table_is_a_record(server: FaultServer, tmp_path: Path) -> None:
    frame = pd.DataFrame({"data_url": [f"{server.url}/f", None], "file_size": [10.0, None], "hash": ["0" * 32, None]})
    with data_client(server) as client, pytest.raises(ChecksumError):
        client.download_file(frame.iloc[0], target_dir=tmp_path)


def test_table_is_no_list_of_sources(server: FaultServer, tmp_path: Path) -> None:
    frame = pd.DataFrame({"data_url": [f"{server.url}/f"]})
    with data_client(server) as client:
        with pytest.raises(TypeError, match=r"pass its \.to_dict\('records'\)"):
            client.download_file(frame, target_dir=tmp_path)
        assert [file.name for file in client.download_file(frame["data_url"], target_dir=tmp_path)] == ["f"]
        by_key = frame["data_url"].set_axis(IDS[:1])
        assert [file.name for file in client.download_file(by_key, target_dir=tmp_path)] == ["f"]


@pytest.mark.parametrize(
    "chunks", ["05", {0: 1, 5: 2}, {0, 5}, (True, 5), (0.5, 5), np.array([0, np.nan]), (np.complex64(1), 5)]
)
def test_bytes_that_are_no_pair_of_whole_numbers(server: FaultServer, tmp_path: Path, chunks: Any) -> None:
    with data_client(server) as client, pytest.raises((TypeError, ValueError), match="chunks"):
        client.download_file(f"{server.url}/f", target_dir=tmp_path, chunks=chunks)
    assert server.requests == []


@pytest.mark.parametrize(
    "labelled",
    [
        pd.Series({"a": 1, "b": 2}),
        pd.DataFrame({"a": [1], "b": ["x"]}).iloc[0],
        pd.Series([1.0, 2.0], index=pd.date_range("2020-01-01", periods=2)),
    ],
    ids=["labels", "row", "times"],
)
def test_labels_are_not_lost_in_json(local_alyx: LocalAlyx, labelled: object) -> None:
    before = len(local_alyx.requests)
    with AlyxClient(local_alyx.url, token=local_alyx.token(), silent=True) as client:
        for send in (
            lambda: Subject(nickname="x", lab="cortexlab", responsible_user="olivier", json=labelled),
            lambda: client.post("/subjects", data={"json": {"a": labelled}}),
            lambda: client.json_field_write("subjects", "x", "json", labelled),
        ):
            with pytest.raises((TypeError, ValueError), match=r"pass its \.to_dict\(\), or its \.tolist\(\)"):
                send()
    assert [request for request in local_alyx.requests[before:] if request.method != "GET"] == []


def test_columns_without_labels_are_lists(local_alyx: LocalAlyx) -> None:
    column = pd.Series(["a", "b", "c"])[1:]
    assert Subject(nickname="x", lab="l", responsible_user="u", json=column).json == ["b", "c"]
    with AlyxClient(local_alyx.url, token=local_alyx.token(), silent=True) as client:
        frame = pd.DataFrame(client.sessions.list(max_items=3)).set_index("subject")
        # In a query, labels have no place, and a column of keys is what was meant.
        assert {row.id for row in client.sessions.list(django={"id__in": frame["id"]})} == set(frame["id"])
        assert {row.id for row in client.sessions.list(id=frame["id"])} == set(frame["id"])


def test_number_in_an_array_is_not_changed_by_counting(local_alyx: LocalAlyx) -> None:
    most, size = np.array(5), np.array(2)
    with AlyxClient(local_alyx.url, token=local_alyx.token(), silent=True) as client:
        rows = client.sessions.list(page_size=size, max_items=most)
        assert len(list(rows)) == len(list(rows)) == 5
    assert (most, size) == (5, 2)


@pytest.mark.parametrize("empty", [[], (), np.array([]), pd.Series([], dtype=object)], ids=type)
def test_empty_list_of_unchecked_values_is_refused(local_alyx: LocalAlyx, empty: Any) -> None:
    with AlyxClient(local_alyx.url, token=local_alyx.token(), silent=True) as client:
        for call in (
            lambda: client.sessions.list(extra_params={"x": empty}),
            lambda: client.rest("sessions", "list", extra_params={"x": empty}),
        ):
            with pytest.raises((ValueError, AlyxError), match="x is empty"):
                call()


@pytest.mark.parametrize("value", [np.float64(1), np.array([1, 2]), np.datetime64("NaT")], ids=repr)
def test_records_are_compared_with_values_of_numpy(value: Any) -> None:
    record = SessionRecord.model_construct(id=UUID(int=1), subject="x", number=1)
    assert not np.any(record == value)
    assert not np.any(value == record)
    assert record in [record]
