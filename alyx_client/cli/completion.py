"""Completion of endpoints, filters and fields in bash, zsh, fish and PowerShell.

The names come from the package's source: nothing is imported but Typer, and no server is contacted.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from alyx_client.cli.catalogue import EndpointSource, Parameter, option, python_name
from alyx_client.cli.session import session_of
from alyx_client.cli.values import ValueType

__all__ = ["CreateCommand", "ListCommand", "UpdateCommand", "complete_endpoint"]


def complete_endpoint(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the endpoints that begin with a text, with their descriptions."""
    try:
        endpoints = session_of(context).catalogue.endpoints
    except Exception:  # a shell shows errors of completion amid the line that is being typed
        return []
    start = incomplete.replace("_", "-")
    return [(option(name), one.description) for name, one in endpoints.items() if option(name).startswith(start)]


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
            known = self.known(session_of(ctx).catalogue.endpoint(ctx.params["endpoint"]))
        except Exception:  # as above
            return items
        start = python_name(incomplete[2:])
        own = [kind(f"--{option(name)}", help=one.description) for name, one in known.items() if name.startswith(start)]
        return [*own, *items]


class ListCommand(DynamicCommand):
    """A command with an option for each filter of a list."""

    def known(self, endpoint: EndpointSource) -> Mapping[str, Parameter]:
        """Return the filters."""
        return endpoint.method("list").filters


class CreateCommand(DynamicCommand):
    """A command with an option for each field of a record."""

    def known(self, endpoint: EndpointSource) -> Mapping[str, Parameter]:
        """Return the fields."""
        return endpoint.fields_of("create")


class UpdateCommand(DynamicCommand):
    """A command with an option for each field that can be changed."""

    def known(self, endpoint: EndpointSource) -> Mapping[str, Parameter]:
        """Return the fields."""
        return endpoint.fields_of("partial_update") or endpoint.fields_of("update")


def complete_value(context: typer.Context, args: list[str], incomplete: str) -> list[str]:
    """Return the values that an option of a `DynamicCommand` can have."""
    words = [*context.params.get("words", ())]
    if not words or not isinstance(context.command, DynamicCommand):
        return []
    try:
        known = context.command.known(session_of(context).catalogue.endpoint(context.params["endpoint"]))
        parameter = known.get(python_name(words[-1].removeprefix("--")))
    except Exception:  # as above
        return []
    choices = ValueType.of(parameter.annotation).choices() if parameter else []
    return [value for value in choices if value.startswith(incomplete)]


def _item_class() -> Any:
    # Typer brings its own copy of Click since version 0.24.
    try:
        module = import_module("typer._click.shell_completion")
    except ModuleNotFoundError:
        module = import_module("click.shell_completion")
    return module.CompletionItem
