"""Tables of lists by HTTP: types of columns, whatever the rows are."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest

from alyx_client import AlyxClient, InvalidCallError, MissingLibraryError
from alyx_client.errors import SchemaDriftWarning
from alyx_client.frames import read_cache_tables, to_arrow, to_pandas, to_polars
from alyx_client.frames.libraries import library
from alyx_client.models import DatasetSummary, SubjectSummary
from tests.frames.conftest import FILE, KEYS, dataset

Table = Callable[..., Any]

PANDAS = {
    "id": "str",
    "auto_datetime": "datetime64[us]",
    "created_by": "str",
    "default_dataset": "boolean",
    "experiment_number": "Int64",
    "file_records": "object",
    "json": "object",
    "protected": "Int64",
    "qc": "category",
    "tags": "object",
}
ROWS = {
    "none": [],
    "some": [dataset(0), dataset(1, qc="FAIL", experiment_number=3, default_dataset=False)],
    "nothing known": [dataset(auto_datetime=None, qc="NOT_SET", json=None, tags=[], file_records=[])],
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_pandas_columns_have_the_declared_types(table: Table, rows: list[Any]) -> None:
    frame = table(rows, "to_pandas")
    assert len(frame) == len(rows)
    assert list(frame.columns) == ["id", *dataset()]
    types = frame.dtypes.astype(str).to_dict()
    if int(pandas.__version__.partition(".")[0]) >= 3:
        assert {name: types[name] for name in PANDAS} == PANDAS
    assert list(frame["qc"].cat.categories) == ["NOT_SET", "PASS", "WARNING", "FAIL", "CRITICAL"]


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_polars_columns_have_the_declared_types(table: Table, rows: list[Any]) -> None:
    schema = table(rows, "to_polars").schema
    assert schema["auto_datetime"] == polars.Datetime("us")
    assert schema["experiment_number"] == polars.Int64
    assert schema["default_dataset"] == polars.Boolean
    assert schema["qc"] == polars.Enum(["NOT_SET", "PASS", "WARNING", "FAIL", "CRITICAL"])
    assert schema["tags"] == polars.List(polars.String)
    texts = dict.fromkeys(FILE, polars.String) | {"exists": polars.Boolean}
    assert schema["file_records"] == polars.List(polars.Struct(texts))
    assert schema["json"] == schema["id"] == polars.String


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_arrow_columns_have_the_declared_types(table: Table, rows: list[Any]) -> None:
    schema = table(rows, "to_arrow").schema
    assert schema.field("auto_datetime").type == pyarrow.timestamp("us")
    assert schema.field("qc").type == pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    assert schema.field("file_size").type == pyarrow.int64()
    assert schema.field("tags").type == pyarrow.list_(pyarrow.string())
    assert schema.field("file_records").type.value_type.num_fields == len(FILE)


def test_values_are_those_of_the_rows(table: Table) -> None:
    rows = [dataset(0), dataset(1, created_datetime="0001-01-01T00:00:00")]
    frame = table(rows, "to_pandas", index="id")
    assert list(frame.index) == KEYS[:2]
    assert frame.index.name == "id"
    first = frame.iloc[0]
    assert first["file_size"] == 2**53 + 1
    assert first["auto_datetime"] == pandas.Timestamp("2026-11-23T06:43:00.888236")
    assert first["json"] == {"a": [1, None]}
    assert first["tags"] == ["a", "b"]
    assert str(first["file_records"][0]["id"]) == KEYS[8]
    assert frame["created_by"].isna().all()
    assert pandas.isna(first["created_datetime"])
    assert first["experiment_number"] is pandas.NA
    assert frame["created_datetime"].iloc[1].year == 1
    for values in (table(rows, "to_polars").to_dicts(), table(rows, "to_arrow").to_pylist()):
        assert values[1]["id"] == KEYS[1]
        assert values[1]["created_datetime"] == datetime(1, 1, 1)
        assert values[0]["json"] == '{"a": [1, null]}'
        assert values[0]["file_records"] == [FILE]
        assert values[0]["default_dataset"] is None


def test_columns_are_chosen_and_ordered(table: Table) -> None:
    assert list(table([dataset()], "to_pandas", columns=["name", "id"]).columns) == ["name", "id"]
    frame = table([dataset()], "to_pandas", columns=["name"], index="id")
    assert (list(frame.columns), list(frame.index)) == (["name"], KEYS[:1])
    assert table([], "to_polars", columns=["qc"]).columns == ["qc"]
    assert table([], "to_arrow", columns=("qc", "name")).column_names == ["qc", "name"]


WRONG = {
    "misspelled": ({"columns": ["fil_size"]}, "Did you mean 'file_size'"),
    "text": ({"columns": "name"}, r"\['name'\]"),
    "twice": ({"columns": ["name", "name"]}, "twice"),
    "index": ({"index": "Id"}, "no column 'Id'"),
    "json": ({"json": "texts"}, "'object' or 'text'"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_arguments_are_refused(table: Table, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCallError, match=message):
        table([], "to_pandas", **options)


def test_json_is_text_or_objects_by_choice(table: Table) -> None:
    rows = [dataset(), dataset(json=None)]
    texts = table(rows, "to_pandas", json="text")["json"]
    assert texts[0] == '{"a": [1, null]}'
    assert pandas.isna(texts[1])
    assert table(rows, "to_polars", json="object")["json"].to_list() == [{"a": [1, None]}, None]


DRIFTED = {
    "text for a number": ("file_size", "big", "big", '"big"'),
    "null for a number": ("public", None, None, None),
    "number for a word": ("qc", 10, 10, "10"),
    "number for text": ("name", 5, 5, "5"),
    "text for a list": ("tags", "a,b", "a,b", '"a,b"'),
    "text for a record": ("file_records", ["x"], ["x"], None),
    "no date": ("auto_datetime", "yesterday", "yesterday", '"yesterday"'),
    "huge": ("file_size", 2**70, 2**70, str(2**70)),
}


@pytest.mark.filterwarnings("ignore::alyx_client.errors.SchemaDriftWarning")
@pytest.mark.parametrize(("name", "sent", "value", "text"), DRIFTED.values(), ids=DRIFTED)
def test_drifted_values_are_not_lost(table: Table, name: str, sent: Any, value: Any, text: str | None) -> None:
    rows = [dataset(0), dataset(1, **{name: sent})]
    column = table(rows, "to_pandas")[name]
    if value is None:
        assert (str(column.dtype), column.isna().tolist()) == ("Int64", [False, True])
    else:
        assert column.dtype == object
        assert column[1] == value
    assert table(rows, "to_pandas", json="text")[name].dtype == column.dtype
    for values in (table(rows, "to_polars")[name].to_list(), table(rows, "to_arrow")[name].to_pylist()):
        assert values[1] == (['"x"'] if name == "file_records" else text)


def test_drift_is_warned_about(table: Table) -> None:
    with pytest.warns(SchemaDriftWarning, match="file_size"):
        table([dataset(file_size="big")], "to_pandas")


def test_fields_and_words_beyond_the_declaration_are_columns_and_categories(table: Table) -> None:
    rows = [dataset(0), dataset(1, new=5, qc="PERFECT", file_records=[{**FILE, "more": {"x": 1}}])]
    frame = table(rows, "to_pandas")
    assert frame["new"].dtype == "Int64"
    assert frame["new"].isna().tolist() == [True, False]
    assert frame["qc"].tolist() == ["PASS", "PERFECT"]
    assert frame["qc"].cat.categories[-1] == "PERFECT"
    assert table(rows, "to_polars")["file_records"].to_list()[1][0]["more"] == '{"x": 1}'
    assert table(rows, "to_arrow")["qc"].to_pylist() == ["PASS", "PERFECT"]


@pytest.mark.parametrize("zones", [("+02:00", "Z"), ("", "Z")])
def test_zones_are_not_lost(table: Table, zones: tuple[str, str]) -> None:
    rows = [dataset(0, auto_datetime=f"2020-01-01T12:00:00{zone}") for zone in zones]
    column = table(rows, "to_pandas")["auto_datetime"]
    assert str(column.dtype) == ("datetime64[us, UTC]" if all(zones) else "object")
    assert column[1].tzinfo is not None
    assert "12:00:00" in str(table(rows, "to_polars")["auto_datetime"].to_list()[1])
    assert "12:00:00" in str(table(rows, "to_arrow")["auto_datetime"].to_pylist()[1])


def test_column_that_only_read_returns_names_the_call_that_has_it(client: AlyxClient) -> None:
    rows = client.sessions.list(subject="flowers")
    for make in (rows.to_pandas, rows.to_polars, rows.to_arrow):
        with pytest.raises(InvalidCallError, match=r"no column 'n_trials'. client\.sessions\.read_many\(rows\)"):
            make(columns=["start_time", "n_trials"])
    assert list(client.sessions.read_many(rows).to_pandas(columns=["n_trials"])["n_trials"]) != []
    with pytest.raises(InvalidCallError, match=r"no column 'start_tme'. Did you mean 'start_time'"):
        rows.to_pandas(columns=["start_tme"])


def test_several_pages_and_rows_that_were_used(client: AlyxClient) -> None:
    whole = client.datasets.list().to_pandas()
    assert len(whole) > 3
    results = client.datasets.list(page_size=2)
    assert results[0].name == whole["name"][0]
    pandas.testing.assert_frame_equal(results.to_pandas(), whole)
    used = pickle.loads(pickle.dumps(results))
    pandas.testing.assert_frame_equal(used.to_pandas(), whole)
    assert used.to_arrow().schema == results.to_arrow().schema


def test_empty_results_keep_their_types_through_a_pickle(client: AlyxClient) -> None:
    empty = client.subjects.list(nickname="nobody")
    again = pickle.loads(pickle.dumps(empty))
    assert list(again.to_pandas().columns) == list(client.subjects.list().to_pandas().columns)


def test_a_table_does_not_change_the_rows(client: AlyxClient) -> None:
    results = client.datasets.list()
    before = copy.deepcopy(list(results))
    frame = results.to_pandas()
    frame["file_records"][0][0]["exists"] = "changed"
    assert list(results) == before


def test_results_of_calls_for_many(client: AlyxClient) -> None:
    keys = [subject.nickname for subject in client.subjects.list(max_items=2)]
    read = client.subjects.read_many(keys)
    frame = read.to_pandas(index="nickname")
    assert list(frame.index) == keys
    none = client.subjects.read_many(["nobody"], on_error="return")
    assert not len(none)
    assert set(none.to_pandas().columns) == {"nickname", *frame.columns}
    assert none.to_arrow().schema.field("birth_date").type == pyarrow.date32()
    assert pickle.loads(pickle.dumps(none)).to_polars().schema == none.to_polars().schema


def test_calls_by_name_have_tables_of_json(client: AlyxClient) -> None:
    rows = client.rest("datasets", "list", limit=2)
    frame = to_pandas(rows)
    assert frame["name"].tolist() == [row["name"] for row in rows]
    assert to_arrow(rows).num_rows == to_polars(rows).height == len(rows)


def test_cache_tables(client: AlyxClient, tmp_path: Any) -> None:
    tables = read_cache_tables(client.download_cache_tables(destination=tmp_path))
    assert set(tables) == {"sessions", "datasets"}
    sessions = tables["sessions"]
    assert sessions.to_pandas().index.name == "id"
    assert list(sessions.to_pandas(columns=["lab"], index="subject").columns) == ["lab"]
    assert sessions.to_arrow(columns=["subject", "lab"]).column_names == ["subject", "lab"]
    assert sessions.to_polars().height == len(sessions.to_pandas()) > 0
    assert list(read_cache_tables(tmp_path)) == ["datasets", "sessions"]
    with pytest.raises(InvalidCallError, match="Did you mean 'subject'"):
        sessions.to_arrow(columns=["subjects"])


@pytest.mark.parametrize(("name", "extra"), [("pandas", "pandas"), ("polars", "polars"), ("pyarrow", "arrow")])
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, name: str, extra: str) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingLibraryError, match=rf'pip install "alyx-client\[{extra}\]"'):
        library(name)
    with pytest.raises(ImportError):
        {"pandas": to_pandas, "polars": to_polars, "pyarrow": to_arrow}[name]([], SubjectSummary)


def test_no_library_is_imported_before_a_table_is_made() -> None:
    code = (
        "import sys, alyx_client.models, alyx_client.frames; from alyx_client import AlyxClient\n"
        "names = {'pandas', 'polars', 'pyarrow', 'numpy'} & set(sys.modules); assert not names, names"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_records_of_one_class_need_no_declaration(client: AlyxClient) -> None:
    records = list(client.datasets.list())
    frame = to_pandas(records)
    assert frame.dtypes.equals(to_pandas([], DatasetSummary).dtypes)


def test_cache_tables_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no cache tables in .*download_cache_tables"):
        read_cache_tables(tmp_path)
    pyarrow.parquet.write_table(pyarrow.table({"id": ["a"]}), tmp_path / "sessions.pqt")
    (table,) = read_cache_tables(tmp_path).values()
    assert repr(table) == f"CachedTable({str(tmp_path / 'sessions.pqt')!r})"
    with pytest.raises(InvalidCallError, match=r"columns=\['id'\]"):
        table.to_pandas(columns="id")


def test_library_that_lacks_one_of_its_own_says_so_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half_installed.py").write_text("import a_module_that_is_not_there")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        library("half_installed")


@pytest.mark.parametrize("name", ["subject", "to_parquet", "head"])
def test_rows_that_are_taken_for_a_table_name_the_way_to_one(client: AlyxClient, name: str) -> None:
    rows = client.sessions.list(max_items=2)
    for several in (rows, client.sessions.read_many(rows)):
        with pytest.raises(AttributeError, match=rf"no attribute '{name}'. They become a table: .to_pandas\(\).{name}"):
            getattr(several, name)
        for index in (name, [True, False], None):
            with pytest.raises(TypeError, match="rows have indices and slices, not"):
                several[index]  # type: ignore[index]
        assert not hasattr(several, "_repr_png_")
