"""A picture of what an editor completes, made from the client itself: ``{completion} client.sessions.list(n``."""

from __future__ import annotations

import inspect
import re
from html import escape
from operator import attrgetter
from typing import Any

import jedi
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from alyx_client import AlyxClient

_SHOWN = 7


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_directive("completion", _Completion)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


class _Completion(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        code = self.arguments[0]
        items = "\n".join(
            f"<li><span>{escape(name)}</span> <code>{escape(kind)}</code></li>" for name, kind in completions(code)
        )
        caret = '<span class="completion-caret" aria-hidden="true"></span>'
        picture = (
            f'<div class="completion" role="group" aria-label="What an editor completes">'
            f"<pre>{escape(code)}{caret}</pre>\n<ul>\n{items}\n</ul></div>"
        )
        return [nodes.raw("", picture, format="html")]


def completions(code: str) -> list[tuple[str, str]]:
    """Return the names that complete a line of code about a `client`, with their types."""
    with AlyxClient("http://127.0.0.1:8000", silent=True) as client:
        found = jedi.Interpreter(code, [{"client": client}]).complete()
        called = re.match(r"client\.([\w.]+)\(", code)
        method = attrgetter(called[1])(client) if called else None
    parameters = inspect.signature(method).parameters if method is not None else {}
    shown = [completion for completion in found if not completion.name.startswith("_")][:_SHOWN]
    return [
        (completion.name_with_symbols, _kind(parameters[completion.name.rstrip("=")].annotation))
        if completion.type == "param"
        else (completion.name_with_symbols, completion.type)
        for completion in shown
    ]


def _kind(annotation: object) -> str:
    """Return a declared type as the words that a reader needs: without None, and without records for their keys."""
    text = re.sub(r"(?:Sequence\[)?RecordOf\[[^\]]*\]\]?", "", str(annotation))
    parts = [part.strip() for part in text.split("|")]
    return " | ".join(part for part in parts if part and part != "None")
