"""Pages of the site whose text is a file at the top of the repository, and links to these files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

PAGES = {
    "start/tour": "README.md",
    "contributing": "CONTRIBUTING.md",
    "changelog": "CHANGELOG.md",
    "support": "SUPPORT.md",
    "security-policy": "SECURITY.md",
    "dependencies": "DEPENDENCIES.md",
}
TOP = Path(__file__).parents[2]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("source-read", _read)
    app.connect("doctree-read", _link)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _read(app: Sphinx, page: str, source: list[str]) -> None:
    """Replace the text of a page by that of its file, whose links are relative to the top of the repository."""
    if page in PAGES:
        file = TOP / PAGES[page]
        app.env.note_dependency(str(file))
        up = "../" * (page.count("/") + 1)
        text = re.sub(r"\]\((?!https?://|#)", f"]({up}", file.read_text(encoding="utf-8"))
        source[0] = text.replace("# alyx-client\n", "# A tour of alyx-client\n", 1)


def _link(app: Sphinx, document: nodes.document) -> None:
    """Let links to such a file lead to its page."""
    pages = {str(TOP / Path(file).stem): page for page, file in PAGES.items()}
    for link in document.findall(pending_xref):
        link["reftarget"] = pages.get(link["reftarget"], link["reftarget"])
