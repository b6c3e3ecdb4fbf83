"""Reports of ``alyx-generate check``: as text, in Markdown, and in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alyx_generator.package.write import Difference

_MAX_LINES = 12


@dataclass(frozen=True)
class CheckResult:
    """The differences between a folder and what would be generated.

    Parameters
    ----------
    folder
        The folder, or a description of it.
    differences
        The files that differ.
    advice
        What the user can do about them.
    """

    folder: str
    differences: Sequence[Difference]
    advice: Sequence[str]


def text(results: Sequence[CheckResult], full: bool) -> Iterator[str]:
    """Yield the lines of the report for a terminal.

    Parameters
    ----------
    results
        The folders checked.
    full
        Whether to show all lines that differ.
    """
    for result in results:
        if not result.differences:
            yield f"{result.folder}: up to date"
            continue
        yield f"{result.folder}: {_count(result)}"
        for difference in result.differences:
            yield f"\n{difference}"
            yield from (f"  {line}" for line in _shortened(difference.diff, full))
        yield ""
        yield from result.advice


def in_markdown(results: Sequence[CheckResult], full: bool) -> Iterator[str]:
    """Yield the lines of the report in Markdown; its parameters are those of `text`."""
    for result in results:
        yield f"**{result.folder}**: {_count(result) if result.differences else 'up to date'}."
        for difference in result.differences:
            yield f"\n### `{difference.path}` {difference.reason}"
            if difference.diff:
                # Four backticks, since generated READMEs contain code blocks themselves.
                yield "\n".join(["\n````diff", *_shortened(difference.diff, full), "````"])
        if result.differences:
            yield "\n" + "\n".join(result.advice)


def in_json(results: Sequence[CheckResult], full: bool) -> Iterator[str]:
    """Yield the report in JSON, which is always complete; its parameters are those of `text`."""
    packages = [
        {
            "folder": result.folder,
            "differences": [
                {"path": difference.path, "reason": difference.reason, "diff": difference.diff}
                for difference in result.differences
            ],
            "advice": list(result.advice) if result.differences else [],
        }
        for result in results
    ]
    yield json.dumps({"form": 1, "packages": packages}, indent=2)


def _count(result: CheckResult) -> str:
    count = len(result.differences)
    return f"{count} file{'s differ' if count != 1 else ' differs'}"


def _shortened(diff: str, full: bool) -> list[str]:
    lines = diff.splitlines()[2:]  # the report names the file already
    if full or len(lines) <= _MAX_LINES:
        return lines
    return [*lines[:_MAX_LINES], f"… {len(lines) - _MAX_LINES} more lines; --full shows them"]
