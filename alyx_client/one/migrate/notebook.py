"""Notebooks: conversion of their code cells to one module and back, with unchanged magics and layout."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Any, cast

__all__ = ["Notebook", "NotebookError"]

_CELL = "#alyx-cell:{}"
_CELL_LINE = re.compile(r"^#alyx-cell:(\d+)\n", re.MULTILINE)
_MAGIC = "pass  #alyx-magic:{}"
_MAGIC_LINE = re.compile(r"^[ \t]*pass  #alyx-magic:(\d+)$", re.MULTILINE)
# Magics of a cell whose other lines are Python.
_PYTHON_MAGICS = ("%%time", "%%timeit", "%%capture", "%%prun")
_IS_MAGIC = re.compile(r"\s*(?:[%!?]|[\w., ]+ = *[%!]|[^#'\"]*\?\s*$)")


class NotebookError(ValueError):
    """A notebook cannot be read, or cannot be written back unchanged."""


@dataclass(slots=True)
class Notebook:
    """A notebook.

    Parameters
    ----------
    text
        The file's text.
    content
        The text, decoded.
    layout
        The options of ``json.dumps`` that reproduce the file.
    not_python
        The numbers of code cells that cannot be parsed; empty before `to_module` is called.
    """

    text: str
    content: dict[str, Any]
    layout: dict[str, Any]
    _magics: list[str]
    _cells: list[int]
    not_python: list[int]

    @classmethod
    def read(cls, text: str) -> Notebook:
        """Read a notebook.

        Parameters
        ----------
        text
            The file's text.

        Raises
        ------
        NotebookError
            The text is not a notebook, or its layout cannot be preserved.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise NotebookError(f"it is not JSON: {error}") from None
        if not isinstance(content, dict) or not isinstance(cast("dict[str, object]", content).get("cells"), list):
            raise NotebookError("it is not a notebook of version 4")
        for indent in (1, 2, 4, None):
            for escaped in (False, True):
                layout: dict[str, Any] = {"indent": indent, "ensure_ascii": escaped}
                if json.dumps(content, **layout) == text.rstrip("\n"):
                    return cls(text, cast("dict[str, Any]", content), layout, [], [], [])
        raise NotebookError("its layout is not one that json.dumps writes")

    def to_module(self) -> str:
        """Return the code cells as one module, without those that are not Python."""
        parts: list[str] = []
        for number, cell in enumerate(self.content["cells"]):
            code = _source(cell) if cell.get("cell_type") == "code" else ""
            if code.startswith("%%") and not code.startswith(_PYTHON_MAGICS):
                continue
            code = "\n".join(map(self._without_magic, code.split("\n")))
            if not _is_python(code):
                self.not_python.append(self._code_cell(number))
            elif code.strip():
                self._cells.append(number)
                parts.append(f"{_CELL.format(number)}\n{code}\n")
        return "".join(parts)

    def place(self, module: str, line: int) -> str:
        """Return the cell and its line for a line of the module.

        Parameters
        ----------
        module
            The module as `to_module` returned it.
        line
            The line, from 1.
        """
        before = module.split("\n")[:line]
        start = max(index for index, text in enumerate(before) if _CELL_LINE.match(f"{text}\n"))
        return f"cell {self._code_cell(int(before[start].rpartition(':')[2]))}, line {line - start - 1}"

    def _code_cell(self, number: int) -> int:
        """Return the number of a cell among those with code, from 1."""
        return sum(cell.get("cell_type") == "code" for cell in self.content["cells"][: number + 1])

    def with_module(self, module: str) -> str:
        """Return the notebook's text with the cells of a changed module.

        Parameters
        ----------
        module
            The changed module.

        Raises
        ------
        NotebookError
            The module has other cells.
        """
        before, *parts = _CELL_LINE.split(module)
        if [int(number) for number in parts[::2]] != self._cells:
            raise NotebookError("its cells cannot be told apart")
        content = json.loads(self.text)
        for number, code in zip(self._cells, parts[1::2], strict=True):
            code, before = before + code, ""
            code = _MAGIC_LINE.sub(lambda match: self._magics[int(match[1])], code.removesuffix("\n"))
            cell = content["cells"][number]
            if code != _source(cell):
                is_list = isinstance(cell["source"], list)
                cell["source"] = re.findall(r"[^\n]*\n|[^\n]+", code) if is_list else code
        end = self.text[len(self.text.rstrip("\n")) :]
        return json.dumps(content, **self.layout) + end

    def _without_magic(self, line: str) -> str:
        if not _IS_MAGIC.match(line):
            return line
        self._magics.append(line)
        return line[: len(line) - len(line.lstrip())] + _MAGIC.format(len(self._magics) - 1)


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(cast("list[str]", source)) if isinstance(source, list) else str(source)


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
