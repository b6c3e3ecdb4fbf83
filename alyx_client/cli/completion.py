"""Completion of endpoints, filters and fields in bash, zsh, fish and PowerShell.

The names come from the package's source: nothing is imported but Typer, and no server is contacted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from alyx_client.cli.endpoint_source import EndpointSource, Parameter
from alyx_client.cli.names import option, python_name
from alyx_client.cli.query_source import query_fields
from alyx_client.cli.session import session_of
from alyx_client.cli.values import ValueType

__all__ = [
    "CreateCommand",
    "GetCommand",
    "ListCommand",
    "UpdateCommand",
    "complete_columns",
    "complete_condition",
    "complete_endpoint",
    "prepare_completion",
]


def complete_endpoint(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the endpoints that begin with a text, with their descriptions."""
    try:
        endpoints = session_of(context).catalogue.endpoints
    except Exception:  # a shell shows errors of completion amid the line that is being typed
        return []
    start = incomplete.replace("_", "-")
    return [_item(option(name), one.description) for name, one in endpoints.items() if option(name).startswith(start)]


class DynamicCommand(TyperCommand):
    """A command with further options, which depend on the endpoint."""

    def known(self, endpoint: EndpointSource) -> Mapping[str, Parameter]:
        """Return the further options."""
        raise NotImplementedError

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Return the options that begin with a text."""
        items = super().shell_complete(ctx, incomplete)
        if not incomplete.startswith("--"):
            return items
        kind = type(items[0]) if items else _item_class()
        try:
            known = self.known(_endpoint_of(ctx))
        except Exception:  # as above
            return items
        start = python_name(incomplete[2:])
        own = [_item(f"--{option(name)}", one.description) for name, one in known.items() if name.startswith(start)]
        return [*(kind(name, help=text) for name, text in own), *items]


class ListCommand(DynamicCommand):
    """A command with an option for each filter of a list."""

    def known(self, endpoint: EndpointSource) -> Mapping[str, Parameter]:
        """Return the filters."""
        return endpoint.options_of("list")


class GetCommand(DynamicCommand):
    """A command with an option for each further parameter of reading a record."""

    def known(self, endpoint: EndpointSource) -> Mapping[str, Parameter]:
        """Return the parameters."""
        return endpoint.options_of("read")


class CreateCommand(DynamicCommand):
    """A command with an option for each field of a record."""

    def known(self, endpoint: EndpointSource) -> Mapping[str, Parameter]:
        """Return the fields."""
        return endpoint.options_of("create")


class UpdateCommand(DynamicCommand):
    """A command with an option for each field that can be changed."""

    def known(self, endpoint: EndpointSource) -> Mapping[str, Parameter]:
        """Return the fields."""
        return endpoint.options_of("partial_update" if "partial_update" in endpoint.methods else "update")


def complete_value(context: typer.Context, args: list[str], incomplete: str) -> list[str]:
    """Return the values that an option of a `DynamicCommand` can have."""
    words = [*context.params.get("words", ())]
    if not words or not isinstance(context.command, DynamicCommand):
        return []
    try:
        known = context.command.known(_endpoint_of(context))
        parameter = known.get(python_name(words[-1].removeprefix("--")))
    except Exception:  # as above
        return []
    choices = ValueType.of(parameter.annotation).choices() if parameter else []
    return [value for value in choices if value.startswith(incomplete)]


def complete_columns(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the lists of columns whose last name begins as typed."""
    try:
        columns = _endpoint_of(context).columns
    except Exception:  # as above
        return []
    before, comma, start = incomplete.rpartition(",")
    chosen = before.split(",")
    return [
        _item(f"{before}{comma}{name}", one.description)
        for name, one in columns.items()
        if name.startswith(start) and name not in chosen
    ]


def complete_condition(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the conditions whose last field begins as typed; fields of other records come after their relation."""
    if incomplete.count("'") % 2 or incomplete.count('"') % 2:
        return []  # in a value
    path = re.search(r"[\w.]*$", incomplete)
    owner, _, start = path[0].rpartition(".") if path else ("", "", "")
    before = incomplete.removesuffix(start)
    try:
        fields = query_fields(_endpoint_of(context), owner)
    except Exception:  # as above
        return []
    return [_item(f"{before}{name}", text) for name, text in fields.items() if name.startswith(start)]


def prepare_completion(environ: MutableMapping[str, str]) -> None:
    """Prepare what Typer reads of the environment, if a shell has called for completion.

    Parameters
    ----------
    environ
        The environment.
    """
    shell = environ.get("_ALYX_COMPLETE")
    if shell:
        # Typer lets Rich wrap the descriptions, and shells take each line for a completion.
        environ["TERMINAL_WIDTH"] = "100000"
    if shell == "complete_bash":
        _join_bash_words(environ)


def _join_bash_words(environ: MutableMapping[str, str]) -> None:
    """Join the words that bash has split at colons and equals signs, such as those of a URL."""
    words, current = environ.get("COMP_WORDS", "").split("\n"), environ.get("COMP_CWORD", "")
    if not current.isdecimal() or not any(word in _BREAKS for word in words):
        return
    place, joined = int(current), list[str]()
    is_glued = False
    for word in words[:place]:
        is_break = word in _BREAKS
        if joined and (is_break or is_glued):
            joined[-1] += word
        else:
            joined.append(word)
        is_glued = is_break
    environ.update(COMP_WORDS="\n".join([*joined, *words[place:]]), COMP_CWORD=str(len(joined)))


_BREAKS = frozenset((":", "=", "://"))


def _item(name: str, description: str) -> tuple[str, str]:
    """Return a completion with its description, in which Rich must find no markup."""
    return name, " ".join(description.split()).replace("[", "(").replace("]", ")")


def _endpoint_of(context: Any) -> EndpointSource:
    # While an option has no value yet, Click has parsed no arguments.
    name = context.params.get("endpoint") or next(word for word in context.args if not word.startswith("-"))
    return session_of(context).catalogue.endpoint(name)


def _item_class() -> Any:
    # Typer brings its own copy of Click since version 0.24.
    try:
        module = import_module("typer._click.shell_completion")
    except ModuleNotFoundError:  # pragma: no cover - other version of a library
        module = import_module("click.shell_completion")
    return module.CompletionItem
