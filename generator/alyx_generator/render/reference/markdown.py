"""Text in Markdown pages, whatever a server's schema holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from alyx_client.schema.report import escape_markdown
from alyx_generator.render.text import MARK, one_line, visible


def head(command: str) -> str:
    """Return the first line of a page that a command writes."""
    return f"<!-- {MARK}{command}`; do not edit. -->\n"


HEAD = head("alyx-generate docs")
"""The first line of a page of the generator's."""

# Code in docstrings has one backtick or two.
_CODE = re.compile(r"(``.+?``|`[^`]+`)")


def prose(text: str) -> str:
    """Return a description on one line: code in backticks stays code, and everything else is shown as it is."""
    shown = ""
    for part in filter(None, _CODE.split(one_line(text))):
        is_code = _CODE.fullmatch(part) is not None
        # Of two pieces of code, the end of one and the beginning of the next would be read as one mark.
        space = " " if is_code and shown.endswith("`") else ""
        shown += space + (code(part.strip("`")) if is_code else escape_markdown(part))
    return shown


def code(text: str) -> str:
    """Return code for a line or a cell of a table."""
    plain = one_line(text)
    longest = max(map(len, re.findall("`+", plain)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    # Tables end a cell at a vertical bar, even within code.
    escaped = plain.replace("|", "\\|")
    return f"{fence}{space}{escaped}{space}{fence}" if plain else ""


def block(text: str, language: str = "python") -> str:
    """Return a block of code that ends where the text does."""
    shown = visible(text).rstrip("\n")
    longest = max((len(run) for run in re.findall(r"`{3,}", shown)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}\n"


def signature_block(text: str) -> str:
    """Return a block with a signature: highlighted as Python, which it is not as it stands."""
    return block(text, "{code-block} python")


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; empty if it has no rows.

    Parameters
    ----------
    titles
        The titles of the columns.
    rows
        Cells in Markdown.
    """
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}", *lines]) + "\n"


def link(text: str, target: str) -> str:
    """Return a link to another page."""
    return f"[{escape_markdown(text)}]({target})"
