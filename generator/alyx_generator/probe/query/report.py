"""Reports of a probe for the query model: as text, in Markdown, and in JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from alyx_generator.probe.query.run import QueryProbe
from alyx_generator.render.text import markdown


def text(server: str, result: QueryProbe) -> str:
    """Return the report for a terminal.

    Parameters
    ----------
    server
        The server that was probed.
    result
        The result of the probe.
    """
    return "\n".join(_lines(server, result)) + "\n"


def in_markdown(server: str, result: QueryProbe) -> str:
    """Return the report in Markdown; its parameters are those of `text`."""
    first, *others = _lines(server, result)
    return "\n".join([f"# {markdown(first)}", "", *(f"- {markdown(line.strip())}" for line in others)]) + "\n"


def in_json(server: str, result: QueryProbe) -> str:
    """Return the report in JSON; its parameters are those of `text`."""
    learnt = result.learnt
    content = {
        "form": 1,
        "server": server,
        "requests": result.requests,
        "seconds": round(result.seconds, 1),
        "lists": len(result.model.endpoints),
        "models": len(result.model.models),
        "fields": result.model.fields,
        "skipped": dict(learnt.skipped),
        "annotations": list(learnt.annotations),
        "unnamed": list(learnt.unnamed),
        "refused_lookups": {name: list(lookups) for name, lookups in learnt.refused.items()},
    }
    return json.dumps(content, indent=2) + "\n"


def _lines(server: str, result: QueryProbe) -> Iterator[str]:
    model, learnt = result.model, result.learnt
    counts = (_count(len(model.models), "model"), _count(model.fields, "field"), _count(len(model.endpoints), "list"))
    yield "{}: {} with {}, behind {} and their relations; {} requests".format(server, *counts, result.requests)
    for path, reason in learnt.skipped.items():
        yield f"  /{path} skipped: it does not name the fields of its model ({reason})"
    for name in learnt.annotations:
        yield f"  {name} left out: it exists on its list only, and no relation reaches it"
    if learnt.unnamed:
        yield f"  {', '.join(learnt.unnamed)}: only common names were tried, since no list has these models"
    for django_class, lookups in learnt.refused.items():
        yield f"  {django_class}: the server refuses {', '.join(lookups)}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun if number == 1 else f'{noun}s'}"
