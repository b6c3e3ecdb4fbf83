"""Text that goes into Python source: docstrings, whatever the text holds."""

from __future__ import annotations

import re
import textwrap

_WIDTH = 116


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
    plain = "".join(c if c == "\n" or c.isprintable() else f"\\x{ord(c):02x}" for c in plain.replace("\\", "\\\\"))
    return plain.replace('"', '\\"') if '"""' in plain or plain.endswith('"') else plain


def paragraph(text: str, *, indent: int = 0) -> str:
    """Return text wrapped to the line length, each line indented by `indent` columns."""
    margin = " " * indent
    return "\n".join(
        textwrap.fill(line, _WIDTH - 8, initial_indent=margin, subsequent_indent=margin) for line in text.splitlines()
    )
