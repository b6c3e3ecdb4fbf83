"""Columns of rows that are read at once, and of rows that have to be read one by one, without a server."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pandas
import pytest
from pydantic import Field

from alyx_client.frames import to_arrow, to_pandas, to_polars
from alyx_client.frames.uuid_texts import uuid_texts, uuids_of_urls
from alyx_client.models import DatasetSummary, SessionSummary
from alyx_client.runtime.records import Record
from tests.frames.conftest import FILE, KEYS, dataset

URL = "http://127.0.0.1/datasets/"
IS_NEW = int(pandas.__version__.partition(".")[0]) >= 3


def without(row: dict[str, Any], *names: str, **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names} | changes


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 2001])
def test_uuids_become_the_text_that_python_makes(count: int) -> None:
    uuids = [UUID(int=number * 2**77 + number) for number in range(count)]
    assert uuid_texts(uuids) == list(map(str, uuids))


@pytest.mark.parametrize(
    ("ends", "are_read"),
    [
        ([KEYS[0], KEYS[1]], True),
        ([KEYS[0], KEYS[1].upper()], False),
        ([KEYS[0], KEYS[1] + "/"], False),
        ([KEYS[0], KEYS[1].replace("-", "")], False),
        ([KEYS[0], "0b12ba9e0-1e3-4784-8c35-d7bb1bab4141"], False),
        ([KEYS[0], "0b12ba9e-01e3-4784-8c35-d7bb1bab414g"], False),
        ([KEYS[0], "0b12ba9e-01e3-4784-8c35-d7bb1bab414é"], False),
        ([KEYS[0], "0b12ba9e-01e3-4784-8c35-d7bb1bab414\ud800"], False),
        ([KEYS[0], "0b12ba9e-01e3-4784-8c35-d7bb1bab41 1"], False),
        ([KEYS[0], "5"], False),
    ],
)
def test_keys_at_the_end_of_urls_are_read_at_once_if_they_are_written_as_usual(ends: list[str], are_read: bool) -> None:
    assert uuids_of_urls([URL + end for end in ends]) == (ends if are_read else None)


def test_url_without_a_slash_before_the_key_is_not_read_at_once() -> None:
    assert uuids_of_urls([KEYS[0]]) is None
    assert uuids_of_urls([URL + KEYS[0], "a" + KEYS[0]]) is None
    # As many slashes, dashes and digits as there have to be, in another place.
    assert uuids_of_urls([URL + KEYS[0], f"{URL[:-1]}a/{KEYS[0][1:]}"]) is None


@pytest.mark.parametrize(
    ("rows", "keys"),
    [
        ([dataset(0), dataset(1)], KEYS[:2]),
        ([dataset(0), dataset(1, url=URL + KEYS[1].upper())], KEYS[:2]),
        ([dataset(0), dataset(1, url=f"{URL}{KEYS[1]}/")], KEYS[:2]),
        ([dataset(0), dataset(1, id=KEYS[5])], [KEYS[0], KEYS[5]]),
        ([dataset(0), dataset(1, id=UUID(KEYS[5]))], [KEYS[0], KEYS[5]]),
        ([dataset(0), without(dataset(1), "url")], [KEYS[0], None]),
        ([dataset(0), dataset(1, url=None)], [KEYS[0], None]),
        ([dataset(0), dataset(1, url=["x"])], [KEYS[0], None]),
        ([dataset(0), dataset(1, url=URL + "5")], [KEYS[0], None]),
    ],
)
@pytest.mark.parametrize("columns", [None, ["id"]])
def test_keys_are_those_of_the_rows(rows: list[Any], keys: list[Any], columns: Sequence[str] | None) -> None:
    column = to_pandas(rows, DatasetSummary, columns=columns)["id"]
    assert [None if pandas.isna(key) else key for key in column] == keys


def test_columns_of_uuids_are_text_whatever_the_rows_hold() -> None:
    keys = [UUID(KEYS[0]), None, KEYS[1], UUID(KEYS[2]), 5]
    rows = [{"id": key} for key in keys]
    assert to_pandas(rows, SessionSummary)["id"].tolist() == [KEYS[0], None, KEYS[1], KEYS[2], 5]
    assert to_arrow(rows[:4], SessionSummary)["id"].to_pylist() == [KEYS[0], None, KEYS[1], KEYS[2]]


def test_row_with_another_field_in_place_of_a_declared_one() -> None:
    """As many fields as were declared are not yet the declared ones."""
    rows = [dataset(0), without(dataset(1), "hash", new="x")]
    frame = to_pandas(rows, DatasetSummary)
    assert list(frame.columns) == ["id", *dataset(), "new"]
    assert frame["hash"].isna().all()
    assert frame["new"].tolist()[1] == "x"
    assert list(to_pandas(rows, DatasetSummary, columns=["new", "name"]).columns) == ["new", "name"]


def test_nested_record_with_another_field_in_place_of_a_declared_one() -> None:
    files = [FILE, without(FILE, "exists", new="x")]
    for values in (
        to_arrow([dataset(file_records=files)], DatasetSummary)["file_records"].to_pylist(),
        to_polars([dataset(file_records=files)], DatasetSummary)["file_records"].to_list(),
    ):
        assert values == [[{**FILE, "new": None}, {**FILE, "exists": None, "new": '"x"'}]]


(LOOKED_AT,) = DatasetSummary.model_validate_json(json.dumps(dataset())).file_records
NESTED: dict[str, tuple[Any, Any]] = {
    "records": ([FILE, FILE], [FILE, FILE]),
    "none": ([], []),
    "null": (None, None),
    "a null among them": ([FILE, None], [FILE, None]),
    "looked at": ([LOOKED_AT, FILE], [{**FILE, "id": UUID(KEYS[8])}, FILE]),
    "text among them": ([FILE, "x"], [FILE, "x"]),
    "a record": (FILE, FILE),
    "text": ("x", "x"),
}


@pytest.mark.parametrize(("files", "expected"), NESTED.values(), ids=NESTED)
def test_nested_records_are_dictionaries_of_their_own(files: Any, expected: Any) -> None:
    rows = [dataset(0), dataset(1, file_records=files)]
    before = copy.deepcopy(rows)
    column = to_pandas(rows, DatasetSummary)["file_records"].tolist()
    assert column == [[FILE], expected]
    for record in column[1] if isinstance(files, list) else ():
        if isinstance(record, dict):
            record["exists"] = "changed"
    assert rows == before


@pytest.mark.parametrize(("files", "expected"), NESTED.values(), ids=NESTED)
def test_uuids_in_nested_records_are_text_in_arrow_and_polars(files: Any, expected: Any) -> None:
    rows = [dataset(0), dataset(1, file_records=files)]
    column = to_arrow(rows, DatasetSummary)["file_records"].to_pylist()
    if files is None or (isinstance(files, list) and "x" not in files):
        assert column == [[FILE], files and [{**file, "id": KEYS[8]} if file else None for file in expected]]
        # Early versions of polars have records of nulls in place of a null.
        in_polars = to_polars(rows, DatasetSummary)["file_records"].to_list()
        assert [row and [file and file["id"] for file in row] for row in in_polars] == [
            row and [file and file["id"] for file in row] for row in column
        ]


class Named(Record):
    class_: str = Field(alias="class")
    inner: Named | None = None


def test_records_have_the_names_and_fields_that_the_server_sent() -> None:
    records = [Named.model_validate({"class": "a", "new": 5}), Named.model_validate({"class": "b"})]
    frame = to_pandas(records)
    assert list(frame.columns) == ["class", "inner", "new"]
    assert frame["class"].tolist() == ["a", "b"]
    assert frame["new"].isna().tolist() == [False, True]


def test_frame_without_columns_has_rows_and_no_names() -> None:
    frame = to_pandas([dataset(0), dataset(1)], DatasetSummary, columns=[], index="id")
    assert (frame.shape, list(frame.index)) == ((2, 0), KEYS[:2])
    assert frame.columns.equals(pandas.DataFrame(columns=[]).columns)
    assert to_pandas([dataset()], DatasetSummary, columns=[]).columns.dtype == object


@pytest.fixture(params=["with pyarrow", "without"])
def storage(request: pytest.FixtureRequest) -> Iterator[str]:
    """Have text stored as it is where pyarrow is installed, and where it is not."""
    if request.param == "with pyarrow":
        yield "pyarrow"
    else:
        with pandas.option_context("mode.string_storage", "python"):
            yield "python"


def test_text_is_stored_as_pandas_itself_does(storage: str) -> None:
    rows = [dataset(0, hash="é"), dataset(1, hash="", created_by="a"), dataset(2, json="x")]
    frame = to_pandas(rows, DatasetSummary, json="text")
    expected = {name: [row[name] for row in rows] for name in ("hash", "created_by", "revision")}
    expected |= {"id": KEYS[:3], "json": ['{"a": [1, null]}', '{"a": [1, null]}', '"x"']}
    for name, values in expected.items():
        array = pandas.array(values, dtype=str if IS_NEW else object)
        assert type(frame[name].array) is type(array)
        pandas.testing.assert_series_equal(frame[name], pandas.Series(array, name=name))
    assert getattr(frame["hash"].dtype, "storage", storage) == storage


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("value", [5, 2.5, True, ["a"], {"a": 1}])
def test_text_that_is_none_makes_a_column_of_objects(value: Any) -> None:
    column = to_pandas([dataset(0), dataset(1, name=value)], DatasetSummary)["name"]
    assert column.dtype == object
    assert column.tolist() == ["spikes.0.npy", value]


@pytest.mark.parametrize(
    ("name", "values", "dtype"),
    [
        ("file_size", [1, None, 2**63 - 1], "Int64"),
        ("file_size", [-(2**63), 0, 1], "Int64"),
        ("file_size", [1, None, 2**63], "object"),
        ("file_size", [-(2**63) - 1, 0, 1], "object"),
        ("file_size", [1, True, 2], "object"),
        ("file_size", [1, 2.0, 2], "object"),
        ("file_size", [None, None, None], "Int64"),
        ("default_dataset", [True, None, False], "boolean"),
        ("default_dataset", [True, 1, False], "object"),
    ],
)
def test_numbers_and_nulls(name: str, values: list[Any], dtype: str) -> None:
    column = to_pandas([dataset(n, **{name: value}) for n, value in enumerate(values)], DatasetSummary)[name]
    assert str(column.dtype) == dtype
    assert [None if value is pandas.NA else value for value in column] == values
