"""Text that goes into Python source or a report, whatever it holds."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence

from alyx_client.schema.report import escaped

_WIDTH = 116
# Control, format and private characters, halves of characters, separators of lines and paragraphs.
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def docstring(text: str, *, indent: int) -> str:
    """Return text as a docstring literal, to stand at `indent` columns.

    Parameters
    ----------
    text
        Any text: quotes, backslashes and control characters come out as text.
    indent
        Columns before the opening quotes.
    """
    body = clean(text)
    if "\n" not in body and len(body) + indent + 6 <= _WIDTH:
        return f'"""{body}"""'
    margin = " " * indent
    lines = [margin + line if line else "" for line in body.splitlines()]
    return '"""' + "\n".join(lines).lstrip() + f'\n{margin}"""'


def clean(text: str) -> str:
    """Return text that is safe between triple quotes."""
    plain = re.sub(r"[^\S\n]+", lambda match: match.group() if match.group().strip(" ") == "" else " ", text.strip())
    plain = visible(plain.replace("\\", "\\\\"))
    return plain.replace('"', '\\"') if '"""' in plain or plain.endswith('"') else plain


def visible(text: str) -> str:
    """Return text with escapes for control characters and marks of direction, which could turn the source around."""
    return "".join(_escaped(c) if c != "\n" and unicodedata.category(c) in _HIDDEN else c for c in text)


def one_line(text: str) -> str:
    """Return text on one line, without what a terminal would obey."""
    return visible(" ".join(text.split()))


def markdown(text: str) -> str:
    """Return text on one line that Markdown shows as it is."""
    return escaped(one_line(text))


def first_of(items: Sequence[str], most: int = 12) -> list[str]:
    """Return the first of many items, and how many more there are."""
    if len(items) <= most:
        return list(items)
    return [*items[:most], f"... and {len(items) - most} more"]


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def paragraph(text: str, *, indent: int = 0) -> str:
    """Return text wrapped to the line length, each line indented by `indent` columns."""
    margin = " " * indent
    return "\n".join(
        textwrap.fill(line, _WIDTH - 8, initial_indent=margin, subsequent_indent=margin) for line in text.splitlines()
    )
