"""A folder for data files that several users share: each has responses of their own, and files are for all of them."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from alyx_client import AlyxWarning
from alyx_client.storage import file_system
from tests import faults
from tests.client.cached_clients import CountingServer, connect
from tests.download_faults import serve
from tests.downloads.support import BODY, downloader, names
from tests.faults import FaultServer
from tests.users import ALICE, BOB, GROUP, run_as, several_users

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")

READ = """
url, folder, token = sys.argv[1:]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    client = AlyxClient(url, token=token, cache_dir=folder, silent=True, retries=QUICK)
    print([client.get("/labs")["n"] for _ in range(3)])
print([str(item.message) for item in caught if item.category is AlyxWarning])
"""


@pytest.fixture
def counting_server() -> Iterator[CountingServer]:
    created = CountingServer()
    yield created
    created.server.close()


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder in which all members of a group may write."""
    with tempfile.TemporaryDirectory() as created:
        os.chmod(created, 0o755)
        folder = Path(created) / "data"
        folder.mkdir()
        if os.geteuid() == 0:
            os.chown(folder, -1, GROUP)
        folder.chmod(0o2775)
        yield folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@several_users
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_each_user_has_responses_of_their_own(counting_server: CountingServer, shared: Path, umask: int) -> None:
    url = counting_server.server.url
    # The same token: not even then is a response of the other's file served.
    outputs = [run_as(user, READ, url, shared, "a", umask=umask) for user in (ALICE, BOB, ALICE)]
    assert outputs == ["[1, 1, 1]\n[]", "[2, 2, 2]\n[]", "[1, 1, 1]\n[]"]
    for user in (ALICE, BOB):
        folder = shared / f".rest-{user}"
        assert (folder.stat().st_uid, mode(folder) & 0o777) == (user, 0o700)
        assert {mode(path) for path in folder.iterdir()} == {0o600}


@several_users
def test_folder_of_another_user_is_refused(counting_server: CountingServer, shared: Path) -> None:
    url = counting_server.server.url
    for make_open in (False, True):
        run_as(ALICE, READ, url, shared, "a")
        foreign, own = shared / f".rest-{ALICE}", shared / f".rest-{BOB}"
        foreign.rename(own)
        if make_open:
            for path in (own, *own.iterdir()):
                path.chmod(0o777)
        before = {path.name: path.read_bytes() for path in own.iterdir()}
        numbers, message = run_as(BOB, READ, url, shared, "a").split("\n")
        first = int(numbers.strip("[").split(",")[0])
        assert numbers == str([first, first + 1, first + 2])
        assert message.count("Responses are not cached") == 1
        assert f"{own} belongs to another user" in message
        assert {path.name: path.read_bytes() for path in own.iterdir()} == before
        own.rename(foreign)


@several_users
@pytest.mark.parametrize("exists", [False, True])
def test_read_only_folder_turns_the_cache_off(counting_server: CountingServer, shared: Path, exists: bool) -> None:
    shared.chmod(0o755)
    if exists:
        (shared / f".rest-{ALICE}").mkdir(mode=0o500)
        os.chown(shared / f".rest-{ALICE}", ALICE, ALICE)
    numbers, message = run_as(ALICE, READ, counting_server.server.url, shared, "a").split("\n")
    assert numbers == "[1, 2, 3]"
    assert message.count("Responses are not cached") == 1
    assert f"{shared}/.rest-{ALICE}" in message
    assert "cache_dir=" in message


def make_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE precious (value)")


def link_to_folder(folder: Path, victim: Path) -> str:
    folder.rename(victim.parent / "elsewhere")
    folder.symlink_to(victim.parent / "elsewhere")
    return f"{folder} is a link"


def dangling_link(folder: Path, victim: Path) -> str:
    folder.rename(victim.parent / "elsewhere")
    folder.symlink_to(victim.parent / "missing")
    return f"{folder} is a link"


def open_to_all(folder: Path, victim: Path) -> str:
    folder.chmod(0o777)
    return f"other users can write {folder} (mode 0777)"


