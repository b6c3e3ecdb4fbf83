"""Reports on source files: as a diff, as text, and as JSON."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from alyx_client.one.migrate.reasons import Reason

__all__ = ["FileReport", "Left", "Report", "unified_diff"]


@dataclass(frozen=True, slots=True)
class Left:
    """A call that is left as it is.

    Parameters
    ----------
    place
        Its line, or its cell and line.
    reason
        The reason.
    detail
        The name, argument or use that it is about.
    """

    place: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """The changes to a file, and the calls in it that are left.

    Parameters
    ----------
    path
        The file.
    moved
        The number of calls that were rewritten.
    left
        The calls that are left.
    diff
        The changes.
    problem
        The reason why the file was not read or not written, or was only read in part; empty if there is none.
    """

    path: str
    moved: int = 0
    left: tuple[Left, ...] = ()
    diff: str = ""
    problem: str = ""


@dataclass(slots=True)
class Report:
    """The changes to all files, and the calls in them that are left."""

    files: list[FileReport] = field(default_factory=list[FileReport])

    @property
    def moved(self) -> int:
        """The number of calls that were rewritten."""
        return sum(file.moved for file in self.files)

    @property
    def reasons(self) -> Sequence[tuple[Reason, int]]:
        """The reasons why calls are left, the most frequent first."""
        return Counter(left.reason for file in self.files for left in file.left).most_common()

    @property
    def has_problems(self) -> bool:
        """Whether a name is misspelled, or a file was not read or not written."""
        return any(file.problem for file in self.files) or any(reason.is_mistake for reason, _ in self.reasons)

    def to_text(self) -> str:
        """Return the report as text."""
        left = sum(count for _, count in self.reasons)
        counts = f"{_count(len(self.files), 'file')}, {_count(self.moved + left, 'call')}"
        lines = [f"{counts}: {self.moved} moved, {left} left"]
        lines += [f"  {count:4}  {reason.value}" for reason, count in self.reasons]
        for title, is_mistake in (("Left as they are:", False), ("Misspelled:", True)):
            calls = [
                f"  {file.path}:{left.place}: {left.reason.value}: {left.detail}"
                for file in self.files
                for left in file.left
                if left.reason.is_mistake is is_mistake
            ]
            lines += ["", title, *calls] if calls else []
        problems = [f"  {file.path}: {file.problem}" for file in self.files if file.problem]
        lines += ["", "Not done:", *problems] if problems else []
        return "\n".join(lines)

    def to_json(self) -> str:
        """Return the report as JSON, the diff included."""
        return json.dumps(
            {
                "files": len(self.files),
                "moved": self.moved,
                "left": {reason.name.lower(): count for reason, count in self.reasons},
                "calls": [_left_to_json(file.path, left) for file in self.files for left in file.left],
                "problems": {file.path: file.problem for file in self.files if file.problem},
                "diff": "".join(file.diff for file in self.files),
            },
            indent=2,
        )


def _left_to_json(path: str, left: Left) -> dict[str, Any]:
    return {
        "path": path,
        "place": left.place,
        "reason": left.reason.name.lower(),
        "detail": left.detail,
        "misspelled": left.reason.is_mistake,
    }


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def unified_diff(path: str, old: str, new: str) -> str:
    """Return the changes to a file; empty if there are none.

    Parameters
    ----------
    path
        The file.
    old, new
        Its text.
    """
    if old == new:
        return ""
    lines = difflib.unified_diff(_lines(old), _lines(new), f"a/{path}", f"b/{path}")
    return "".join(_with_end(lines))


def _lines(text: str) -> list[str]:
    # Not splitlines(), which also splits at form feeds and other characters within a line.
    return [f"{line}\n" for line in text.split("\n")[:-1]] + [line for line in text.split("\n")[-1:] if line]


def _with_end(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
