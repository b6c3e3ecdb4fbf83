"""Other libraries, each in an environment of its own, whose interpreter an environment variable names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache

PEERS: Mapping[str, str] = {
    "ONE-api": "ONE_PYTHON",
    "huggingface-hub": "PEERS_PYTHON",
    "openapi-python-client": "PEERS_PYTHON",
}
"""The variable that names the interpreter, by package."""


def python(package: str) -> str | None:
    """Return the interpreter that has a package; None if there is none."""
    return _python(package) if version(package) else None


@cache
def version(package: str) -> str | None:
    """Return the version of a package, if it is installed and revisions of this one are not compared."""
    if "BENCH_ALONE" in os.environ:
        return None
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    try:
        process = subprocess.run([_python(package), "-c", code], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return process.stdout.strip()


def versions() -> dict[str, str]:
    """Return the versions of the libraries that are installed."""
    return {package: installed for package in PEERS if (installed := version(package))}


def hints() -> list[str]:
    """Return how to compare with those that are not."""
    missing = [package for package in PEERS if version(package) is None]
    return [f"Not compared with {', '.join(missing)}: make bench ONE=1 PEERS=1"] if missing else []


def _python(package: str) -> str:
    return os.environ.get(PEERS[package]) or sys.executable
