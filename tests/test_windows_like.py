"""The client in a process that lacks what Windows lacks; `tests.windows` says what that shows, and what it does not."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from alyx_client.testing import LocalAlyx

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stands in for Windows elsewhere")
ROOT = Path(__file__).parents[1]

PROGRAMS = {
    "imports every module": """
        import importlib, pkgutil, alyx_client
        for module in pkgutil.walk_packages(alyx_client.__path__, "alyx_client."):
            if not module.name.startswith("alyx_client.testing") and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
        print("done")
    """,
    "stores writes and sends them": """
        from alyx_client import AlyxClient, Receipt
        from alyx_client.models import Tag
        with AlyxClient(URL, "admin", "admin", silent=True, offline=True) as client:
            receipt = client.outbox.write(client.tags.create, Tag(name="waits"))
            assert isinstance(receipt, Receipt)
            client.offline = False
            assert client.outbox.send()
            assert client.tags.read("waits").name == "waits"
        print("done")
    """,
    "reads, writes and caches": """
        from alyx_client import AlyxClient
        from alyx_client.models import Tag
        for _ in range(2):
            with AlyxClient(URL, "admin", "admin", silent=True) as client:
                assert len(client.sessions.list(page_size=7)) == 30
                tag = client.tags.create(Tag(name="windows"))
                assert client.tags.read("windows").id == tag.id
                client.tags.delete("windows")
                assert client.labs.list()
        with AlyxClient(URL, "admin", silent=True, offline=True) as offline:
            assert offline.labs.list()
            offline.clear_rest_cache()
        print("done")
    """,
    "stores tokens": """
        from alyx_client.auth.token_store import token_store
        store = token_store("https://alyx.example.org", keyring=False)
        for user in "abc":
            store.update(lambda tokens: {**tokens, user: 40 * "0"})
        assert list(token_store("https://alyx.example.org", keyring=False).read()) == ["a", "b", "c"]
        print("done")
    """,
    "saves settings": """
        from alyx_client import AlyxClient
        AlyxClient.setup(URL, username="admin", password="admin", cache_dir=FOLDER, silent=True)
        client = AlyxClient()
        assert client.base_url == URL
        assert client.users.list()
        print("done")
    """,
    "downloads and resumes": """
        from concurrent.futures import ThreadPoolExecutor
        from pathlib import Path
        from alyx_client import AlyxClient
        from alyx_client.config import DataServer
        files = DataServer(f"{URL}/data/", "local", "alyx")
        client = AlyxClient(URL, "admin", "admin", cache_dir=FOLDER, data_server=files)
        rows = client.datasets.list(exists=True)[:5]
        paths = client.download_file(rows)
        assert all(row.file_size in (None, path.stat().st_size) for row, path in zip(rows, paths))
        with ThreadPoolExecutor(4) as pool:
            for path in pool.map(lambda _: client.download_file(rows[0], target_dir=f"{FOLDER}/same"), range(8)):
                assert path.exists()
        assert len(client.download_cache_tables()) == 2
        assert len(client.download_cache_tables()) == 2
        left = [path for path in Path(FOLDER).rglob("*") if path.name.endswith((".part", ".lock", ".json~"))]
        assert left == [], left
        print("done")
    """,
    "works with asyncio": """
        import asyncio
        from alyx_client import AsyncAlyxClient
        async def main():
            async with AsyncAlyxClient(URL, "admin", "admin", silent=True) as client:
                return len([row async for row in client.sessions.list(page_size=7)])
        assert asyncio.run(main()) == 30
        print("done")
    """,
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_client_works_without_what_windows_lacks(program: str, local_alyx: LocalAlyx, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    # Typer has parts of its own for Windows, which cannot be pretended.
    first = "import typer\n" if program == "imports every module" else ""
    head = f"{first}from tests.windows import pretend\npretend()\nURL, FOLDER = {local_alyx.url!r}, {str(folder)!r}\n"
    run = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(PROGRAMS[program])],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout, run.stderr) == ("done\n", "")
