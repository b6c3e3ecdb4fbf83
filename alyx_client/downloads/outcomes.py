"""Outcomes of the downloads of one call: what it returns, and the error for those that failed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alyx_client.downloads.job import Job
from alyx_client.downloads.planning import Plan
from alyx_client.downloads.sources import describe
from alyx_client.errors import DownloadsFailedError, printable
from alyx_client.lazy_dataclasses import dataclass

_MAX_LINES = 20
_MAX_LINE = 700


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A complete file.

    Parameters
    ----------
    path
        The local file.
    md5
        Its MD5 in hexadecimal digits, if it was requested.
    """

    path: Path
    md5: str | None


Outcome = Downloaded | Exception | None
"""A file, the reason why there is none, or None for an empty source."""


def result_of(outcome: Outcome, *, md5: bool) -> Any:
    """Return what a call returns for one source.

    Parameters
    ----------
    outcome
        The source's outcome.
    md5
        Whether the MD5 was requested.

    Raises
    ------
    Exception
        The source could not be downloaded.
    """
    if isinstance(outcome, Exception):
        raise outcome
    path, digest = (outcome.path, outcome.md5) if outcome else (None, None)
    return (path, digest) if md5 else path


def raise_failures(outcomes: Sequence[Outcome], sources: Sequence[object], plans: Sequence[Plan]) -> None:
    """Raise one error with the result of each source, if some failed.

    Parameters
    ----------
    outcomes
        The outcome of each source.
    sources, plans
        The sources, and the plan for each.

    Raises
    ------
    DownloadsFailedError
        Some failed.
    """
    failed = [index for index, outcome in enumerate(outcomes) if isinstance(outcome, Exception)]
    if not failed:
        return
    lines = [
        printable(f"- {_line(index, outcomes[index], _label(sources[index], plans[index]))}", limit=_MAX_LINE)
        for index in failed[: _MAX_LINES + 1]
    ]
    if len(lines) > _MAX_LINES:
        lines[_MAX_LINES:] = [f"- {len(failed) - _MAX_LINES} more, in `results` of this error"]
    # An empty source has no file that could have been downloaded.
    others = "; the others were" if any(isinstance(outcome, Downloaded) for outcome in outcomes) else ""
    heading = f"{len(failed)} of {len(outcomes)} files could not be downloaded{others}:"
    error = DownloadsFailedError("\n".join([heading, *lines]))
    error.results = [outcome.path if isinstance(outcome, Downloaded) else outcome for outcome in outcomes]
    raise error


def _line(index: int, outcome: Outcome, label: str) -> str:
    # Most messages name the file themselves.
    message = str(outcome)
    return f"results[{index}]: {message}" if label in message else f"results[{index}], {label}: {message}"


def _label(source: object, planned: Plan) -> str:
    return planned.printable_url if isinstance(planned, Job) else describe(source)
