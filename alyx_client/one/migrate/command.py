"""The command ``python -m alyx_client.one.migrate``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from alyx_client.one.migrate.files import (
    Source,
    UnusableFileError,
    exported_names,
    find_files,
    read_source,
    write_source,
)
from alyx_client.one.migrate.module import CannotParseError, has_calls, migrate
from alyx_client.one.migrate.notebook import Notebook, NotebookError
from alyx_client.one.migrate.report import FileReport, Left, Report, unified_diff
from alyx_client.one.migrate.surface import OWN_PACKAGE, Surface, read_surface

__all__ = ["main"]

_DESCRIPTION = """\
Show how calls by name, such as one.alyx.rest('sessions', 'list', subject='x'), become typed ones:
one.alyx.sessions.list(subject='x'). Code is read, not run; nothing is changed without --write.
Calls that may not mean the same are left, with a reason; misspelled names are listed.
"""
_EXIT_CODES = """\
exit codes:
  0  done
  1  done, but names are misspelled, or a file was not read or not written
  2  usage error; nothing was changed
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code.

    Parameters
    ----------
    arguments
        The arguments; by default those of the process.
    """
    parser = argparse.ArgumentParser(
        prog="python -m alyx_client.one.migrate",
        description=_DESCRIPTION,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE_OR_FOLDER", help="Python files and notebooks")
    parser.add_argument("--write", action="store_true", help="change the files")
    parser.add_argument("--report", choices=("text", "json"), default="text", help="how to print the report")
    parser.add_argument("--package", default=OWN_PACKAGE, help="the generated package of your server")
    options = parser.parse_args(arguments)
    try:
        surface = read_surface(options.package)
        files = find_files(options.paths)
    except ImportError as error:
        parser.error(f"--package: {error}")
    except FileNotFoundError as error:
        parser.error(f"{error}: there is no such file or folder")
    report = run(files, surface, write=options.write)
    # Code may have characters that the terminal's encoding lacks.
    reconfigure = cast("Callable[..., None] | None", getattr(sys.stdout, "reconfigure", None))
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
    if options.report == "json":
        print(report.to_json())
    else:
        print("".join(file.diff for file in report.files) + report.to_text())
    return 1 if report.has_problems else 0


def run(files: Sequence[Path], surface: Surface, *, write: bool) -> Report:
    """Read files, and rewrite them if this is requested.

    Parameters
    ----------
    files
        The files.
    surface
        The typed calls.
    write
        Whether to change the files.
    """
    report = Report()
    sources: list[Source] = []
    for path in files:
        try:
            sources.append(read_source(path))
        except UnusableFileError as error:
            report.files.append(FileReport(str(path), problem=str(error)))
    exported = exported_names(sources)
    for source in sources:
        names = exported.get(source.path.stem, frozenset())
        report.files.append(_migrate_file(source, surface, names, write=write))
    return report


def _migrate_file(source: Source, surface: Surface, exported: frozenset[str], *, write: bool) -> FileReport:
    path = str(source.path)
    try:
        text, file = _migrate_text(source, surface, exported)
        diff = unified_diff(path, source.text, text)
        if write and diff:
            write_source(source, text)
    except (CannotParseError, NotebookError, UnusableFileError) as error:
        return FileReport(path, problem=str(error))
    return replace(file, diff=diff)


def _migrate_text(source: Source, surface: Surface, exported: frozenset[str]) -> tuple[str, FileReport]:
    """Return the new text, and the report on the file, without the diff."""
    path = str(source.path)
    if not source.is_notebook:
        migration = migrate(source.text, surface, exported)
        left = tuple(Left(str(call.line), call.reason, call.detail) for call in migration.left)
        return migration.code, FileReport(path, len(migration.moved), left)
    if not has_calls(source.text):
        return source.text, FileReport(path)
    notebook = Notebook.read(source.text)
    module = notebook.to_module()
    migration = migrate(module, surface, exported)
    left = tuple(Left(notebook.place(module, call.line), call.reason, call.detail) for call in migration.left)
    cells = ", ".join(map(str, notebook.not_python))
    problem = f"not Python, and left as they are: cells {cells}" if cells else ""
    return notebook.with_module(migration.code), FileReport(path, len(migration.moved), left, problem=problem)
