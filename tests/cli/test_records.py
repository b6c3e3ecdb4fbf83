"""``alyx list``, ``alyx get`` and ``alyx describe``."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from contextlib import redirect_stdout

import pytest

import alyx_client
from alyx_client.testing import LocalAlyx

from .conftest import Run


def test_pipes_get_json_lines_and_json(logged_in: LocalAlyx, run: Run) -> None:
    listed = run("list", "subjects", "--lab", "cortexlab", "--max", 2)
    assert (listed.code, listed.err) == (0, "")
    rows = [json.loads(line) for line in listed.out.splitlines()]
    assert len(rows) == 2
    assert {row["lab"] for row in rows} == {"cortexlab"}
    read = run("get", "subjects", rows[0]["nickname"], "--columns", "nickname,lab")
    assert json.loads(read.out) == {"nickname": rows[0]["nickname"], "lab": "cortexlab"}
    assert json.loads(run("get", "subjects", rows[0]["url"]).out)["id"] == rows[0]["id"]
    assert json.loads(run("get", "brain-regions", 997).out)["acronym"] == "root"


def test_formats(logged_in: LocalAlyx, run: Run, tmp_path: object) -> None:
    text = run("list", "subjects", "--format", "csv", "--columns", "nickname,projects,json.x").out
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == ["nickname", "projects", "json.x"]
    assert json.loads(run("list", "labs", "--format", "json").out)[0]["name"]
    assert json.loads(run("list", "labs", "--format", "json", "--name", "nowhere").out) == []
    assert run("list", "labs", "--format", "csv", "--name", "nowhere").out.startswith("address,")
    table = run("list", "subjects", "--format", "table", "--columns", "nickname,lab", "--max", 1).out.splitlines()
    assert table[0].split() == ["nickname", "lab"]
    assert "\x1b" not in "".join(table)
    parquet = pytest.importorskip("pyarrow.parquet")
    file = f"{tmp_path}/subjects.parquet"
    assert run("list", "subjects", "-f", "parquet", "--columns", "nickname,birth_date", "-o", file).code == 0
    assert parquet.read_table(file).column_names == ["nickname", "birth_date"]
    file = f"{tmp_path}/labs.csv"
    assert run("list", "labs", "-o", file).out == ""
    with open(file, encoding="utf-8") as lines:
        assert lines.readline().startswith("address,")
    file = f"{tmp_path}/labs.jsonl"
    assert run("list", "labs", "-o", file).out == ""
    with open(file, encoding="utf-8") as lines:
        assert json.loads(lines.readline())["name"]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--sex", "F"], {"sex": "F"}),
        (["--alive=false"], {"alive": False}),
        (["--responsible-user", "olivier", "--lab", "cortexlab"], {"responsible_user": "olivier", "lab": "cortexlab"}),
        (["--responsible_user", "olivier"], {"responsible_user": "olivier"}),
        (["--lab_", "cortexlab"], {"lab": "cortexlab"}),
    ],
)
def test_filters_are_options(logged_in: LocalAlyx, run: Run, words: list[str], names: dict[str, object]) -> None:
    rows = [json.loads(line) for line in run("list", "subjects", *words).out.splitlines()]
    assert rows
    assert all(row[name] == value for row in rows for name, value in names.items())


def test_several_values(logged_in: LocalAlyx, run: Run) -> None:
    both = run("list", "subjects", "--sex", "F", "--sex", "M").out.splitlines()
    each = [line for sex in "FM" for line in run("list", "subjects", "--sex", sex).out.splitlines()]
    assert sorted(both) == sorted(each)
    assert run("list", "subjects", "--lab", "a", "--lab", "b").code == 2
    in_range = run("list", "sessions", "--date-range", "2020-01-01,2030-01-01").out
    assert in_range == run("list", "sessions", "--date-range", "2020-01-01", "--date-range", "2030-01-01").out != ""


def test_wide_columns_leave_room_for_narrow_ones(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from alyx_client.cli.output import Format, print_rows

    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("FORCE_COLOR", "1")
    row = {"number": 12, "state": "queued", "fields": "f" * 100, "reason": "r" * 100}
    with redirect_stdout(io.StringIO()) as out:
        print_rows([row], Format.TABLE, list(row))
    line = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()[1]
    *narrow, fields, reason = line.split()
    assert narrow == ["12", "queued"]
    # Versions of Rich divide the rest differently.
    assert re.fullmatch("f{15,25}…", fields)
    assert re.fullmatch("r{15,25}…", reason)


USAGE = [
    (["list", "subjcts"], "Did you mean 'subjects'"),
    (["list", "subjects", "--lb", "x"], "there is no filter --lb. Did you mean '--lab'?"),
    (["list", "subjects", "--lab"], "--lab takes a value"),
    (["list", "subjects", "cortexlab"], "unexpected argument 'cortexlab'"),
    (["list", "subjects", "--sex", "X"], "--sex takes one of 'F', 'M', 'U', not 'X'"),
    (["list", "subjects", "--alive", "perhaps"], "--alive takes true or false"),
    (["list", "subjects", "--birth-date", "yesterday"], "--birth-date takes a date"),
    (["list", "sessions", "--number", "one"], "--number takes a whole number"),
    (["list", "sessions", "--performance-gte", "much"], "--performance-gte takes a number"),
    (["list", "subjects", "--columns", "nicknam"], "Did you mean 'nickname'?"),
    (["list", "subjects", "--max", "0"], "'--max'"),
    (["list", "subjects", "--format", "xml"], "'xml'"),
    (["list", "cache-info"], "has no action 'list'; it has get"),
    (["get", "subjects"], "takes the record's nickname"),
    (["get", "check-protected", "x"], "takes no key"),
    (["list", "tags", "--where", "name == 'x'"], "tags has no typed fields; use filters"),
    (["list", "sessions", "--columns", "end_time"], "alyx get sessions KEY shows it"),
    (["list", "sessions", "--date-range", "2020-01-01", "--date-range", "soon"], "takes a date"),
    (["list", "sessions", "--number", "1", "--number", "2"], "--number takes one value"),
    (["list", "sessions", "--start-time", "soon"], "takes a date"),
    (["get", "sessions", "5"], "UUID"),
    (["lst"], "lst"),
    (["describe", "--url", "x"], "write it before the command: alyx --url"),
    (["list", "labs", "--url", "x"], "write --url before the command"),
    (["describe", "subjcts"], "Did you mean 'subjects'"),
    (["--package", "no_such_package", "describe"], "there is no package 'no_such_package'"),
    (["--package", "json", "describe"], "not a package that alyx-generate has written"),
    (["--url", "ftp://x", "list", "labs"], "http"),
]


@pytest.mark.parametrize(("words", "message"), USAGE, ids=[" ".join(words) for words, _ in USAGE])
def test_usage_errors_are_one_line(logged_in: LocalAlyx, run: Run, words: list[str], message: str) -> None:
    before = len(logged_in.requests)
    result = run(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("alyx: ")
    assert result.err.count("\n") == 1
    assert message in result.err
    assert len(logged_in.requests) == before


def test_exit_codes(logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("get", "subjects", "nobody").code == 3
    assert run("--offline", "get", "subjects", "nobody").code == 5
    monkeypatch.setenv("ALYX_TOKEN", "0" * 40)
    refused = run("list", "labs")
    assert refused.code == 4
    assert refused.err.count("\n") == 1
    monkeypatch.setenv("ALYX_URL", "http://127.0.0.1:1")
    unreachable = run("--timeout", "1", "list", "labs")
    assert unreachable.code == 5
    assert "Traceback" not in unreachable.err
    assert "Traceback" in run("--debug", "--timeout", "1", "list", "labs").err
    monkeypatch.delenv("ALYX_URL")
    nowhere = run("list", "labs")
    assert (nowhere.code, "alyx login" in nowhere.err) == (2, True)


def test_faults_of_the_program_are_one_line(run: Run, logged_in: LocalAlyx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alyx_client.cli.records.print_rows", lambda *_, **__: 1 / 0)
    result = run("list", "labs")
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "fault of alyx: ZeroDivisionError" in result.err
    assert "Traceback" in run("--debug", "list", "labs").err


COMMANDS = ("list", "get", "create", "update", "delete", "describe", "download", "tables", "open", "login", "logout")


@pytest.mark.parametrize("command", [*COMMANDS, "whoami", "doctor", "local", "cache info", "cache clear"])
def test_help_has_an_example(run: Run, command: str) -> None:
    text = run(*command.split(), "--help").out
    assert re.search(rf"^ +(.* \| )?alyx (--url \S+ )?{command}\b", text, re.MULTILINE)
    assert f"\n  {command.split()[0]} " in run("--help").out


def test_describe_needs_no_server(run: Run) -> None:
    assert "water-administrations " in run("describe").out
    text = run("describe", "water_administrations").out
    for part in ("alyx update water-administrations ID", "--subject TEXT *", "Columns:"):
        assert part in text
    assert max(map(len, text.splitlines())) <= 100


def test_endpoints_and_filters_are_those_of_the_client(run: Run) -> None:
    """The names are read from source; they must be those of the classes."""
    import inspect

    from alyx_client import AlyxClient
    from alyx_client.cli.catalogue import SHIPPED, Catalogue

    client = AlyxClient("http://127.0.0.1:1", token="0" * 40, silent=True)
    catalogue = Catalogue(SHIPPED)
    for name, source in catalogue.endpoints.items():
        endpoint = getattr(client, name)
        for action, method in source.methods.items():
            parameters = list(inspect.signature(getattr(endpoint, action)).parameters)
            if action == "partial_update":
                assert set(source.fields_of(action)) == set(parameters[1:]) - {"timeout", *method.filters}
            else:
                assert list(method.parameters) == parameters


def test_one_record_as_csv_and_table(logged_in: LocalAlyx, run: Run) -> None:
    (row,) = csv.DictReader(io.StringIO(run("get", "labs", "cortexlab", "--format", "csv").out))
    assert row["name"] == "cortexlab"
    table = run("get", "labs", "cortexlab", "--format", "table")
    assert re.search(r"(?m)^name +cortexlab *$", table.out)
    subject = json.loads(run("list", "subjects", "--max", 1).out)
    nested = run("get", "subjects", subject["nickname"], "--format", "table", "--columns", "nickname,lab")
    assert [line.split() for line in nested.out.splitlines()[1:]] == [
        ["nickname", subject["nickname"]],
        ["lab", subject["lab"]],
    ]


def test_terminal_shows_what_fits_and_says_what_it_leaves_out(
    logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    shown = run("list", "subjects", "--max", 2)
    assert "nickname" in shown.out
    assert "not shown: " in shown.err
    assert "choose with --columns" in shown.err


PARQUET = {
    "one record": (("get", "labs", "cortexlab"), "--format parquet is for lists"),
    "no table": (("outbox", "list"), "--format parquet is not available"),
    "at a terminal": (("list", "labs"), "add --output FILE, or redirect stdout"),
}


@pytest.mark.parametrize("case", PARQUET)
def test_parquet_is_refused_where_it_has_no_place(
    logged_in: LocalAlyx, run: Run, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    words, message = PARQUET[case]
    if case == "at a terminal":
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    result = run(*words, "--format", "parquet")
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_version_is_shown(run: Run) -> None:
    assert run("--version").out == f"alyx {alyx_client.__version__}\n"
