"""SQLite databases in unusable places, and the file systems they are on."""

from __future__ import annotations

from pathlib import Path

import pytest

from alyx_client.storage import file_system
from alyx_client.storage.sqlite import CacheDatabase, CacheUnavailableError
from alyx_client.storage.sqlite_connection import open_database, prepare


def test_file_system_is_found_in_the_mounts() -> None:
    mounts = (
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        "30 22 0:40 / /home rw shared:2 - nfs4 server:/home rw\n"
        "31 30 0:41 / /home/local\\040disk rw - xfs /dev/vdb rw\n"
        "32 22 0:42 / /data rw master:1 - fuse.sshfs me@server rw\n"
        "broken line\n"
    )
    kinds = {
        "/tmp/cache": "ext4",
        "/home/me/.cache": "nfs4",
        "/home/local disk/x": "xfs",
        "/homeless": "ext4",
        "/data": "fuse.sshfs",
    }
    for path, kind in kinds.items():
        assert file_system.file_system_of(path, mounts) == kind
    networked = [kind for kind in kinds.values() if file_system.is_network_type(kind)]
    assert networked == ["nfs4", "fuse.sshfs"]


def test_unusable_database_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    file = CacheDatabase(tmp_path / "cache", "name", (), 1)
    with pytest.raises(CacheUnavailableError, match="cache"):
        file.run(lambda connection: 1)


def test_new_database_does_not_wait_for_the_disk_until_it_has_its_tables(tmp_path: Path) -> None:
    connection = open_database(str(tmp_path / "cache.sqlite"))
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    prepare(connection, ["CREATE TABLE t (x)"], 1, networked=False, seconds=1)
    assert statements.index("PRAGMA synchronous=OFF") < statements.index("PRAGMA journal_mode=wal")
    assert statements.index("CREATE TABLE t (x)") < statements.index("PRAGMA synchronous=NORMAL")
    statements.clear()
    prepare(connection, ["CREATE TABLE t (x)"], 1, networked=False, seconds=1)
    assert "PRAGMA synchronous=OFF" not in statements
    assert connection.execute("PRAGMA synchronous").fetchall() == [(1,)]
    connection.close()
