"""The results of a run in a file: the figures, and what they depend on, but no name or folder of the machine."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.table import Beside, Figure

FORMAT = 1
ROOT = Path(__file__).parents[1]
FILE = ROOT / "benchmarks" / "results.json"
_PACKAGES = ("alyx-client", "httpx2", "httpcore2", "h11", "anyio", "pydantic", "pydantic-core", "tqdm")


def write(path: Path, figures: Iterable[Figure], peers: Mapping[str, str]) -> None:
    """Write the results.

    Parameters
    ----------
    path
        The file.
    figures
        The figures.
    peers
        The versions of the other libraries, by name.
    """
    commit, is_modified = revision()
    content = {
        "format": FORMAT,
        "commit": commit,
        "modified": is_modified,
        "machine": machine(),
        "versions": {"python": platform.python_version(), **versions(), **peers},
        "figures": [to_json(figure) for figure in figures],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    """Return the content of a results file."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if content.get("format") != FORMAT:
        raise ValueError(f"{path.name} has the format {content.get('format')}, not {FORMAT}")
    return content


def to_json(figure: Figure) -> dict[str, Any]:
    """Return a figure as JSON."""
    return {
        "part": figure.part,
        "name": figure.name,
        "value": _rounded(figure.value),
        "unit": figure.unit,
        "range": [_rounded(min(figure.rounds)), _rounded(max(figure.rounds))],
        "rounds": len(figure.rounds),
        "budget": None if figure.budget is None else {"kind": figure.budget.kind, "limit": figure.budget.limit},
        "met": figure.is_met,
        "floor": None if figure.floor is None else _beside(figure.floor),
        "peers": [_beside(peer) for peer in figure.peers],
        "note": figure.note,
    }


def revision() -> tuple[str | None, bool]:
    """Return the commit of the checkout, and whether files differ from it; None where there is no checkout."""
    try:
        commit = _git("rev-parse", "HEAD")
        # The results themselves are no change of what was measured.
        changed = _git("status", "--porcelain", "--", ".", f":!{FILE.relative_to(ROOT).as_posix()}")
    except (OSError, subprocess.CalledProcessError):
        return None, False
    return commit, bool(changed)


def versions() -> dict[str, str]:
    """Return the versions of the packages that the figures depend on."""
    return {name: importlib.metadata.version(name) for name in _PACKAGES}


def machine() -> str:
    """Return the type of the machine: the processor, its number of cores, and the system."""
    processor = platform.processor() or platform.machine()
    try:
        match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        match = None
    return f"{match[1] if match else processor}, {os.cpu_count()} cores, {platform.system()}"


def _beside(beside: Beside) -> dict[str, Any]:
    return {"name": beside.name, "value": _rounded(beside.value)}


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _git(*arguments: str) -> str:
    process = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return process.stdout.strip()
