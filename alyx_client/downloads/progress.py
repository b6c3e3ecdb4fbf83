"""Progress bars for downloads: one for the whole, and one for each file that is under way."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from alyx_client.downloads.download import Download


def is_shown() -> bool:
    """Return whether somebody looks at the progress: on a terminal, or in a notebook."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    if getattr(shell, "kernel", None) is not None:
        return True
    return sys.stderr is not None and sys.stderr.isatty()


class Progress:
    """The bars of one call; all of them are drawn by the thread that calls `draw`.

    Parameters
    ----------
    downloads
        What is downloaded.
    silent
        Draw nothing.
    """

    def __init__(self, downloads: Sequence[Download], *, silent: bool) -> None:
        self._downloads = downloads
        self._hidden = silent or not is_shown()
        self._in_bytes = all(download.total is not None for download in downloads)
        self._whole: Any = None
        self._bars: dict[Download, Any] = {}

    def draw(self) -> None:
        """Bring the bars up to date."""
        if self._hidden:
            return
        active = [download for download in self._downloads if download.active]
        if len(self._downloads) > 1:
            self._draw_whole()
        for download in [known for known in self._bars if known not in active]:
            self._bars.pop(download).close()
        for download in active:
            bar = self._bars.get(download)
            if bar is None:
                bar = self._bars[download] = self._bar(download.job.target.name, download.total)
            if bar.total != download.total:
                bar.total = download.total
            _move(bar, download.received)

    def _draw_whole(self) -> None:
        if self._whole is None:
            total = sum(download.total or 0 for download in self._downloads)
            count = len(self._downloads)
            self._whole = self._bar(f"{count} files", total if self._in_bytes else count, in_bytes=self._in_bytes)
        done = sum(download.received if self._in_bytes else download.ended for download in self._downloads)
        _move(self._whole, done)

    def _bar(self, name: str, total: int | None, *, in_bytes: bool = True) -> Any:
        from tqdm.auto import tqdm

        unit = "B" if in_bytes else "file"
        return tqdm(total=total, desc=name, unit=unit, unit_scale=in_bytes, leave=False, dynamic_ncols=True)

    def __enter__(self) -> Self:
        self.draw()
        return self

    def __exit__(self, *_: object) -> None:
        self.draw()
        for bar in [*self._bars.values(), *([self._whole] if self._whole is not None else [])]:
            bar.close()
        self._bars.clear()


def _move(bar: Any, count: int) -> None:
    if count != bar.n:
        bar.n = count
        bar.refresh()
