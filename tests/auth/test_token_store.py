"""Stored tokens, in a file and in the keyring."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.token_store import FileStore
from alyx_client.config import DataServer, servers_file
from alyx_client.errors import AlyxWarning
from tests.auth.stored_settings import URL, enable_keyring, token_files


def test_tokens_of_addresses_with_the_same_file_name_are_distinguished(isolated_settings: Path) -> None:
    Credentials(f"{URL}/a").remember("a", "olivier")
    Credentials(f"{URL}_a").remember("b", "olivier")
    assert Credentials(f"{URL}_a").token() == "b"
    assert Credentials(f"{URL}/a").token() is None


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are specific to POSIX")
def test_token_file_is_readable_by_its_owner_only(isolated_settings: Path) -> None:
    old = os.umask(0)
    try:
        Credentials(URL).remember("t", "olivier")
        Credentials(URL).remember("t2", "olivier")
    finally:
        os.umask(old)
    (file,) = token_files(isolated_settings)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are specific to POSIX")
@pytest.mark.parametrize("mode", [0o666, 0o660, 0o602, 0o620])
def test_token_file_that_others_can_write_is_ignored(isolated_settings: Path, mode: int) -> None:
    Credentials(URL).remember("planted", "olivier")
    (file,) = token_files(isolated_settings)
    file.chmod(mode)
    with pytest.warns(AlyxWarning, match=r"are ignored: other users can write it.*chmod 600"):
        assert Credentials(URL).token() is None
    with pytest.warns(AlyxWarning, match="are ignored"):
        Credentials(URL).remember("mine", "olivier")
    assert Credentials(URL).token() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="file owners are specific to POSIX")
def test_token_file_of_another_owner_is_ignored(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Credentials(URL).remember("planted", "olivier")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.warns(AlyxWarning, match="belongs to another user"):
        assert Credentials(URL).token() is None


def test_forget_removes_one_token_or_all(isolated_settings: Path) -> None:
    Credentials(URL).remember("a1", "a")
    Credentials(URL).remember("b1", "b")
    Credentials(URL).forget("b1")
    assert Credentials(URL).token() == "a1"
    Credentials(URL).forget()
    assert Credentials(URL).token() is None


def test_file_that_cannot_be_removed_is_no_error(isolated_settings: Path, caplog: pytest.LogCaptureFixture) -> None:
    Credentials(URL).remember("a1", "a")
    (file,) = token_files(isolated_settings)
    file.unlink()
    file.mkdir()
    with caplog.at_level("INFO", "alyx_client"):
        FileStore(URL).remove()
    assert "was not removed" in caplog.text


def test_unwritable_folder_is_no_error(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocker = isolated_settings / "file"
    blocker.write_text("")
    for name in ("XDG_CONFIG_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(blocker))
    Credentials(URL).remember("t", "olivier")
    assert Credentials(URL).token() is None


def test_tokens_of_servers_on_this_machine_are_stored_only_if_typed(
    isolated_settings: Path, terminal: list[str]
) -> None:
    local = "http://127.0.0.1:8000"
    Credentials(local, username="u", password="p").remember("t", "u")
    assert token_files(isolated_settings) == []
    credentials = Credentials(local)
    credentials.login()
    credentials.remember("t", "typed-user")
    assert Credentials(local).token() == "t"


def test_store_false_stores_nothing(isolated_settings: Path) -> None:
    Credentials(URL, store=False).remember("t", "olivier")
    assert token_files(isolated_settings) == []


def test_processes_that_log_in_concurrently_lose_no_token(isolated_settings: Path) -> None:
    code = (
        "import sys; from alyx_client.auth.credentials import Credentials\n"
        "for number in range(40):\n"
        "    credentials = Credentials(sys.argv[1])\n"
        "    credentials.remember(f't-{number}', sys.argv[2])\n"
        "    assert credentials.token() == f't-{number}'\n"
    )
    users = [f"user{number}" for number in range(4)]
    processes = [subprocess.Popen([sys.executable, "-c", code, URL, user]) for user in users]
    assert [process.wait() for process in processes] == [0] * 4
    assert {Credentials(URL, username=user).token() for user in users} == {"t-39"}
    (file,) = token_files(isolated_settings)
    assert [item.name for item in file.parent.iterdir()] == [file.name]


# --- the keyring

# A keyring backend reduced to the package's two functions, over one file.
KEYRING = """
import json, os, pathlib
FILE = pathlib.Path(os.environ["HOME"]) / "keyring.json"
def _read():
    return json.loads(FILE.read_text()) if FILE.exists() else {}
