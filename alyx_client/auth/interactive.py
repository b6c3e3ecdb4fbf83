"""Whether there is somebody who can be asked."""

from __future__ import annotations

import sys


def can_ask() -> bool:
    """Tell whether a person can answer: at a terminal, or in a notebook whose kernel is not run unattended."""
    try:
        terminal = sys.stdin is not None and sys.stdin.isatty()
    except ValueError:  # It has been closed.
        terminal = False
    return terminal or _is_attended_notebook()


def _is_attended_notebook() -> bool:
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", False))
