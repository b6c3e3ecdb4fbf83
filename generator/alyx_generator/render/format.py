"""Formatting generated source with ruff: unused imports out, imports sorted, lines broken."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_LINE_LENGTH = "120"
# Otherwise ruff sorts by whether it finds the core in the folder that it runs in.
_CORE_IS_INSTALLED = 'lint.isort.known-third-party = ["alyx_client"]'


class FormatError(ValueError):
    """The rendered source is not Python."""


def format_files(files: Mapping[str, str]) -> dict[str, str]:
    """Return the files formatted, the same on any machine whatever configuration it has.

    Parameters
    ----------
    files
        Python source by path.

    Raises
    ------
    FormatError
        A file is not valid Python.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        try:
            for path, text in files.items():
                target = root / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            # The error of a full disk names no file.
            raise type(error)(error.errno, error.strerror, folder) from None
        # Modules are rendered with every import that they might need; F401 removes the rest.
        _ruff(root, "check", "--fix", "--select", "F401,I,UP037", "--config", _CORE_IS_INSTALLED)
        _ruff(root, "format")
        return {path: (root / path).read_text(encoding="utf-8") for path in files}


def _ruff(root: Path, command: str, *arguments: str) -> None:
    fixed = ["--isolated", "--quiet", "--no-cache", "--target-version", "py311", "--line-length", _LINE_LENGTH]
    # -P: a module called ruff.py in the working directory must not be run.
    run = subprocess.run(
        [sys.executable, "-P", "-m", "ruff", command, *fixed, *arguments, "."],
        cwd=root,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if run.returncode:
        raise FormatError(run.stdout or run.stderr)
