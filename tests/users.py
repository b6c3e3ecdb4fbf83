"""Programs of several real users of one computer, who share a group."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ALICE, BOB, GROUP = 60_001, 60_002, 60_010
# Folders in which other programs run need not be readable for these users: everything is imported before.
_PRELUDE = """
import os, sys, warnings
from pathlib import Path
import httpx, pydantic, platformdirs, sqlite3, tempfile, zipfile, concurrent.futures, http.cookiejar
import alyx_client.downloads.functions, alyx_client.downloads.downloader, alyx_client.client.by_name
from alyx_client import AlyxClient, AlyxWarning
from alyx_client.errors import *
from alyx_client.http.retry import Retries
from tests.client.cached_clients import QUICK
from tests.downloads.support import downloader, size_of
from encodings import ascii, idna, latin_1
for name in [name for name in os.environ if name.startswith("ALYX_")]:
    del os.environ[name]
user, umask = int(sys.argv.pop(1)), int(sys.argv.pop(1))
os.environ.update(HOME="/nonexistent", XDG_CONFIG_HOME="", XDG_CACHE_HOME="", APPDATA="")
os.umask(umask)
os.chdir("/")
"""
_BECOME = f"""
os.setgroups([{GROUP}])
os.setgid(user)
os.setuid(user)
"""
several_users = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only the administrator can run programs of other users"
)


def run_as(user: int, code: str, *arguments: object, umask: int = 0o022) -> str:
    """Run Python code as another user, without a home and without an entry in the list of users; return its output."""
    program = _PRELUDE + _BECOME + textwrap.dedent(code)
    process = subprocess.run(
        [sys.executable, "-c", program, str(user), str(umask), *map(str, arguments)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()
