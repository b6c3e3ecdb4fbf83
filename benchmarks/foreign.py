"""Generate packages from schemas that others wrote, and measure what becomes of them: ``make foreign FOREIGN=folder``.

The folder is the developer's own, outside the repository: the golden files of drf-spectacular (``tests/*.yml`` of its
repository), and schemas of real applications, as YAML or JSON. What they teach becomes small schemas of our own in
``tests/generator``; nothing of the folder is committed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alyx_generator.package.pipeline import Generated, generate_client
from alyx_generator.package.write import write
from alyx_generator.render.modules import Package
from alyx_generator.source.fetch import SchemaSource, decode
from alyx_generator.source.openapi import Document
from alyx_generator.source.overlay import shipped_corrections

from alyx_client.schema.openapi import as_schema

_ROOT = Path(__file__).parents[1]
_METHODS = ("get", "post", "put", "patch", "delete")
_SUFFIXES = (".yml", ".yaml", ".json")
_IMPORT = """
import importlib, pkgutil, sys
import pydantic
package = importlib.import_module(sys.argv[1])
for module in pkgutil.iter_modules(package.__path__):
    for value in vars(importlib.import_module(f"{package.__name__}.{module.name}")).values():
        if isinstance(value, type) and issubclass(value, pydantic.BaseModel):
            value.model_rebuild()
"""


@dataclass(frozen=True)
class Row:
    """What became of one schema; `problem` is empty where it could be read."""

    name: str
    operations: int = 0
    methods: int = 0
    findings: int = 0
    imports: bool = False
    strict_errors: int | None = None
    same_bytes: bool = False
    seconds: float = 0.0
    problem: str = ""

    def __str__(self) -> str:
        if self.problem:
            return f"{self.name:36} {self.problem}"
        strict = "-" if self.strict_errors is None else str(self.strict_errors)
        numbers = f"{self.operations:>6} {self.methods:>7} {self.findings:>8}"
        words = f"{'yes' if self.imports else 'NO':>7} {strict:>6} {'yes' if self.same_bytes else 'NO':>5}"
        return f"{self.name:36} {numbers} {words} {self.seconds:>7.1f}"


def measure(file: Path, folder: Path, *, check_types: bool) -> Row:
    """Generate a package from one schema, twice, and import it.

    Parameters
    ----------
    file
        The schema.
    folder
        The folder for packages.
    check_types
        Whether to run pyright in its strict mode on the package.
    """
    name = "".join(character if character.isalnum() else "_" for character in file.stem)
    try:
        document = decode(file.read_bytes(), SchemaSource("file", str(file)))
        first, second = _generate(document, name), _generate(document, name)
    except ValueError as error:
        return Row(file.stem, problem=f"{type(error).__name__}: {error}"[:120])
    write(first.files, folder / name)
    run = subprocess.run([sys.executable, "-c", _IMPORT, name], cwd=folder, capture_output=True, check=False)
    return Row(
        file.stem,
        _count(document),
        first.api.operations,
        len(first.api.findings),
        run.returncode == 0,
        _strict_errors(folder / name) if check_types else None,
        first.files == second.files,
        first.seconds,
    )


def _generate(document: Document, name: str) -> Generated:
    package = Package("Client", "AsyncClient", "make foreign", name)
    return generate_client(document, shipped_corrections(), package=package, strict=False)


def _count(document: Document) -> int:
    items: Mapping[str, object] = as_schema(document.get("paths"))
    return sum(method in as_schema(item) for item in items.values() for method in _METHODS)


def _strict_errors(package: Path) -> int:
    settings = package.with_suffix(".pyright.json")
    settings.write_text(
        json.dumps({"include": [package.name], "typeCheckingMode": "strict", "extraPaths": [str(_ROOT)]})
    )
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(settings)]
    run = subprocess.run(command, cwd=package.parent, capture_output=True, text=True, check=False)
    return int(json.loads(run.stdout)["summary"]["errorCount"])


def main(arguments: list[str]) -> int:
    """Print the table for each schema in the folders; with ``--strict``, type-check the packages, too."""
    files = [
        file
        for argument in arguments
        if argument != "--strict"
        for file in sorted(Path(argument).rglob("*"))
        if file.suffix in _SUFFIXES
    ]
    if not files:
        print("Usage: make foreign FOREIGN=folder, with schemas (*.yml, *.yaml, *.json) in the folder")
        return 2
    print(
        f"{'schema':36} {'opers.':>6} {'methods':>7} {'findings':>8} {'imports':>7} {'strict':>6} {'same':>5} "
        f"{'seconds':>7}"
    )
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            rows.append(measure(file, Path(folder), check_types="--strict" in arguments))
            print(rows[-1], flush=True)
    methods, operations = sum(row.methods for row in rows), sum(row.operations for row in rows)
    print(f"{methods} of {operations} operations have a method; {sum(row.findings for row in rows)} findings")
    return int(any(row.problem or not row.imports or not row.same_bytes or row.strict_errors for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
