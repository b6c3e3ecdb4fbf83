"""The names after a dot, as IPython's completer returns them for a line that was never completed before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydantic
import pytest

import alyx_client
from alyx_client import AlyxClient, AsyncAlyxClient, Results
from alyx_client.models import Note, SessionRecord
from alyx_client.runtime.completion import rows_of
from alyx_client.testing import LocalAlyx

ACTIONS = {"list", "read", "create", "partial_update", "read_many"}
FIELDS = {"id", "subject", "start_time", "lab", "keys"}
# They ask a running shell.
WITH_SHELL = [f"IPCompleter.{name}_matcher" for name in ("file", "magic", "magic_color", "magic_config")]
CASES: dict[str, set[str]] = {
    "client.": {"sessions", "subjects", "outbox", "download_file"},
    "async_client.": {"sessions", "subjects", "outbox", "download_file"},
    "client.sessions.": ACTIONS,
    "async_client.sessions.": ACTIONS,
    "client.sessions.list(": {"subject=", "date_range=", "page_size=", "where="},
    "client.sessions.partial_update(first, ": {"qc=", "narrative=", "timeout="},
    "client.sessions.fields.": {"qc", "n_trials", "subject"},
    "client.outbox.": {"send", "drop", "edit"},
    "rows.": {"to_pandas", "to_polars", "total"},
    "rows[0].": FIELDS,
    "rows[-1].": FIELDS,
    "rows[number].": FIELDS,
    "[row for row in rows][0].": FIELDS,
    "first.": FIELDS,
    "session.": FIELDS | {"qc", "notes"},
    "session.notes[0].": {"text", "date_time"},
    "many.": {"failures", "to_pandas"},
    "many[0].": FIELDS | {"qc", "notes"},
    "client.sessions.list()[0].": FIELDS,
    "client.sessions.read(first).": FIELDS | {"qc", "notes"},
    "client.sessions.read_many(rows)[0].": FIELDS | {"qc", "notes"},
    "client.outbox.send().": {"sent", "refused"},
}


@pytest.fixture(scope="module")
def complete() -> Any:
    """Return the names that complete a line."""
    completer = pytest.importorskip("IPython.core.completer")
    pytest.importorskip("jedi", minversion="0.19")
    server = LocalAlyx().start()
    client = AlyxClient(server.url, token=server.token(), silent=True, cache_dir=None)
    rows = client.sessions.list(subject="flowers")
    note = Note(user="olivier", text="Calm.", content_type="session", object_id=str(rows[0].id))
    client.notes.create(note)
    names = {
        "client": client,
        "async_client": AsyncAlyxClient(server.url, token=server.token(), silent=True, cache_dir=None),
        "rows": rows,
        "number": 0,
        "first": rows[0],
        "session": client.sessions.read(rows[0]),
        "many": client.sessions.read_many(rows[:2]),
    }
    shell = completer.IPCompleter(shell=None, namespace=names, use_jedi=True, disable_matchers=WITH_SHELL)

    def complete(code: str) -> set[str]:
        with completer.provisionalcompleter():
            return {completion.text for completion in shell.completions(code, len(code))}

    yield complete
    client.close()
    server.close()


@pytest.mark.parametrize("code", CASES)
def test_names_are_completed(complete: Callable[[str], set[str]], code: str) -> None:
    names = complete(code)
    assert names >= CASES[code]
    # What pydantic adds to a record is not for its readers.
    assert not names & {"parse_obj", "model_validate", "model_fields", "from_orm"}


def test_no_source_is_parsed_to_complete(complete: Callable[[str], set[str]]) -> None:
    parsed = pytest.importorskip("parso.cache").parser_cache
    parsed.clear()
    for code in CASES:
        complete(code)
    paths = [Path(path) for files in parsed.values() for path in files if path]
    assert paths
    # JupyterLab waits a second: parsing these, and what they import, takes several the first time.
    endpoints, models = Path(alyx_client.__file__).parent / "endpoints", Path(pydantic.__file__).parent
    assert not [path for path in paths if path.is_relative_to(models)]
    assert not [path for path in paths if path.is_relative_to(endpoints) and path.name != "__init__.py"]


def test_classes_of_rows_are_made_once_and_are_still_results() -> None:
    rows = rows_of(Results, SessionRecord)
    assert rows is rows_of(Results, SessionRecord) is Results[SessionRecord]
    assert issubclass(rows, Results)
    assert rows.__getitem__.__annotations__["return"] is SessionRecord
    assert rows_of(Results, None) is Results
