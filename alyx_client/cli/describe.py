"""``alyx describe``: endpoints, actions, filters and fields, as their docstrings describe them."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

import typer

from alyx_client.cli.catalogue import ACTIONS, EndpointSource, MethodSource, Parameter, option
from alyx_client.cli.completion import complete_endpoint
from alyx_client.cli.session import session_of
from alyx_client.cli.terminal import command, say
from alyx_client.cli.values import ValueType

__all__ = ["describe"]


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
    yield from _definitions([(_usage(one, source), one.summary) for one in source.methods.values()], width)
    if "list" in source.methods and source.methods["list"].filters:
        yield from ("", "Filters of list:")
        yield from _definitions(_options(source.methods["list"].filters), width)
    fields = source.fields_of("create") or source.fields_of("update") or source.fields_of("partial_update")
    if fields:
        yield from ("", "Fields of create and update (* required to create):")
        yield from _definitions(_options(fields), width)
    if source.columns:
        yield from ("", "Columns:")
        yield from _definitions([(name, one.description) for name, one in source.columns.items()], width)


def _usage(method: MethodSource, source: EndpointSource) -> str:
    words = ["alyx", ACTIONS[method.name], option(source.name)]
    # `update --replace` has its option behind the key.
    words[1], _, flag = words[1].partition(" ")
    return " ".join([*words, *([method.key.name.upper()] if method.key else []), *([flag] if flag else [])])


def _options(parameters: Mapping[str, Parameter]) -> list[tuple[str, str]]:
    return [
        (f"--{option(name)} {ValueType.of(one.annotation).shown()}{' *' if one.is_required else ''}", one.description)
        for name, one in parameters.items()
    ]


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
