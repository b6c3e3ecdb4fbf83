"""The page of the corrections: where a server's schema is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from alyx_generator.render.reference.markdown import HEAD, block, code, link, prose
from alyx_generator.source.overlay import Correction
from alyx_generator.source.yaml_text import dump_yaml

__all__ = ["AppliedTo", "corrections_page"]

AppliedTo = tuple[Correction, Sequence[str]]
"""A correction, and the endpoints that it changes."""

_INTRODUCTION = """\
Alyx describes itself in a schema, which is not always true of what the server does. The client is generated from the
schema with these corrections, each with the evidence for it: what a running server returned or refused. They are data
in the form of an OpenAPI Overlay, and a lab can add its own (`alyx-generate client --overlay`).
"""
_GROUPS = (
    ("The whole server", "$"),
    ("Records", "$.components"),
    ("Actions and filters", "$.paths"),
    ("Other parts", ""),
)


def corrections_page(corrections: Iterable[AppliedTo], endpoints: int) -> str:
    """Return the page of the corrections.

    Parameters
    ----------
    corrections
        The corrections, each with the endpoints that it changes.
    endpoints
        The number of all endpoints.
    """
    groups: dict[str, list[AppliedTo]] = {title: [] for title, _ in _GROUPS}
    for correction, changed in corrections:
        groups[_group(correction.target)].append((correction, changed if len(changed) < endpoints else ()))
    parts = [HEAD, "# Where Alyx's schema is wrong\n", _INTRODUCTION]
    parts.append(
        "`x-answered` and `x-sent` hold in responses or in requests only. A correction for some generations of Alyx "
        "says so: it applies where the schema has (`x-when`), or lacks (`x-unless`), what is named.\n"
    )
    for title, members in groups.items():
        if members:
            parts += [f"## {title}\n", *(line for one in members for line in _correction(*one))]
    return "\n".join(parts)


def _group(target: str) -> str:
    return next(title for title, start in _GROUPS if target == start or (start != "$" and target.startswith(start)))


def _correction(correction: Correction, endpoints: Sequence[str]) -> Iterator[str]:
    yield f"**{code(correction.target)}**\n"
    yield f"{prose(correction.description)}\n"
    links = ", ".join(link(name, f"endpoints/{name}.md") for name in endpoints)
    conditions = [f"where {code(path)} selects something" for path in correction.when]
    conditions += [f"where {code(path)} selects nothing" for path in correction.unless]
    if links or conditions:
        yield f"{'; '.join(filter(None, [f'Endpoints: {links}' if links else '', *conditions]))}.\n"
    yield "The part is removed.\n" if correction.remove else block(dump_yaml(correction.update), "yaml")
