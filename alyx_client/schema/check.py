"""Comparison of a server with the schema that a client was generated from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

from alyx_client.errors import ConfigurationError, UnexpectedAnswerError
from alyx_client.schema.commands import generate_command
from alyx_client.schema.diff import compare_surfaces
from alyx_client.schema.extract import UnreadableDocumentError, surface_of
from alyx_client.schema.openapi import as_schema
from alyx_client.schema.report import Report
from alyx_client.schema.surface import Surface
from alyx_client.schema.surface_text import load

__all__ = ["SURFACE", "compare_with_document", "compare_with_server", "load_bundled_surface"]

SURFACE = "surface.jsonl"
"""The file of a generated package that holds the surface of its server."""

_UNCORRECTED_NOTE = (
    "The server's schema was compared with the schema that this client was generated from, both as published, before "
    "any correction: behaviour of the server that its schema does not declare is not covered."
)


def load_bundled_surface(package: str | None) -> Surface:
    """Return the surface that a package was generated from.

    Parameters
    ----------
    package
        The package's name.

    Raises
    ------
    ConfigurationError
        The package has no surface, or one that cannot be read.
    """
    if package is None:
        raise ConfigurationError(
            "A client without endpoints of its own has no schema to compare with. Use AlyxClient, or the Client of a "
            "package that `alyx-generate client` wrote."
        )
    # Read as a resource, since a package may be imported from a zip file.
    file = resources.files(package) / SURFACE
    try:
        return load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"The package {package} has no {SURFACE}, the surface that it was generated from. Regenerate it with "
            "alyx-generate client."
        ) from None
    except ValueError as error:
        raise ConfigurationError(f"{SURFACE} of the package {package}: {error}") from None


def compare_with_server(bundled: Surface, package: str | None, document: object, base_url: str) -> Report:
    """Return the changes of a server since a package was generated for it.

    Parameters
    ----------
    bundled, package
        The surface of the package, and its name.
    document
        The server's current schema, decoded.
    base_url
        The server.

    Raises
    ------
    UnexpectedAnswerError
        The server's schema is in no form that Alyx publishes.
    """
    try:
        report = compare_with_document(bundled, as_schema(document))
    except UnreadableDocumentError:
        message = f"{base_url} responded with something other than an OpenAPI or CoreAPI schema; is it an Alyx server?"
        raise UnexpectedAnswerError(message) from None
    if report:
        regenerate = f"To generate a client for the current server: {generate_command(package, base_url)}"
        report = replace(report, notes=(*report.notes, regenerate))
    return report.with_names(f"the schema of {package}", base_url)


def compare_with_document(bundled: Surface, document: Mapping[str, Any]) -> Report:
    """Return the changes from a bundled surface to a server's current schema.

    Both sides are as published, before any correction: corrections need the generator's libraries, and those that no
    longer fit would hide changes, or make some up.

    Parameters
    ----------
    bundled
        The surface of the published document that the client was generated from.
    document
        The server's current document, decoded: OpenAPI from ``/api/schema``, or CoreAPI from ``/docs/``.

    Raises
    ------
    UnreadableDocumentError
        The document is in neither form.
    """
    report = compare_surfaces(bundled, surface_of(document, bundled.names))
    return replace(report, notes=(_UNCORRECTED_NOTE, *report.notes), old="client", new="server")
