"""Writing a generated package whole, or saying how a folder differs from it."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Difference:
    """One file that is not as it would be generated."""

    path: str
    reason: str
    diff: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def write(files: Mapping[str, str], folder: Path) -> None:
    """Put the files in place of the folder's content, all or nothing.

    Parameters
    ----------
    files
        Text by path below the folder.
    folder
        The folder; what is in it is removed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        fresh, old = Path(scratch) / "fresh", Path(scratch) / "old"
        for path, text in files.items():
            target = fresh / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
        if folder.exists():
            os.replace(folder, old)
        try:
            os.replace(fresh, folder)
        except OSError:
            if old.exists():
                shutil.move(old, folder)
            raise


def check(files: Mapping[str, str], folder: Path) -> list[Difference]:
    """Return how the folder differs from the files; empty when it does not.

    Parameters
    ----------
    files
        Text by path below the folder.
    folder
        The folder to compare.
    """
    differences: list[Difference] = []
    for path, text in sorted(files.items()):
        target = folder / path
        if not target.is_file():
            differences.append(Difference(path, "is missing"))
            continue
        present = target.read_text(encoding="utf-8")
        if present != text:
            lines = difflib.unified_diff(
                present.splitlines(), text.splitlines(), path, f"{path} as generated", lineterm=""
            )
            differences.append(Difference(path, "differs from what is generated", "\n".join(lines)))
    present_files = (
        {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.suffix in (".py", ".json")}
        if folder.is_dir()
        else set[str]()
    )
    differences += [Difference(path, "is not generated any more") for path in sorted(present_files - set(files))]
    return differences
