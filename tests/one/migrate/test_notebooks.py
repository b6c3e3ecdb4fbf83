"""Notebooks: cells as one module, magics, layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alyx_client.one.migrate.command import main

CELLS = [
    "from one.api import ONE\none = ONE()",
    "%matplotlib inline\nses = one.alyx.rest('sessions', 'list', subject='é')\nses[0]?",
    "%%bash\necho one.alyx.rest('labs', 'list')",
    "for s in ses:\n    print(s['id'], s['url'], f(s['id']))\n    %time f(s)",
    "this is not Python: one.alyx.rest('labs', 'list')",
    "labs = one.alyx.rest('labs', 'list', no_cache=True);",
    "one.alyx.rest('tags', 'create', data={'name': 'x'})",
    "plot(one.alyx.rest('labs', 'list'))",
]


def notebook(cells: list[str], **options: Any) -> str:
    made = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": cell.splitlines(True)}
        for cell in cells
    ]
    text = {"cell_type": "markdown", "metadata": {}, "source": "one.alyx.rest('labs', 'list')"}
    return json.dumps({"cells": [text, *made], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, **options)


@pytest.mark.parametrize("options", [{"indent": 1, "ensure_ascii": False}, {"indent": 2}, {}], ids=str)
def test_cells_are_rewritten_and_the_layout_is_kept(
    options: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [*CELLS]
    cells[3] = "for s in ses:\n    print(s['id'], s['url'], g(s['id']))\n    %time g(1)"
    path = tmp_path / "n.ipynb"
    path.write_text(notebook(cells, **options) + "\n", encoding="utf-8")
    assert main([str(path), "--write"]) == 1
    after = [*cells]
    after[0] = "from one.api import ONE\nfrom alyx_client.models import Tag\none = ONE()"
    after[1] = "%matplotlib inline\nses = one.alyx.sessions.list(subject='é')\nses[0]?"
    after[3] = "for s in ses:\n    print(s['id'], s['url'], g(str(s['id'])))\n    %time g(1)"
    after[5] = "with one.alyx.cache_disabled():\n    labs = list(one.alyx.labs.list());"
    after[6] = "one.alyx.tags.create(Tag(name='x'))"
    assert path.read_text(encoding="utf-8") == notebook(after, **options) + "\n"
    out = capsys.readouterr().out
    assert "n.ipynb:cell 8, line 1: the result is passed on" in out
    assert "n.ipynb: not Python, and left as they are: cells 5\n" in out


def test_uses_in_other_cells_count(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    text = notebook(["ses = one.alyx.rest('sessions', 'list')", "plot(ses)"], indent=1)
    path.write_text(text)
    assert main([str(path), "--write"]) == 0
    assert path.read_text() == text


@pytest.mark.parametrize("text", ["[]", '{"cells": 3, "x": ".rest("}', '{"worksheets": ".rest("}'])
def test_other_files_are_left(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(text)
    assert main([str(path), "--write"]) == (1 if ".rest(" in text else 0)
    assert path.read_text() == text


def test_layout_that_cannot_be_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "n.ipynb"
    text = notebook(["one.alyx.rest('labs', 'list')"]).replace('"nbformat":', '"nbformat" :')
    path.write_text(text)
    assert main([str(path), "--write"]) == 1
    assert "its layout" in capsys.readouterr().out
    assert path.read_text() == text
