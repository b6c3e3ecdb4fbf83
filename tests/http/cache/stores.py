"""Helpers of the tests of the store; subprocesses import them, too."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from alyx_client.http.cache.key import CacheKey
from alyx_client.http.cache.store import CacheStore
from alyx_client.http.cache.tables import Owner
from alyx_client.http.message import Response

SERVER = "https://alyx.example.org"
MEGABYTE = 2**20
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
# What the code of subprocesses uses; sqlite3, since a process without privileges may be unable to import it later.
_PRELUDE = """
import logging, os, random, signal, sqlite3, sys, time
from pathlib import Path
from alyx_client.http.cache.store import CacheStore
from alyx_client.http.cache.tables import Owner
from alyx_client.storage import sqlite_connection
from tests.http.cache.stores import *
"""


def key(name: str, user: str = "alice", endpoint: str = "subjects") -> CacheKey:
    return CacheKey(f"{user}/{endpoint}/{name}".encode().ljust(20), user, endpoint)


def response(name: str, size: int = 100, user: str = "alice") -> Response:
    """Return a response of a given size that contains its name and user."""
    content = json.dumps({"name": name, "user": user}).encode()
    filling = random.Random(name).randbytes(max(0, size - len(content)) // 2).hex()
    return Response(
        200, {"content-type": "application/json"}, content + filling.encode(), "GET", f"{SERVER}/subjects/{name}"
    )


def store(cache: CacheStore, name: str, size: int = 100, *, user: str = "alice", endpoint: str = "subjects") -> None:
    generation, _ = cache.find(None)
    if generation is not None:
        cache.store(key(name, user, endpoint), response(name, size, user), lifetime=60.0, generation=generation)


def load(cache: CacheStore, name: str, *, user: str = "alice", endpoint: str = "subjects") -> Response | None:
    _, cached = cache.find(key(name, user, endpoint))
    return cached.response if cached else None


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.sqlite"))


def start_program(code: str, *arguments: object, **settings: Any) -> subprocess.Popen[str]:
    """Start a Python program in the checkout that has this module's names."""
    code = _PRELUDE + textwrap.dedent(code)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **settings}
    return subprocess.Popen(command, cwd=Path(__file__).parents[3], **settings)


def output_of(process: subprocess.Popen[str]) -> str:
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return printed.strip()


def drop_privileges() -> None:
    """Become an ordinary user, since permissions do not bind the administrator."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


def fill(folder: Path, *, logged: bool = False) -> dict[str, bytes]:
    """Create a store with responses of several sizes; return the content of its files."""
    cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
    for number in range(30):
        store(cache, f"a{number}", 100 * number)
    store(cache, "large", 30_000)
    contents = {file.name: file.read_bytes() for file in folder.iterdir()} if logged else {}
    cache.close()
    return contents or {file.name: file.read_bytes() for file in folder.iterdir()}


def add_identity(cache: CacheStore, username: str, identity: str, *, replace: bool) -> None:
    """Store a response together with the name of its owner."""
    generation, _ = cache.find(None)
    owner = Owner(username, identity, replace)
    cache.store(key("owned"), response("owned"), lifetime=60.0, generation=generation or b"", owner=owner)


def check_usable(folder: Path) -> None:
    """Check that a store serves correct responses or none, and stores the next one."""
    cache = CacheStore(folder, SERVER, 512 * MEGABYTE)
    for name, size in {"large": 30_000, **{f"a{number}": 100 * number for number in range(30)}}.items():
        assert load(cache, name) in (None, response(name, size))
    cache.new_generation("sessions")
    add_identity(cache, "olivier", "alice", replace=True)
    for _ in range(3):
        # Some damage is noticed only here: then the generation is that of the file before.
        store(cache, "next")
        if load(cache, "next") == response("next"):
            break
    else:
        pytest.fail("nothing is stored any more")
    cache.close()


def write_files(folder: Path, contents: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
