"""Call every generated method on servers made from schemas that others wrote: ``make foreign FOREIGN=folder SERVE=1``.

For each schema in the folder, a package is generated, a server made from the schema returns valid responses over real
HTTP, and what the methods send is compared with the schema. Lists of several pages are read to their end. With
``--details``, all problems are printed, and with ``--async``, the methods of the asynchronous client are called.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections import Counter
from pathlib import Path

from alyx_generator.package.pipeline import generate_client
from alyx_generator.package.write import write
from alyx_generator.render.modules import Package
from alyx_generator.source.fetch import SchemaSource, decode
from alyx_generator.source.overlay import shipped_corrections

from benchmarks.served.calls import HEAD, Outcome, Served, table_row

_SUFFIXES = (".yml", ".yaml", ".json")
_SHOWN = 5


def serve(file: Path, folder: Path, client: str = "Client") -> Outcome:
    """Generate a package from one schema, and call its methods on a server made from the schema.

    Parameters
    ----------
    file
        The schema.
    folder
        The folder for packages, from which they are imported.
    client
        The client: ``Client`` or ``AsyncClient``.
    """
    name = "served_" + "".join(character if character.isalnum() else "_" for character in file.stem)
    document = decode(file.read_bytes(), SchemaSource("file", str(file)))
    package = Package("Client", "AsyncClient", "make foreign", name)
    generated = generate_client(document, shipped_corrections(), package=package, strict=False)
    write(generated.files, folder / name)
    importlib.invalidate_caches()
    return Served(document, generated.api, name, client).run()


def _print_problems(outcome: Outcome, most: int | None) -> None:
    kinds = {
        "wrong on the wire": outcome.wrong,
        "drift on a valid response": outcome.drift,
        "rows lost": outcome.lost,
        "refused": outcome.refused,
        "not called": outcome.not_called,
    }
    for kind, problems in kinds.items():
        # One field may fail in many examples.
        for problem, count in list(Counter(problems).items())[:most]:
            print(f"    {kind}: {problem}" + (f" ({count}x)" if count > 1 else ""))


def main(arguments: list[str]) -> int:
    """Print the table, and below each schema its problems, the first ones of each kind."""
    client = "AsyncClient" if "--async" in arguments else "Client"
    places = [Path(argument) for argument in arguments if not argument.startswith("--")]
    files = [file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*")))]
    files = [file for file in files if file.suffix in _SUFFIXES]
    if not files:
        print("Usage: make foreign FOREIGN=folder SERVE=1, with schemas (*.yml, *.yaml, *.json) in the folder")
        return 2
    failed = False
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        for file in files:
            outcome = serve(file, Path(folder), client)
            print(table_row(file.stem, outcome), flush=True)
            _print_problems(outcome, None if "--details" in arguments else _SHOWN)
            failed = failed or bool(outcome.wrong or outcome.drift or outcome.lost)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
