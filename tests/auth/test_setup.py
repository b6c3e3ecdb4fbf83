"""Setting a server up, with real files and the local Alyx."""

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
from alyx_client.config.settings import DataServer, Settings, find_settings, servers_file
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
from tests.faults import FaultServer, json_answer

DATA = "https://data.example.org/public"


def written(home: Path) -> dict[str, bytes]:
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
    made = kind.setup(
        local_alyx.url,
        username="olivier",
        password="olivier",
        data_server=local_alyx.data_url,
        cache_dir=tmp_path / "data",
        default=True,
        silent=True,
    )
    assert made.base_url == local_alyx.url
    client = AlyxClient(silent=True)
    assert (client.base_url, client.user, client.cache_dir) == (local_alyx.url, "olivier", tmp_path / "data")
    assert client.labs.list()
    lines = servers_file().read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "password" in line and not line.startswith("#")]


def test_login_that_is_refused_changes_nothing(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    before = written(isolated_settings)
    with pytest.raises(AuthenticationError):
        AlyxClient.setup(local_alyx.url, username="olivier", password="wrong", silent=True)
    assert written(isolated_settings) == before


def test_questions_forgive_quotes_and_the_end_may_be_no(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    def answer(question: str) -> str:
        asked.append(question)
        if "Write" in question:
            return final
        if len(asked) == 1:
            return f' "{local_alyx.url}/" '
        return "olivier" if "user" in question.lower() and "data" not in question.lower() else ""

    for word, kept in (("n", False), ("y", True)):
        final = word
        asked: list[str] = []
        shown: list[Any] = []
        settings = run_setup(SetupOptions(), connect, Prompter(True, answer, lambda _: "olivier", shown.append))
        assert (settings is not None) is kept
        assert servers_file().exists() is kept
        assert local_alyx.token("olivier") not in "".join(map(str, shown))
    assert find_settings(local_alyx.url).username == "olivier"


# --- the conversation


class Person:
    """Answers the questions by what they contain, in the order in which they come; notes what was asked and shown."""

    def __init__(self, *answers: tuple[str, str | BaseException]) -> None:
        self.answers = list(answers)
        self.questions: list[str] = []
        self.shown: list[str] = []

    def ask(self, question: str) -> str:
        self.questions.append(question)
        for index, (part, answer) in enumerate(self.answers):
            if part in question:
                del self.answers[index]
                if isinstance(answer, BaseException):
                    raise answer
                return answer
        return ""

    def answer(self, options: SetupOptions | None = None) -> Settings | None:
        settings = run_setup(options or SetupOptions(), connect, Prompter(True, self.ask, self.ask, self.shown.append))
        assert self.answers == []
        return settings

    @property
    def said(self) -> str:
        return "\n".join(self.shown)

    def present(self, part: str) -> str:
        return next(question for question in self.questions if part in question)


FIRST_LOGIN = (("User name:", "olivier"), ("Password of", "olivier"))


def test_conversation_leads_to_a_client_that_needs_nothing(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    person = Person(
        ("Alyx server", f" '{local_alyx.url.removeprefix('http://')}/' "),
        *FIRST_LOGIN,
        ("data server", f'"{local_alyx.data_url}"'),
        ("User name on the data", "`ibl`"),
        ("Password on the data", "data-secret"),
        ("Folder", "'~/my data'"),
        ("Make it", "y"),
        ("Write", "yes"),
    )
    settings = person.answer()
    assert settings is not None
    assert settings == find_settings()
    assert (settings.base_url, settings.username) == (local_alyx.url, "olivier")
    assert settings.cache_dir == isolated_settings / "my data"
    assert settings.cache_dir.is_dir()
    assert settings.data_server == DataServer(local_alyx.data_url.rstrip("/"), "ibl")
    assert str(servers_file()) in person.said
    assert "ALYX_DATA_PASSWORD" in person.said
    for content in written(isolated_settings).values():
        assert b"data-secret" not in content
    with AlyxClient(silent=True) as client:
        assert client.get("/users/olivier")["username"] == "olivier"


def test_second_time_offers_what_is_there(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    Person(
        ("Alyx server", local_alyx.url),
        *FIRST_LOGIN,
        ("data server", DATA),
        ("User name on the data", "ibl"),
        ("Folder", "~/data"),
    ).answer()
    with servers_file().open("a") as file:
        file.write('data_password = "by-hand"\n# my own words\n')
    before, first = written(isolated_settings), find_settings()
    again = Person()
    assert again.answer() == first
    assert written(isolated_settings) == before
    offered = {
        "Alyx server": local_alyx.url,
        "User name": "olivier",
        "data server": DATA,
        "User name on the data": "ibl",
        "Folder": str(isolated_settings / "data"),
    }
    for part, value in offered.items():
        assert f"[{value}, - for none]" in again.present(part)
    assert "by-hand" not in again.said + "".join(again.questions)


def test_dash_takes_values_away(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    Person(("Alyx server", local_alyx.url), *FIRST_LOGIN, ("data server", DATA), ("Folder", "~/data")).answer()
    settings = Person(("data server", "-"), ("Folder", "-"), ("Make it", "n")).answer()
    assert settings is not None
    assert (settings.data_servers, settings.sources["cache_dir"]) == ((), "default")
    with pytest.raises(MissingCredentialsError):
        find_settings()


def test_wrong_answers_are_asked_for_again(local_alyx: LocalAlyx, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    person = Person(
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
    settings = person.answer()
    assert settings is not None
    assert settings.cache_dir == tmp_path / "good"
    for said in ("An address is required", "ftp://x.org", "did not accept", "cannot be written", "yes or no"):
        assert said in person.said


def test_login_is_tried_three_times(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    person = Person(("Alyx server", local_alyx.url), *[("User name", "olivier"), ("Password of", "wrong")] * 3)
    with pytest.raises(AuthenticationError):
        person.answer()
    assert sum("Password of" in question for question in person.questions) == 3
    assert written(isolated_settings) == {}


def test_token_stands_in_for_a_password(local_alyx: LocalAlyx) -> None:
    token = local_alyx.token("olivier")
    person = Person(("Alyx server", local_alyx.url), ("User name", "olivier"), ("Token", token))
    assert person.answer() is not None
    assert Credentials(local_alyx.url).token() == token
    assert token not in person.said


def test_login_may_be_put_off(local_alyx: LocalAlyx) -> None:
    person = Person(("Alyx server", local_alyx.url))
    settings = person.answer()
    assert settings is not None
    assert settings.username is None
    assert "No login was attempted" in person.said


@pytest.mark.parametrize(
    "question", ["Alyx server", "User name", "Password of", "data server", "Folder", "Make", "Write"]
)
@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), EOFError()])
def test_interruption_leaves_everything_as_it_was(
    local_alyx: LocalAlyx, isolated_settings: Path, question: str, interruption: BaseException
) -> None:
    folder = isolated_settings / "new" / "data"
    answers = (("Alyx server", local_alyx.url), *FIRST_LOGIN, ("Folder", str(folder)))
    person = Person((question, interruption), *answers)
    expected = KeyboardInterrupt if isinstance(interruption, KeyboardInterrupt) else ConfigurationError
    with pytest.raises(expected):
        person.answer()
    assert list(isolated_settings.rglob("*")) == []


def test_no_at_the_end_takes_the_folder_away_again(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    existing = isolated_settings / "there"
    existing.mkdir()
    person = Person(
        ("Alyx server", local_alyx.url), *FIRST_LOGIN, ("Folder", str(existing / "a" / "b")), ("Write", "no")
    )
    assert person.answer() is None
    assert list(isolated_settings.rglob("*")) == [existing]
    assert "Nothing was changed" in person.said


def test_broken_settings_are_told_before_the_first_question(local_alyx: LocalAlyx) -> None:
    servers_file().parent.mkdir(parents=True)
    servers_file().write_text("broken")
    person = Person()
    with pytest.raises(ConfigurationError, match="line 1"):
        person.answer()
    assert person.questions == []
    assert servers_file().read_text() == "broken"


# --- the server


@pytest.mark.parametrize(
    "step",
    [
        faults.html_answer(200, "Welcome"),
        faults.html_answer(404),
        faults.html_answer(405),
        faults.html_answer(401),
        json_answer({}),
        json_answer({"detail": "No."}, status=404),
    ],
)
def test_what_is_no_alyx_is_told_from_one(step: faults.Step, isolated_settings: Path) -> None:
    with FaultServer(then=step) as server:
        with pytest.raises(AlyxError):
            AlyxClient.setup(server.url, username="olivier", password="secret", silent=True)
        assert all(request.method == "GET" for request in server.requests)
        person = Person(("Alyx server", server.url), ("anyway", "n"), ("Alyx server", KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            person.answer()
    assert written(isolated_settings) == {}


def test_server_out_of_reach_may_be_written_all_the_same(isolated_settings: Path) -> None:
    url = f"http://127.0.0.1:{faults.closed_port()}"
    person = Person(("Alyx server", url), ("anyway", "y"), ("User name", "olivier"))
    settings = person.answer()
    assert settings is not None
    assert (settings.base_url, settings.username) == (url, "olivier")
    assert "Password of" not in "".join(person.questions)
    with pytest.raises(AlyxConnectionError):
        AlyxClient.setup(url, silent=True)


def test_password_goes_only_to_where_the_address_is_said_to_lead(
    local_alyx: LocalAlyx, isolated_settings: Path
) -> None:
    port = local_alyx.url.rpartition(":")[2]
    target = f"http://localhost:{port}"
    with FaultServer(then=faults.redirect(f"{target}/auth-token")) as server:
        with pytest.raises(UnexpectedAnswerError, match=f"leads to {target}"):
            AlyxClient.setup(server.url, username="olivier", password="olivier", silent=True)
        person = Person(("Alyx server", server.url), ("leads to", "y"), *FIRST_LOGIN)
        settings = person.answer()
        assert settings is not None
        assert settings.base_url == target
        assert all(request.method == "GET" for request in server.requests)


def test_same_host_on_another_port_is_taken_without_a_question(local_alyx: LocalAlyx) -> None:
    with FaultServer(then=faults.redirect(f"{local_alyx.url}/auth-token", 301)) as server:
        made = AlyxClient.setup(server.url, username="olivier", password="olivier", silent=True)
    assert made is not None
    assert made.base_url == local_alyx.url


# --- without a person


def test_only_what_is_passed_changes(local_alyx: LocalAlyx, tmp_path: Path) -> None:
    AlyxClient.setup(
        local_alyx.url, username="olivier", password="olivier", data_server=DATA, cache_dir=tmp_path / "a", silent=True
    )
    AlyxClient.setup(local_alyx.url, cache_dir=tmp_path / "b", silent=True)
    settings = find_settings()
    assert (settings.username, settings.data_server) == ("olivier", DataServer(DATA))
    assert settings.cache_dir == tmp_path / "b"
    assert AlyxClient(silent=True).is_logged_in


def test_silence_shows_nothing_but_says_what_was_not_kept(
    local_alyx: LocalAlyx, isolated_settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.warns(AlyxWarning, match="ALYX_DATA_PASSWORD") as caught:
        AlyxClient.setup(
            local_alyx.url, data_server=DATA, data_username="ibl", data_password="data-secret", silent=True
        )
    assert capsys.readouterr().out == ""
    assert "data-secret" not in str(caught[0].message)
    assert not any(b"data-secret" in content for content in written(isolated_settings).values())


def test_token_alone_is_enough(local_alyx: LocalAlyx) -> None:
    AlyxClient.setup(local_alyx.url, token=local_alyx.token("olivier"), silent=True)
    client = AlyxClient(silent=True)
    assert client.is_logged_in
    assert client.user is None
    with pytest.raises(AuthenticationError):
        AlyxClient.setup(local_alyx.url, token="wrong", silent=True)
    assert AlyxClient(silent=True).is_logged_in


def test_folder_that_cannot_be_made_is_an_error(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    (isolated_settings / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        AlyxClient.setup(local_alyx.url, cache_dir=isolated_settings / "file" / "below", silent=True)
    assert not servers_file().exists()


def test_process_without_a_terminal_is_told_what_to_pass() -> None:
    code = "from alyx_client import AlyxClient; AlyxClient.setup()"
    done = subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 1
    assert "MissingCredentialsError" in done.stderr
    assert "AlyxClient.setup('https://" in done.stderr


# --- a real terminal


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
def test_passwords_are_not_shown_at_a_terminal(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
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
    # After the question for the password, the terminal echoes nothing up to the next line.
    assert screen.partition("Password of olivier")[2].partition("\n")[0].count("olivier") == 0


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are POSIX's")
def test_control_c_at_a_terminal_changes_nothing(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    screen, status = at_terminal(
        "from alyx_client import AlyxClient; AlyxClient.setup()",
        [("Alyx server: ", local_alyx.url), ("User name: ", "olivier"), ("Password of olivier", "\x03")],
    )
    assert status != 0
    assert "KeyboardInterrupt" in screen
    assert written(isolated_settings) == {}


def at_terminal(code: str, script: list[tuple[str, str]]) -> tuple[str, int]:
    """Run code in a process with a terminal of its own; type an answer when its question has appeared."""
    ours, theirs = os.openpty()
    # getpass asks the terminal that controls the process, not its standard input.
    begin = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", begin + code], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    screen, seen = "", 0
    try:
        for question, answer in [*script, ("\0 the end", "")]:
            while question not in screen[seen:]:
                more = read_terminal(ours)
                if more is None:
                    break
                screen += more
            else:
                seen = len(screen)
                os.write(ours, answer.encode() + (b"" if answer == "\x03" else b"\n"))
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
    except OSError:  # Linux says the end of the other side so.
        return None
    return content.decode("utf-8", "replace") or None
