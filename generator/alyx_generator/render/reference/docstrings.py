"""Docstrings of generated methods, taken apart again: pages show what ``help`` shows."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

Entries = tuple[tuple[str, str], ...]
"""Names or types, each with its documentation."""

_TITLE = re.compile(r"(?m)^(\w+)\n-+\n")


@dataclass(frozen=True)
class Documentation:
    """A docstring in NumPy style: its text before the sections, and the sections that methods have."""

    text: tuple[str, ...]
    parameters: Entries = ()
    returns: Entries = ()
    raises: Entries = ()


def read_docstring(docstring: str) -> Documentation:
    """Return the parts of a docstring.

    Parameters
    ----------
    docstring
        The docstring of a generated method or class.
    """
    text, *sections = _TITLE.split(inspect.cleandoc(docstring))
    entries = dict(zip(sections[::2], map(_entries, sections[1::2]), strict=True))
    paragraphs = tuple(" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip())
    return Documentation(
        paragraphs, entries.get("Parameters", ()), entries.get("Returns", ()), entries.get("Raises", ())
    )


def _entries(section: str) -> Entries:
    entries: list[tuple[str, list[str]]] = []
    for line in section.splitlines():
        if line and not line[0].isspace():
            entries.append((line.strip(), []))
        elif entries:
            entries[-1][1].append(line.strip())
    return tuple((name, " ".join(filter(None, lines))) for name, lines in entries)
