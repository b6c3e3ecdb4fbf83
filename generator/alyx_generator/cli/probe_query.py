"""``alyx-generate probe --query-model``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from alyx_client.cli.terminal import note, say
from alyx_generator.cli.terminal import INTERRUPTED, Form, fail
from alyx_generator.package.write import write_file
from alyx_generator.probe.crawl import Progress
from alyx_generator.probe.query.report import in_json, in_markdown, text
from alyx_generator.probe.query.run import QueryProbe, probe_query_model
from alyx_generator.source.fetch import Access, SchemaSource
from alyx_generator.source.openapi import Document
from alyx_generator.source.overlay import Correction
from alyx_generator.source.query_model import query_model_text

_REPORTS = {Form.TEXT: text, Form.MARKDOWN: in_markdown, Form.JSON: in_json}


def write_query_model(
    source: SchemaSource,
    access: Access,
    document: Document,
    corrections: Sequence[Correction],
    *,
    per_minute: float,
    max_requests: int,
    out: Path,
    form: Form,
) -> None:
    """Learn a server's query model, write it to a file, and report it."""
    unfinished = out.with_name(f"{out.name}.unfinished")
    # disable=None: no bar unless stderr is a terminal.
    with tqdm(unit=" relations", disable=None, leave=False) as bar:

        def show(current: Progress) -> None:
            bar.total = max(current.total, 1)
            bar.set_description(current.operation, refresh=False)
            bar.set_postfix_str(f"{current.requests} requests", refresh=False)
            bar.n = current.done
            bar.refresh()

        try:
            result: QueryProbe = probe_query_model(
                source.where,
                document,
                corrections,
                access=access,
                per_minute=per_minute,
                max_requests=max_requests,
                state=unfinished,
                progress=show,
            )
        except KeyboardInterrupt:
            if not unfinished.exists():
                raise
            bar.close()
            fail(f"interrupted; the same command resumes from {unfinished}", INTERRUPTED)
    write_file(query_model_text(result.model).encode(), out)
    unfinished.unlink(missing_ok=True)
    note(f"{out}: written")
    say(_REPORTS[form](source.where, result))
