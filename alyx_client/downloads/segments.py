"""The ranges of one large file that several threads fetch side by side: who has which, and how much is there."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Self

from alyx_client.downloads.part_file import PartFile, cancelled

SMALLEST = 64 * 2**20
_PIECE = 32 * 2**20
_MOST = 256


def piece_size(length: int) -> int:
    """Choose how large the pieces of a file of this length are."""
    return max(_PIECE, -(-length // _MOST))


class Pieces:
    """Who fetches which piece: the first thread goes on from the front, the others take pieces from the back.

    Parameters
    ----------
    part
        The file's part, divided.
    """

    def __init__(self, part: PartFile) -> None:
        assert part.origin is not None
        assert part.origin.length is not None
        self.part = part
        self.origin = part.origin
        self.length: int = part.origin.length
        self.closed = False
        self._size = part.piece_size
        self._counts = part.pieces
        self._claimed: set[int] = set()
        self._changed = threading.Condition()
        self._gates: list[threading.Lock] = []

    def start(self, index: int) -> int:
        """Where the missing bytes of a piece begin in the file."""
        return index * self._size + self._counts[index]

    def end(self, index: int) -> int:
        """Where a piece ends in the file."""
        return min(self.length, (index + 1) * self._size)

    def add(self, index: int, count: int) -> None:
        """Count bytes that were written."""
        self._counts[index] += count

    @property
    def finished(self) -> bool:
        """Whether all is there."""
        return all(self.start(index) >= self.end(index) for index in range(len(self._counts)))

    def claim(self, *, backwards: bool = False) -> Claim | None:
        """Take the first piece, or the last, that nobody has; None if there is none."""
        with self._changed:
            order = range(len(self._counts))
            for index in reversed(order) if backwards else order:
                if self._is_free(index):
                    self._claimed.add(index)
                    return Claim(self, index)
            return None

    def claim_next(self, index: int) -> bool:
        """Take the piece after this one, if nobody has it and nothing of it is there."""
        with self._changed:
            free = self._is_empty(index + 1)
            if free:
                self._claimed.add(index + 1)
            return free

    def gap_end(self, index: int) -> int:
        """Where what is missing from this piece on ends."""
        with self._changed:
            while self._is_empty(index + 1):
                index += 1
            return self.end(index)

    def release(self, index: int) -> None:
        """Give a piece back, fetched or not, and note how much of it is there."""
        with self._changed:
            self._claimed.discard(index)
            self._changed.notify_all()
            if not self.closed:
                self.part.note()

    def wait(self, seconds: float) -> None:
        """Wait until somebody gives a piece back."""
        with self._changed:
            self._changed.wait(seconds)

    def gate(self) -> threading.Lock:
        """Make a lock that a thread holds while it writes."""
        gate = threading.Lock()
        with self._changed:
            self._gates.append(gate)
        return gate

    @contextmanager
    def writing(self, gate: threading.Lock) -> Generator[None]:
        """Hold the gate during a write, if writing is still allowed."""
        with gate:
            if self.closed:
                raise cancelled()
            yield

    def close(self) -> None:
        """Let nobody write any more; returns when nobody does."""
        with self._changed:
            self.closed = True
            gates = list(self._gates)
        for gate in gates:
            with gate:
                pass

    def _is_free(self, index: int) -> bool:
        return index not in self._claimed and self.start(index) < self.end(index)

    def _is_empty(self, index: int) -> bool:
        return index < len(self._counts) and self._counts[index] == 0 and self._is_free(index)


class Claim:
    """A piece in the hands of one thread; given back at the end of its block.

    Parameters
    ----------
    pieces
        All pieces.
    index
        Which one.
    """

    def __init__(self, pieces: Pieces, index: int) -> None:
        self.pieces = pieces
        self.index = index

    @property
    def start(self) -> int:
        """Where its missing bytes begin in the file."""
        return self.pieces.start(self.index)

    @property
    def end(self) -> int:
        """Where it ends in the file."""
        return self.pieces.end(self.index)

    def move_on(self) -> bool:
        """Change to the piece after this one, if that is to be had."""
        if not self.pieces.claim_next(self.index):
            return False
        done, self.index = self.index, self.index + 1
        self.pieces.release(done)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pieces.release(self.index)
