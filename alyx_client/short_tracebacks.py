"""Tracebacks that end where this package was called, made when IPython or Jupyter shows one."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

__all__ = ["short_lines"]

_PACKAGE = os.path.dirname(__file__) + os.sep


def short_lines(error: BaseException, printable: Callable[[str], str]) -> list[str]:
    """Return the lines of a traceback without the frames of this package, and without the message.

    Parameters
    ----------
    error
        The error.
    printable
        Returns a text that is safe to show.
    """
    frames: list[traceback.FrameSummary] = []
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(_PACKAGE) and frames:
            break
        if not {"IPython", "ipykernel"} & set(frame.filename.split(os.sep)):
            frames.append(frame)
    lines: list[str] = []
    for frame, text in zip(frames, traceback.format_list(frames), strict=True):
        first, *others = text.splitlines()
        cell = _cell_of(frame.filename)
        if cell:
            function = "" if frame.name == "<module>" else f", in {frame.name}"
            first = f"  {cell}, line {frame.lineno}{function}"
        lines += [first, *others]
    cause = error.__cause__
    because = [] if cause is None else [f"Caused by {type(cause).__name__}: {printable(str(cause))}"]
    more = "(ALYX_FULL_TRACEBACKS=1 in the environment shows the frames of alyx-client, too.)"
    return ["Traceback (most recent call last):", *lines, *because, more]


def _cell_of(filename: str) -> str | None:
    """Return the name of a notebook's cell, such as ``Cell In[3]``, in place of the file that it was compiled as."""
    ipython = sys.modules.get("IPython")
    compiler = getattr(ipython.get_ipython() if ipython else None, "compile", None)
    describe = getattr(compiler, "format_code_name", None)
    name = describe(filename) if describe else None
    return " ".join(name) if name else None
