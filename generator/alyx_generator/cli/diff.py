"""``alyx-generate diff``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from alyx_generator.cli.terminal import (
    DIFFERENT,
    SOURCE,
    Form,
    FormOption,
    OverlayOption,
    command,
    progress,
    say,
)
from alyx_generator.package.compare import compare
from alyx_generator.source.fetch import SchemaSource, decode, document_format, download, read_source
from alyx_generator.source.overlay import read_corrections, shipped_corrections


class FailOn(StrEnum):
    """What makes the command fail: a change of this group or of a graver one."""

    BREAKING = "breaking"
    TYPE_CHECKS = "type-checks"
    ANY = "any"


@command
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=f"The schema before: {SOURCE}.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The schema after, likewise.", show_default=False)],
    fail_on: Annotated[
        FailOn | None,
        typer.Option("--fail-on", help="End with 1 if there is such a change or a graver one; any: any change at all."),
    ] = None,
    overlay: OverlayOption = None,
    form: FormOption = Form.TEXT,
) -> None:
    """Tell what changed between two schemas, and whom it breaks.

    Both are corrected in the same way and compared by what they offer, named as users write it:
    client.subjects.list(reduced=). Changes that break callers come first, then those that a type checker finds once
    the client is generated anew, then the harmless ones.

    For example:
      alyx-generate diff 3.3.1 3.6.1
      alyx-generate diff alyx-schema.json https://alyx.lab.org --fail-on breaking --format markdown

    Exit codes:
      0  told
      1  told, and there is what --fail-on names
      2  called wrongly
      3  a server or a file cannot be read, or holds no schema
    """
    before, after = read_source(old), read_source(new)
    corrections = (*shipped_corrections(), *read_corrections(tuple(overlay or ())))
    documents = (_document(before), _document(after))
    progress("Comparing")
    found = compare(*documents, corrections, called=(str(before), str(after)))
    say({Form.TEXT: found.text, Form.MARKDOWN: found.markdown, Form.JSON: found.json}[form]())
    if fail_on is not None and found.fails(fail_on.value):
        raise typer.Exit(DIFFERENT)


def _document(source: SchemaSource) -> dict[str, Any]:
    progress(f"Reading the schema of {source}")
    document = decode(download(source), source)
    document_format(document, source)
    return document
