"""Clients that nobody closes leave no open connection behind, which Python would warn of."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from tests.faults import FaultServer, json_response

from .test_client import LAB

PROGRAMS = {
    "synchronous client at the end of the program": "AlyxClient(URL, **OPTIONS).labs.read('a')",
    "synchronous client that is collected": """
        client = AlyxClient(URL, **OPTIONS)
        client.labs.read('a')
        del client
        gc.collect()
    """,
    "one event loop after another": """
        client = AsyncAlyxClient(URL, **OPTIONS)

        async def read():
            await asyncio.gather(*(client.labs.read(name) for name in 'abc'))

        for _ in range(3):
            asyncio.run(read())
        threads = [threading.Thread(target=asyncio.run, args=(read(),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    """,
    "asynchronous client that is collected in a running event loop": """
        async def main():
            client = AsyncAlyxClient(URL, **OPTIONS)
            await client.labs.read('a')
            del client
            gc.collect()
            await asyncio.sleep(0.1)

        asyncio.run(main())
    """,
    "asynchronous client that is closed in one event loop": """
        client = AsyncAlyxClient(URL, **OPTIONS)

        async def close():
            async with client:
                await client.labs.read('a')

        asyncio.run(close())
        asyncio.run(close())
    """,
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_connection_is_left(program: str) -> None:
    with FaultServer(then=json_response(LAB)) as server:
        head = "import asyncio, gc, sys, threading\nfrom alyx_client import AlyxClient, AsyncAlyxClient\n"
        options = f"URL = {server.url!r}\nOPTIONS = {{'token': 'x', 'silent': True, 'cache_rest': None}}\n"
        run = subprocess.run(
            [sys.executable, "-W", "error::ResourceWarning", "-c", head + options + textwrap.dedent(PROGRAMS[program])],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (run.returncode, run.stderr) == (0, "")