def get_password(service, name):
    if os.environ.get("KEYRING_FAILS"):
        raise RuntimeError("locked; asked for secret " + name)
    return _read().get(service + "|" + name)
def set_password(service, name, secret):
    if os.environ.get("KEYRING_FAILS"):
        raise RuntimeError("locked; given " + secret)
    FILE.write_text(json.dumps({**_read(), service + "|" + name: secret}))
"""


@pytest.fixture
def keyring(tmp_path: Path, isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install and enable a keyring; returns the file that contains its secrets."""
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "keyring.py").write_text(KEYRING)
    monkeypatch.syspath_prepend(packages)
    monkeypatch.delitem(sys.modules, "keyring", raising=False)
    enable_keyring()
    yield isolated_settings / "keyring.json"
    sys.modules.pop("keyring", None)


def test_tokens_are_stored_in_the_keyring_if_enabled(keyring: Path, isolated_settings: Path) -> None:
    Credentials(URL).remember("t1", "olivier")
    Credentials(URL).remember("t2", "ana")
    assert token_files(isolated_settings) == []
    assert "t1" in keyring.read_text()
    assert Credentials(URL).token() == "t2"
    assert Credentials(URL, username="olivier").token() == "t1"
    assert Credentials("https://other.example.org").token() is None
    Credentials(URL).forget("t2")
    assert "t2" not in keyring.read_text()
    Credentials(URL).forget()
    assert Credentials(URL).token() is None


def test_tokens_move_from_the_file_to_the_keyring(keyring: Path, isolated_settings: Path) -> None:
    servers_file().unlink()
    Credentials(URL).remember("t1", "olivier")
    assert len(token_files(isolated_settings)) == 1
    enable_keyring()
    assert Credentials(URL).token() == "t1"
    assert token_files(isolated_settings) == []
    assert Credentials(URL).token() == "t1"


def test_failing_keyring_stores_nothing_and_warns_without_secrets(
    keyring: Path, isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYRING_FAILS", "1")
    with pytest.warns(AlyxWarning, match="failed with RuntimeError") as caught:
        Credentials(URL).remember("secret-token", "olivier")
    assert not any("secret" in str(warning.message) for warning in caught)
    assert token_files(isolated_settings) == []
    assert not keyring.exists()


def test_forgotten_token_is_removed_from_the_file_even_if_the_keyring_fails(
    keyring: Path, isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers_file().unlink()
    Credentials(URL).remember("t1", "olivier")
    enable_keyring()
    monkeypatch.setenv("KEYRING_FAILS", "1")
    with pytest.warns(AlyxWarning, match="keyring"):
        Credentials(URL).forget("t1")
    assert all("t1" not in file.read_text() for file in token_files(isolated_settings))


def test_missing_keyring_package_is_named_in_a_warning(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enable_keyring()
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.warns(AlyxWarning, match=r"alyx-client\[keyring\]"):
        Credentials(URL).remember("t", "olivier")
    assert token_files(isolated_settings) == []


def test_keyring_is_imported_only_if_enabled(keyring: Path) -> None:
    servers_file().unlink()
    Credentials(URL).remember("t", "olivier")
    assert Credentials(URL).token() == "t"
    assert "keyring" not in sys.modules


def test_data_server_password_can_be_stored_in_the_keyring(keyring: Path) -> None:
    server = DataServer("https://data.example.org", "ibl", keyring=True)
    assert server.login() is None
    assert server.keep_password("p")
    assert server.login() == ("ibl", "p")
    assert DataServer("https://data.example.org", "ana", keyring=True).login() is None
    assert DataServer("https://data.example.org", "ibl").login() is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"server": 1}', "\x00"])
def test_damaged_keyring_entry_is_empty(keyring: Path, content: str) -> None:
    keyring.write_text(json.dumps({f"alyx-client|{URL}": content}))
    assert Credentials(URL).token() is None
    Credentials(URL).remember("t", "olivier")
    assert Credentials(URL).token() == "t"
