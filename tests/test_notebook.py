"""The notebook of the examples: run by a kernel as JupyterLab does, and as a script on a server of the reader's."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from alyx_client.testing import LocalAlyx

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "examples" / "weights_and_trials.ipynb"


@pytest.fixture(autouse=True)
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("matplotlib", "pandas", "nbclient", "ipykernel"):
        pytest.importorskip(library)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.delenv("ALYX_URL", raising=False)


def test_notebook_is_stored_without_results() -> None:
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        assert cell["metadata"] == {}
        if cell["cell_type"] == "code":
            assert (cell["execution_count"], cell["outputs"]) == (None, [])


def test_notebook_leads_from_login_to_plots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    monkeypatch.delenv("MPLBACKEND")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown: list[dict[str, Any]] = [output.data for output in outputs if output.output_type == "execute_result"]
    # The client, a list and a record as tables, and two tables of pandas.
    assert ["text/html" in data for data in shown] == [False, True, True, True, True]
    assert "alyx-client" in shown[1]["text/html"]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 2
    # On a slow machine there are bars; nothing looks like an error.
    assert "stderr" not in {output.get("name") for output in outputs}


def test_notebook_uses_the_server_of_the_reader_and_writes_nothing(
    local_alyx: LocalAlyx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALYX_URL", local_alyx.url)
    monkeypatch.setenv("ALYX_TOKEN", local_alyx.token())
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number, source in enumerate(code):
            exec(compile(source, f"cell {number}", "exec"), names)
    assert names["local"] is None
    assert len(names["weights"]) == 5
    assert len(names["trials"]) == 5
    assert not names["client"].drift
    assert {request.method for request in local_alyx.requests} == {"GET"}
