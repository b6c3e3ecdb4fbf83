"""``alyx-generate diff``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from alyx_client.cli.terminal import say
from alyx_client.schema.report import Report
from alyx_generator.cli.terminal import (
    DIFFERENT,
    SOURCE,
    USAGE,
    Form,
    FormOption,
    HeaderOption,
    OverlayOption,
    command,
    fail,
    progress,
    read_access,
)
from alyx_generator.package.compare import compare
from alyx_generator.package.compare_fields import with_changed_fields
from alyx_generator.source.fetch import Access, SchemaSource, decode, document_format, download, read_source
from alyx_generator.source.overlay import read_corrections, shipped_corrections
from alyx_generator.source.paths import query_models, snapshots
from alyx_generator.source.query_model import QueryModel, is_query_model, read_query_model


class FailOn(StrEnum):
    """Severities that make the command fail: a change of this severity or of a higher one."""

    BREAKING = "breaking"
    TYPE_CHECKS = "type-checks"
    ANY = "any"


@command
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=f"The old schema: {SOURCE}.", show_default=False)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new schema, likewise.", show_default=False)],
    fail_on: Annotated[
        FailOn | None,
        typer.Option("--fail-on", help="Exit with 1 if there is a change of this severity or of a higher one."),
    ] = None,
    overlay: OverlayOption = None,
    header: HeaderOption = None,
    form: FormOption = Form.TEXT,
) -> None:
    """Show the changes between two schemas, and which of them break callers.

    The same corrections are applied to both, and changes are named as users write them:
    client.subjects.list(reduced=). The fields of typed conditions are compared between two query models, which OLD and
    NEW may be as well, and between two shipped snapshots. Changes that break callers come first, then those that a type
    checker reports once the client is generated again, then the harmless ones.

    For example:
      alyx-generate diff 3.3.1 3.6.1
      alyx-generate diff alyx-schema.json https://alyx.lab.org --fail-on breaking --format markdown
      alyx-generate diff lab.query.json 3.6.1

    Exit codes:
      0  completed
      1  completed, and --fail-on applies
      2  usage error
      3  a server or a file cannot be read, or is not a schema
    """
    before, after = read_source(old), read_source(new)
    has_schemas = not (_is_query_model(before) or _is_query_model(after))
    corrections = (*shipped_corrections(), *read_corrections(tuple(overlay or ())))
    comparison = Report(()).with_names(str(before), str(after))
    if has_schemas:
        access = read_access(header, before, after)
        documents = (_document(before, access), _document(after, access))
        progress("Comparing")
        comparison = compare(*documents, corrections, called=(str(before), str(after)))
    if not has_schemas or before.kind == after.kind == "snapshot":
        comparison = with_changed_fields(comparison, _query_model(before), _query_model(after))
    say({Form.TEXT: comparison.text, Form.MARKDOWN: comparison.markdown, Form.JSON: comparison.json}[form]())
    if fail_on is not None and comparison.fails(fail_on.value):
        raise typer.Exit(DIFFERENT)


def _is_query_model(source: SchemaSource) -> bool:
    return source.kind == "file" and is_query_model(decode(download(source), source.where))


def _query_model(source: SchemaSource) -> QueryModel:
    if source.kind == "snapshot":
        return read_query_model(query_models()[snapshots()[source.where].stem.removeprefix("alyx-")])
    if not _is_query_model(source):
        fail(f"diff: {source} is a schema, and the other one is a query model", USAGE)
    return read_query_model(Path(source.where))


def _document(source: SchemaSource, access: Access) -> dict[str, Any]:
    progress(f"Reading the schema of {source}")
    document = decode(download(source, access), source)
    document_format(document, source)
    return document
