"""Programs of several real users of one computer, who share a group."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path

import pytest

ALICE, BOB, GROUP = 60_001, 60_002, 60_010
# Folders in which other programs run need not be readable for these users: everything is imported before.
_PRELUDE = """
import os, sys, warnings
from pathlib import Path
import httpx2, pydantic, platformdirs, sqlite3, tempfile, zipfile, concurrent.futures, http.cookiejar
import alyx_client.downloads.functions, alyx_client.downloads.downloader, alyx_client.client.by_name
from alyx_client import AlyxClient, AlyxWarning
from alyx_client.errors import *
from alyx_client.http.retry import Retries
from tests.client.cached_clients import QUICK
from tests.downloads.support import downloader, size_of
from encodings import ascii, idna, latin_1
for name in [name for name in os.environ if name.startswith("ALYX_")]:
    del os.environ[name]
os.environ.update(HOME="/nonexistent", XDG_CONFIG_HOME="", XDG_CACHE_HOME="", APPDATA="")
os.chdir("/")
"""
# Importing takes longer than any of the programs: they are forks of one process, which has imported everything.
_FORKS = f"""
import json
for line in iter(sys.stdin.readline, ""):
    job = json.loads(line)
    output, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(write_end, 1), os.dup2(write_end, 2), os.close(write_end), os.close(output)
        sys.argv = ["-c", *job["arguments"]]
        os.umask(job["umask"])
        os.setgroups([{GROUP}])
        os.setgid(job["user"])
        os.setuid(job["user"])
        exec(compile(job["code"], "program", "exec"), {{**globals(), "__name__": "__main__"}})
        break
    os.close(write_end)
    with open(output, encoding="utf-8") as file:
        text = file.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps({{"status": status, "text": text}}), flush=True)
"""
several_users = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only the administrator can run programs of other users"
)


@cache
def _forks() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _PRELUDE + _FORKS],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def end() -> None:
        with process:
            process.communicate(timeout=30)

    atexit.register(end)
    return process


def run_as(user: int, code: str, *arguments: object, umask: int = 0o022) -> str:
    """Run Python code as another user, without a home and without an entry in the list of users; return its output."""
    process = _forks()
    assert process.stdin is not None
    assert process.stdout is not None
    job = {"user": user, "umask": umask, "code": textwrap.dedent(code), "arguments": list(map(str, arguments))}
    process.stdin.write(json.dumps(job) + "\n")
    process.stdin.flush()
    result = json.loads(process.stdout.readline())
    assert result["status"] == 0, result["text"]
    return str(result["text"]).strip()
