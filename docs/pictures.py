"""Make the pictures of the documentation again: JupyterLab in Chromium, and the command ``alyx`` in a terminal.

It needs more than the documentation itself does, in an environment with this project::

    pip install -e ".[cli,local,pandas]" jupyterlab matplotlib pillow playwright
    python docs/pictures.py --chromium /usr/bin/chromium

Look at each picture before it is committed.
"""

from __future__ import annotations

import argparse
import getpass
import io
import json
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alyx_client.testing import LocalAlyx

STATIC = Path(__file__).parent / "_static"
PORT, LAB_PORT = 8000, 8899
LAB = f"http://127.0.0.1:{LAB_PORT}"
MOST_BYTES = 60_000
COLUMNS = 112
SETTINGS = "lab/user-settings/@jupyterlab"
LOGIN = f"""from alyx_client import AlyxClient

client = AlyxClient("http://127.0.0.1:{PORT}", "olivier", "olivier")"""
CELLS = [
    LOGIN,
    "client.sessions.list(max_items=5)",
    'client.sessions.list(subject="flowers")[0]',
    """import matplotlib.pyplot as plt

sessions = client.sessions.read_many(client.sessions.list(subject="flowers")).to_pandas()
figure, axes = plt.subplots(figsize=(6, 2.4), layout="constrained")
axes.plot(sessions["start_time"], sessions["n_trials"].astype(float), "o-")
axes.set(ylabel="trials", title="flowers")
figure.autofmt_xdate()""",
    "",
]
COMMANDS = {"alyx-list": ["list", "sessions", "--subject", "flowers"], "alyx-doctor": ["doctor"]}


def main() -> None:
    """Make all pictures."""
    parser = argparse.ArgumentParser(description="Make the pictures of the documentation again.")
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser (default: %(default)s)")
    chromium = parser.parse_args().chromium
    STATIC.mkdir(exist_ok=True)
    with LocalAlyx(port=PORT), tempfile.TemporaryDirectory() as name:
        home = Path(name)
        draw_terminal(home)
        for theme in ("light", "dark"):
            with jupyterlab(home, theme), open_notebook(chromium) as page:
                draw_notebook(page, theme)


def environment(home: Path) -> dict[str, str]:
    """Return an environment without settings, tokens and caches of whoever makes the pictures."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("ALYX_", "ONE_"))}
    folders = {"HOME": home, "XDG_CONFIG_HOME": home / ".config", "XDG_CACHE_HOME": home / ".cache"}
    folders |= {"XDG_DATA_HOME": home / ".local/share", "JUPYTER_CONFIG_DIR": home / "jupyter"}
    return variables | {name: str(folder) for name, folder in folders.items()}


def draw_terminal(home: Path) -> None:
    """Run commands as a terminal would, and store what they print as SVG."""
    from rich.console import Console
    from rich.text import Text

    login = {"ALYX_URL": f"http://127.0.0.1:{PORT}", "ALYX_USERNAME": "olivier", "ALYX_PASSWORD": "olivier"}
    terminal = {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color", "FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}
    variables = environment(home) | login | terminal
    command = [sys.executable, "-m", "alyx_client.cli"]
    terminal_output([*command, "login"], variables)
    for name, arguments in COMMANDS.items():
        text = terminal_output([*command, *arguments], variables)
        for own, shown in {str(home): "~", sys.prefix: "~/.venv", platform.platform(): platform.system()}.items():
            text = text.replace(own, shown)
        refuse_private(text)
        console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
        console.print(Text.assemble(("$ ", "bold"), f"alyx {' '.join(arguments)}"))
        console.print(Text.from_ansi(text.strip("\r\n")))
        svg = console.export_svg(title="alyx", unique_id=name)
        # Its fonts would come from the network.
        svg = re.sub(r"@font-face \{.*?\}\n?", "", svg, flags=re.DOTALL)
        (STATIC / f"{name}.svg").write_text("\n".join(map(str.rstrip, svg.splitlines())) + "\n", encoding="utf-8")


def terminal_output(command: list[str], variables: dict[str, str]) -> str:
    """Return what a command prints on a terminal."""
    import fcntl
    import pty
    import struct
    import termios

    main_end, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, COLUMNS, 0, 0))
    child = subprocess.Popen(command, env=variables, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    parts: list[bytes] = []
    try:
        while part := os.read(main_end, 65536):
            parts.append(part)
    except OSError:  # Linux reports the end of the child so
        pass
    os.close(main_end)
    child.wait()
    return b"".join(parts).decode().replace("\r\n", "\n")


def refuse_private(text: str) -> None:
    """Raise if a text names this computer, its user, or a folder of theirs."""
    private = {socket.gethostname(), str(Path.home()), str(Path(__file__).parents[1]), tempfile.gettempdir()}
    private |= {name for name in (getpass.getuser(),) if name not in ("olivier", "root")}
    for word in private:
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text):
            raise SystemExit(f"a picture would show {word!r}")


@contextmanager
def jupyterlab(home: Path, theme: str) -> Iterator[None]:
    """Run JupyterLab, with the notebook of the pictures in its folder."""
    settings: dict[str, dict[str, object]] = {
        "apputils-extension/themes": {"theme": f"JupyterLab {theme.title()}"},
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
        # The first time, jedi reads the sources, which takes longer than JupyterLab waits by default.
        "completer-extension/manager": {"providerTimeout": 60_000},
    }
    for name, value in settings.items():
        path = home / "jupyter" / SETTINGS / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value), encoding="utf-8")
    cells = [
        {"cell_type": "code", "id": f"cell-{number}", "metadata": {}, "source": source, "outputs": []}
        | {"execution_count": None}
        for number, source in enumerate(CELLS)
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (home / "sessions.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    options = ["--no-browser", f"--port={LAB_PORT}", "--ip=127.0.0.1", "--IdentityProvider.token=", "--allow-root"]
    command = [sys.executable, "-m", "jupyterlab", *options]
    server = subprocess.Popen(command, cwd=home, env=environment(home), stderr=subprocess.DEVNULL)
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{LAB}/api", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield
    finally:
        server.terminate()
        server.wait()


@contextmanager
def open_notebook(chromium: str) -> Iterator[Any]:
    """Open the notebook in a browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
        browser = playwright.chromium.launch(executable_path=chromium, args=options)
        page = browser.new_page(viewport={"width": 1240, "height": 1800})
        page.set_default_timeout(60_000)
        page.goto(f"{LAB}/doc/tree/sessions.ipynb")
        page.wait_for_selector(".jp-Notebook .cm-content")
        try:
            yield page
        finally:
            browser.close()


