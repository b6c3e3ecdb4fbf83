"""Resources made from the rows of tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import numpy
import pandas
import polars
import pyarrow
import pytest

from alyx_client import AlyxClient, InvalidFieldError
from alyx_client.errors import InvalidTableError
from alyx_client.frames import resources
from alyx_client.models import Session, Subject, Weighing
from tests.bulk.test_input import NOWHERE

MAKE: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "pandas": pandas.DataFrame,
    "polars": lambda columns: polars.DataFrame(columns, strict=False),
    "arrow": pyarrow.table,
    "batch": pyarrow.RecordBatch.from_pydict,
}
frames = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)


@frames
def test_rows_become_resources_and_missing_cells_are_left_out(make: Any) -> None:
    frame = make(
        {
            "nickname": ["a", "b"],
            "lab": ["cortexlab", "cortexlab"],
            "birth_date": [date(2020, 1, 2), None],
            "sex": ["F", None],
        }
    )
    first, second = Subject.from_frame(frame)
    assert first == Subject(nickname="a", lab="cortexlab", birth_date=date(2020, 1, 2), sex="F")
    assert second.to_wire() == {"nickname": "b", "lab": "cortexlab"}


@frames
def test_every_bad_cell_is_named_by_row_and_column(make: Any) -> None:
    frame = make({"nickname": ["a", None, "c"], "lab": ["x", "y", "z"], "sex": ["M", "F", "X"]})
    with pytest.raises(InvalidTableError) as caught:
        Subject.from_frame(frame)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("Subject.from_frame(): 2 cells cannot be sent")
    assert lines[1] == "- row 1, column 'nickname': is missing"
    assert lines[2].startswith("- row 2, column 'sex': ")
    assert "'X'" in lines[2]
    assert set(caught.value.fields) == {"row 1, column 'nickname'", "row 2, column 'sex'"}


def test_the_first_bad_cells_are_listed_and_all_are_in_fields() -> None:
    count = resources._SHOWN + 5
    frame = pandas.DataFrame({"nickname": ["a"] * count, "lab": ["x"] * count, "sex": ["X"] * count})
    with pytest.raises(InvalidTableError, match=r"5 more, in `fields`") as caught:
        Subject.from_frame(frame)
    assert len(caught.value.fields) == count


@frames
def test_columns_must_be_fields(make: Any) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        Subject.from_frame(make({"nickname": ["a"], "lap": ["x"]}))
    assert "column 'lap' is not a field that can be sent. Did you mean 'lab'?" in str(caught.value)
    assert "column 'lab' is missing" in str(caught.value)


def test_values_of_libraries_are_converted() -> None:
    frame = pandas.DataFrame(
        {
            "subject": pandas.Categorical(["flowers"]),
            "start_time": pandas.to_datetime(["2020-01-02T03:04:05"]),
            "number": pandas.array([3], dtype="Int64"),
            "n_trials": [350.0],
            "users": [numpy.array(["olivier"])],
            "extended_qc": [{"a": numpy.float64(1)}],
            "qc": [None],
            "end_time": [pandas.NaT],
            "n_correct_trials": [float("nan")],
        }
    )
    (session,) = Session.from_frame(frame)
    assert session.to_wire() == {
        "subject": "flowers",
        "start_time": "2020-01-02T03:04:05",
        "number": 3,
        "n_trials": 350,
        "users": ["olivier"],
        "extended_qc": {"a": 1.0},
    }


def test_named_index_is_a_column_and_other_labels_are_not() -> None:
    frame = pandas.DataFrame({"nickname": ["a"], "lab": ["x"]}, index=["label"])
    assert Subject.from_frame(frame.set_index("nickname")) == Subject.from_frame(frame)


def test_empty_table_makes_no_resources() -> None:
    assert Subject.from_frame(pandas.DataFrame({"nickname": [], "lab": []})) == []


WRONG = {
    "list": ([{"nickname": "a"}], "not an object of type list"),
    "series": (pandas.Series([1]), "type Series"),
    "lazy": (polars.LazyFrame({"nickname": ["a"]}), "collect"),
    "twice": (pandas.DataFrame([[1, 2]], columns=["lab", "lab"]), "'lab', is there twice"),
    "numbers": (pandas.DataFrame([[1]]), "is no text"),
}


@pytest.mark.parametrize(("frame", "message"), WRONG.values(), ids=WRONG)
def test_other_objects_are_refused(frame: Any, message: str) -> None:
    with pytest.raises(InvalidFieldError, match=message):
        Subject.from_frame(frame)


@frames
def test_calls_for_many_refuse_tables_and_name_the_way(make: Any) -> None:
    frame = make({"nickname": ["a"]})
    with AlyxClient(NOWHERE, token="t", cache_rest=None) as client:
        with pytest.raises(InvalidFieldError, match=r"Subject\.from_frame\(table\)"):
            client.subjects.create_many(frame)
        with pytest.raises(ValueError, match="pass a column of it"):
            client.subjects.read_many(frame)


def test_a_table_is_created_and_comes_back(client: AlyxClient) -> None:
    times = [datetime(2030, 1, 1, hour) for hour in (1, 2)]
    frame = pandas.DataFrame({"subject": ["flowers", "clover"], "weight": [21.5, 22.5], "date_time": times})
    created = client.weighings.create_many(Weighing.from_frame(frame))
    back = created.to_pandas(columns=list(frame.columns))
    assert back["weight"].tolist() == [21.5, 22.5]
    assert back["date_time"].tolist() == frame["date_time"].tolist()
    with pytest.raises(InvalidFieldError):
        Weighing.from_frame(client.weighings.list().to_arrow())
