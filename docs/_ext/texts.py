"""The site as text for programs that read it: `llms.txt` names the pages, `llms-full.txt` has the guides' text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

SUMMARY = (
    "A typed Python client for Alyx, the database in which neuroscience labs record their animals, sessions and data "
    "files, generated from the server's own schema."
)
# Their text is in the full file; the reference is left out, since it is long and `help()` says the same.
IN_FULL = ("start/", "guides/", "how-it-works/")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    pages = list(pages_in_order(app.env))
    lines = [f"# {app.config.project} {app.config.version}", "", f"> {SUMMARY}"]
    for page, level in pages:
        title = app.env.titles[page].astext()
        if level == 1:
            lines += ["", f"## {title}", ""]
        url = f"{app.config.html_baseurl}{app.builder.get_target_uri(page)}"
        lines.append(f"- [{title}]({url}){_description(app.env, page)}")
    folder = Path(app.outdir)
    (folder / "llms.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    texts = [_source(app, page) for page, _ in pages if page.startswith(IN_FULL)]
    (folder / "llms-full.txt").write_text("\n\n".join(texts) + "\n", encoding="utf-8")


def pages_in_order(env: BuildEnvironment, page: str = "index", level: int = 1) -> Iterator[tuple[str, int]]:
    """Yield the pages below a page in the order of the tables of contents, with their level from 1."""
    for child in env.toctree_includes.get(page, ()):
        yield child, level
        yield from pages_in_order(env, child, level + 1)


def _description(env: BuildEnvironment, page: str) -> str:
    """Return the first sentence of a page."""
    paragraph = next(iter(env.get_doctree(page).findall(nodes.paragraph)), None)
    text = " ".join(paragraph.astext().split()) if paragraph is not None else ""
    sentence = re.split(r"(?<=[.:;]) ", text)[0].rstrip(".:;")
    return f": {sentence}" if sentence else ""


def _source(app: Sphinx, page: str) -> str:
    source = [Path(app.env.doc2path(page)).read_text(encoding="utf-8")]
    # Files of the repository that are pages are read in their place.
    app.emit("source-read", page, source)
    return source[0].strip()
