"""The reference of a generated client: pages in Markdown, from the same values as its code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alyx_generator.model.docs import shipped_docs
from alyx_generator.package.applied import applied_corrections
from alyx_generator.package.nearest import nearest_query_model
from alyx_generator.package.pipeline import Generated, generate_client
from alyx_generator.package.shipped import generate_shipped
from alyx_generator.render.modules import Package
from alyx_generator.render.reference.context import Client, Context
from alyx_generator.render.reference.corrections_page import AppliedTo
from alyx_generator.render.reference.pages import KnownQueryModel, render_reference
from alyx_generator.source.history import History, read_history
from alyx_generator.source.openapi import Document
from alyx_generator.source.overlay import Correction, shipped_corrections
from alyx_generator.source.paths import HISTORY, SHIPPED, data_folder, query_models
from alyx_generator.source.query_model import QueryModel, read_query_model

__all__ = ["Reference", "package_reference", "shipped_reference"]


@dataclass(frozen=True)
class Reference:
    """The reference of a client, and the client."""

    client: Generated
    files: Mapping[str, str]


def shipped_reference(guide: str = "../guides/finding-records.md") -> Reference:
    """Return the reference of the client that this package ships.

    Parameters
    ----------
    guide
        The address of the guide to conditions.
    """
    generated = generate_shipped()
    query_model = read_query_model(query_models()[SHIPPED.removeprefix("alyx-")])
    # Those for other generations of Alyx are part of what is known, too.
    return _reference(generated, Client(), query_model, guide, shipped_corrections())


def package_reference(
    document: Document,
    corrections: tuple[Correction, ...],
    client: Client,
    query_model: QueryModel | None = None,
) -> Reference:
    """Return the reference of the package that would be generated from a schema document.

    Parameters
    ----------
    document
        The decoded document, as a server published it.
    corrections
        Corrections beside the shipped ones.
    client
        How the package's client is made.
    query_model
        The fields that the server's ``django`` filter reaches; by default, the nearest of the shipped ones.
    """
    generated = generate_client(
        document,
        (*shipped_corrections(), *corrections),
        docs=shipped_docs(),
        package=Package("Client", "AsyncClient", "alyx-generate client", client.package),
        query_model=query_model or "nearest",
        strict=False,
    )
    nearest = nearest_query_model(generated.api) if query_model is None else None
    return _reference(generated, client, query_model or (nearest[1] if nearest else None))


def _reference(
    generated: Generated,
    client: Client,
    query_model: QueryModel | None,
    guide: str = "",
    corrections: tuple[Correction, ...] = (),
) -> Reference:
    record = read_history(data_folder("schemas") / HISTORY)
    endpoints = record.endpoints.only(generated.alyx_endpoints)
    context = Context(generated.api, generated.files, shipped_docs(), endpoints, client)
    models = record.models if generated.alyx_endpoints else History()
    known = KnownQueryModel(query_model, models) if query_model else None
    return Reference(generated, render_reference(context, known, _applied_to(generated, corrections), guide))


def _applied_to(generated: Generated, others: tuple[Correction, ...]) -> Iterable[AppliedTo]:
    """Yield the corrections that were applied, with the endpoints that they changed, and then the others of some."""
    applied = {
        id(change.correction): (change.correction, endpoints)
        for change, endpoints in applied_corrections(generated.corrected, generated.api)
    }
    yield from applied.values()
    yield from ((correction, ()) for correction in others if id(correction) not in applied)
