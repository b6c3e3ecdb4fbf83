"""Progress bars: whether anyone sees them, and what makes them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

__all__ = ["are_shown", "find_bars"]

_TEXT_WIDTH = 100


def are_shown() -> bool:
    """Return whether progress bars are visible to anyone: on a terminal, or in a notebook."""
    if _is_notebook():
        return True
    # pythonw.exe on Windows has no standard error at all.
    return sys.stderr is not None and sys.stderr.isatty()


def _is_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    # Only a notebook's shell has a kernel; its standard error is no terminal.
    return getattr(shell, "kernel", None) is not None


def find_bars() -> tuple[Callable[..., Any], bool]:
    """Return what makes progress bars in this session, and whether several can be shown at a time."""
    # Not tqdm.auto, which warns in a notebook without ipywidgets. Slow to import, and not needed without a terminal.
    from tqdm.std import tqdm as text_bar

    if not _is_notebook():
        return partial(text_bar, dynamic_ncols=True), True
    from tqdm import notebook

    if getattr(notebook, "IProgress", None) is not None:  # otherwise, ipywidgets is not installed
        return notebook.tqdm, True
    # The text output of a notebook has one line to draw on, and no width.
    return partial(text_bar, ncols=_TEXT_WIDTH), False
