"""Notebooks show a traceback that ends where the package was called; the error itself has all frames."""

from __future__ import annotations

import os
import traceback

import pytest

from alyx_client import AlyxClient, AlyxConnectionError, AlyxError, InvalidFieldError, InvalidKeyError
from tests.rest.clients import QUICK


def failure(name: str) -> AlyxError:
    client = AlyxClient("http://127.0.0.1:9", token="x", retries=QUICK, cache_rest=None)
    try:
        if name == "key":
            client.sessions.read("no UUID")
        elif name == "field":
            client.sessions.partial_update("0b12ba9e-01e3-4784-8c35-d7bb1bab414f", qcc=1)  # type: ignore[call-arg]
        else:
            client.sessions.list()
    except AlyxError as error:
        return error
    raise AssertionError("no error")


@pytest.mark.parametrize(
    ("name", "kind"), [("key", InvalidKeyError), ("field", InvalidFieldError), ("server", AlyxConnectionError)]
)
def test_notebooks_show_a_short_traceback(name: str, kind: type[AlyxError], monkeypatch: pytest.MonkeyPatch) -> None:
    error = failure(name)
    assert isinstance(error, kind)
    lines = error._render_traceback_()
    assert len(lines) <= 10
    assert [line for line in lines if "test_tracebacks.py" in line and "in failure" in line]
    assert sum(f"{os.sep}alyx_client{os.sep}" in line and line.strip().startswith("File") for line in lines) == 1
    assert str(error).splitlines()[0] in "\n".join(lines)
    # Nothing is lost: Python, and the setting, show every frame.
    assert len(traceback.extract_tb(error.__traceback__)) > 3
    monkeypatch.setenv("ALYX_FULL_TRACEBACKS", "1")
    assert not hasattr(error, "_render_traceback_")
