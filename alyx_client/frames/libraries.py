"""The libraries of tables, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from alyx_client.errors import MissingLibraryError

__all__ = ["library"]

_EXTRAS = {"pandas": "pandas", "numpy": "pandas", "polars": "polars", "pyarrow": "arrow"}


def library(name: str, purpose: str = "") -> Any:
    """Import a library, or a module of one.

    Parameters
    ----------
    name
        The module.
    purpose
        What it is needed for, if that does not follow from the call.

    Raises
    ------
    MissingLibraryError
        It is not installed; the message says what to install.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        # A library that is there, and lacks one of its own, says so better itself.
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        needs = f"{purpose} needs {package}" if purpose else f"this table needs {package}"
        extra = _EXTRAS[package]
        raise MissingLibraryError(f'{needs}, which is not installed: pip install "alyx-client[{extra}]"') from None
