"""``alyx describe``: endpoints, actions, filters and fields, as their docstrings describe them."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import typer

from alyx_client.cli.completion import complete_endpoint
from alyx_client.cli.endpoint_source import ACTIONS, EndpointSource, MethodSource, Parameter
from alyx_client.cli.names import option
from alyx_client.cli.session import session_of
from alyx_client.cli.terminal import command, say
from alyx_client.cli.values import ValueType

__all__ = ["describe"]

# The options of an endpoint are those of the first of these actions that it has.
_OPTIONS = (
    ("Filters", ("list",)),
    ("Options", ("read",)),
    ("Fields", ("create", "partial_update", "update")),
)


@command
def describe(
    context: typer.Context,
    endpoint: Annotated[
        str | None, typer.Argument(metavar="[ENDPOINT]", help="The endpoint.", autocompletion=complete_endpoint)
    ] = None,
) -> None:
    """Describe endpoints, filters and fields.

    Without an endpoint, all of them are listed. The descriptions are those of the package; no server is contacted.

    For example:
      alyx describe
      alyx describe sessions
    """
    catalogue = session_of(context).catalogue
    width = min(shutil.get_terminal_size((100, 24)).columns, 120) if sys.stdout.isatty() else 100
    if endpoint is None:
        rows = [(option(name), one.description) for name, one in catalogue.endpoints.items()]
        say("\n".join(_definitions(rows, width, indent=0)))
        return
    say("\n".join(_endpoint(catalogue.endpoint(endpoint), width)))


def _endpoint(source: EndpointSource, width: int) -> Iterator[str]:
    yield f"{option(source.name)}: {source.description}"
    yield ""
    yield "Actions:"
    yield from _definitions(
        [(_usage(one, source), source.summary_of(name)) for name, one in source.methods.items()], width
    )
    for heading, actions in _OPTIONS:
        yield from _options(source, heading, [action for action in actions if action in source.methods], width)
    if source.columns:
        yield from ("", "Columns:")
        yield from _definitions([(name, one.description) for name, one in source.columns.items()], width)


def _usage(method: MethodSource, source: EndpointSource) -> str:
    words = ["alyx", ACTIONS[method.name], option(source.name)]
    # `update --replace` has its option behind the key.
    words[1], _, flag = words[1].partition(" ")
    return " ".join([*words, *([method.key.name.upper()] if method.key else []), *([flag] if flag else [])])


def _options(source: EndpointSource, heading: str, actions: Sequence[str], width: int) -> Iterator[str]:
    """Yield the lines of the options of some actions: those of the first."""
    options = source.options_of(actions[0]) if actions else dict[str, Parameter]()
    if not options:
        return
    marks = {
        "...": "may be repeated",
        "*": f"required to {'create' if 'create' in actions else 'replace'}",
    }
    marked = {name: _marks(one) for name, one in options.items()}
    used = [f"{mark} {text}" for mark, text in marks.items() if any(mark in one for one in marked.values())]
    names = " and ".join(dict.fromkeys(ACTIONS[action].partition(" ")[0] for action in actions))
    yield from ("", f"{heading} of {names}{' (' + ', '.join(used) + ')' if used else ''}:")
    rows = [
        (" ".join([f"--{option(name)}", ValueType.of(one.annotation).shown(), *marked[name]]), one.description)
        for name, one in options.items()
    ]
    yield from _definitions(rows, width)


def _marks(parameter: Parameter) -> list[str]:
    can_repeat = ValueType.of(parameter.annotation).can_repeat
    return [mark for mark, has_it in (("...", can_repeat), ("*", parameter.is_required)) if has_it]


def _definitions(rows: Iterable[tuple[str, str]], width: int, indent: int = 2) -> Iterator[str]:
    """Yield the lines of a list of terms and their descriptions, which begin in one column."""
    rows = list(rows)
    column = min(max((len(term) for term, _ in rows), default=0) + 2, 34) + indent
    for term, description in rows:
        lines = textwrap.wrap(description, max(width - column, 30)) or [""]
        start = " " * indent + term
        if len(start) + 2 > column:
            yield start
        else:
            lines[0] = f"{start:<{column}}{lines[0]}"
            yield lines.pop(0).rstrip()
        yield from (" " * column + line for line in lines if line)
