"""What changed between two schemas, as a report: text for a terminal, Markdown, and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

__all__ = ["Change", "FailOn", "Group", "Kind", "Report", "What"]

Group = Literal["breaking", "type-checks", "harmless"]
FailOn = Literal["breaking", "type-checks", "any"]
Kind = Literal["endpoint", "action", "filter", "sent", "answer"]
What = Literal["added", "removed", "changed"]

GROUPS: tuple[Group, ...] = ("breaking", "type-checks", "harmless")
_TITLES: dict[Group, str] = {
    "breaking": "Breaks callers",
    "type-checks": "Breaks type checks",
    "harmless": "Harmless",
}
_KINDS: tuple[Kind, ...] = ("endpoint", "action", "filter", "sent", "answer")
_WIDEST = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One change of what a server offers.

    Parameters
    ----------
    group
        Whom it breaks: ``breaking``, ``type-checks`` or ``harmless``.
    kind, what
        What changed, and how.
    endpoint
        The endpoint, as on the client.
    actions
        The actions that it holds for.
    name
        What users write: ``client.sessions.list(task_protocol=)``.
    words
        What it means.
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
    """What changed, and whom it breaks.

    Parameters
    ----------
    changes
        The changes: what breaks callers first, then by endpoint.
    notes
        What could not be compared, and why.
    old, new
        What the two sides are called.
    """

    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()
    old: str = "old"
    new: str = "new"

    @property
    def worst(self) -> Group | None:
        """The gravest group that has a change; None where nothing changed."""
        return next((group for group in GROUPS if self.of(group)), None)

    def of(self, group: Group) -> tuple[Change, ...]:
        """Return the changes of one group."""
        return tuple(each for each in self.changes if each.group == group)

    def fails(self, on: FailOn) -> bool:
        """Return whether there is a change of this group or of a graver one; ``any`` is any change at all."""
        last = GROUPS.index("harmless" if on == "any" else on)
        return self.worst in GROUPS[: last + 1]

    def called(self, old: str, new: str) -> Report:
        """Return the report with other words for its two sides."""
        return replace(self, old=old, new=new)

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.changes)

    def __repr__(self) -> str:
        return self.text()

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def text(self) -> str:
        """Return the report for a terminal: one line for each change."""
        return "\n".join(self._text_lines())

    def markdown(self) -> str:
        """Return the report in Markdown: a table for each group."""
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
                    "group": each.group,
                    "kind": each.kind,
                    "what": each.what,
                    "endpoint": each.endpoint,
                    "actions": list(each.actions),
                    "name": each.name,
                    "words": each.words,
                }
                for each in self.changes
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
        yield f"{_plain(self.old)} -> {_plain(self.new)}: {self._summary()}"
        for group in GROUPS:
            found = self.of(group)
            if found:
                yield f"\n{_TITLES[group]} ({len(found)})"
                width = max((len(_plain(each.name)) for each in found if len(_plain(each.name)) <= _WIDEST), default=0)
                yield from (f"  {_plain(each.name):{width}}  {_plain(_sentence(each))}" for each in found)
        if self.notes:
            yield "\nNotes"
            yield from (f"  {_plain(note)}" for note in self.notes)

    def _markdown_lines(self) -> Iterator[str]:
        yield f"**{_cell(self.old)} → {_cell(self.new)}**: {self._summary()}."
        for group in GROUPS:
            found = self.of(group)
            if found:
                yield f"\n### {_TITLES[group]} ({len(found)})\n"
                yield "| What | Change |\n|---|---|"
                yield from (f"| {_code(each.name)} | {_cell(_sentence(each))} |" for each in found)
        if self.notes:
            yield "\n### Notes\n"
            yield from (f"- {_cell(note)}" for note in self.notes)


def in_order(change: Change) -> tuple[Any, ...]:
    """Return what a report's changes are sorted by."""
    return (
        GROUPS.index(change.group),
        change.endpoint,
        _KINDS.index(change.kind),
        change.name,
        change.words,
        change.actions,
    )


def _sentence(change: Change) -> str:
    """Return a change in words, with the actions that its name does not show."""
    shown = change.actions[0] if change.kind != "answer" else ""
    others = [each for each in change.actions if each != shown]
    if change.kind in ("endpoint", "answer") or not others:
        return change.words
    return f"{change.words} (also in {', '.join(others)})"


def _plain(text: str) -> str:
    """Return text on one line, without what a terminal would obey."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return re.sub(r"([\\|<>*_`~&\[\]])", r"\\\1", text)


def _cell(text: str) -> str:
    return escaped(_plain(text))


def _code(text: str) -> str:
    plain = _plain(text)
    if "`" in plain:
        return _cell(text)
    in_a_table = plain.replace("|", "\\|")
    return f"`{in_a_table}`"
