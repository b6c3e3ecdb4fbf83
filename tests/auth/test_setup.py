"""Setup of a server, with real files and the local Alyx."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.auth.credentials import Credentials
from alyx_client.auth.prompt import Prompter
from alyx_client.auth.setup import SetupOptions, run_setup
from alyx_client.auth.state import AuthState
from alyx_client.auth.token_flow import TokenAuth
from alyx_client.config import DataServer, Settings, find_settings, servers_file
from alyx_client.errors import (
    AlyxConnectionError,
    AlyxError,
    AlyxWarning,
    AuthenticationError,
    ConfigurationError,
    MissingCredentialsError,
    UnexpectedAnswerError,
)
from alyx_client.http.retry import Retries
from alyx_client.http.transport import SyncTransport
from alyx_client.testing import LocalAlyx
from tests import faults
from tests.faults import FaultServer, json_response

DATA = "https://data.example.org/public"


def stored_files(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def connect(address: str) -> Callable[..., Any]:
    transport = SyncTransport(
        address, TokenAuth(AuthState(Credentials(address, silent=True))), retries=Retries(base=0.001, cap=0.001)
    )
    return lambda step: transport.send(step.request, token=step.token)


@pytest.mark.parametrize("kind", [AlyxClient, AsyncAlyxClient])
def test_server_that_was_set_up_needs_no_arguments(
    kind: Any, local_alyx: LocalAlyx, isolated_settings: Path, tmp_path: Path
) -> None:
    configured = kind.setup(
        local_alyx.url,
        username="olivier",
        password="olivier",
        data_server=local_alyx.data_url,
        cache_dir=tmp_path / "data",
        default=True,
        silent=True,
    )
    assert configured.base_url == local_alyx.url
    client = AlyxClient(silent=True)
    assert (client.base_url, client.user, client.cache_dir) == (local_alyx.url, "olivier", tmp_path / "data")
    assert client.labs.list()
    lines = servers_file().read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "password" in line and not line.startswith("#")]


def test_refused_login_changes_nothing(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    before = stored_files(isolated_settings)
    with pytest.raises(AuthenticationError):
        AlyxClient.setup(local_alyx.url, username="olivier", password="wrong", silent=True)
    assert stored_files(isolated_settings) == before


def test_quotes_are_stripped_and_the_user_can_decline(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    for confirmation, is_written in (("n", False), ("y", True)):
        user = User(
            ("Alyx server", f' "{local_alyx.url}/" '),
            *FIRST_LOGIN,
            ("Write", confirmation),
        )
        assert (user.set_up() is not None) is is_written
        assert servers_file().exists() is is_written
        assert local_alyx.token("olivier") not in user.output
    assert find_settings(local_alyx.url).username == "olivier"


# --- the dialogue


class User:
    """Replies to prompts by a text that they contain, in order; records the prompts and the output.

    Other prompts get an empty reply.
    """

    def __init__(self, *replies: tuple[str, str | BaseException]) -> None:
        self.replies = list(replies)
        self.prompts: list[str] = []
        self.lines: list[str] = []

    def reply(self, prompt: str) -> str:
        self.prompts.append(prompt)
        for index, (part, reply) in enumerate(self.replies):
            if part in prompt:
                del self.replies[index]
                if isinstance(reply, BaseException):
                    raise reply
                return reply
        return ""

    def set_up(self) -> Settings | None:
        settings = run_setup(SetupOptions(), connect, Prompter(True, self.reply, self.reply, self.lines.append))
        assert self.replies == []
        return settings

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def prompt_with(self, part: str) -> str:
        return next(prompt for prompt in self.prompts if part in prompt)


FIRST_LOGIN = (("User name:", "olivier"), ("Password of", "olivier"))


def test_dialogue_leads_to_a_client_without_arguments(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    user = User(
        ("Alyx server", f" '{local_alyx.url.removeprefix('http://')}/' "),
        *FIRST_LOGIN,
        ("data server", f'"{local_alyx.data_url}"'),
        ("User name on the data", "`ibl`"),
        ("Password on the data", "data-secret"),
        ("Folder", "'~/my data'"),
        ("Make it", "y"),
        ("Write", "yes"),
    )
    settings = user.set_up()
    assert settings is not None
    assert settings == find_settings()
    assert (settings.base_url, settings.username) == (local_alyx.url, "olivier")
    assert settings.cache_dir == isolated_settings / "my data"
    assert settings.cache_dir.is_dir()
    assert settings.data_server == DataServer(local_alyx.data_url.rstrip("/"), "ibl")
    assert str(servers_file()) in user.output
    assert "ALYX_DATA_PASSWORD" in user.output
    for content in stored_files(isolated_settings).values():
        assert b"data-secret" not in content
    with AlyxClient(silent=True) as client:
        assert client.get("/users/olivier")["username"] == "olivier"


def test_second_setup_offers_current_settings(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    User(
        ("Alyx server", local_alyx.url),
        *FIRST_LOGIN,
        ("data server", DATA),
        ("User name on the data", "ibl"),
        ("Folder", "~/data"),
    ).set_up()
    with servers_file().open("a") as file:
        file.write('data_password = "by-hand"\n# my own comment\n')
    before, first = stored_files(isolated_settings), find_settings()
    again = User()
    assert again.set_up() == first
    assert stored_files(isolated_settings) == before
    defaults = {
        "Alyx server": local_alyx.url,
        "User name": "olivier",
        "data server": DATA,
        "User name on the data": "ibl",
        "Folder": str(isolated_settings / "data"),
    }
    for part, value in defaults.items():
        assert f"[{value}, - for none]" in again.prompt_with(part)
    assert "by-hand" not in again.output + "".join(again.prompts)


def test_dash_clears_values(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    User(("Alyx server", local_alyx.url), *FIRST_LOGIN, ("data server", DATA), ("Folder", "~/data")).set_up()
    settings = User(("data server", "-"), ("Folder", "-"), ("Make it", "n")).set_up()
    assert settings is not None
    assert (settings.data_servers, settings.sources["cache_dir"]) == ((), "default")
    with pytest.raises(MissingCredentialsError):
        find_settings()


def test_invalid_replies_are_prompted_for_again(local_alyx: LocalAlyx, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    user = User(
        ("Alyx server", ""),
        ("Alyx server", "ftp://x.org"),
        ("Alyx server", "https://u:p@x.org"),
        ("Alyx server", local_alyx.url),
        ("User name", "olivier"),
        ("Password of", "wrong"),
        ("User name", "olivier"),
        ("Password of", "olivier"),
        ("data server", "ftp://x.org"),
        ("data server", DATA),
        ("Folder", str(tmp_path / "file" / "below")),
        ("Folder", str(tmp_path / "good")),
        ("Make it", "perhaps"),
        ("Make it", "y"),
    )
    settings = user.set_up()
    assert settings is not None
    assert settings.cache_dir == tmp_path / "good"
    for text in ("An address is required", "ftp://x.org", "did not accept", "cannot be written", "yes or no"):
        assert text in user.output


def test_login_is_attempted_three_times(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    user = User(("Alyx server", local_alyx.url), *[("User name", "olivier"), ("Password of", "wrong")] * 3)
    with pytest.raises(AuthenticationError):
        user.set_up()
    assert sum("Password of" in prompt for prompt in user.prompts) == 3
    assert stored_files(isolated_settings) == {}


def test_nothing_entered_three_times_changes_nothing(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    user = User(("Alyx server", local_alyx.url), *[("User name", "olivier")] * 3)
    with pytest.raises(MissingCredentialsError, match="Nobody logged in; nothing was changed"):
        user.set_up()
    assert sum("Password of" in prompt for prompt in user.prompts) == 3
    assert stored_files(isolated_settings) == {}


def test_script_sets_up_a_server_and_logs_in_later(local_alyx: LocalAlyx, capsys: pytest.CaptureFixture[str]) -> None:
    AlyxClient.setup(local_alyx.url, username="olivier")
    assert "No login was attempted, since there is no password." in capsys.readouterr().out
    client = AlyxClient(silent=True)
    assert (client.user, client.is_logged_in) == ("olivier", False)


def test_token_is_accepted_instead_of_a_password(local_alyx: LocalAlyx) -> None:
    token = local_alyx.token("olivier")
    user = User(("Alyx server", local_alyx.url), ("User name", "olivier"), ("Token", token))
    assert user.set_up() is not None
    assert Credentials(local_alyx.url).token() == token
    assert token not in user.output


def test_login_can_be_postponed(local_alyx: LocalAlyx) -> None:
    user = User(("Alyx server", local_alyx.url))
    settings = user.set_up()
    assert settings is not None
    assert settings.username is None
    assert "No login was attempted" in user.output


@pytest.mark.parametrize(
    "prompt", ["Alyx server", "User name", "Password of", "data server", "Folder", "Make", "Write"]
)
@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), EOFError()])
def test_interruption_changes_nothing(
    local_alyx: LocalAlyx, isolated_settings: Path, prompt: str, interruption: BaseException
) -> None:
    folder = isolated_settings / "new" / "data"
    replies = (("Alyx server", local_alyx.url), *FIRST_LOGIN, ("Folder", str(folder)))
    user = User((prompt, interruption), *replies)
    expected = KeyboardInterrupt if isinstance(interruption, KeyboardInterrupt) else ConfigurationError
    with pytest.raises(expected):
        user.set_up()
    assert list(isolated_settings.rglob("*")) == []


def test_declining_removes_the_created_folder(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    existing = isolated_settings / "there"
    existing.mkdir()
    user = User(("Alyx server", local_alyx.url), *FIRST_LOGIN, ("Folder", str(existing / "a" / "b")), ("Write", "no"))
    assert user.set_up() is None
    assert list(isolated_settings.rglob("*")) == [existing]
    assert "Nothing was changed" in user.output


def test_broken_settings_are_reported_before_the_first_prompt(local_alyx: LocalAlyx) -> None:
    servers_file().parent.mkdir(parents=True)
    servers_file().write_text("broken")
    user = User()
    with pytest.raises(ConfigurationError, match="line 1"):
        user.set_up()
    assert user.prompts == []
    assert servers_file().read_text() == "broken"


# --- the server


@pytest.mark.parametrize(
    "step",
    [
        faults.html_response(200, "Welcome"),
        faults.html_response(404),
        faults.html_response(405),
        faults.html_response(401),
        json_response({}),
        json_response({"detail": "No."}, status=404),
    ],
)
def test_servers_other_than_alyx_are_rejected(step: faults.Step, isolated_settings: Path) -> None:
    with FaultServer(then=step) as server:
        with pytest.raises(AlyxError):
            AlyxClient.setup(server.url, username="olivier", password="secret", silent=True)
        assert all(request.method == "GET" for request in server.requests)
        user = User(("Alyx server", server.url), ("anyway", "n"), ("Alyx server", KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            user.set_up()
    assert stored_files(isolated_settings) == {}


def test_unreachable_server_can_be_set_up_anyway(isolated_settings: Path) -> None:
    url = f"http://127.0.0.1:{faults.closed_port()}"
    user = User(("Alyx server", url), ("anyway", "y"), ("User name", "olivier"))
    settings = user.set_up()
    assert settings is not None
    assert (settings.base_url, settings.username) == (url, "olivier")
    assert "Password of" not in "".join(user.prompts)
    with pytest.raises(AlyxConnectionError):
        AlyxClient.setup(url, silent=True)


def test_password_is_sent_to_a_redirect_target_only_after_confirmation(
    local_alyx: LocalAlyx, isolated_settings: Path
) -> None:
    port = local_alyx.url.rpartition(":")[2]
    target = f"http://localhost:{port}"
    with FaultServer(then=faults.redirect(f"{target}/auth-token")) as server:
        with pytest.raises(UnexpectedAnswerError, match=f"leads to {target}"):
            AlyxClient.setup(server.url, username="olivier", password="olivier", silent=True)
        user = User(("Alyx server", server.url), ("leads to", "y"), *FIRST_LOGIN)
        settings = user.set_up()
        assert settings is not None
        assert settings.base_url == target
        assert all(request.method == "GET" for request in server.requests)


def test_same_host_on_another_port_needs_no_confirmation(local_alyx: LocalAlyx) -> None:
    with FaultServer(then=faults.redirect(f"{local_alyx.url}/auth-token", 301)) as server:
        client = AlyxClient.setup(server.url, username="olivier", password="olivier", silent=True)
    assert client is not None
    assert client.base_url == local_alyx.url


# --- non-interactive


def test_only_passed_settings_change(local_alyx: LocalAlyx, tmp_path: Path) -> None:
    AlyxClient.setup(
        local_alyx.url, username="olivier", password="olivier", data_server=DATA, cache_dir=tmp_path / "a", silent=True
    )
    AlyxClient.setup(local_alyx.url, cache_dir=tmp_path / "b", silent=True)
    settings = find_settings()
    assert (settings.username, settings.data_server) == ("olivier", DataServer(DATA))
    assert settings.cache_dir == tmp_path / "b"
    assert AlyxClient(silent=True).is_logged_in


def test_silent_setup_prints_nothing_but_warns_of_an_unstored_password(
    local_alyx: LocalAlyx, isolated_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.warns(AlyxWarning, match="ALYX_DATA_PASSWORD") as caught:
        AlyxClient.setup(
            local_alyx.url, data_server=DATA, data_username="ibl", data_password="data-secret", silent=True
        )
    assert capsys.readouterr().out == ""
    assert "data-secret" not in str(caught[0].message)
    assert not any(b"data-secret" in content for content in stored_files(isolated_settings).values())


def test_token_alone_is_enough(local_alyx: LocalAlyx) -> None:
    AlyxClient.setup(local_alyx.url, token=local_alyx.token("olivier"), silent=True)
    client = AlyxClient(silent=True)
    assert client.is_logged_in
    assert client.user is None
    with pytest.raises(AuthenticationError):
        AlyxClient.setup(local_alyx.url, token="wrong", silent=True)
    assert AlyxClient(silent=True).is_logged_in


def test_folder_that_cannot_be_created_is_an_error(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    (isolated_settings / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        AlyxClient.setup(local_alyx.url, cache_dir=isolated_settings / "file" / "below", silent=True)
    assert not servers_file().exists()


def test_process_without_a_terminal_raises_an_error_naming_the_arguments() -> None:
    code = "from alyx_client import AlyxClient; AlyxClient.setup()"
    done = subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 1
    assert "MissingCredentialsError" in done.stderr
    assert "AlyxClient.setup('https://" in done.stderr


# --- a real terminal


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are specific to POSIX")
def test_passwords_are_not_echoed_at_a_terminal(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    screen, status = at_terminal(
        "from alyx_client import AlyxClient; c = AlyxClient.setup(); print(repr(c)); print('rows', len(c.labs.list()))",
        [
            ("Alyx server: ", f'"{local_alyx.url}"'),
            ("User name: ", "olivier"),
            ("Password of olivier", "olivier"),
            ("data server: ", ""),
            ("data files ", ""),
            ("connects to?", ""),
            ("these settings?", "y"),
        ],
    )
    assert status == 0, screen
    assert "Logged in as olivier." in screen
    assert "rows" in screen
    assert find_settings().base_url == local_alyx.url
    # After the prompt for the password, the terminal echoes nothing up to the next line.
    assert screen.partition("Password of olivier")[2].partition("\n")[0].count("olivier") == 0


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are specific to POSIX")
def test_control_c_at_a_terminal_changes_nothing(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    screen, status = at_terminal(
        "from alyx_client import AlyxClient; AlyxClient.setup()",
        [("Alyx server: ", local_alyx.url), ("User name: ", "olivier"), ("Password of olivier", "\x03")],
    )
    assert status != 0
    assert "KeyboardInterrupt" in screen
    assert stored_files(isolated_settings) == {}


def at_terminal(code: str, script: list[tuple[str, str]]) -> tuple[str, int]:
    """Run code in a process with a terminal of its own; type each reply once its prompt has appeared."""
    ours, theirs = os.openpty()
    # getpass asks the terminal that controls the process, not its standard input.
    begin = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", begin + code], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    screen, seen = "", 0
    try:
        for prompt, reply in [*script, ("\0 the end", "")]:
            while prompt not in screen[seen:]:
                more = read_terminal(ours)
                if more is None:
                    break
                screen += more
            else:
                seen = len(screen)
                os.write(ours, reply.encode() + (b"" if reply == "\x03" else b"\n"))
        return screen, process.wait(60)
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
            process.wait()


def read_terminal(terminal: int) -> str | None:
    ready, _, _ = select.select([terminal], [], [], 60)
    try:
        content = os.read(terminal, 65536) if ready else b""
    except OSError:  # Linux reports the end of the other side as an error.
        return None
    return content.decode("utf-8", "replace") or None
