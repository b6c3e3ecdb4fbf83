"""Progress bars: whether anyone sees them, and what makes them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

__all__ = ["are_shown", "find_bars", "set_count"]

_TEXT_WIDTH = 100
_NOTEBOOK_DELAY = 0.3
"""Seconds before a notebook shows a bar; one that was removed at once would leave an empty line."""


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


def find_bars() -> tuple[Callable[..., Any], bool]:  # pragma: no cover - runs in a child process
    """Return what makes progress bars in this session, and whether several can be shown at a time."""
    # Not tqdm.auto, which warns in a notebook without ipywidgets. Slow to import, and not needed without a terminal.
    from tqdm.std import tqdm as text_bar

    if not _is_notebook():
        return partial(text_bar, dynamic_ncols=True), True
    from tqdm import notebook

    if getattr(notebook, "IProgress", None) is not None:  # otherwise, ipywidgets is not installed
        return partial(notebook.tqdm, delay=_NOTEBOOK_DELAY), True
    # The text output of a notebook has one line to draw on, and no width. Standard error would look like an error.
    return partial(text_bar, ncols=_TEXT_WIDTH, file=sys.stdout, delay=_NOTEBOOK_DELAY), False


def set_count(bar: Any, count: int) -> None:
    """Draw a bar with another count, once its delay is over.

    Parameters
    ----------
    bar
        The bar.
    count
        How much is done.
    """
    # update() would skip redraws by its own clock, and leave the bar behind what is done. refresh() knows no delay, and
    # close() removes nothing that was drawn before it.
    now = time.time()
    if not bar.disable and count != bar.n and now >= bar.start_t + bar.delay:
        bar.n = count
        bar.refresh()
        bar.last_print_t = now
