"""All pages of a reference: the endpoints, the query model and the corrections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alyx_generator.render.format import format_files
from alyx_generator.render.modules import Files
from alyx_generator.render.reference.context import Context
from alyx_generator.render.reference.corrections_page import AppliedTo, corrections_page
from alyx_generator.render.reference.endpoint_page import endpoint_page, example_sources
from alyx_generator.render.reference.history import about_versions, removed_rows, since
from alyx_generator.render.reference.markdown import HEAD, code, link, prose, table
from alyx_generator.render.reference.query_model_page import query_model_page
from alyx_generator.source.history import History
from alyx_generator.source.query_model import QueryModel

__all__ = ["KnownQueryModel", "render_reference"]


@dataclass(frozen=True)
class KnownQueryModel:
    """A server's query model, and what those of versions of Alyx have."""

    model: QueryModel
    history: History


def render_reference(
    context: Context, query_model: KnownQueryModel | None, corrections: Iterable[AppliedTo], guide: str
) -> Files:
    """Return the pages of a reference, by path below its folder.

    Parameters
    ----------
    context
        What pages are made from.
    query_model
        The query model; None if that is unknown.
    corrections
        The corrections that were applied, each with the endpoints that it changes.
    guide
        The address of the guide to conditions.
    """
    sources = format_files(example_sources(context))
    files: Files = {
        f"endpoints/{endpoint.name}.md": endpoint_page(endpoint, context, sources) for endpoint in context.api.endpoints
    }
    files["endpoints/index.md"] = "\n".join(_index(context))
    if query_model and context.api.condition_models:
        files["query-model.md"] = query_model_page(context, query_model.model, query_model.history, guide)
    files["corrections.md"] = corrections_page(corrections, len(context.api.endpoints))
    # Pages end with one line feed, and no part of them with several.
    return {path: _tidy(text) for path, text in files.items()}


def _index(context: Context) -> Iterator[str]:
    yield HEAD
    yield "# Endpoints\n"
    yield f"`{context.client.name}` has {len(context.api.endpoints)} endpoints.\n"
    yield about_versions(context.history)
    yield "*Null* says whether a value may be `None`, and *in* which shapes of a record have a field.\n"
    rows = (
        (
            link(endpoint.name, f"{endpoint.name}.md"),
            prose(endpoint.description),
            ", ".join(code(action.name) for action in endpoint.actions),
            since(context.history, (endpoint.name,)),
        )
        for endpoint in context.api.endpoints
    )
    yield table(("endpoint", "purpose", "actions", "since"), rows)
    removed = [(code(part[0]), *when) for part, *when in removed_rows(context.history, context.parts) if len(part) == 1]
    if removed:
        yield "## Removed endpoints\n"
        yield table(("endpoint", "since", "removed in"), removed)
    yield "```{toctree}\n:hidden:\n"
    yield from (endpoint.name for endpoint in context.api.endpoints)
    yield "```\n"


def _tidy(text: str) -> str:
    lines: list[str] = []
    is_code = False
    for line in text.splitlines():
        is_code ^= line.startswith("```")
        if line or is_code or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).rstrip("\n") + "\n"
