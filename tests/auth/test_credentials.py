"""Which token and which login a client uses."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.login_api import login_request
from alyx_client.config.servers_toml import servers_file
from alyx_client.errors import MissingCredentialsError
from tests.auth.stored_settings import URL, token_files, write_one_settings


def test_token_precedence_is_argument_environment_token_file_one(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Credentials(URL).token() is None
    write_one_settings(isolated_settings, ALYX_LOGIN="olivier", TOKEN={"olivier": {"token": "from-one"}})
    assert Credentials(URL).token() == "from-one"
    Credentials(URL).remember("from-file", "olivier")
    assert Credentials(URL).token() == "from-file"
    monkeypatch.setenv("ALYX_TOKEN", " from-environment\n")
    assert Credentials(URL).token() == "from-environment"
    assert Credentials(URL, explicit_token="from-argument").token() == "from-argument"


def test_refused_tokens_are_skipped(isolated_settings: Path) -> None:
    write_one_settings(isolated_settings, ALYX_LOGIN="olivier", TOKEN={"olivier": {"token": "from-one"}})
    Credentials(URL).remember("from-file", "olivier")
    assert Credentials(URL).token({"from-file"}) == "from-one"
    assert Credentials(URL).token({"from-file", "from-one"}) is None


def test_refused_explicit_token_is_not_replaced_by_a_stored_one(isolated_settings: Path) -> None:
    Credentials(URL).remember("from-file", "olivier")
    assert Credentials(URL, explicit_token="mine").token({"mine"}) is None


def test_username_selects_the_token(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_one_settings(
        isolated_settings, ALYX_LOGIN="olivier", TOKEN={"olivier": {"token": "o"}, "miles": {"token": "m"}}
    )
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
def test_stored_tokens_are_used_for_their_server_only(isolated_settings: Path, other: str) -> None:
    write_one_settings(isolated_settings, ALYX_LOGIN="olivier", TOKEN={"olivier": {"token": "from-one"}})
    Credentials(URL).remember("from-file", "olivier")
    assert Credentials(other).token() is None


def test_environment_applies_to_the_server_that_it_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"URL": URL, "TOKEN": "t", "USERNAME": "u", "PASSWORD": "p"}.items():
        monkeypatch.setenv(f"ALYX_{name}", value)
    assert Credentials(URL).token() == "t"
    assert Credentials("https://other.example.org").token() is None
    assert Credentials("https://other.example.org").login() is None


@pytest.mark.parametrize("token", ["", "two words", "tök", "a\nb"])
def test_invalid_token_is_rejected_without_being_quoted(token: str) -> None:
    with pytest.raises(MissingCredentialsError, match="copy it again") as caught:
        Credentials(URL, explicit_token=token).token()
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"server": 1}', '{"TOKEN": 3}', '{"ALYX_LOGIN": ["x"]}', "\x00"])
def test_damaged_settings_are_ignored(isolated_settings: Path, content: str) -> None:
    write_one_settings(isolated_settings)
    (isolated_settings / ".one" / ".alyx.example.org").write_text(content)
    Credentials(URL).remember("t", "olivier")
    (file,) = token_files(isolated_settings)
    file.write_text(content)
    assert Credentials(URL).token() is None
    assert Credentials(URL).login() is None
    Credentials(URL).remember("t2", "olivier")
    assert Credentials(URL).token() == "t2"


def test_login_precedence_is_arguments_environment_one_prompt(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch, terminal: list[str]
) -> None:
    assert Credentials(URL).login() == ("typed-user", "typed-password")
    assert all(URL in prompt for prompt in terminal)
    write_one_settings(isolated_settings, ALYX_LOGIN="olivier", ALYX_PWD="from-one")
    assert Credentials(URL).login() == ("olivier", "from-one")
    monkeypatch.setenv("ALYX_USERNAME", "env-user")
    monkeypatch.setenv("ALYX_PASSWORD", "env-password")
    assert Credentials(URL).login() == ("env-user", "env-password")
    assert Credentials(URL, username="me", password="mine").login() == ("me", "mine")
    assert len(terminal) == 2


def test_password_of_one_user_is_not_used_for_another(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_one_settings(isolated_settings, ALYX_LOGIN="olivier", ALYX_PWD="from-one")
    monkeypatch.setenv("ALYX_USERNAME", "env-user")
    monkeypatch.setenv("ALYX_PASSWORD", "env-password")
    assert Credentials(URL, username="miles").login() is None


def test_error_for_missing_credentials_says_what_to_set() -> None:
    message = str(Credentials(URL, username="olivier").missing())
    for part in (URL, "olivier", "ALYX_USERNAME", "ALYX_PASSWORD", "ALYX_TOKEN", "nothing was sent"):
        assert part in message


def test_files_of_one_are_never_written(isolated_settings: Path) -> None:
    write_one_settings(isolated_settings, ALYX_LOGIN="olivier", TOKEN={"olivier": {"token": "old"}})
    file = isolated_settings / ".one" / ".alyx.example.org"
    before = file.read_bytes(), file.stat().st_mtime_ns
    Credentials(URL).remember("new", "olivier")
    Credentials(URL).forget()
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert [item.name for item in file.parent.iterdir()] == [file.name]


def test_one_settings_of_a_server_with_port_and_path_are_found(isolated_settings: Path) -> None:
    url = "https://x.org:8443/alyx-main"
    write_one_settings(
        isolated_settings, ".x.org_8443_alyx-main", ALYX_URL=f"{url}/", ALYX_LOGIN="o", TOKEN={"o": {"token": "t"}}
    )
    assert Credentials(url).token() == "t"


def test_repr_hides_secrets() -> None:
    credentials = Credentials(URL, username="olivier", password="secret-password", explicit_token="secret-token")
    shown = (
        repr(credentials) + repr(pickle.loads(pickle.dumps(credentials))) + repr(login_request("u", "secret-password"))
    )
    assert "olivier" in shown
    assert "secret" not in shown


def test_pickle_contains_what_a_worker_needs() -> None:
    credentials = Credentials(URL, username="olivier", password="p", explicit_token="t", silent=True)
    assert pickle.loads(pickle.dumps(credentials)) == credentials


def test_username_in_the_settings_file_selects_the_token(isolated_settings: Path) -> None:
    for token, user in (("a1", "a"), ("b1", "b")):
        Credentials(URL).remember(token, user)
    servers_file().write_text(f'[servers."{URL}"]\nusername = "a"\n')
    assert Credentials(URL).token() == "a1"
    assert Credentials(URL, username="b").token() == "b1"


def test_explicit_token_is_not_replaced_by_another_users_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_USERNAME", "env-user")
    monkeypatch.setenv("ALYX_PASSWORD", "env-password")
    assert Credentials(URL, explicit_token="t").login() is None
    assert Credentials(URL).login() == ("env-user", "env-password")


def test_empty_password_counts_as_none() -> None:
    assert Credentials(URL, username="olivier", password="").login() is None


def test_token_as_stored_by_one_is_accepted() -> None:
    assert Credentials(URL, explicit_token={"token": " t "}).token() == "t"


def test_user_is_known_without_a_prompt(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def user(**arguments: str) -> str | None:
        return Credentials(URL, **arguments).user()

    assert user() is None
    write_one_settings(isolated_settings, ALYX_LOGIN="one")
    assert user() == "one"
    Credentials(URL).remember("T1", "last")
    assert user() == "last"
    servers_file().parent.mkdir(parents=True, exist_ok=True)
    servers_file().write_text(f'[servers."{URL}"]\nusername = "file"\n')
    assert user() == "file"
    monkeypatch.setenv("ALYX_TOKEN", "T2")
    assert user() is None
    monkeypatch.setenv("ALYX_USERNAME", "env")
    assert user() == "env"
    assert user(username="me") == "me"
    assert user(explicit_token="T3") is None


def test_token_of_an_unknown_user_is_stored(isolated_settings: Path) -> None:
    Credentials(URL).remember("T1", "")
    assert Credentials(URL).token() == "T1"
    assert Credentials(URL).user() is None