def file_open_to_all(folder: Path, victim: Path) -> str:
    file = next(folder.glob("*.sqlite"))
    file.chmod(0o666)
    return f"other users can write {file} (mode 0666)"


def link_to_database(folder: Path, victim: Path) -> str:
    file = next(folder.glob("*.sqlite"))
    file.unlink()
    file.symlink_to(victim)
    return f"{file} is a link"


def hard_link_to_database(folder: Path, victim: Path) -> str:
    file = next(folder.glob("*.sqlite"))
    file.unlink()
    os.link(victim, file)
    return f"{file} is a hard link"


def next_file_is_a_link(folder: Path, victim: Path) -> str:
    file = next(folder.glob("*.sqlite"))
    later = file.with_name(file.name.replace("-0.", "-7."))
    later.symlink_to(victim)
    return f"{later} is a link"


def journal_is_a_link(folder: Path, victim: Path) -> str:
    file = next(folder.glob("*.sqlite"))
    journal = file.with_name(f"{file.name}-wal")
    journal.unlink(missing_ok=True)
    journal.symlink_to(victim)
    return f"{journal} is a link"


def pipe(folder: Path, victim: Path) -> str:
    file = next(folder.glob("*.sqlite"))
    file.unlink()
    os.mkfifo(file)
    return f"{file} is not a regular file"


def foreign_file(folder: Path, victim: Path) -> str:
    if os.geteuid() != 0:
        pytest.skip("only the administrator can make files of others")
    file = next(folder.glob("*.sqlite"))
    os.chown(file, BOB, BOB)
    return f"{file} belongs to another user"


@posix
@pytest.mark.parametrize(
    "obstruct",
    [
        link_to_folder,
        dangling_link,
        open_to_all,
        file_open_to_all,
        link_to_database,
        hard_link_to_database,
        next_file_is_a_link,
        journal_is_a_link,
        pipe,
        foreign_file,
    ],
)
def test_what_is_not_the_users_own_is_neither_read_nor_written(
    counting_server: CountingServer, shared: Path, tmp_path: Path, obstruct: Callable[[Path, Path], str]
) -> None:
    victim = tmp_path / "victim"
    make_database(victim)
    first = connect(counting_server, shared)
    first.get("/labs")
    folder = first._settings.rest_cache_dir
    first.close()
    reason = obstruct(folder, victim)
    content = victim.read_bytes()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = connect(counting_server, shared)
        assert [client.get("/labs")["n"] for _ in range(2)] == [2, 3]
        client.post("/labs", {})
        client.clear_rest_cache()
        client.close()
    [message] = [str(item.message) for item in caught if item.category is AlyxWarning]
    assert message.startswith(f"Responses are not cached: {reason}")
    assert victim.read_bytes() == content
    assert not victim.with_name("victim-wal").exists()


@posix
def test_stand_in_for_another_user_is_refused(
    counting_server: CountingServer, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(counting_server, shared)
    client.get("/labs")
    client.close()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with client, pytest.warns(AlyxWarning, match="belongs to another user"):
        assert client.get("/labs")["n"] == 2


@posix
def test_own_folder_that_others_can_read_is_closed(counting_server: CountingServer, shared: Path) -> None:
    client = connect(counting_server, shared)
    client._settings.rest_cache_dir.mkdir(mode=0o755)
    assert [client.get("/labs")["n"] for _ in range(2)] == [1, 1]
    assert mode(client._settings.rest_cache_dir) & 0o777 == 0o700


def test_former_folder_is_left_alone(counting_server: CountingServer, shared: Path) -> None:
    (shared / ".rest").mkdir()
    (shared / ".rest" / "old").write_text("old")
    assert connect(counting_server, shared).get("/labs")["n"] == 1
    assert (shared / ".rest" / "old").read_text() == "old"


def test_users_of_windows_are_told_apart_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "getlogin", lambda: "Ana María/..", raising=False)
    assert file_system.user_label() == "ana_maría_.."

    def fail() -> str:
        raise OSError

    monkeypatch.setattr(os, "getlogin", fail, raising=False)
    monkeypatch.setenv("USERNAME", "Bob")
    assert file_system.user_label() == "bob"
    monkeypatch.delenv("USERNAME")
    assert file_system.user_label() == "user"


