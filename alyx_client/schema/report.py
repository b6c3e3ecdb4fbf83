"""The report of the changes between two schemas: text for a terminal, Markdown, and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from alyx_client.errors import printable

__all__ = ["GROUPS", "Change", "FailOn", "Group", "Kind", "Report", "What", "escape_markdown", "sort_key"]

Group = Literal["breaking", "type-checks", "harmless"]
FailOn = Literal["breaking", "type-checks", "any"]
Kind = Literal["server", "endpoint", "action", "filter", "sent", "answer", "field"]
What = Literal["added", "removed", "changed"]

GROUPS: tuple[Group, ...] = ("breaking", "type-checks", "harmless")
_TITLES: dict[Group, str] = {
    "breaking": "Breaks callers",
    "type-checks": "Breaks type checks",
    "harmless": "Harmless",
}
_KINDS: tuple[Kind, ...] = ("server", "endpoint", "action", "filter", "sent", "answer", "field")
_MAX_NAME_WIDTH = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One change between two schemas.

    Parameters
    ----------
    group
        Its consequence: ``breaking``, ``type-checks`` or ``harmless``.
    kind, what
        The kind of thing that changed, and the kind of change.
    endpoint
        The endpoint, as on the client; empty for changes of the server as a whole.
    actions
        The actions that it affects.
    name
        The thing that changed, as users write it: ``client.sessions.list(task_protocol=)``.
    words
        The change in words.
    """

    group: Group
    kind: Kind
    what: What
    endpoint: str
    actions: tuple[str, ...]
    name: str
    words: str


@dataclass(frozen=True, repr=False)
class Report:
    """The changes between two schemas, grouped by their consequence.

    Parameters
    ----------
    changes
        The changes: those that break callers first, then by endpoint.
    notes
        What could not be compared, and why.
    old, new
        The names of the two schemas.
    """

    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
    old: str = "old"
    new: str = "new"

    @property
    def worst(self) -> Group | None:
        """The most severe group that has a change; None if nothing changed."""
        return next((group for group in GROUPS if self.of(group)), None)

    def of(self, group: Group) -> tuple[Change, ...]:
        """Return the changes of one group."""
        return tuple(change for change in self.changes if change.group == group)

    def fails(self, on: FailOn) -> bool:
        """Return whether there is a change of this group or of a more severe one; ``any`` means any change."""
        last = GROUPS.index("harmless" if on == "any" else on)
        return self.worst in GROUPS[: last + 1]

    def with_names(self, old: str, new: str) -> Report:
        """Return the report with other names for the two schemas."""
        return replace(self, old=old, new=new)

    def __bool__(self) -> bool:
        """Return whether anything changed."""
        return bool(self.changes)

    def __repr__(self) -> str:
        return self.text()

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def text(self) -> str:
        """Return the report for a terminal: one line per change."""
        return "\n".join(self._text_lines())

    def markdown(self) -> str:
        """Return the report in Markdown: a table per group."""
        return "\n".join(self._markdown_lines()) + "\n"

    def json(self) -> str:
        """Return the report in JSON."""
        content: dict[str, Any] = {
            "form": 1,
            "old": self.old,
            "new": self.new,
            "worst": self.worst,
            "counts": {group: len(self.of(group)) for group in GROUPS},
            "changes": [
                {
                    "group": change.group,
                    "kind": change.kind,
                    "what": change.what,
                    "endpoint": change.endpoint,
                    "actions": list(change.actions),
                    "name": change.name,
                    "words": change.words,
                }
                for change in self.changes
            ],
            "notes": list(self.notes),
        }
        return json.dumps(content, indent=2) + "\n"

    def _summary(self) -> str:
        if not self.changes:
            return "nothing changed"
        breaking, checks, harmless = (len(self.of(group)) for group in GROUPS)
        return f"{breaking} break callers, {checks} break type checks, {harmless} harmless"

    def _text_lines(self) -> Iterator[str]:
        yield f"{printable(self.old)} -> {printable(self.new)}: {self._summary()}"
        for group in GROUPS:
            if changes := self.of(group):
                yield f"\n{_TITLES[group]} ({len(changes)})"
                names = [printable(change.name) for change in changes]
                width = max((len(name) for name in names if len(name) <= _MAX_NAME_WIDTH), default=0)
                for name, change in zip(names, changes, strict=True):
                    yield f"  {name:{width}}  {printable(_sentence(change))}"
        if self.notes:
            yield "\nNotes"
            yield from (f"  {printable(note)}" for note in self.notes)

    def _markdown_lines(self) -> Iterator[str]:
        # Without emphasis: what reads addresses as links would take its asterisks for a part of them.
        yield f"{_code(self.old)} → {_code(self.new)}: {self._summary()}."
        for group in GROUPS:
            if changes := self.of(group):
                yield f"\n### {_TITLES[group]} ({len(changes)})\n"
                yield "| What | Change |\n|---|---|"
                yield from (f"| {_code(change.name)} | {_cell(_sentence(change))} |" for change in changes)
        if self.notes:
            yield "\n### Notes\n"
            yield from (f"- {_cell(note)}" for note in self.notes)


def sort_key(change: Change) -> tuple[Any, ...]:
    """Return the key by which a report's changes are sorted."""
    return (
        GROUPS.index(change.group),
        change.endpoint,
        _KINDS.index(change.kind),
        change.name,
        change.words,
        change.actions,
    )


def _sentence(change: Change) -> str:
    """Return a change in words, with the actions that its name does not mention."""
    named = change.actions[0] if change.actions and change.kind != "answer" else ""
    others = [action for action in change.actions if action != named]
    if change.kind in ("server", "endpoint", "answer") or not others:
        return change.words
    return f"{change.words} (also in {', '.join(others)})"


def escape_markdown(text: str) -> str:
    """Return text with the characters escaped that mean something in Markdown."""
    return re.sub(r"([\\|<>*_`~&\[\]])", r"\\\1", text)


def _cell(text: str) -> str:
    return escape_markdown(printable(text))


def _code(text: str) -> str:
    escaped = printable(text)
    if "`" in escaped:
        return _cell(text)
    # Tables end a cell at a vertical bar, even within code.
    code = escaped.replace("|", "\\|")
    return f"`{code}`"
