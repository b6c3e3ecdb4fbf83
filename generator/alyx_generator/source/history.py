"""The record of which versions of Alyx have what: a file of facts, with a line for each part of their interfaces."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from alyx_client.schema.openapi import as_list, as_schema

__all__ = ["History", "Part", "Record", "UnreadableHistoryError", "history_text", "is_version", "read_history"]

Part = tuple[str, ...]
"""The name of an endpoint or a model; for what belongs to it, also its kind, if it has several, and its own name."""

_TO = ".."
_UNKNOWN = "?"


class UnreadableHistoryError(ValueError):
    """A file is not a record of versions."""


@dataclass(frozen=True)
class History:
    """What versions of Alyx have.

    Parameters
    ----------
    versions
        The recorded versions, the oldest first.
    parts
        The versions that have each part; none if that is unknown.
    """

    versions: tuple[str, ...] = ()
    parts: Mapping[Part, frozenset[str]] = field(default_factory=dict[Part, frozenset[str]])

    def since(self, part: Part) -> str:
        """Return the version since which Alyx has a part, or had it at last; empty if that is unknown."""
        runs = self.runs(part)
        # A part that was gone in between is new since it came back.
        return runs[-1][0] if runs else ""

    def removed(self, part: Part) -> str:
        """Return the first version that lacks a part again; empty if the newest one has it, or that is unknown."""
        runs = self.runs(part)
        following = self.versions.index(runs[-1][1]) + 1 if runs else len(self.versions)
        return self.versions[following] if following < len(self.versions) else ""

    def only(self, names: Collection[str]) -> History:
        """Return the history of these endpoints, or models."""
        return History(self.versions, {part: having for part, having in self.parts.items() if part[0] in names})

    def with_version(self, version: str, parts: Iterable[Part]) -> History:
        """Return the history with a further version.

        A version that is recorded does not change, but what is said of it may: a schema's corrections do. The other
        versions may have what it gains, which is unknown of them; what it loses is called otherwise now.

        Parameters
        ----------
        version
            The version.
        parts
            What it has.
        """
        own = frozenset(parts)
        if version in self.versions:
            differs = {part for part, having in self.parts.items() if having and (version in having) != (part in own)}
            kept = {part: having for part, having in self.parts.items() if part not in differs}
            unknown = dict.fromkeys(own - kept.keys(), frozenset[str]())
            return History(self.versions, {**unknown, **kept})
        known = {part: having | {version} if having and part in own else having for part, having in self.parts.items()}
        first = dict.fromkeys(own, frozenset({version}))
        return History(tuple(sorted((*self.versions, version), key=_numbers)), {**first, **known})

    def runs(self, part: Part) -> list[tuple[str, str]]:
        """Return the first and the last version of each unbroken run of those that have a part."""
        having = self.parts.get(part, frozenset[str]())
        runs = [list(run) for present, run in groupby(self.versions, having.__contains__) if present]
        return [(run[0], run[-1]) for run in runs]


@dataclass(frozen=True)
class Record:
    """The histories of Alyx.

    Parameters
    ----------
    endpoints
        That of endpoints: of their actions, filters, and fields of records.
    models
        That of the models whose fields conditions compare.
    """

    endpoints: History = field(default_factory=History)
    models: History = field(default_factory=History)


def is_version(text: str) -> bool:
    """Return whether a text is a version that can be recorded: numbers between dots."""
    return re.fullmatch(r"\d+(\.\d+)*", text) is not None


def history_text(record: Record) -> str:
    """Return the histories as JSON, sorted, with a line for each part."""
    return f'{{\n "endpoints": {_text(record.endpoints)},\n "models": {_text(record.models)}\n}}\n'


def _text(history: History) -> str:
    parts = [f"   {json.dumps(' '.join(part))}: {json.dumps(_value(history, part))}" for part in sorted(history.parts)]
    body = "{\n" + ",\n".join(parts) + "\n  }" if parts else "{}"
    return f'{{\n  "versions": {json.dumps([*history.versions])},\n  "parts": {body}\n }}'


def _value(history: History, part: Part) -> str:
    runs = history.runs(part)
    open_end = history.versions[-1:]
    return " ".join(first if (last,) == open_end else f"{first}{_TO}{last}" for first, last in runs) or _UNKNOWN


def read_history(file: Path) -> Record:
    """Read the histories from a file; there are none if it does not exist.

    Parameters
    ----------
    file
        The file.

    Raises
    ------
    UnreadableHistoryError
        It is not such a record.
    OSError
        It cannot be read.
    """
    if not file.exists():
        return Record()
    try:
        content = as_schema(json.loads(file.read_bytes()))
        return Record(_history(as_schema(content["endpoints"])), _history(as_schema(content["models"])))
    except (ValueError, KeyError) as error:
        raise UnreadableHistoryError(f"{file} is not a record of versions: {error}") from None


def _history(content: Mapping[str, Any]) -> History:
    versions = tuple(str(version) for version in as_list(content["versions"]))
    parts = as_schema(content["parts"])
    return History(versions, {tuple(key.split(" ", 2)): frozenset(_having(parts[key], versions)) for key in parts})


def _having(value: Any, versions: tuple[str, ...]) -> Iterator[str]:
    for run in str(value).split() if value != _UNKNOWN else ():
        first, _, last = run.partition(_TO)
        yield from versions[versions.index(first) : versions.index(last or versions[-1]) + 1]


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]
