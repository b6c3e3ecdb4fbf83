"""Source files: finding them, reading them with their encoding, and replacing them unless they were changed."""

from __future__ import annotations

import ast
import io
import os
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from alyx_client.lazy_dataclasses import dataclass
from alyx_client.storage.atomic import write_atomic

__all__ = ["Source", "UnusableFileError", "exported_names", "find_files", "read_source", "write_source"]

_SUFFIXES = (".py", ".ipynb")
_FOREIGN_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages"})
_BOM = b"\xef\xbb\xbf"


class UnusableFileError(Exception):
    """A file cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source file as it was read.

    Parameters
    ----------
    path
        The file.
    content
        Its bytes.
    encoding
        The encoding that it declares.
    text
        The text, with its line endings.
    """

    path: Path
    content: bytes
    encoding: str
    text: str

    @property
    def is_notebook(self) -> bool:
        """Whether the file is a notebook."""
        return self.path.suffix == ".ipynb"


def find_files(paths: Iterable[Path]) -> list[Path]:
    """Return the Python files and notebooks among paths and below folders, without hidden and installed ones.

    Raises
    ------
    FileNotFoundError
        There is no such file or folder.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            files |= dict.fromkeys(sorted(_walk(path)))
        elif path.is_file():
            files[path] = None
        else:
            raise FileNotFoundError(path)
    return list(files)


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not _is_foreign(Path(root, name))]
        yield from (Path(root, name) for name in names if name.endswith(_SUFFIXES) and not name.startswith("."))


def _is_foreign(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in _FOREIGN_FOLDERS or (folder / "pyvenv.cfg").exists()


def read_source(path: Path) -> Source:
    """Read a source file.

    Raises
    ------
    UnusableFileError
        The file cannot be read or decoded.
    """
    try:
        content = path.read_bytes()
        encoding = "utf-8" if path.suffix == ".ipynb" else tokenize.detect_encoding(io.BytesIO(content).readline)[0]
        text = content.removeprefix(_BOM).decode(encoding.removesuffix("-sig"))
    except (OSError, SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise UnusableFileError(str(error)) from None
    return Source(path, content, encoding.removesuffix("-sig"), text)


def write_source(source: Source, text: str) -> None:
    """Replace a file, atomically, with its encoding and its permissions.

    Parameters
    ----------
    source
        The file as it was read.
    text
        The new text.

    Raises
    ------
    UnusableFileError
        The file was changed meanwhile, or cannot be written.
    """
    bom = _BOM if source.content.startswith(_BOM) else b""
    try:
        content = bom + text.encode(source.encoding)
        # Replacing a file only requires permissions for its folder.
        if not os.access(source.path, os.W_OK):
            raise UnusableFileError("it is read-only")
        # Checked as late as possible: an editor may have saved the file since it was read.
        if source.path.read_bytes() != source.content:
            raise UnusableFileError("it was changed meanwhile, and is left as it is")
        write_atomic(source.path, content)
    except (OSError, UnicodeEncodeError) as error:
        raise UnusableFileError(str(error)) from None


def exported_names(sources: Iterable[Source]) -> Mapping[str, frozenset[str]]:
    """Return the names that modules import from each other, by the last part of the module's name.

    Parameters
    ----------
    sources
        All files that are read.
    """
    names: dict[str, set[str]] = {}
    for source in sources:
        if source.is_notebook:
            continue
        try:
            tree = ast.parse(source.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = node.module.rpartition(".")[2]
                names.setdefault(module, set()).update(alias.name for alias in node.names)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                names.setdefault(owner, set()).add(node.attr)
    return {module: frozenset(module_names) for module, module_names in names.items()}
