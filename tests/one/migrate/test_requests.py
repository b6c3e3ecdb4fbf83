"""The calls that were rewritten send the same requests as before, have the same results, and pass type checkers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client.http.message import Request, Response
from alyx_client.testing import LocalAlyx

from .cases import MOVED

# Checked by mypy and pyright in `make check`.
TYPED = Path(__file__).parents[2] / "typing" / "migrated.py"


class Recorder(AlyxClient):
    """A client that records what it sends."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sent: list[tuple[Any, ...]] = []

    def send(self, request: Request, **options: Any) -> Response:
        if not request.path.startswith("/api/schema"):
            body = json.loads(request.json) if request.json else None
            self.sent.append((request.method, request.path, sorted(request.params), body))
        return super().send(request, **options)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalAlyx]:
    with LocalAlyx() as server:
        yield server


@pytest.fixture(scope="module")
def client(server: LocalAlyx) -> Iterator[Recorder]:
    with Recorder(server.url, token=server.token(), cache_rest=None, silent=True) as client:
        yield client


@pytest.mark.parametrize("name", MOVED)
def test_requests_and_results_are_the_same(name: str, server: LocalAlyx, client: Recorder) -> None:
    before, after = (run(code, name, server, client) for code in MOVED[name])
    assert before == after
    # Also by types, such as that of a UUID.
    assert json.dumps(before[0]) == json.dumps(after[0])


def run(code: str, name: str, server: LocalAlyx, client: Recorder) -> tuple[Any, list[tuple[Any, ...]]]:
    """Run code on the server as it is at first, and return its result and what it sent."""
    if any(word in code for word in ("create", "update", "delete", "json_field")):
        server.reset()
        client.authenticate(token=server.token())
    insertion = client.insertions.list()[0]
    names: dict[str, Any] = {
        "one": SimpleNamespace(alyx=client),
        "eid": str(insertion.session),
        "pid": str(insertion.id),
        "tid": str(client.tasks.list()[0].id),
        "nid": str(client.notes.list()[0].id),
    }
    client.sent = []
    exec(compile(code, name, "exec"), names)
    return names["out"], list(client.sent)


def test_type_checkers_look_at_all_of_them() -> None:
    text = TYPED.read_text(encoding="utf-8")
    assert text == typed_module(), f"write typed_module() to {TYPED}"


def typed_module() -> str:
    """Return the module that type checkers look at."""
    lines = [
        "# fmt: off",
        "# ruff: noqa",
        "# pyright: basic",
        '"""Calls by name, rewritten by ``python -m alyx_client.one.migrate``; the cases of tests/one/migrate."""',
        "from __future__ import annotations",
        "from typing import Any",
        "from alyx_client import AlyxClient",
        "class ONE:",
        "    alyx: AlyxClient",
    ]
    for number, (name, (_, after)) in enumerate(MOVED.items()):
        lines.append(f"def case_{number}(one: ONE, eid: str, pid: str, tid: str, nid: str) -> Any:")
        lines += [f'    """{name}"""', *(f"    {line}" for line in after.split("\n") if line), "    return out"]
    return "\n".join(lines) + "\n"
