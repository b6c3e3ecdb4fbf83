"""Measure how long an editor waits for completions, with pyright's language server.

Run by ``python -m benchmarks.completion``. With a folder as its argument, the packages there are measured, such as
those of another revision.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

_ROOT = Path(__file__).parents[1]
_PLACES = {
    "actions of an endpoint": "client.sessions.",
    "filters of a list": "client.sessions.list(",
    "fields of a record": "client.sessions.list()[0].",
    "fields of conditions": "client.sessions.fields.",
    "fields of a related model": "client.sessions.fields.subject.line.",
    "comparisons of a field": "client.sessions.fields.start_time.",
}
_HEAD = "from alyx_client import AlyxClient\n\nclient = AlyxClient('https://alyx.example.org')\n"
_STEP = """
def step_{n}(day: date) -> list[str]:
    rows = client.sessions.list(subject="KS005", date_range=(day, day), qc=["PASS", "FAIL"])
    details = [client.sessions.read(row) for row in rows]
    for detail in details:
        client.sessions.partial_update(detail, qc="PASS", narrative=detail.narrative + "x")
    mouse = client.subjects.create(Subject(nickname="rosebud-{n}", lab="cortexlab"))
    return [f"{{mouse.nickname}} {{detail.start_time:%Y}}" for detail in details if detail.n_trials]
"""


class LanguageServer:
    """Pyright's language server, with one document."""

    def __init__(self, folder: Path, packages: Path) -> None:
        command = [str(Path(sys.executable).with_name("pyright-langserver")), "--stdio"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
        self._last_id = 0
        self._uri = (folder / "pipeline.py").as_uri()
        settings = {"extraPaths": [str(packages)], "pythonVersion": "3.11"}
        (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
        capabilities = {"textDocument": {"completion": {"completionItem": {"documentationFormat": ["markdown"]}}}}
        workspace = {"uri": folder.as_uri(), "name": "benchmark"}
        self._request(
            "initialize", processId=os.getpid(), capabilities=capabilities, workspaceFolders=[workspace], rootUri=None
        )
        self._notify("initialized")
        document = {"uri": self._uri, "languageId": "python", "version": 0, "text": _HEAD}
        self._notify("textDocument/didOpen", textDocument=document)

    def complete(self, text: str, version: int) -> list[str]:
        """Return the completions at the end of a text."""
        content = _HEAD + text
        identifier = {"uri": self._uri, "version": version}
        self._notify("textDocument/didChange", textDocument=identifier, contentChanges=[{"text": content}])
        *lines, last = content.split("\n")
        position = {"line": len(lines), "character": len(last)}
        found = self._request("textDocument/completion", textDocument={"uri": self._uri}, position=position)
        items = found["items"] if isinstance(found, dict) else found or []
        return [str(item["label"]) for item in cast("list[dict[str, Any]]", items)]

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _request(self, method: str, **parameters: Any) -> Any:
        self._last_id += 1
        self._send({"id": self._last_id, "method": method, "params": parameters})
        while True:
            message = self._receive()
            if "method" not in message and message.get("id") == self._last_id:
                return message.get("result")
            if "method" in message and "id" in message:  # a question of the server, such as for its settings
                items = message.get("params", {}).get("items", [])
                self._send({"id": message["id"], "result": [None for _ in items] or None})

    def _notify(self, method: str, **parameters: Any) -> None:
        self._send({"method": method, "params": parameters})

    def _send(self, message: dict[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        size = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b": ")
            size = int(value) if name == b"Content-Length" else size
        return json.loads(self._process.stdout.read(size))


def waits(packages: Path, rounds: int = 15) -> Iterator[tuple[str, int, float, float]]:
    """Yield each place, the number of completions, and the milliseconds of the first one and of the others."""
    with tempfile.TemporaryDirectory() as folder:
        server = LanguageServer(Path(folder), packages)
        try:
            version = 0
            for place, text in _PLACES.items():
                times: list[float] = []
                labels: list[str] = []
                for _ in range(rounds):
                    version += 1
                    start = time.perf_counter()
                    labels = server.complete(text, version)
                    times.append((time.perf_counter() - start) * 1000)
                yield place, len(labels), times[0], statistics.median(times[1:])
        finally:
            server.close()


def checking(packages: Path) -> float:
    """Return the seconds that pyright needs for a pipeline of 200 lines, strictly."""
    steps = "".join(_STEP.format(n=n) for n in range(25))
    text = f"from datetime import date\n\nfrom alyx_client.models import Subject\n{_HEAD}{steps}"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pipeline.py").write_text(text, encoding="utf-8")
        settings = {"extraPaths": [str(packages)], "typeCheckingMode": "strict", "include": ["pipeline.py"]}
        (Path(folder) / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "pyright", "-p", folder], check=False, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start


def main() -> None:
    """Print the figures of the packages in a folder, by default this checkout."""
    packages = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else _ROOT
    print(f"{'completion':<28}{'items':>6}{'first, ms':>12}{'following, ms':>16}")
    for place, count, first, following in waits(packages):
        print(f"{place:<28}{count:>6}{first:>12.0f}{following:>16.1f}")
    seconds = statistics.median(checking(packages) for _ in range(3))
    print(f"pyright, strict, over a pipeline of 200 lines: {seconds:.1f} s")


if __name__ == "__main__":
    main()
