"""The function that is called when a module has been imported; it needs no ONE."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from alyx_client.one.import_hook import ImportHook


def test_function_is_called_once_the_module_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hooked_module.py").write_text("value = 5\n")
    monkeypatch.syspath_prepend(tmp_path)
    seen: list[int] = []
    hook = ImportHook("hooked_module", lambda: seen.append(sys.modules["hooked_module"].value))
    hook.set()
    hook.set()
    try:
        assert sys.meta_path.count(hook) == 1
        module = importlib.import_module("hooked_module")
        importlib.import_module("json")
        assert seen == [5]
        # Tools find the source by the module's own loader.
        assert module.__spec__ is not None
        assert module.__spec__.loader is module.__loader__
        assert type(module.__loader__).__module__ != "alyx_client.one.import_hook"
    finally:
        hook.remove()
        hook.remove()
        sys.modules.pop("hooked_module", None)
    assert hook not in sys.meta_path
    assert ImportHook("no_such_module", list).find_spec("no_such_module", None) is None
