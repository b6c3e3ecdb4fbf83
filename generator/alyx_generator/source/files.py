"""Documents that are divided over several files: the other files become a section of the one that refers to them.

Only files in the document's own folder, or below it, are read; nothing is read from a network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from alyx_client.schema.openapi import as_list, as_schema
from alyx_generator.source.openapi import JSONDict
from alyx_generator.source.references import FILES
from alyx_generator.source.validate import UnreadableSchemaError

_MAX_FILES = 500
_SCHEME = re.compile(r"[a-zA-Z][\w+.-]*:|//")


def with_files(document: JSONDict, file: Path, read: Callable[[Path], Any]) -> JSONDict:
    """Return a document with the files that it refers to, and with references to them in it.

    Parameters
    ----------
    document
        The decoded document.
    file
        Its path.
    read
        Reads and decodes a file.

    Raises
    ------
    UnreadableSchemaError
        A reference leads out of the document's folder, or there are too many files.
    """
    bundle = _Bundle(file.resolve())
    main = bundle.rewritten(document, bundle.main)
    waiting = bundle.unread()
    while waiting:
        for path in waiting:
            bundle.files[path] = bundle.rewritten(read(path), path)
        waiting = bundle.unread()
    sections = {bundle.names[path]: content for path, content in bundle.files.items()}
    return {**main, FILES: sections} if sections else main


class _Bundle:
    def __init__(self, main: Path) -> None:
        self.main = main
        self.names: dict[Path, str] = {}
        self.files: dict[Path, Any] = {}

    def unread(self) -> list[Path]:
        """Return the files that were referred to and are not read yet."""
        if len(self.names) > _MAX_FILES:
            raise UnreadableSchemaError(f"the schema refers to more than {_MAX_FILES} files")
        return [path for path in self.names if path not in self.files]

    def rewritten(self, document: Any, file: Path) -> Any:
        """Return the content of a file with references that hold in the whole document."""
        root: list[Any] = [document]
        waiting: list[tuple[Any, Any]] = [(root, 0)]
        while waiting:
            holder, place = waiting.pop()
            node = holder[place]
            if isinstance(node, list):
                holder[place] = copy = as_list(node)
                waiting += [(copy, index) for index in range(len(copy))]
            elif isinstance(node, Mapping):
                members = dict(as_schema(node))
                if isinstance(members.get("$ref"), str):
                    members["$ref"] = self._reference(members["$ref"], file)
                holder[place] = members
                waiting += [(members, key) for key in members]
        return root[0]

    def _reference(self, reference: str, file: Path) -> str:
        if _SCHEME.match(reference):
            return reference  # to a network: it leads nowhere, and becomes a finding
        path, _, pointer = reference.partition("#")
        target = (file.parent / unquote(path)).resolve() if path else file
        if not target.is_relative_to(self.main.parent):
            raise UnreadableSchemaError(
                f"{file.name} refers to {reference}, which is outside the folder of the schema; copy the file there"
            )
        if not target.is_file():
            return reference
        if target == self.main:
            return f"#{pointer}"
        name = self.names.get(target) or self._name(target)
        return f"#/{FILES}/{name}{pointer}"

    def _name(self, target: Path) -> str:
        name = re.sub(r"\W+", "_", target.stem) or "file"
        while name in self.names.values():
            name += "_"
        self.names[target] = name
        return name
