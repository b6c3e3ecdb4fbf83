"""The record of which versions of Alyx have what, in a checkout: what a schema or a query model adds to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from alyx_generator.model.build import build_api
from alyx_generator.model.parts import api_parts, query_model_parts
from alyx_generator.source.alyx_parts import AlyxParts
from alyx_generator.source.history import History, Record, is_version
from alyx_generator.source.normalise import normalise
from alyx_generator.source.openapi import Document
from alyx_generator.source.overlay import Correction, correct, shipped_corrections
from alyx_generator.source.paths import HISTORY, SHIPPED, data_folder, query_models, snapshots
from alyx_generator.source.query_model import QueryModel, read_query_model

__all__ = ["NoHistoryError", "history_file", "record_query_model", "record_schema", "with_shipped"]


class NoHistoryError(ValueError):
    """What a document describes cannot be recorded as a version of Alyx."""


def history_file() -> Path:
    """Return the path of the record."""
    return data_folder("schemas") / HISTORY


def record_schema(record: Record, version: str, document: Document, corrections: tuple[Correction, ...] = ()) -> Record:
    """Return the record with what a version's schema describes.

    Parameters
    ----------
    record
        The record so far.
    version
        The version of Alyx.
    document
        The decoded document, as the server published it.
    corrections
        Corrections beside the shipped ones, such as the removal of what these describe and the version lacks.

    Raises
    ------
    NoHistoryError
        It is not Alyx's, or does not describe responses.
    """
    normalised = normalise(document)
    if not AlyxParts(normalised).is_alyx:
        raise NoHistoryError("this is not a schema of Alyx")
    if normalised.get("x-all-optional"):
        raise NoHistoryError("a CoreAPI document does not describe responses; make an OpenAPI one with drf-spectacular")
    corrected = correct(normalised, (*shipped_corrections(), *corrections), strict=False)
    parts = api_parts(build_api(corrected.document))
    return replace(record, endpoints=record.endpoints.with_version(version, parts))


def record_query_model(record: Record, version: str, model: QueryModel) -> Record:
    """Return the record with the fields that conditions reach in a version of Alyx.

    Parameters
    ----------
    record
        The record so far.
    version
        The version of Alyx.
    model
        Its query model.
    """
    return replace(record, models=record.models.with_version(version, query_model_parts(model)))


def with_shipped(record: Record) -> Record:
    """Return the record with every snapshot and query model that is shipped.

    Versions are recorded once, but for the newest: its names follow the corrections and the generator.

    Parameters
    ----------
    record
        The record so far.
    """
    newest = SHIPPED.removeprefix("alyx-")
    for version, file in _new(snapshots(), record.endpoints, newest):
        record = record_schema(record, version, json.loads(file.read_bytes()))
    for version, file in _new(query_models(), record.models, newest):
        record = record_query_model(record, version, read_query_model(file))
    return record


def _new(files: Mapping[str, Path], history: History, newest: str) -> Iterable[tuple[str, Path]]:
    """Return the versions that are not recorded, and the newest."""
    return [
        (version, file)
        for version, file in files.items()
        if is_version(version) and (version == newest or version not in history.versions)
    ]
