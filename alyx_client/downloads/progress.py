"""Progress bars: one for the whole call, and one for each file under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

from alyx_client.downloads import bars
from alyx_client.downloads.download import Download
from alyx_client.errors import printable


class Progress:
    """The progress bars of one call, drawn by the thread that calls `draw`.

    Parameters
    ----------
    downloads
        The downloads of the call.
    silent
        Draw nothing.
    """

    def __init__(self, downloads: Sequence[Download], *, silent: bool) -> None:
        self._downloads = downloads
        self._hidden = silent or not bars.are_shown()
        # Bytes of some files only would make a bar that reaches its end too early.
        self._in_bytes = all(download.total is not None for download in downloads)
        self._new_bar: Callable[..., Any] | None
        self._new_bar, has_several = (None, False) if self._hidden else bars.find_bars()
        self._shows_files = has_several or len(downloads) == 1
        self._overall: Any = None
        self._bars: dict[Download, Any] = {}

    def draw(self) -> None:
        """Update the bars."""
        if self._hidden:
            return
        if len(self._downloads) > 1:
            self._draw_overall()
        active = [download for download in self._downloads if download.active]
        for download in [download for download in self._bars if download not in active]:
            self._bars.pop(download).close()
        for download in active if self._shows_files else ():
            self._draw_file(download)

    def _draw_file(self, download: Download) -> None:
        bar = self._bars.get(download)
        if bar is None:
            bar = self._bars[download] = self._make_bar(printable(download.job.target.name), download.total)
        bar.total = download.total
        bars.set_count(bar, download.received)

    def _draw_overall(self) -> None:  # pragma: no cover - runs in a child process
        if self._overall is None:
            count = len(self._downloads)
            total = sum(download.total or 0 for download in self._downloads) if self._in_bytes else count
            self._overall = self._make_bar(f"{count} files", total, in_bytes=self._in_bytes)
        bars.set_count(self._overall, sum(d.received if self._in_bytes else d.ended for d in self._downloads))

    def _make_bar(self, name: str, total: int | None, *, in_bytes: bool = True) -> Any:
        assert self._new_bar is not None
        unit = "B" if in_bytes else "file"
        return self._new_bar(total=total, desc=name, unit=unit, unit_scale=in_bytes, leave=False)

    def __enter__(self) -> Self:
        self.draw()
        return self

    def __exit__(self, *_: object) -> None:
        self.draw()
        for bar in [*self._bars.values(), *([self._overall] if self._overall is not None else [])]:
            bar.close()
        self._bars.clear()
