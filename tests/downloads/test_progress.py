"""Progress bars."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from alyx_client.downloads.functions import http_download_file
from tests import faults
from tests.download_faults import serve
from tests.downloads.support import BODY, ROOT
from tests.faults import FaultServer


def terminal_output(folder: Path, url: str, options: str) -> str:
    """Return what a download prints on a terminal."""
    import fcntl
    import pty
    import struct
    import termios

    script = f"""
        import sys
        from alyx_client.downloads.functions import http_download_file_list
        try:
            http_download_file_list(sys.argv[1:3], target_dir=sys.argv[3]{options})
        except Exception as error:
            pass
    """
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), f"{url}/a.npy", f"{url}/b.npy", str(folder)],
        cwd=ROOT,
        stderr=terminal,
        stdout=terminal,
    )
    os.close(terminal)
    output = b""
    with contextlib.suppress(OSError):
        while block := os.read(main, 65536):
            output += block
    child.wait(20)
    os.close(main)
    return output.decode()


def left_on_screen(printed: str) -> str:
    """Return what a terminal shows in the end."""
    rows: dict[int, dict[int, str]] = {}
    row = column = 0
    for piece in re.split(r"(\r|\n|\x1b\[A)", printed):
        if piece == "\r":
            column = 0
        elif piece == "\n":
            row += 1
        elif piece == "\x1b[A":
            row -= 1
        else:
            rows.setdefault(row, {}).update(enumerate(piece, column))
            column += len(piece)
    return "\n".join("".join(line.values()) for line in rows.values()).strip()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_bars_are_shown_on_terminal_unless_silent(folder: Path) -> None:
    with FaultServer(then=serve(BODY[:50_000], drip=0.01)) as server:
        bars = terminal_output(folder, server.url, "")
        assert "2 files" in bars
        assert "a.npy" in bars
        assert "b.npy" in bars
        assert terminal_output(folder.with_name("silent"), server.url, ", silent=True") == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_bars_are_removed_after_error(folder: Path) -> None:
    with FaultServer(then=faults.response(status=404, delay=0.3)) as server:
        bars = terminal_output(folder, server.url, "")
        assert "2 files" in bars
        assert left_on_screen(bars) == ""


NOTEBOOK = """
import sys, types
shell = types.SimpleNamespace(kernel=object(), config={"IPKernelApp": {}})
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)
sys.modules["ipywidgets"] = None
"""


@pytest.mark.parametrize("names", [["a.npy"], ["a.npy", "b.npy"]], ids=len)
def test_notebook_without_widgets_shows_one_bar_of_text(folder: Path, names: list[str]) -> None:
    call = "http_download_file_list(sys.argv[2:], target_dir=sys.argv[1])"
    script = f"{NOTEBOOK}\nfrom alyx_client.downloads.functions import http_download_file_list\n{call}"
    with FaultServer(then=serve(BODY[:50_000], drip=0.1)) as server:
        urls = [f"{server.url}/{name}" for name in names]
        child = subprocess.run(
            [sys.executable, "-c", script, str(folder), *urls], cwd=ROOT, capture_output=True, check=True
        )
    bars = child.stdout.decode()
    assert ("a.npy" if len(names) == 1 else "2 files") in bars
    assert ("a.npy" in bars, "b.npy" in bars) == (len(names) == 1, False)
    # A notebook obeys no cursor movements, and has no second line.
    assert "\x1b[A" not in bars
    assert "\n" not in bars
    assert "Warning" not in bars
    assert left_on_screen(bars) == ""
    # Notebooks colour what is written there as they do errors.
    assert child.stderr == b""


def test_notebook_shows_no_bar_for_what_takes_no_time_or_if_tqdm_is_disabled() -> None:
    script = f"""{NOTEBOOK}
from alyx_client.downloads import bars
for bar in (bars.find_bars()[0](total=2, leave=False), bars.find_bars()[0](total=2, disable=True)):
    bars.set_count(bar, 1)
    bar.close()
"""
    child = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert (child.stdout, child.stderr) == (b"", b"")


def test_nothing_is_printed_without_terminal(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with FaultServer(then=serve(BODY)) as server:
        http_download_file(f"{server.url}/a.npy", target_dir=folder)
    assert capfd.readouterr() == ("", "")