FETCH = """
url, folder, *options = sys.argv[1:]
try:
    print(downloader(url, Path(folder)).download("x/a.npy", clobber="clobber" in options, keep_tree="tree" in options))
except AlyxError as error:
    print(type(error).__name__, error)
"""


@several_users
@pytest.mark.parametrize(("umask", "file_mode", "folder_mode"), [(0o002, 0o664, 0o2775), (0o027, 0o640, 0o2750)])
def test_files_and_folders_have_the_group_of_the_folder_and_the_mode_of_the_umask(
    shared: Path, umask: int, file_mode: int, folder_mode: int
) -> None:
    with FaultServer(then=serve(BODY)) as server:
        path = Path(run_as(ALICE, FETCH, server.url, shared, "tree", umask=umask))
    assert path == shared / "x" / "a.npy"
    assert (mode(path), path.stat().st_gid, path.stat().st_uid) == (file_mode, GROUP, ALICE)
    assert (mode(path.parent), path.parent.stat().st_gid) == (folder_mode, GROUP)


@several_users
@pytest.mark.parametrize("sticky", [False, True])
@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_leftover_of_another_user_does_not_stop_a_download(shared: Path, umask: int, sticky: bool) -> None:
    shared.chmod(0o3777 if sticky else 0o2777)
    broken = [serve(BODY, close_after=30_000), faults.response(status=404)]
    with FaultServer(broken, then=serve(BODY)) as server:
        assert run_as(ALICE, FETCH, server.url, shared, umask=umask).startswith("NotFoundError")
        leftovers = {path.name: path.read_bytes() for path in shared.iterdir()}
        assert sorted(leftovers) == ["a.npy.part", "a.npy.part.json"]
        # As after a crash.
        lock = shared / "a.npy.part.lock"
        lock.touch()
        os.chown(lock, ALICE, GROUP)
        lock.chmod(0o666 & ~umask)
        server.script("/x/a.npy", *broken, serve(BODY))
        assert run_as(BOB, FETCH, server.url, shared, umask=umask).startswith("NotFoundError")
        assert run_as(BOB, FETCH, server.url, shared, umask=umask) == str(shared / "a.npy")
        assert "range" in server.requests[-1].headers
    assert (shared / "a.npy").read_bytes() == BODY
    if (umask, sticky) == (0o002, False):
        # The group may write: the partial download was resumed.
        assert names(shared) == ["a.npy"]
    else:
        assert {name: (shared / name).read_bytes() for name in leftovers} == leftovers
        assert set(names(shared)) <= {*leftovers, "a.npy", "a.npy.part.lock"}


@several_users
def test_folder_of_another_user_is_a_typed_error(shared: Path) -> None:
    shared.chmod(0o3777)
    with FaultServer(then=serve(BODY)) as server:
        run_as(ALICE, FETCH, server.url, shared, "tree")
        # In a folder with the sticky bit, only owners replace files; and the folder of another user is closed.
        for place, options in ((shared, ["clobber"]), (shared / "x", ["clobber"]), (shared / "x" / "new", [])):
            run_as(ALICE, FETCH, server.url, shared, "clobber")
            error = run_as(BOB, FETCH, server.url, place, *options)
            assert error.startswith("FileAccessError")
            assert str(place) in error
            assert "target_dir" in error
        (shared / "x").chmod(0o700)
        assert run_as(BOB, FETCH, server.url, shared / "x").startswith("FileAccessError")
    assert {"a.npy", "x"} <= set(names(shared))


@posix
def test_link_in_place_of_a_lock_is_not_followed(shared: Path) -> None:
    (shared / ".alyx-cache-tables.lock").symlink_to(shared / "victim")
    with FaultServer(then=serve(b"no zip")) as server, pytest.raises(ValueError, match="zip"):
        downloader(server, shared).download_cache_tables(f"{server.url}/cache.zip")
    assert not (shared / "victim").exists()