def draw_notebook(page: Any, theme: str) -> None:
    """Run the cells, and store pictures of some."""
    for number in range(len(CELLS) - 1):
        select(page, number)
        wait_until_idle(page)
        page.keyboard.press("Control+Enter")
        wait_until_idle(page)
    save(page, f"list-{theme}", first=1, last=1)  # without the login
    if theme == "dark":
        return
    save(page, "record", first=2, last=2)
    save(page, "plot", first=3, last=3)
    select(page, len(CELLS) - 1)
    page.keyboard.type("client.sessions.list(")
    # The second time, there are the types, too.
    for key in ("Tab", "Escape", "Tab"):
        page.keyboard.press(key)
        if key == "Tab":
            page.wait_for_selector(".jp-Completer-item")
        time.sleep(1)
    save(page, "completion", first=len(CELLS) - 1, last=len(CELLS) - 1, below=240)


def select(page: Any, number: int) -> None:
    """Put the cursor into a cell."""
    page.locator(".jp-Notebook .jp-Cell").nth(number).locator(".cm-content").click()


def wait_until_idle(page: Any) -> None:
    """Wait until the kernel has nothing to do."""
    time.sleep(1)
    page.wait_for_function("document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'")
    time.sleep(0.5)


def save(page: Any, name: str, *, first: int, last: int, below: int = 0) -> None:
    """Store a picture of some cells.

    Parameters
    ----------
    page
        The notebook.
    name
        The name of the picture.
    first, last
        The cells.
    below
        How many pixels below them are shown, too.
    """
    from PIL import Image

    # No cell has the frame and the buttons of the one with the cursor.
    if not below:
        select(page, len(CELLS) - 1)
    cells = page.locator(".jp-Notebook .jp-Cell")
    refuse_private("\n".join(cells.nth(number).inner_text() for number in range(first, last + 1)))
    start, end = cells.nth(first).bounding_box(), cells.nth(last).bounding_box()
    height = end["y"] + end["height"] - start["y"] + below
    data = page.screenshot(clip={"x": start["x"], "y": start["y"], "width": start["width"], "height": height})
    picture = Image.open(io.BytesIO(data)).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    picture.save(STATIC / f"{name}.png", optimize=True)
    if (size := (STATIC / f"{name}.png").stat().st_size) > MOST_BYTES:
        raise SystemExit(f"{name}.png has {size} bytes")


if __name__ == "__main__":
    main()
