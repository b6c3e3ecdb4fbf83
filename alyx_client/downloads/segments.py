"""The segments of one large file that several threads fetch in parallel."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Self

from alyx_client.downloads.cancellation import cancelled_error
from alyx_client.downloads.part_file import PartFile

MIB = 2**20
# Below this, one connection is done before the others have gained speed (TCP slow start).
MIN_SEGMENTED_BYTES = 64 * MIB
# Large enough that a request's latency does not count, small enough that all threads end at about the same time.
MIN_SEGMENT_BYTES = 32 * MIB
# The metadata is written after each segment, and has a number for each.
_MAX_SEGMENTS = 256


def is_worth_dividing(length: int) -> bool:
    """Return whether so many bytes are fetched faster in segments."""
    return length >= MIN_SEGMENTED_BYTES


def segment_size(length: int) -> int:
    """Return the size of the segments of a file of `length` bytes."""
    return max(MIN_SEGMENT_BYTES, -(-length // _MAX_SEGMENTS))


class Segments:
    """The segments of a file, and which thread has which.

    The first thread continues from the front, where its open response goes on anyway; the others take segments from
    the back, so that it meets them as late as possible.

    Parameters
    ----------
    part
        The partial download, divided into segments.
    """

    def __init__(self, part: PartFile) -> None:
        assert part.version is not None
        assert part.version.length is not None
        self.part = part
        self.version = part.version
        self.length: int = part.version.length
        self.closed = False
        self._size = part.segment_size
        self._received = part.segment_bytes
        self._leased: set[int] = set()
        self._unsaved = self._saving = False
        self._changed = threading.Condition()
        self._write_locks: list[threading.Lock] = []

    def start(self, index: int) -> int:
        """Return the offset in the file at which the missing bytes of a segment begin."""
        return index * self._size + self._received[index]

    def end(self, index: int) -> int:
        """Return the offset in the file at which a segment ends."""
        return min(self.length, (index + 1) * self._size)

    def add(self, index: int, count: int) -> None:
        """Count bytes that were written to a segment."""
        self._received[index] += count

    @property
    def finished(self) -> bool:
        """True if all bytes have been received."""
        return all(self.start(index) >= self.end(index) for index in range(len(self._received)))

    def lease(self, *, backwards: bool = False) -> SegmentLease | None:
        """Lease the first incomplete segment that no thread has, or the last; None if there is none."""
        with self._changed:
            order = range(len(self._received))
            for index in reversed(order) if backwards else order:
                if self._is_free(index):
                    self._leased.add(index)
                    return SegmentLease(self, index)
            return None

    def lease_after(self, index: int) -> bool:
        """Lease the next segment, if no thread has it and none of its bytes have been received."""
        with self._changed:
            free = self._is_empty(index + 1)
            if free:
                self._leased.add(index + 1)
            return free

    def gap_end(self, index: int) -> int:
        """Return the end of the missing bytes that begin in this segment, across the empty ones after it."""
        with self._changed:
            while self._is_empty(index + 1):
                index += 1
            return self.end(index)

    def release(self, index: int) -> None:
        """Release a segment, complete or not, and save the metadata.

        If another thread is saving it, that one does so once more: only one waits for the disk.
        """
        with self._changed:
            self._leased.discard(index)
            self._changed.notify_all()
            self._unsaved = True
            if self._saving:
                return
            self._saving = True
        try:
            while self._has_unsaved():
                self.part.save()
        except BaseException:
            self._end_saving()
            raise

    def _has_unsaved(self) -> bool:
        with self._changed:
            if self._unsaved and not self.closed:
                self._unsaved = False
                return True
            # In one step, since a segment that is released from now on is saved by its own thread.
            self._end_saving()
            return False

    def _end_saving(self) -> None:
        with self._changed:
            self._saving = False
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until a segment is released."""
        with self._changed:
            self._changed.wait(seconds)

    def write_lock(self) -> threading.Lock:
        """Return a new lock, for one thread to hold while it writes."""
        # One for each thread, so that writers do not wait for one another, and `close` can wait for all of them.
        lock = threading.Lock()
        with self._changed:
            self._write_locks.append(lock)
        return lock

    @contextmanager
    def writing(self, lock: threading.Lock) -> Generator[None]:
        """Hold a thread's lock during a write.

        Raises
        ------
        DownloadCancelledError
            The segments are closed: the file may be another download's by now.
        """
        with lock:
            if self.closed:
                raise cancelled_error()
            yield

    def close(self) -> None:
        """Prevent further writes, and wait for those under way."""
        with self._changed:
            self.closed = True
            while self._saving:
                self._changed.wait()
            locks = list(self._write_locks)
        for lock in locks:
            with lock:
                pass

    def _is_free(self, index: int) -> bool:
        return index not in self._leased and self.start(index) < self.end(index)

    def _is_empty(self, index: int) -> bool:
        return index < len(self._received) and self._received[index] == 0 and self._is_free(index)


class SegmentLease:
    """A segment that one thread fetches; released at the end of its block.

    Parameters
    ----------
    segments
        All segments.
    index
        The index of the leased one.
    """

    def __init__(self, segments: Segments, index: int) -> None:
        self.segments = segments
        self.index = index

    @property
    def start(self) -> int:
        """The offset in the file at which the missing bytes begin."""
        return self.segments.start(self.index)

    @property
    def end(self) -> int:
        """The offset in the file at which the segment ends."""
        return self.segments.end(self.index)

    def advance(self) -> bool:
        """Exchange the segment for the next one, if that is to be had."""
        if not self.segments.lease_after(self.index):
            return False
        finished, self.index = self.index, self.index + 1
        self.segments.release(finished)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.segments.release(self.index)
