from __future__ import annotations

import json
import os
import pickle
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from alyx_client.auth.credentials import Credentials, is_stale, login_request, token_from
from alyx_client.config.servers_toml import DataServer, servers_file
from alyx_client.errors import AlyxWarning, MissingCredentialsError, UnexpectedAnswerError
from alyx_client.http.message import Response

URL = "https://alyx.example.org"


def write_one(home: Path, name: str = ".alyx.example.org", **settings: object) -> None:
    folder = home / ".one"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps({"ALYX_URL": URL, **settings}))


def token_files(home: Path) -> list[Path]:
    return [file for file in home.rglob("*") if file.is_file() and "tokens" in file.parts]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for a person at a terminal, who types what the test says; returns the questions."""
    asked: list[str] = []

    def answer(question: str, typed: str) -> str:
        asked.append(question)
        return typed

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answer(question, "typed-user"))
    monkeypatch.setattr("getpass.getpass", lambda question: answer(question, "typed-password"))
    return asked


# --- tokens


def test_token_comes_from_argument_then_environment_then_file_then_one(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Credentials(URL).token() is None
    write_one(isolated_settings, ALYX_LOGIN="olivier", TOKEN={"olivier": {"token": "from-one"}})
    assert Credentials(URL).token() == "from-one"
    Credentials(URL).remember("from-file", "olivier")
    assert Credentials(URL).token() == "from-file"
    monkeypatch.setenv("ALYX_TOKEN", " from-environment\n")
    assert Credentials(URL).token() == "from-environment"
    assert Credentials(URL, explicit_token="from-argument").token() == "from-argument"


def test_refused_tokens_are_passed_over(isolated_settings: Path) -> None:
    write_one(isolated_settings, ALYX_LOGIN="olivier", TOKEN={"olivier": {"token": "from-one"}})
    Credentials(URL).remember("from-file", "olivier")
    assert Credentials(URL).token({"from-file"}) == "from-one"
    assert Credentials(URL).token({"from-file", "from-one"}) is None


def test_refused_explicit_token_is_not_replaced_by_anothers(isolated_settings: Path) -> None:
    Credentials(URL).remember("from-file", "olivier")
    assert Credentials(URL, explicit_token="mine").token({"mine"}) is None


def test_user_name_chooses_the_token(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_one(isolated_settings, ALYX_LOGIN="olivier", TOKEN={"olivier": {"token": "o"}, "miles": {"token": "m"}})
    assert Credentials(URL, username="miles").token() == "m"
    monkeypatch.setenv("ALYX_USERNAME", "miles")
    assert Credentials(URL).token() == "m"
    monkeypatch.setenv("ALYX_TOKEN", "someones")
    assert Credentials(URL, username="olivier").token() == "o"


def test_last_user_to_log_in_is_the_default(isolated_settings: Path) -> None:
    for token, user in (("a1", "a"), ("b1", "b"), ("a2", "a")):
        Credentials(URL).remember(token, user)
    assert Credentials(URL).token() == "a2"
    assert Credentials(URL, username="b").token() == "b1"


@pytest.mark.parametrize("other", ["http://alyx.example.org", "https://alyx.example.org:8443", f"{URL}/two"])
def test_stored_tokens_belong_to_one_server(isolated_settings: Path, other: str) -> None:
    write_one(isolated_settings, ALYX_LOGIN="olivier", TOKEN={"olivier": {"token": "from-one"}})
    Credentials(URL).remember("from-file", "olivier")
    assert Credentials(other).token() is None


def test_token_files_of_similar_addresses_are_told_apart(isolated_settings: Path) -> None:
    Credentials(f"{URL}/a").remember("a", "olivier")
    Credentials(f"{URL}_a").remember("b", "olivier")
    assert Credentials(f"{URL}_a").token() == "b"
    assert Credentials(f"{URL}/a").token() is None


def test_environment_serves_the_server_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"URL": URL, "TOKEN": "t", "USERNAME": "u", "PASSWORD": "p"}.items():
        monkeypatch.setenv(f"ALYX_{name}", value)
    assert Credentials(URL).token() == "t"
    assert Credentials("https://other.example.org").token() is None
    assert Credentials("https://other.example.org").login() is None


@pytest.mark.parametrize("token", ["", "two words", "tök", "a\nb"])
def test_token_that_cannot_be_one_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(MissingCredentialsError, match="copy it again") as caught:
        Credentials(URL, explicit_token=token).token()
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"server": 1}', '{"TOKEN": 3}', '{"ALYX_LOGIN": ["x"]}', "\x00"])
def test_damaged_settings_are_passed_over(isolated_settings: Path, content: str) -> None:
    write_one(isolated_settings)
    (isolated_settings / ".one" / ".alyx.example.org").write_text(content)
    Credentials(URL).remember("t", "olivier")
    (file,) = token_files(isolated_settings)
    file.write_text(content)
    assert Credentials(URL).token() is None
    assert Credentials(URL).login() is None
    Credentials(URL).remember("t2", "olivier")
    assert Credentials(URL).token() == "t2"


# --- the token file


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX's")
def test_token_file_is_the_owners_alone(isolated_settings: Path) -> None:
    old = os.umask(0)
    try:
        Credentials(URL).remember("t", "olivier")
        Credentials(URL).remember("t2", "olivier")
    finally:
        os.umask(old)
    (file,) = token_files(isolated_settings)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_forget_drops_one_token_or_all(isolated_settings: Path) -> None:
    Credentials(URL).remember("a1", "a")
    Credentials(URL).remember("b1", "b")
    Credentials(URL).forget("b1")
    assert Credentials(URL).token() == "a1"
    Credentials(URL).forget()
    assert Credentials(URL).token() is None


def test_folder_that_cannot_be_written_is_no_error(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocker = isolated_settings / "file"
    blocker.write_text("")
    for name in ("XDG_CONFIG_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(blocker))
    Credentials(URL).remember("t", "olivier")
    assert Credentials(URL).token() is None


def test_tokens_of_servers_on_this_machine_are_kept_only_when_typed(
    isolated_settings: Path, terminal: list[str]
) -> None:
    local = "http://127.0.0.1:8000"
    Credentials(local, username="u", password="p").remember("t", "u")
    assert token_files(isolated_settings) == []
    credentials = Credentials(local)
    credentials.login()
    credentials.remember("t", "typed-user")
    assert Credentials(local).token() == "t"


def test_store_false_keeps_nothing(isolated_settings: Path) -> None:
    Credentials(URL, store=False).remember("t", "olivier")
    assert token_files(isolated_settings) == []


# --- logins


def test_login_comes_from_arguments_then_environment_then_one_then_prompt(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch, terminal: list[str]
) -> None:
    assert Credentials(URL).login() == ("typed-user", "typed-password")
    assert all(URL in question for question in terminal)
    write_one(isolated_settings, ALYX_LOGIN="olivier", ALYX_PWD="from-one")
    assert Credentials(URL).login() == ("olivier", "from-one")
    monkeypatch.setenv("ALYX_USERNAME", "env-user")
    monkeypatch.setenv("ALYX_PASSWORD", "env-password")
    assert Credentials(URL).login() == ("env-user", "env-password")
    assert Credentials(URL, username="me", password="mine").login() == ("me", "mine")
    assert len(terminal) == 2


def test_password_of_one_user_is_not_tried_for_another(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_one(isolated_settings, ALYX_LOGIN="olivier", ALYX_PWD="from-one")
    monkeypatch.setenv("ALYX_USERNAME", "env-user")
    monkeypatch.setenv("ALYX_PASSWORD", "env-password")
    assert Credentials(URL, username="miles").login() is None


def test_only_the_password_is_asked_for_a_known_user(isolated_settings: Path, terminal: list[str]) -> None:
    write_one(isolated_settings, ALYX_LOGIN="olivier")
    assert Credentials(URL).login() == ("olivier", "typed-password")
    assert Credentials(URL, username="miles").login() == ("miles", "typed-password")
    assert len(terminal) == 2


def test_nobody_is_asked_in_silence_or_away_from_a_terminal(
    terminal: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Credentials(URL, silent=True).login() is None
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert Credentials(URL).login() is None
    monkeypatch.setattr("sys.stdin", None)
    assert Credentials(URL).login() is None
    assert terminal == []


@pytest.mark.parametrize("can_ask", [True, False])
def test_notebook_asks_where_its_reader_can_answer(
    can_ask: bool, terminal: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What IPython shows of a Jupyter kernel; a kernel itself is too much to install for this.
    shell = SimpleNamespace(kernel=SimpleNamespace(_allow_stdin=can_ask))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)
    assert Credentials(URL).login() == (("typed-user", "typed-password") if can_ask else None)


def test_token_without_a_user_name_leads_to_no_prompt(terminal: list[str]) -> None:
    assert Credentials(URL, explicit_token="t").login() is None
    assert terminal == []


def test_missing_credentials_say_what_to_set() -> None:
    message = str(Credentials(URL, username="olivier").missing())
    for part in (URL, "olivier", "ALYX_USERNAME", "ALYX_PASSWORD", "ALYX_TOKEN", "nothing was sent"):
        assert part in message


def test_ones_files_are_never_written(isolated_settings: Path) -> None:
    write_one(isolated_settings, ALYX_LOGIN="olivier", TOKEN={"olivier": {"token": "old"}})
    file = isolated_settings / ".one" / ".alyx.example.org"
    before = file.read_bytes(), file.stat().st_mtime_ns
    Credentials(URL).remember("new", "olivier")
    Credentials(URL).forget()
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert [item.name for item in file.parent.iterdir()] == [file.name]


def test_ones_file_of_a_server_with_port_and_path_is_found(isolated_settings: Path) -> None:
    url = "https://x.org:8443/alyx-main"
    write_one(
        isolated_settings, ".x.org_8443_alyx-main", ALYX_URL=f"{url}/", ALYX_LOGIN="o", TOKEN={"o": {"token": "t"}}
    )
    assert Credentials(url).token() == "t"


# --- secrets and requests


def test_repr_shows_no_secrets() -> None:
    credentials = Credentials(URL, username="olivier", password="secret-password", explicit_token="secret-token")
    shown = (
        repr(credentials) + repr(pickle.loads(pickle.dumps(credentials))) + repr(login_request("u", "secret-password"))
    )
    assert "olivier" in shown
    assert "secret" not in shown


def test_pickle_keeps_what_a_worker_needs() -> None:
    credentials = Credentials(URL, username="olivier", password="p", explicit_token="t", silent=True)
    assert pickle.loads(pickle.dumps(credentials)) == credentials


def test_login_request_is_sent_without_a_token() -> None:
    request = login_request("olivier", 'p"ä')
    assert (request.method, request.path, request.authenticate) == ("POST", "/auth-token", False)
    assert json.loads(request.json or b"") == {"username": "olivier", "password": 'p"ä'}


def test_token_is_read_from_the_answer() -> None:
    assert token_from(Response(200, {}, b'{"token": "abc"}')) == "abc"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"token": ""}', b'{"token": 3}', b'{"token": "a b"}', b"{}", b""])
def test_answer_without_a_token_is_unexpected(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswerError, match="answered without a token"):
        token_from(Response(200, {}, body, "POST", f"{URL}/auth-token"))


@pytest.mark.parametrize(
    ("status", "body", "stale"),
    [
        (401, b"", True),
        (403, b'{"detail": "Invalid token.", "status_code": 403}', True),
        (403, b'"Invalid token."', True),
        (403, b'{"detail": "You do not have permission to perform this action."}', False),
        (403, b"<html>", False),
        (400, b'{"detail": "Invalid token."}', False),
        (200, b"", False),
    ],
)
def test_stale_token_is_told_from_a_missing_permission(status: int, body: bytes, stale: bool) -> None:
    assert is_stale(Response(status, {}, body)) is stale


# --- the keyring

# A keyring of the simplest kind: the package's two functions over one file.
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
    """Put a keyring on the path and into the settings; returns the file that it keeps its secrets in."""
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "keyring.py").write_text(KEYRING)
    monkeypatch.syspath_prepend(packages)
    monkeypatch.delitem(sys.modules, "keyring", raising=False)
    ask_for_keyring()
    yield isolated_settings / "keyring.json"
    sys.modules.pop("keyring", None)


def ask_for_keyring() -> None:
    servers_file().parent.mkdir(parents=True, exist_ok=True)
    servers_file().write_text(f'[servers."{URL}"]\nkeyring = true\n')


def test_tokens_are_kept_in_the_keyring_where_that_is_asked_for(keyring: Path, isolated_settings: Path) -> None:
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
    ask_for_keyring()
    assert Credentials(URL).token() == "t1"
    assert token_files(isolated_settings) == []
    assert Credentials(URL).token() == "t1"


def test_keyring_that_fails_keeps_nothing_and_says_so_without_secrets(
    keyring: Path, isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYRING_FAILS", "1")
    with pytest.warns(AlyxWarning, match="failed with RuntimeError") as caught:
        Credentials(URL).remember("secret-token", "olivier")
    assert not any("secret" in str(warning.message) for warning in caught)
    assert token_files(isolated_settings) == []
    assert not keyring.exists()


def test_forgotten_token_leaves_the_file_though_the_keyring_fails(
    keyring: Path, isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers_file().unlink()
    Credentials(URL).remember("t1", "olivier")
    ask_for_keyring()
    monkeypatch.setenv("KEYRING_FAILS", "1")
    with pytest.warns(AlyxWarning, match="keyring"):
        Credentials(URL).forget("t1")
    assert all("t1" not in file.read_text() for file in token_files(isolated_settings))


def test_keyring_that_is_not_installed_says_what_to_install(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for_keyring()
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.warns(AlyxWarning, match=r"alyx-client\[keyring\]"):
        Credentials(URL).remember("t", "olivier")
    assert token_files(isolated_settings) == []


def test_keyring_is_imported_only_when_asked_for(keyring: Path) -> None:
    servers_file().unlink()
    Credentials(URL).remember("t", "olivier")
    assert Credentials(URL).token() == "t"
    assert "keyring" not in sys.modules


def test_password_of_a_data_server_may_lie_in_the_keyring(keyring: Path) -> None:
    server = DataServer("https://data.example.org", "ibl", keyring=True)
    assert server.login() is None
    assert server.keep_password("p")
    assert server.login() == ("ibl", "p")
    assert DataServer("https://data.example.org", "ana", keyring=True).login() is None
    assert DataServer("https://data.example.org", "ibl").login() is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"server": 1}', "\x00"])
def test_damaged_entry_of_the_keyring_counts_as_none(keyring: Path, content: str) -> None:
    keyring.write_text(json.dumps({f"alyx-client|{URL}": content}))
    assert Credentials(URL).token() is None
    Credentials(URL).remember("t", "olivier")
    assert Credentials(URL).token() == "t"


# --- settings


def test_user_of_the_settings_file_chooses_the_token(isolated_settings: Path) -> None:
    for token, user in (("a1", "a"), ("b1", "b")):
        Credentials(URL).remember(token, user)
    servers_file().write_text(f'[servers."{URL}"]\nusername = "a"\n')
    assert Credentials(URL).token() == "a1"
    assert Credentials(URL, username="b").token() == "b1"


def test_refused_token_does_not_turn_into_another_users_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_USERNAME", "env-user")
    monkeypatch.setenv("ALYX_PASSWORD", "env-password")
    assert Credentials(URL, explicit_token="t").login() is None
    assert Credentials(URL).login() == ("env-user", "env-password")


def test_empty_password_counts_as_none() -> None:
    assert Credentials(URL, username="olivier", password="").login() is None


def test_token_as_one_keeps_it_is_accepted() -> None:
    assert Credentials(URL, explicit_token={"token": " t "}).token() == "t"


def test_processes_that_log_in_at_once_lose_no_token(isolated_settings: Path) -> None:
    code = (
        "import sys; from alyx_client.auth.credentials import Credentials\n"
        "for number in range(40):\n"
        "    credentials = Credentials(sys.argv[1])\n"
        "    credentials.remember(f't-{number}', sys.argv[2])\n"
        "    assert credentials.token() == f't-{number}'\n"
    )
    users = [f"user{number}" for number in range(4)]
    working = [subprocess.Popen([sys.executable, "-c", code, URL, user]) for user in users]
    assert [process.wait() for process in working] == [0] * 4
    assert {Credentials(URL, username=user).token() for user in users} == {"t-39"}
    (file,) = token_files(isolated_settings)
    assert [item.name for item in file.parent.iterdir()] == [file.name]
