"""Tracebacks that Python prints at the end of a program, or at its prompt: those of this package's errors are short."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from alyx_client.errors import ShortTraceback, short_traceback, wants_full_tracebacks

__all__ = ["install"]

_PACKAGE = str(Path(__file__).parents[1])


def install() -> None:
    """Have Python print short tracebacks of this package's errors; the errors themselves have all frames.

    A hook that a program, a debugger or an editor has set is left alone, and one that is set later replaces this one.
    """
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _show


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not _is_ours(error, trace) or wants_full_tracebacks() or sys.stderr is None:
        sys.__excepthook__(kind, error, trace)
        return
    try:
        text = "\n".join(short_traceback(error.with_traceback(trace)))
    except Exception:  # an error that cannot be described must not hide what happened
        sys.__excepthook__(kind, error, trace)
        return
    print(text, file=sys.stderr)


def _is_ours(error: BaseException, trace: TracebackType | None) -> bool:
    """Return whether an error was raised by this package, and while no error of the user's was handled."""
    files = list(_files(trace))
    is_ours = isinstance(error, ShortTraceback) or type(error) in (TypeError, ValueError)
    if not is_ours or not files or not files[-1].startswith(_PACKAGE):
        return False
    chained = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    # The frames of an error begin where it was caught.
    return chained is None or next(_files(chained.__traceback__), _PACKAGE).startswith(_PACKAGE)


def _files(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename
        trace = trace.tb_next
