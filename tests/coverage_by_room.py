"""Table of the code that no test runs, per room, from what ``coverage json`` writes; see `make coverage`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

COLUMNS = ("num_statements", "missing_lines", "num_branches", "missing_branches")


def room(path: str) -> str:
    """Return the room of a file, as a dotted name: the package's name for modules outside the rooms' folders."""
    parts = PurePath(path.replace("\\", "/")).parts
    start = next(place for place, part in enumerate(parts) if part in ("alyx_client", "alyx_generator"))
    return ".".join(parts[start : start + 2]) if len(parts) > start + 2 else parts[start]


def table(files: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the table, the rooms with the most gaps first."""
    rooms: dict[str, Counter[str]] = {}
    for path, file in files.items():
        rooms.setdefault(room(path), Counter()).update({name: file["summary"][name] for name in COLUMNS})
    yield f"{'room':<26}{'lines':>8}{'missing':>9}{'branches':>10}{'missing':>9}{'covered':>10}"
    order = sorted(rooms.items(), key=lambda item: -item[1]["missing_lines"] - item[1]["missing_branches"])
    for name, sums in [*order, ("all", sum(rooms.values(), Counter()))]:
        lines, missing, branches, partial = (sums[column] for column in COLUMNS)
        covered = 100 * (1 - (missing + partial) / max(lines + branches, 1))
        yield f"{name:<26}{lines:>8,}{missing:>9,}{branches:>10,}{partial:>9,}{covered:>9.2f}%"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as report:
        print(*table(json.load(report)["files"]), sep="\n")
