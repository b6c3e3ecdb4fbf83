"""What a process uses: memory, threads and sockets."""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import sys
import threading
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

MIB = 1024 * 1024
_DESCRIPTORS = Path("/proc/self/fd")


class MemoryLog:
    """Measures this process's memory every second, in MiB, in a thread of its own."""

    def __init__(self) -> None:
        self.samples: list[float] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop measuring."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(1.0):
            if tracemalloc.is_tracing() and len(self.samples) % 5 == 0:
                # Cycles that wait for the collector are no leak, but vary by megabytes.
                gc.collect()
            self.samples.append(used_memory() / MIB)


def used_memory() -> int:
    """Return the bytes that Python has allocated if tracemalloc runs, or else those of the whole process."""
    if tracemalloc.is_tracing():
        return tracemalloc.get_traced_memory()[0]
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        # Only the peak is known, in bytes on macOS, and in KiB elsewhere.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")


def growth(samples: Sequence[float]) -> float | None:
    """Return by how much samples grew from their second fifth, after the start, to their last; None for a short log.

    The least of each fifth is compared: what responses that are being received take varies by megabytes.
    """
    fifth = len(samples) // 5
    return min(samples[-fifth:]) - min(samples[fifth : 2 * fifth]) if fifth >= 10 else None


def descriptors() -> list[str]:
    """Return what this process has open, but for its standard streams and its code."""
    targets: list[str] = []
    for descriptor in _DESCRIPTORS.iterdir() if _DESCRIPTORS.exists() else ():
        # The one that lists the folder is closed meanwhile.
        with contextlib.suppress(OSError):
            targets.append(os.readlink(descriptor))
    return sorted(target for target in targets if not target.startswith("/proc/"))


def peak() -> float:
    """Return the most memory that this process had, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / MIB if sys.platform == "darwin" else most / 1024
