"""The versions of Alyx that parts of an interface are in, as cells and tables of the pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from alyx_generator.model.ir import Endpoint
from alyx_generator.model.parts import field_part, record_fields
from alyx_generator.render.reference.context import Context
from alyx_generator.source.history import History, Part

__all__ = ["about_versions", "field_since", "in_words", "model_places", "removed_rows", "since"]

_OR_EARLIER = "≤\u00a0"  # with a space at which no line breaks

_VERSIONS = """\
*Since* is the first version of Alyx that has something: {count} versions from {oldest} to {newest} are recorded, and
`≤ {oldest}` is that version or an earlier one. A cell is empty where the record says nothing.
"""


def about_versions(history: History) -> str:
    """Return the explanation of the versions on the pages; empty if none are recorded."""
    if not history.versions:
        return ""
    oldest, newest = history.versions[0], history.versions[-1]
    return _VERSIONS.format(count=len(history.versions), oldest=oldest, newest=newest)


def since(history: History, part: Part) -> str:
    """Return the version since which Alyx has a part, and the one that removed it; empty if they are unknown."""
    return _cell(history, part, _OR_EARLIER, "")


def in_words(history: History, part: Part) -> str:
    """Return the same as `since`, in a sentence."""
    return _cell(history, part, "", " or earlier")


def field_since(paths: Sequence[str], endpoint: Endpoint, context: Context) -> str:
    """Return the same as `since`, for the field that the earliest version has of those that are one to a reader.

    Parameters
    ----------
    paths
        The paths to them in the endpoint's records.
    endpoint
        The endpoint.
    context
        What pages are made from.
    """
    history = context.history
    parts = [field_part(endpoint, path) for path in paths]
    known = [part for part in parts if history.since(part)]
    lasting = [part for part in known if not history.removed(part)] or known
    first = min(lasting, key=lambda part: history.versions.index(history.since(part)), default=())
    return since(history, first)


def model_places(endpoint: Endpoint, context: Context) -> dict[str, list[str]]:
    """Return the places of each model in an endpoint's records, each as the beginning of the paths to its fields."""
    places: dict[str, list[str]] = {}
    for path, model in record_fields(endpoint, context.api.models):
        places.setdefault(model.name, []).append(path)
    return places


def removed_rows(history: History, present: Collection[Part]) -> Iterator[tuple[Part, str, str]]:
    """Yield what older versions of Alyx have and the newest one lacks: the part, since when, and what removed it.

    Parameters
    ----------
    history
        What versions of Alyx have.
    present
        The parts that the server has; an older one may have some that are removed.
    """
    for part in sorted(history.parts.keys() - present):
        if removed := history.removed(part):
            first = history.since(part)
            yield part, f"{_OR_EARLIER}{first}" if first == history.versions[0] else first, removed


def _cell(history: History, part: Part, before: str, after: str) -> str:
    first = history.since(part)
    if not first:
        return ""
    shown = f"{before}{first}{after}" if first == history.versions[0] else first
    removed = history.removed(part)
    return f"{shown}, removed in {removed}" if removed else shown
