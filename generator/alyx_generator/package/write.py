"""Writing a generated package as a whole, or comparing a folder with it."""

from __future__ import annotations

import contextlib
import difflib
import errno
import os
import tempfile
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from alyx_client.schema.check import SURFACE
from alyx_client.storage.atomic import write_atomic
from alyx_generator.render.text import MARK

_TRIES = 10
_MARKED = frozenset({".py", ".md", ".toml"})
_KNOWN = frozenset({"py.typed", SURFACE})
_LEFTOVERS = (
    *("__pycache__", ".DS_Store", "._*", ".nfs*", ".fuse_hidden*", ".*.sw?", ".#*", ".directory"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".ipynb_checkpoints"),
)
"""What Python, its tools, editors and operating systems leave in a folder, and can create again."""


class ForeignFilesError(OSError):
    """A folder that would be replaced contains files that were not generated."""


@dataclass(frozen=True)
class Difference:
    """One file that differs from what would be generated."""

    path: str
    reason: str
    diff: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def write(files: Mapping[str, str], folder: Path) -> None:
    """Replace a folder's content with the files, all or nothing.

    Parameters
    ----------
    files
        Text by path below the folder.
    folder
        The folder; its content is removed. A link to a folder stays a link.
    """
    with _errors_name(folder):
        _write(files, folder.resolve())


def _write(files: Mapping[str, str], folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the folder, since a folder can only be renamed within one file system.
    with tempfile.TemporaryDirectory(
        dir=folder.parent, prefix=f".{folder.name}.", ignore_cleanup_errors=True
    ) as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        for path, text in files.items():
            target = fresh / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
        attempt = 1
        while not _exchange(fresh, folder, Path(scratch) / f"old{attempt}", is_last=attempt == _TRIES):
            attempt += 1


def _exchange(fresh: Path, folder: Path, old: Path, *, is_last: bool) -> bool:
    """Put a new folder in the place of another; return False if a third one came between them."""
    try:
        if folder.exists():
            with contextlib.suppress(FileNotFoundError):
                os.replace(folder, old)
        os.replace(fresh, folder)
    except BaseException as error:
        # An interruption between the two renames must not lose the old package.
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        # Another command that writes the same package put its own there after this one had moved the old away.
        if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST) and not is_last:
            return False
        raise
    return True


def write_file(content: bytes, path: Path) -> None:
    """Write one file, all or nothing.

    Parameters
    ----------
    content
        Its content.
    path
        The file; missing folders are created. A device or a pipe is written to, and never replaced.

    Raises
    ------
    OSError
        The path is a folder, or cannot be written.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it")
    # /dev/stdout and named pipes cannot be replaced by a rename.
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    with _errors_name(path):
        write_atomic(path, content)


@contextlib.contextmanager
def _errors_name(path: Path) -> Generator[None]:
    """Name the target in errors, which would name the temporary file beside it."""
    try:
        yield
    except OSError as error:
        # Of the path, the part that is in the way.
        file = next((parent for parent in path.parents if parent.is_file()), path)
        raise type(error)(error.errno, error.strerror, str(file)) from None


def refuse_foreign(folder: Path) -> None:
    """Check that a folder may be replaced: that it does not exist, is empty, or was generated.

    Parameters
    ----------
    folder
        The folder.

    Raises
    ------
    ForeignFilesError
        It is a file, or contains files that were not generated.
    """
    if folder.exists() and not folder.is_dir():
        raise ForeignFilesError(f"{folder} is a file; a package is a folder")
    foreign = sorted(path for path in _worth_keeping(folder) if not _is_generated(folder / path))
    if foreign:
        names = ", ".join(foreign[:5]) + (f" and {len(foreign) - 5} more" if len(foreign) > 5 else "")
        raise ForeignFilesError(
            f"{folder} contains files that were not generated: {names}. A package is replaced as a whole; move them "
            "elsewhere, or remove them with --force"
        )


def _worth_keeping(folder: Path) -> Iterator[str]:
    """Yield the files of a folder that would be missed, including hidden ones such as those of a repository."""
    for path in folder.rglob("*") if folder.is_dir() else ():
        below = path.relative_to(folder)
        left = any(fnmatch(part, pattern) for part in below.parts for pattern in _LEFTOVERS)
        if not left and (path.is_file() or path.is_symlink()):
            yield below.as_posix()


def _files(folder: Path) -> Iterator[str]:
    """Yield the files of a folder, without hidden ones and Python's caches."""
    for path in folder.rglob("*") if folder.is_dir() else ():
        below = path.relative_to(folder)
        hidden = any(part == "__pycache__" or part.startswith(".") for part in below.parts)
        if not hidden and (path.is_file() or path.is_symlink()):
            yield below.as_posix()


def _is_generated(path: Path) -> bool:
    if path.name in _KNOWN:
        return True
    if path.suffix not in _MARKED:
        return False
    with path.open(encoding="utf-8", errors="replace") as stream:
        return MARK in stream.readline(1000)


def check(files: Mapping[str, str], folder: Path) -> list[Difference]:
    """Return the differences between a folder and the files.

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
        present = target.read_text(encoding="utf-8", errors="replace")
        if present != text:
            lines = difflib.unified_diff(
                present.splitlines(), text.splitlines(), path, f"{path} as generated", lineterm="", n=1
            )
            differences.append(Difference(path, "differs from what is generated", "\n".join(lines)))
    stale = sorted(set(_files(folder)) - set(files))
    differences += [Difference(path, "is not generated any more") for path in stale]
    return differences
