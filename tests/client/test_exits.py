"""Calls while Python exits: in functions of `atexit`, and in daemon threads that outlive the main one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from alyx_client.testing import LocalAlyx

SCRIPT = """
import asyncio, atexit, sys, threading

from alyx_client import AlyxClient, AsyncAlyxClient, ClientClosedError

url, token, where, cache = sys.argv[1:]
# Names of hosts are resolved in threads.
url = url.replace("127.0.0.1", "localhost")
settings = {"token": token, "silent": True, "cache_rest": cache or None}
client, other = AlyxClient(url, **settings), AsyncAlyxClient(url, **settings)
ended = threading.Event()


def outcome(call):
    try:
        return call()
    except ClientClosedError as error:
        assert "Python is exiting" in str(error), error
        return "refused"
    except BaseException as error:
        return f"{type(error).__name__}: {error}"


async def read():
    return len(await other.sessions.list().all())


def calls():
    if where == "thread":
        threading.main_thread().join()
    key = client.sessions.list(max_items=1)[0].id
    print("list", outcome(lambda: len(client.sessions.list(page_size=7))), flush=True)
    print("many", outcome(lambda: len(client.sessions.read_many([key]))), flush=True)
    print("asyncio", outcome(lambda: asyncio.run(read())), flush=True)
    ended.set()


if where == "atexit":
    atexit.register(calls)
else:
    threading.Thread(target=calls, daemon=True).start()
    atexit.register(ended.wait, 20)
"""


@pytest.mark.parametrize("where", ["atexit", "thread"])
@pytest.mark.parametrize("cache", ["", "GET"], ids=["no cache", "cache"])
def test_calls_while_python_exits_work_or_say_why(where: str, cache: str, local_alyx: LocalAlyx) -> None:
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, local_alyx.url, local_alyx.token(), where, cache]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    outcomes = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert outcomes["list"] == "30", done.stderr
    assert outcomes["many"] in ("1", "refused")
    assert outcomes["asyncio"] in ("30", "refused")
    assert "Traceback" not in done.stderr
