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
    "numbers": (pandas.DataFrame([[1]]), r"is no text; name them in frame\.columns"),
    "levels": (pandas.DataFrame([[1]], columns=pandas.MultiIndex.from_tuples([("a", "lab")])), "is no text"),
    "index": (pandas.DataFrame({"lab": ["x"]}).set_index("lab", drop=False), r"reset_index\(drop=True\)"),
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
        with pytest.raises(ValueError, match=r"Subject\.changes_from_frame\(table, key=\.\.\.\)"):
            client.subjects.partial_update_many(frame)
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


@frames
def test_rows_become_changes_and_missing_cells_leave_fields_as_they_are(make: Any) -> None:
    columns = {"nickname": ["a", "b", "c"], "sex": ["F", None, None], "description": ["calm", "", None]}
    changes = Subject.changes_from_frame(make(columns), key="nickname")
    assert changes == {"a": {"sex": "F", "description": "calm"}, "b": {"description": ""}}


MISSING_CELLS = [None, float("nan"), pandas.NA, pandas.NaT, numpy.nan]


def test_no_kind_of_missing_cell_changes_a_field() -> None:
    count = len(MISSING_CELLS)
    cells = pandas.Series(MISSING_CELLS, dtype=object)
    frame = pandas.DataFrame({"id": range(count), "json": cells, "number": pandas.array([1] * count, dtype="Int64")})
    assert Session.changes_from_frame(frame, key="id") == {key: {"number": 1} for key in range(count)}


CELLS_OF_COLUMNS = {
    "integers with a missing one": (pandas.Series([3.0, float("nan")]), "number", 3),
    "nullable integers": (pandas.array([3, None], dtype="Int64"), "number", 3),
    "words": (pandas.Categorical(["F", None]), "sex", "F"),
    "objects of NumPy": (pandas.Series([numpy.int64(3), None], dtype=object), "number", 3),
    "Arrow's": (pandas.Series(["F", None], dtype=pandas.ArrowDtype(pyarrow.string())), "sex", "F"),
    "dates": (pandas.Series([pandas.Timestamp("2024-01-05"), pandas.NaT]), "birth_date", "2024-01-05"),
}


@pytest.mark.parametrize(("cells", "name", "sent"), CELLS_OF_COLUMNS.values(), ids=CELLS_OF_COLUMNS)
def test_cells_of_columns_are_sent_as_their_fields(cells: Any, name: str, sent: object) -> None:
    model = Session if name == "number" else Subject
    changes = model.changes_from_frame(pandas.DataFrame({"key": ["a", "b"], name: cells}), key="key")
    assert list(changes) == ["a"]
    assert model.changes_to_wire(changes["a"]) == {name: sent}


def test_keys_that_are_missing_or_twice_and_bad_cells_are_all_named() -> None:
    frame = pandas.DataFrame({"id": [3.0, 4.0, float("nan"), 3.0], "sex": ["X", "F", "M", "U"]})
    with pytest.raises(InvalidTableError) as caught:
        Subject.changes_from_frame(frame, key="id")
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("Subject.changes_from_frame(): 3 cells cannot be sent")
    assert lines[1].startswith("- row 0, column 'sex': ")
    assert lines[2:] == ["- row 2, column 'id': is missing", "- row 3, column 'id': 3 is in row 0, too"]
    assert list(Subject.changes_from_frame(frame[1:2], key="id")) == [4]
    with pytest.raises(InvalidTableError, match="no column 'nickname' with the keys"):
        Subject.changes_from_frame(frame, key="nickname")
    with pytest.raises(InvalidTableError, match=r"column 'sex ' is not a field that can be sent\. Did you mean 'sex'"):
        Subject.changes_from_frame(frame.rename(columns={"sex": "sex "}), key="id")


def test_a_table_of_a_list_is_edited_and_written_back(client: AlyxClient) -> None:
    mice = client.subjects.list(max_items=3).to_pandas(columns=["nickname", "birth_date", "description"])
    before = mice.copy()
    mice.loc[0, "description"] = "calm"
    mice.loc[1, "description"] = None
    changed = client.subjects.partial_update_many(Subject.changes_from_frame(mice, key="nickname"))
    after = {mouse.nickname: mouse for mouse in changed}
    assert after[before.loc[0, "nickname"]].description == "calm"
    unchanged = client.subjects.read(before.loc[1, "nickname"])
    assert (unchanged.description or "") == (before.loc[1, "description"] or "")
