"""What a probe has seen: kinds and counts for each place of the schema, and a file to go on from. Never a value."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from alyx_client.storage.atomic import write_private

Place = tuple[str | int, ...]
"""Where a schema stands in the document, as keys and indices from its root."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_MOST_NAMES = 60
_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_TIME = re.compile(_DATE.pattern + r"[Tt ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?")


class ProbeStateError(ValueError):
    """The state file belongs to another probe, or is none."""


def kind_of(value: Any) -> str:
    """Return the JSON type of a decoded value."""
    if value is None:
        return "null"
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds[type(value)]


def has_format(text: str, name: str) -> bool:
    """Tell whether a text has a format; true for formats that are not checked."""
    if name == "uuid":
        try:
            return str(UUID(text)) == text.lower()
        except ValueError:
            return False
    pattern = {"date": _DATE, "date-time": _TIME}.get(name)
    return pattern is None or pattern.fullmatch(text) is not None


def format_of(text: str) -> str:
    """Return the format that a text has: uuid, date, date-time, or nothing."""
    return next((name for name in ("uuid", "date", "date-time") if has_format(text, name)), "")


def _is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None and not format_of(text)


@dataclass
class Shape:
    """What values looked like that the schema does not describe.

    Parameters
    ----------
    kinds
        How many there were of each JSON type.
    formats
        How many texts had each recognised format.
    items
        The items of arrays.
    fields
        The fields of objects, where all objects had the same ones. Others may be keyed by what they hold, so their
        keys are not kept.
    """

    kinds: dict[str, int] = field(default_factory=dict[str, int])
    formats: dict[str, int] = field(default_factory=dict[str, int])
    items: Shape | None = None
    fields: dict[str, Shape] | None = None

    def add(self, value: Any, depth: int = 6) -> None:
        """Add a value."""
        kind = kind_of(value)
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if kind == "string":
            name = format_of(value)
            self.formats[name] = self.formats.get(name, 0) + 1
        elif kind == "array" and depth:
            for item in cast("Sequence[Any]", value):
                self.items = self.items or Shape()
                self.items.add(item, depth - 1)
        elif kind == "object" and depth:
            self._add_object(cast("Mapping[str, Any]", value), depth)

    def _add_object(self, value: Mapping[str, Any], depth: int) -> None:
        if self.kinds["object"] == 1:
            named = 0 < len(value) <= _MOST_NAMES and all(map(_is_name, value))
            self.fields = {name: Shape() for name in value} if named else None
        elif self.fields is not None and set(self.fields) != set(value):
            self.fields = None
        if self.fields is not None:
            for name, each in self.fields.items():
                each.add(value[name], depth - 1)

    def forget_single(self) -> None:
        """Forget the keys of an object that was the only one: nothing tells a name from a value there."""
        if self.kinds.get("object", 0) < 2:
            self.fields = None
        for each in (self.items, *(self.fields or {}).values()):
            if each is not None:
                each.forget_single()

    def join(self, other: Shape) -> None:
        """Add what another shape has seen."""
        ours, theirs = self.kinds.get("object", 0), other.kinds.get("object", 0)
        for mine, its in ((self.kinds, other.kinds), (self.formats, other.formats)):
            for name, count in its.items():
                mine[name] = mine.get(name, 0) + count
        if other.items is not None:
            self.items = self.items or Shape()
            self.items.join(other.items)
        if theirs and not ours:
            self.fields = copy.deepcopy(other.fields)
        elif theirs and self.fields is not None:
            if other.fields is None or set(other.fields) != set(self.fields):
                self.fields = None
            else:
                for name, each in self.fields.items():
                    each.join(other.fields[name])

    @classmethod
    def load(cls, given: Mapping[str, Any]) -> Shape:
        """Return a shape that was written as JSON."""
        items, fields = given["items"], given["fields"]
        return cls(
            dict(given["kinds"]),
            dict(given["formats"]),
            None if items is None else cls.load(items),
            None if fields is None else {name: cls.load(each) for name, each in fields.items()},
        )


