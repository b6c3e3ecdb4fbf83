"""Pages of the reference that are written at each build, from the code and from the model that it is generated from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alyx_generator.package.reference import shipped_reference
from api_pages import api_pages
from command_page import command_page
from errors_page import errors_page
from settings_page import settings_page

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "reference"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("builder-inited", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def generated_pages() -> dict[str, str]:
    """Return the pages by path below the reference."""
    return {
        **shipped_reference().files,
        **api_pages(),
        "command-line.md": command_page(),
        "errors.md": errors_page(),
        "settings.md": settings_page(),
    }


def _write(app: Sphinx) -> None:
    write_pages(generated_pages(), Path(app.srcdir) / FOLDER)


def write_pages(pages: Mapping[str, str], folder: Path) -> None:
    """Write the pages that have changed: Sphinx reads only these again. Pages of what is gone are removed."""
    for path, text in pages.items():
        file = folder / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
    for below in ("endpoints", "api"):
        for file in (folder / below).glob("*.md"):
            if file.relative_to(folder).as_posix() not in pages:
                file.unlink()
