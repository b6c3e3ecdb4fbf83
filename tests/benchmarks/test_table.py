from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from benchmarks import parts, results, table
from benchmarks.table import Beside, Budget, Figure, at_least, at_most, row, text, under

FIGURE = Figure(
    "100 files",
    [2.0, 4.5, 3.25],
    "x",
    at_least(3),
    floor=Beside("the link", 12.0),
    peers=[Beside("another", 1.5)],
    note="8 s / 2.46 s",
)


@pytest.fixture(autouse=True)
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "figures", [])
    monkeypatch.setattr(table, "_part", "")


@pytest.mark.parametrize(
    ("budget", "value", "is_met"),
    [
        (at_least(5), 5.0, True),
        (at_least(5), 4.9, False),
        (at_most(1.4), 1.4, True),
        (at_most(1.4), 1.5, False),
        (under(25), 24.9, True),
        (under(25), 25.0, False),
    ],
)
def test_budget_is_met(budget: Budget, value: float, is_met: bool) -> None:
    assert Figure("a figure", [value], budget=budget).is_met is is_met


def test_figure_is_the_median_of_its_rounds() -> None:
    assert FIGURE.value == 3.25
    assert Figure("a figure", [1.0]).is_met is None


def test_row_shows_everything() -> None:
    expected = "100 files 3.25 x 2 to 4.5 at least 3 x met floor 12 x (the link); another 1.5 x; 8 s / 2.46 s"
    assert " ".join(row(FIGURE).split()) == expected
    assert "MISSED" in row(Figure("a figure", [2], "x", at_least(3)))


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(1.23456, "x", "1.23 x"), (1234.5, "ms", "1234 ms"), (0.08, "ms", "0.08 ms"), (0, "", "0"), (99.96, "s", "100 s")],
)
def test_values_have_three_digits(value: float, unit: str, expected: str) -> None:
    assert text(value, unit) == expected


def test_measurements_as_text_become_figures(capsys: pytest.CaptureFixture[str]) -> None:
    table.begin("start")
    table.budget("import", "14.5 ms", "under 25 ms", is_met=True)
    table.budget("loaded", "no", "no", is_met=True)
    table.figure("rows", "3,000")
    first, second = table.figures
    assert (first.name, first.value, first.unit, first.budget) == ("import", 14.5, "ms", under(25))
    assert (second.part, second.value, second.budget) == ("start", 3000, None)
    assert "loaded" in capsys.readouterr().out


def test_results_are_read_as_written(tmp_path: Path) -> None:
    table.begin("files")
    table.add(FIGURE)
    file = tmp_path / "results.json"
    results.write(file, table.figures, {"another": "1.2.3"})
    content = results.read(file)
    assert content["figures"] == [
        {
            "part": "files",
            "name": "100 files",
            "value": 3.25,
            "unit": "x",
            "range": [2.0, 4.5],
            "rounds": 3,
            "budget": {"kind": "at least", "limit": 3},
            "met": True,
            "floor": {"name": "the link", "value": 12.0},
            "peers": [{"name": "another", "value": 1.5}],
            "note": "8 s / 2.46 s",
        }
    ]
    assert content["versions"]["another"] == "1.2.3"
    assert {"python", "alyx-client", "httpx2", "pydantic"} <= content["versions"].keys()


def test_results_name_no_folder_and_no_machine(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    results.write(file, [FIGURE], {})
    content = file.read_text(encoding="utf-8")
    assert str(tmp_path) not in content
    assert json.dumps(str(results.ROOT))[1:-1] not in content
    assert f'"{platform.node()}"' not in content


def test_results_of_another_format_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text('{"format": 0}', encoding="utf-8")
    with pytest.raises(ValueError, match="format 0"):
        results.read(file)


def test_part_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    measurements = {"first": [parts.Measurement("no_such_module", "measure")], "second": []}
    monkeypatch.setattr(parts, "PARTS", measurements)
    assert parts.run(["first", "second"]) == ["first"]
    output = capsys.readouterr()
    assert "second" in output.out
    assert "no_such_module" in output.err


def test_parts_exist() -> None:
    folder = Path(parts.__file__).parent
    for measurements in parts.PARTS.values():
        for measurement in measurements:
            source = (folder / f"{measurement.module}.py").read_text(encoding="utf-8")
            assert f"def {measurement.function}(" in source