@dataclass
class Seen:
    """What was seen at one place of the schema, by one operation.

    Parameters
    ----------
    rows
        How many values, or objects that should have had one.
    fine
        How many values were of the declared type.
    wrong
        How many were not, by what they were: a JSON type, ``absent``, ``format``, ``enum``.
    shape
        What the values of other types looked like.
    extra
        Fields of an object that the schema does not have.
    unnamed
        How many such fields have names that are no field names.
    """

    rows: int = 0
    fine: int = 0
    wrong: dict[str, int] = field(default_factory=dict[str, int])
    shape: Shape = field(default_factory=Shape)
    extra: dict[str, Shape] = field(default_factory=dict[str, Shape])
    unnamed: int = 0

    def miss(self, kind: str) -> None:
        """Count something wrong."""
        self.wrong[kind] = self.wrong.get(kind, 0) + 1

    def add_extra(self, name: str, value: Any) -> None:
        """Count a field that the schema does not have."""
        shape = self.extra.get(name)
        if shape is None:
            if len(self.extra) >= 4 * _MOST_NAMES or format_of(name) or not is_writable(name):
                self.unnamed += 1
                return
            shape = self.extra[name] = Shape()
        shape.add(value)

    def settle(self) -> None:
        """Forget the names that may be values: those that one object of several has, and those that are too many."""
        self.shape.forget_single()
        kept = {name: each for name, each in self.extra.items() if sum(each.kinds.values()) >= min(2, self.rows)}
        self.unnamed += len(self.extra) - len(kept)
        if len(kept) > _MOST_NAMES:
            self.unnamed, kept = self.unnamed + len(kept), {}
        self.extra = kept
        for each in kept.values():
            each.forget_single()

    @classmethod
    def load(cls, given: Mapping[str, Any]) -> Seen:
        """Return what was written as JSON."""
        extra = {name: Shape.load(each) for name, each in given["extra"].items()}
        shape = Shape.load(given["shape"])
        return cls(given["rows"], given["fine"], dict(given["wrong"]), shape, extra, given["unnamed"])


def is_writable(name: str) -> bool:
    """Tell whether a field's name can stand in a file: it is short, and all of it is characters."""
    return len(name) <= 100 and not any("\ud800" <= letter <= "\udfff" for letter in name)


Sight = dict[Place, Seen]
"""What one operation showed, by place."""


@dataclass
class Done:
    """An operation that was read to its end.

    Parameters
    ----------
    requests
        How many requests it took.
    rows
        How many rows or records were checked.
    skipped
        Why it was not read, or not to its end; empty where it was.
    failed
        Whether that is the server's doing.
    sight
        What was seen.
    """

    requests: int = 0
    rows: int = 0
    skipped: str = ""
    failed: bool = False
    sight: Sight = field(default_factory=dict[Place, Seen])


class State:
    """The operations that are done, kept in a file after each.

    Parameters
    ----------
    file
        Where they are kept; None for nowhere.
    about
        What tells this probe from others: of another server or schema, or with other bounds.

    Raises
    ------
    ProbeStateError
        The file is about another probe, or cannot be read.
    """

    def __init__(self, file: Path | None, about: str) -> None:
        self._file = file
        self._about = about
        self.done: dict[str, Done] = {}
        if file is not None and file.exists():
            self._load(file)

    def _load(self, file: Path) -> None:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            about, done = content["about"], {path: _load_done(each) for path, each in content["done"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ProbeStateError(f"{file} is not the state of a probe; remove it to start anew") from None
        if about != self._about:
            raise ProbeStateError(
                f"{file} is the state of another probe: the server, its schema, the corrections or the bounds differ. "
                "Remove it to start anew"
            )
        self.done = done

    def finish(self, path: str, done: Done) -> None:
        """Add an operation that is done, and keep it."""
        for each in done.sight.values():
            each.settle()
        self.done[path] = done
        if self._file is not None:
            content = {"about": self._about, "done": {name: _written(each) for name, each in self.done.items()}}
            write_private(self._file, json.dumps(content))


def _written(done: Done) -> dict[str, Any]:
    sight = [[list(place), asdict(seen)] for place, seen in done.sight.items()]
    return {**asdict(Done(done.requests, done.rows, done.skipped, done.failed)), "sight": sight}


def _load_done(given: Mapping[str, Any]) -> Done:
    sight = {tuple(place): Seen.load(seen) for place, seen in given["sight"]}
    return Done(given["requests"], given["rows"], given["skipped"], given["failed"], sight)
