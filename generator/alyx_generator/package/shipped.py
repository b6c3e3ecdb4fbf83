"""The generator's own products in a checkout: the shipped client, the snapshots, and their provenance."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from alyx_generator.model.docs import shipped_docs
from alyx_generator.package.history import history_file, with_shipped
from alyx_generator.package.pipeline import Generated, generate_client
from alyx_generator.package.write import Difference, check, write, write_file
from alyx_generator.source.fetch import decode
from alyx_generator.source.history import history_text, read_history
from alyx_generator.source.normalise import normalise
from alyx_generator.source.openapi import Document, JSONDict
from alyx_generator.source.overlay import correct, shipped_corrections
from alyx_generator.source.paths import HISTORY, QUERY_MODEL, SHIPPED, checkout, data_folder
from alyx_generator.source.query_model import QueryModel, query_model_text, read_query_model
from alyx_generator.source.snapshots import lock_entry, lock_query_entry, structure_only, to_json


class NoCheckoutError(OSError):
    """The command works in a checkout only."""


def generate_shipped() -> Generated:
    """Generate the client that this package ships, from the shipped snapshot."""
    query_model = read_query_model(data_folder("schemas") / f"{SHIPPED}.query.json")
    return generate_client(_read_snapshot(SHIPPED), shipped_corrections(), docs=shipped_docs(), query_model=query_model)


def write_shipped() -> Generated:
    """Write the shipped client and the corrected snapshots into the checkout.

    Raises
    ------
    NoCheckoutError
        This is not a checkout.
    """
    require_checkout()
    result = generate_shipped()
    for folder, files in _products(result).items():
        write(files, folder)
    _write_lock(_read_lock())
    history_file().write_text(_history_text(), encoding="utf-8", newline="\n")
    return result


def check_shipped() -> list[Difference]:
    """Return the differences between the checkout and what `write_shipped` writes.

    Raises
    ------
    NoCheckoutError
        This is not a checkout.
    """
    require_checkout()
    differences = [
        Difference(f"{folder.name}/{difference.path}", difference.reason, difference.diff)
        for folder, files in _products(generate_shipped()).items()
        for difference in check(files, folder)
    ]
    if _lock_text(_read_lock()) != _lock_file().read_text(encoding="utf-8"):
        differences.append(Difference("schemas/lock.toml", "differs from what is generated"))
    if not history_file().is_file() or _history_text() != history_file().read_text(encoding="utf-8"):
        differences.append(Difference(f"schemas/{HISTORY}", "lacks a shipped snapshot, or differs from the newest one"))
    return differences


def take_snapshot(document: Document, name: str, origin: str) -> JSONDict:
    """Store the structure of a server's schema among the checkout's snapshots, with its provenance.

    Parameters
    ----------
    document
        The decoded document, as published.
    name
        The snapshot's name, for instance ``alyx-3.6.1``.
    origin
        Where it came from, as text for the lock file.
    """
    require_checkout()
    structure: JSONDict = structure_only(normalise(document))
    path = data_folder("schemas") / f"{name}.json"
    write_file(to_json(structure).encode(), path)
    _record(name, origin)
    return structure


def store_query_model(model: QueryModel, name: str, origin: str) -> None:
    """Store a server's query model in the checkout, with its provenance.

    Parameters
    ----------
    model
        The query model.
    name
        The name of the server's snapshot, for instance ``alyx-3.6.1``.
    origin
        Where it came from, as text for the lock file.
    """
    require_checkout()
    path = data_folder("schemas") / f"{name}{QUERY_MODEL}"
    write_file(query_model_text(model).encode(), path)
    _record(path.stem, origin)


def _record(name: str, origin: str) -> None:
    lock = _read_lock()
    lock[name] = {"origin": origin, "date": datetime.now(UTC).date()}
    _write_lock(lock)


def require_checkout() -> Path:
    """Return the root of the checkout.

    Raises
    ------
    NoCheckoutError
        This is not a checkout.
    """
    root = checkout()
    if root is None:
        raise NoCheckoutError(
            "the shipped client and the snapshots are written in a checkout only. Name a source, a package and a "
            "folder for a client of your own: alyx-generate client https://alyx.lab.org --package lab_alyx --out src"
        )
    return root


def _products(result: Generated) -> dict[Path, Mapping[str, str]]:
    """Return every folder that `make client` writes: the endpoints, and the corrected snapshots."""
    corrected = {
        f"{name}.json": to_json(result.corrected.document if name == SHIPPED else _corrected(name))
        for name in _read_lock()
        if not _is_query_model(name)
    }
    endpoints = require_checkout() / "alyx_client" / "endpoints"
    return {endpoints: result.files, data_folder("schemas") / "corrected": corrected}


def _read_snapshot(name: str) -> JSONDict:
    return decode((data_folder("schemas") / f"{name}.json").read_bytes(), name)


def _corrected(name: str) -> JSONDict:
    return correct(normalise(_read_snapshot(name)), shipped_corrections(), strict=False).document


def _history_text() -> str:
    return history_text(with_shipped(read_history(history_file())))


def _lock_file() -> Path:
    return data_folder("schemas") / "lock.toml"


def _read_lock() -> JSONDict:
    file = _lock_file()
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _lock_text(lock: Mapping[str, Any]) -> str:
    entries = [_lock_entry(name, entry["origin"], entry["date"]) for name, entry in sorted(lock.items())]
    return (
        "# Where each snapshot comes from, and the SHA-256 of its structure before and after correction; likewise the "
        "query\n# models, and the SHA-256 of each file.\n\n" + "\n".join(entries)
    )


def _lock_entry(name: str, origin: str, day: date) -> str:
    if _is_query_model(name):
        text = query_model_text(read_query_model(data_folder("schemas") / f"{name}.json"))
        return lock_query_entry(name, origin=origin, day=day, text=text)
    return lock_entry(name, origin=origin, day=day, raw=_read_snapshot(name), corrected=_corrected(name))


def _is_query_model(name: str) -> bool:
    return f"{name}.json".endswith(QUERY_MODEL)


def _write_lock(lock: Mapping[str, Any]) -> None:
    write_file(_lock_text(lock).encode(), _lock_file())
