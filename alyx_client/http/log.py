"""Logging under ``alyx_client``: silent unless the application or ``ALYX_LOG`` enables it."""

from __future__ import annotations

import contextvars
import logging
import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from alyx_client.errors import printable
from alyx_client.http.url import redact_text, redact_url
from alyx_client.lazy_dataclasses import dataclass

logger = logging.getLogger("alyx_client")

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}
_PACKAGE = str(Path(__file__).parents[1])


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the user's code, without its frame, which would hold the user's variables."""

    filename: str
    number: int
    names: dict[str, Any]

    def warn(self, message: str, category: type[Warning]) -> None:
        """Issue a warning that points at the line, as `warnings.warn` would there."""
        registry = self.names.setdefault("__warningregistry__", {})
        module = self.names.get("__name__") or "<string>"
        # Without the module's globals, whose loader would be asked for the source of the module: that of a program
        # started by `python -m` knows it by another name than `__main__`, and raises ImportError.
        warnings.warn_explicit(message, category, self.filename, self.number, module, registry)


_users_line: contextvars.ContextVar[_Line | None] = contextvars.ContextVar("alyx_client_users_line", default=None)


class _EnvironmentHandler(logging.StreamHandler):  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]
    """The handler that ``ALYX_LOG`` installs; a class of its own, so that it is recognised and not added twice."""


def configure(environ: Mapping[str, str] = os.environ) -> None:
    """Configure the logger from ``ALYX_LOG`` (``debug``, ``info`` or ``warning``); calling it again changes nothing.

    Parameters
    ----------
    environ
        The environment.
    """
    if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
        logger.addHandler(logging.NullHandler())
    level = _LEVELS.get(environ.get("ALYX_LOG", "").strip().lower())
    if level is None or any(isinstance(handler, _EnvironmentHandler) for handler in logger.handlers):
        return
    handler = _EnvironmentHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s: %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    logger.setLevel(level)


def log_response(method: str, url: str, status: int, size: int, seconds: float) -> None:
    """Log a response: ``GET /subjects 200 12 kB 0.13 s``."""
    if logger.isEnabledFor(logging.DEBUG):
        logger.debug("%s %s %d %s %.2f s", method, _loggable(url), status, readable_size(size), seconds)


def log_failure(method: str, url: str, error: BaseException, seconds: float) -> None:
    """Log a request that got no response."""
    if logger.isEnabledFor(logging.DEBUG):
        reason = redact_text(f"{type(error).__name__}: {error}")
        logger.debug("%s %s no response (%s) %.2f s", method, _loggable(url), reason, seconds)


def readable_size(size: int) -> str:
    """Format a number of bytes in B, kB, MB or GB."""
    amount, unit = float(size), "B"
    for larger in ("kB", "MB", "GB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if amount >= 10 or unit == "B" else f"{amount:.1f} {unit}"


def warn(message: str, category: type[Warning]) -> None:
    """Issue a warning that points at the line of the user's code that called this package.

    Parameters
    ----------
    message
        The text of the warning.
    category
        The warning's class.
    """
    line = _users_line.get()
    if line is None:
        warnings.warn(printable(message), category, stacklevel=_users_level())
    else:
        line.warn(printable(message), category)


def context_of_caller() -> contextvars.Context:
    """Return a copy of the context, for a thread or a task, whose warnings point at the line of the user's code, too.

    A thread and a task have a stack of their own, with nothing of the user's in it.
    """
    context = contextvars.copy_context()
    if _users_line.get() is None:
        try:
            frame = sys._getframe(_users_level() - 1)  # pyright: ignore[reportPrivateUsage]
        except ValueError:  # a thread of this package without a line of the user's
            return context
        context.run(_users_line.set, _Line(frame.f_code.co_filename, frame.f_lineno, frame.f_globals))
    return context


def _users_level() -> int:
    """Return the level of the user's code in the stack, where that of the caller is 1."""
    level, outermost = 1, 2
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # inspect is slow to import
    while frame is not None:
        if frame.f_code.co_filename.startswith(_PACKAGE):
            outermost = level + 1
        frame, level = frame.f_back, level + 1
    return outermost


def _escape(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    escaped = printable(text)
    if escaped != text:
        record.msg, record.args = escaped, None
    return True


def _loggable(url: str) -> str:
    parts = urlsplit(redact_url(url))
    text = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return text if len(text) <= 200 else f"{text[:199]}…"


# The words of servers must neither command a terminal nor pass for lines of their own.
logger.addFilter(_escape)
configure()
