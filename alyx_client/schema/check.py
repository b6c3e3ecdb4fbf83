"""Whether a server is still the one that a client was generated for."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from typing import Any, cast

from alyx_client.errors import ConfigurationError, UnexpectedAnswerError
from alyx_client.schema.commands import generate_command
from alyx_client.schema.diff import live_report
from alyx_client.schema.extract import UnreadableDocumentError
from alyx_client.schema.report import Report
from alyx_client.schema.surface import Surface, load

__all__ = ["SURFACE", "carried", "compared"]

SURFACE = "surface.jsonl"
"""The file by which a generated package tells what its server offered."""


def carried(package: str | None) -> Surface:
    """Return what a server offered when a package was generated for it.

    Parameters
    ----------
    package
        The package's name.

    Raises
    ------
    ConfigurationError
        The package does not tell.
    """
    if package is None:
        raise ConfigurationError(
            "A client without endpoints of its own has no schema to compare with. Take AlyxClient, or the Client of a "
            "package that `alyx-generate client` wrote."
        )
    file = resources.files(package) / SURFACE
    try:
        return load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"The package {package} has no {SURFACE}, which says what it was generated from. Generate it anew with "
            "alyx-generate client."
        ) from None
    except ValueError as error:
        raise ConfigurationError(f"{SURFACE} of the package {package}: {error}") from None


def compared(surface: Surface, package: str | None, document: object, base_url: str) -> Report:
    """Return what changed on a server since a package was generated for it.

    Parameters
    ----------
    surface, package
        What the package carries, and its name.
    document
        The server's schema now, decoded.
    base_url
        The server.

    Raises
    ------
    UnexpectedAnswerError
        The server's schema is in no form that Alyx has.
    """
    try:
        report = live_report(surface, cast("dict[str, Any]", document) if isinstance(document, dict) else {})
    except UnreadableDocumentError:
        message = f"{base_url} answered something else than a schema in OpenAPI or CoreAPI; is it an Alyx?"
        raise UnexpectedAnswerError(message) from None
    if report:
        anew = f"A client for the server as it is now: {generate_command(package, base_url)}"
        report = replace(report, notes=(*report.notes, anew))
    return report.called(f"the schema of {package}", base_url)
