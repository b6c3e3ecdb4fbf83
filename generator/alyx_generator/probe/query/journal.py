"""The replies to a probe's requests, stored in a file as they arrive so that an interrupted probe resumes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from alyx_client.storage.atomic import write_private
from alyx_generator.probe.query.replies import Reply
from alyx_generator.probe.state import ProbeStateError


class Journal:
    """Replies by request.

    What a probe asks next depends on nothing but the replies so far: with them, the same probe comes to where the last
    one stopped without a request.

    Parameters
    ----------
    file
        The file that stores them; None stores nothing.
    fingerprint
        Identifies the server and its lists, since the replies are of no use to another probe.

    Raises
    ------
    ProbeStateError
        The file belongs to another probe, or cannot be read.
    """

    def __init__(self, file: Path | None, fingerprint: str) -> None:
        self._file = file
        self.replies: dict[str, Reply] = {}
        if file is None:
            return
        if file.exists():
            self.replies = dict(_read(file, fingerprint))
        # Whole lines: an interruption may have cut the last one. The names of fields may be sensitive.
        write_private(file, "".join(map(_line, [fingerprint, *([key, asdict(r)] for key, r in self.replies.items())])))

    def add(self, request: str, reply: Reply) -> None:
        """Store the reply to a request."""
        self.replies[request] = reply
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(_line([request, asdict(reply)]))


def _line(content: object) -> str:
    return f"{json.dumps(content)}\n"


def _read(file: Path, fingerprint: str) -> Iterator[tuple[str, Reply]]:
    unreadable = ProbeStateError(f"{file} is not the state of a probe of the query model; remove it to start again")
    first, *lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    try:
        recorded = json.loads(first)
    except ValueError:
        raise unreadable from None
    if recorded != fingerprint:
        raise ProbeStateError(
            f"{file} is the state of another probe: the server or its lists differ. Remove it to start again"
        )
    # The part after the last line break is empty, or a line that was cut.
    for line in lines[:-1]:
        try:
            request, members = json.loads(line)
            choices: tuple[str, ...] = tuple(members["choices"])
            reply = Reply(members["kind"], members["name"], members["field_class"], choices)
        except (ValueError, TypeError, KeyError):
            raise unreadable from None
        yield request, reply
