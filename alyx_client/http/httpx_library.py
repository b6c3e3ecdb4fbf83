"""httpx without its command line, which it imports with itself where click and rich are installed.

Those take as long as a quarter of all that a first call imports. ``httpx.main`` stays: it is imported when it is used.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, cast

__all__ = ["httpx"]

_COMMAND_LINE = "httpx._main"


@contextmanager
def _not_importable(name: str) -> Generator[None]:
    """Make the import of a module fail; other threads can import everything else meanwhile."""
    # The documented way: None in the place of a module is an ImportError, which httpx handles as it does without click.
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    modules.setdefault(name, None)
    try:
        yield
    finally:
        if modules[name] is None:  # pragma: no branch - other version of a library
            del modules[name]


def _import_httpx() -> None:
    try:
        with _not_importable(_COMMAND_LINE):
            module = importlib.import_module("httpx")
    except ImportError:  # pragma: no cover - other version of a library
        return  # a version that needs it; the import below reports any other reason
    if _COMMAND_LINE not in sys.modules:  # pragma: no branch - runs in a child process
        _import_later(module)


def _import_later(module: ModuleType) -> None:
    """Let the first access to ``httpx.main`` import the command line, as PEP 562 describes."""
    names: dict[str, Any] = vars(module)
    substitute: Any = names.get("main")
    if substitute is None or "__getattr__" in names:  # pragma: no cover - other version of a library
        return

    def import_main(name: str) -> Any:  # pragma: no cover - runs in a child process
        if name != "main":
            raise AttributeError(f"module 'httpx' has no attribute {name!r}")
        main: Any = substitute
        try:
            main = importlib.import_module(_COMMAND_LINE).main
            main.__module__ = "httpx"  # as httpx does
        except ImportError:
            pass  # it says what to install
        names["main"] = main
        names.pop("__getattr__", None)
        return main

    names["__getattr__"] = import_main
    del names["main"]


# Where httpx was imported before, its command line was, too.
if "httpx" not in sys.modules:  # pragma: no branch - runs in a child process
    _import_httpx()

import httpx  # noqa: E402
