"""The command: ``python -m alyx_generator snapshot | client | check``."""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alyx_client.errors import AlyxError
from alyx_generator.build import Build, build
from alyx_generator.docs import Docs, read_docs
from alyx_generator.fetch import fetch
from alyx_generator.format import FormatError
from alyx_generator.normalise import UnreadableSchemaError, normalise
from alyx_generator.overlay import Correction, OverlayError, correct, read_overlay
from alyx_generator.project import checkout, data_folder
from alyx_generator.render import Package
from alyx_generator.report import report
from alyx_generator.snapshot import lock_entry, structure_only, to_json
from alyx_generator.write import check, write

SHIPPED = "alyx-3.6.1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 different or refused, 2 called wrongly."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (AlyxError, OverlayError, UnreadableSchemaError, FormatError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m alyx_generator", description="Generate a typed client for an Alyx server."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    snapshot = commands.add_parser("snapshot", help="keep a server's schema, structure only, with its provenance")
    snapshot.add_argument("source", help="the server's address, or a file")
    snapshot.add_argument("name", help="the snapshot's name, for instance alyx-3.6.1")
    snapshot.add_argument("--origin", help="what to record as the origin; by default the source")
    snapshot.set_defaults(run=_snapshot)
    client = commands.add_parser("client", help="write the client")
    client.add_argument("source", nargs="?", help="the server's address, or a file; by default the shipped snapshot")
    client.add_argument("--package", help="the package's name; needed with a source")
    client.add_argument("--out", type=Path, help="the folder to write the package into; needed with a source")
    client.set_defaults(run=_client)
    checking = commands.add_parser("check", help="fail where the shipped client is not what would be generated")
    checking.set_defaults(run=_check)
    return parser


def _snapshot(options: argparse.Namespace) -> int:
    document = structure_only(normalise(fetch(options.source)))
    folder = data_folder("schemas")
    path = folder / f"{options.name}.json"
    path.write_text(to_json(document), encoding="utf-8", newline="\n")
    lock = _read_lock()
    lock[options.name] = {"origin": options.origin or options.source, "date": datetime.now(UTC).date()}
    _write_lock(lock)
    print(f"{path.name}: {len(document['paths'])} paths, {len(document['components']['schemas'])} components")
    return 0


def _client(options: argparse.Namespace) -> int:
    if options.source:
        if not options.package or options.out is None:
            print("client: a source needs --package and --out", file=sys.stderr)
            return 2
        result = build(
            fetch(options.source),
            _corrections(),
            package=Package("Client", "AsyncClient", f"python -m alyx_generator client … --package {options.package}"),
            strict=False,
        )
        write(result.files, options.out / options.package)
        print(report(result))
        return 0
    result = build_shipped()
    for folder, files in _products(result).items():
        write(files, folder)
    _write_lock(_read_lock())
    print(report(result))
    return 0


def _check(_options: argparse.Namespace) -> int:
    differences = [
        f"{folder.name}/{difference}"
        for folder, files in _products(build_shipped()).items()
        for difference in check(files, folder)
    ]
    if _lock_text(_read_lock()) != _lock_file().read_text(encoding="utf-8"):
        differences.append("schemas/lock.toml: differs from what is generated")
    for difference in differences:
        print(difference)
    if differences:
        print("The generated files are not what `make client` writes. Run it, and commit what it changes.")
    return 1 if differences else 0


def build_shipped() -> Build:
    """Generate the client that this package ships, from the shipped snapshot."""
    return build(_read_snapshot(SHIPPED), _corrections(), docs=_docs())


def _products(result: Build) -> dict[Path, Mapping[str, str]]:
    """Return every folder that `make client` writes: the endpoints, and the corrected snapshots."""
    root = checkout()
    if root is None:
        raise OSError(
            "the shipped client is written in a checkout only; pass a server's address for a client of your own"
        )
    corrected = {
        f"{name}.json": to_json(result.corrected.document if name == SHIPPED else _corrected(name))
        for name in _read_lock()
    }
    return {root / "alyx_client" / "endpoints": result.files, data_folder("schemas") / "corrected": corrected}


def _corrections() -> tuple[Correction, ...]:
    return read_overlay(data_folder("schemas") / "alyx.overlay.yaml")


def _docs() -> Docs:
    return read_docs(data_folder("schemas") / "docs.toml")


def _read_snapshot(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((data_folder("schemas") / f"{name}.json").read_text(encoding="utf-8"))
    return document


def _corrected(name: str) -> dict[str, Any]:
    return correct(normalise(_read_snapshot(name)), _corrections(), strict=False).document


def _lock_file() -> Path:
    return data_folder("schemas") / "lock.toml"


def _read_lock() -> dict[str, Any]:
    file = _lock_file()
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _lock_text(lock: Mapping[str, Any]) -> str:
    entries = [
        lock_entry(
            name,
            origin=entry["origin"],
            day=entry["date"],
            raw=_read_snapshot(name),
            corrected=_corrected(name),
        )
        for name, entry in sorted(lock.items())
    ]
    return (
        "# Where each snapshot comes from, and the SHA-256 of its structure before and after correction.\n\n"
        + "\n".join(entries)
    )


def _write_lock(lock: Mapping[str, Any]) -> None:
    _lock_file().write_text(_lock_text(lock), encoding="utf-8", newline="\n")
