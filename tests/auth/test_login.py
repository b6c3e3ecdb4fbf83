"""Logging in and out, the same tests for both clients."""

from __future__ import annotations

import asyncio
import json
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.auth.credentials import Credentials
from alyx_client.auth.login import LoginState
from alyx_client.auth.token import identity
from alyx_client.config.servers_toml import servers_file
from alyx_client.errors import (
    AlyxConnectionError,
    AlyxWarning,
    AuthenticationError,
    ConfigurationError,
    MissingCredentialsError,
    NotFoundError,
    ServerError,
    UnexpectedAnswerError,
)
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx
from tests import faults
from tests.faults import FaultServer, Received, json_answer, page, token_answer

QUICK = Retries(base=0.001, cap=0.001)
REMOTE = "https://alyx.example.org"
USERS = page([{"username": "ana"}])
NO_SUCH_PAGE = faults.html_answer(404, "Not Found")


class Sync:
    """The synchronous client behind the face that the tests use for both."""

    def __init__(self, url: str | None, **settings: Any) -> None:
        self.client: Any = AlyxClient(url, **{"retries": QUICK, "silent": True, **settings})

    def __call__(self, name: str, *args: Any, **settings: Any) -> Any:
        return getattr(self.client, name)(*args, **settings)

    def close(self) -> None:
        self.client.close()


class Async:
    """The asynchronous client, each call run to its end."""

    def __init__(self, url: str | None, **settings: Any) -> None:
        self.client: Any = AsyncAlyxClient(url, **{"retries": QUICK, "silent": True, **settings})
        self._runner = asyncio.Runner()

    def __call__(self, name: str, *args: Any, **settings: Any) -> Any:
        async def run() -> Any:
            return await getattr(self.client, name)(*args, **settings)

        return self._runner.run(run())

    def close(self) -> None:
        self._runner.run(self.client.aclose())
        self._runner.close()


Connect = Callable[..., Any]


@pytest.fixture(params=[Sync, Async])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    made: list[Any] = []

    def make(url: str | None, **settings: Any) -> Any:
        made.append(request.param(url, **settings))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture(scope="module")
def alyx() -> Iterator[LocalAlyx]:
    with LocalAlyx() as server:
        yield server


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for a person who types what the test puts into the list."""
    answers: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: answers.pop(0))
    monkeypatch.setattr("getpass.getpass", lambda question: answers.pop(0))
    return answers


def by_token(owners: dict[str, object]) -> faults.Step:
    """Answer to known tokens, and as Alyx does to any other."""

    def step(request: Received, connection: socket.socket) -> bool:
        if request.token not in owners:
            return faults.stale_token()(request, connection)
        return json_answer(owners[request.token])(request, connection)

    return step


def newer_alyx(owners: dict[str, str], **routes: Any) -> FaultServer:
    """Serve ``/me``, which says whose token it got."""
    me = by_token({token: {"username": name} for token, name in owners.items()})
    rows = by_token({key: {"count": 0, "next": None, "previous": None, "results": []} for key in owners})
    return FaultServer(routes={"/me": [me] * 20, **routes}, then=rows)


def older_alyx(*script: faults.Step, **settings: Any) -> FaultServer:
    return FaultServer(script, routes={"/me": [NO_SUCH_PAGE] * 20}, **settings)


def kept_text(home: Path) -> str:
    return "".join(file.read_text() for file in home.rglob("*.json") if "tokens" in file.parts)


# --- with a password


def test_login_with_a_password(connect: Connect, alyx: LocalAlyx) -> None:
    client = connect(alyx.url)
    assert not client.client.is_logged_in
    client("authenticate", "olivier", "olivier")
    assert client.client.is_logged_in
    assert client.client.user == "olivier"
    assert client("get", "/users/olivier")["username"] == "olivier"


def test_wrong_password_leaves_everything_as_it_was(connect: Connect, alyx: LocalAlyx) -> None:
    client = connect(alyx.url, username="olivier", password="olivier")
    client("authenticate")
    for user in ("olivier", "admin", "nobody"):
        with pytest.raises(AuthenticationError, match="username and password"):
            client("authenticate", user, "wrong")
        assert (client.client.user, bool(client.client.is_logged_in)) == ("olivier", True)
        assert client("get", "/users/olivier")["username"] == "olivier"


def test_password_forces_a_new_login(connect: Connect) -> None:
    with FaultServer(routes={"/auth-token": [token_answer("T1"), token_answer("T2")]}, then=USERS) as server:
        client = connect(server.url)
        client("authenticate", "ana", "p")
        client("authenticate", "ana", "p")
        client("get", "/users")
        assert server.paths == ["/auth-token", "/auth-token", "/users"]
        assert server.tokens[-1] == "T2"


def test_another_user_replaces_the_first(connect: Connect, alyx: LocalAlyx) -> None:
    client = connect(alyx.url, username="olivier", password="olivier")
    client("authenticate")
    client("authenticate", "admin", "admin")
    assert client.client.user == "admin"
    alyx.revoke("admin")
    try:
        # The login that renews a stale token is the new user's, too.
        assert client("get", "/users", clobber=True)
        assert client.client.user == "admin"
        assert client.client._auth.token == alyx.token("admin")
    finally:
        alyx.reset()


@pytest.mark.parametrize("password", [None, ""])
@pytest.mark.parametrize("username", [None, "ana", ""])
def test_silence_without_credentials_sends_nothing(
    connect: Connect, username: str | None, password: str | None
) -> None:
    with FaultServer() as server:
        client = connect(server.url)
        with pytest.raises(MissingCredentialsError, match="nothing was sent"):
            client("authenticate", username, password)
        with pytest.raises(MissingCredentialsError, match="nothing was sent"):
            connect(server.url, username=username, password=password)("get", "/users")
        assert server.requests == []
        assert not client.client.is_logged_in


def test_password_of_one_user_is_not_tried_for_another(connect: Connect) -> None:
    with FaultServer() as server:
        with pytest.raises(MissingCredentialsError, match="'miles'"):
            connect(server.url, username="ana", password="p")("authenticate", "miles")
        assert server.requests == []


def test_password_and_token_together_are_a_mistake(connect: Connect) -> None:
    with FaultServer() as server:
        with pytest.raises(ValueError, match="either is enough"):
            connect(server.url)("authenticate", "ana", "p", token="t")
        assert server.requests == []


def test_answer_that_is_no_login_leaves_everything(connect: Connect) -> None:
    with FaultServer([faults.html_answer(200)], then=USERS) as server:
        client = connect(server.url, token="T1")
        with pytest.raises(UnexpectedAnswerError, match="without a token"):
            client("authenticate", "ana", "p")
        client("get", "/users")
        assert server.tokens[-1] == "T1"


# --- with a token


def test_token_is_checked_on_a_real_server_before_it_is_kept(connect: Connect, alyx: LocalAlyx) -> None:
    client = connect(alyx.url)
    for wrong in ("0" * 40, "nonsense"):
        with pytest.raises(AuthenticationError, match="did not accept the token"):
            client("authenticate", token=wrong)
        assert not client.client.is_logged_in
    client("authenticate", token=alyx.token("olivier"))
    assert client.client.is_logged_in
    assert client.client.user is None
    client("authenticate", "olivier", token={"token": alyx.token("olivier")})
    assert client.client.user == "olivier"


def test_refused_token_leaves_the_login_as_it_was(connect: Connect) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        client = connect(server.url, token="T1")
        with pytest.raises(AuthenticationError):
            client("authenticate", token="wrong")
        assert client.client.is_logged_in
        client("get", "/users")
        assert server.tokens[-1] == "T1"


def test_newer_servers_tell_whose_token_it_is(connect: Connect) -> None:
    with newer_alyx({"T1": "ana", "T2": "miles"}) as server:
        client = connect(server.url)
        client("authenticate", token="T1")
        assert client.client.user == "ana"
        with pytest.warns(AlyxWarning, match="'miles', not to 'olivier'"):
            client("authenticate", "olivier", token="T2")
        assert client.client.user == "miles"
        assert server.paths == ["/me", "/me"]


@pytest.mark.parametrize(
    "me",
    [
        NO_SUCH_PAGE,
        faults.html_answer(200, "Your token"),
        faults.html_answer(401, "Sign in"),
        faults.html_answer(403, "Forbidden"),
        faults.html_answer(500),
        json_answer({"detail": "Not found."}, status=404),
        json_answer({"username": ""}),
        json_answer({"username": ["x"]}),
        json_answer([]),
        json_answer({"detail": "You do not have permission to perform this action."}, status=403),
    ],
)
def test_servers_that_do_not_tell_are_asked_for_something_else(connect: Connect, me: faults.Step) -> None:
    with FaultServer(routes={"/me": [me]}, then=by_token({"T1": {"username": "ana"}})) as server:
        client = connect(server.url)
        client("authenticate", "ana", token="T1")
        assert client.client.user == "ana"
        assert server.paths == ["/me", "/users/ana"]
        assert server.tokens == ["T1", "T1"]


def test_user_name_that_the_server_does_not_have_is_a_mistake(connect: Connect, alyx: LocalAlyx) -> None:
    client = connect(alyx.url)
    with pytest.raises(AuthenticationError, match="no user 'oliver'"):
        client("authenticate", "oliver", token=alyx.token("olivier"))
    assert not client.client.is_logged_in


def test_token_of_a_user_who_may_not_list_users_is_taken(connect: Connect) -> None:
    refusal = json_answer({"detail": "You do not have permission to perform this action."}, status=403)
    with older_alyx(refusal) as server:
        client = connect(server.url)
        client("authenticate", "ana", token="T1")
        assert client.client.is_logged_in


@pytest.mark.parametrize(
    ("answer", "error"), [(faults.html_answer(200, "Portal"), UnexpectedAnswerError), (NO_SUCH_PAGE, NotFoundError)]
)
def test_what_is_no_alyx_checks_no_token(connect: Connect, answer: faults.Step, error: type[Exception]) -> None:
    with FaultServer(then=answer) as server:
        client = connect(server.url)
        with pytest.raises(error):
            client("authenticate", token="T1")
        assert not client.client.is_logged_in


def test_server_that_fails_checks_no_token(connect: Connect) -> None:
    with FaultServer(then=faults.unavailable()) as server:
        client = connect(server.url)
        with pytest.raises(ServerError):
            client("authenticate", token="T1")
        assert not client.client.is_logged_in
    with pytest.raises(AlyxConnectionError):
        connect(f"http://127.0.0.1:{faults.closed_port()}")("authenticate", token="T1")


@pytest.mark.parametrize("token", ["", " ", "two words", "tök", {"token": ""}, {}, {"token": 3}])
def test_token_that_cannot_be_one_is_not_sent(connect: Connect, token: Any) -> None:
    with FaultServer() as server:
        with pytest.raises(MissingCredentialsError, match="copy it again"):
            connect(server.url)("authenticate", token=token)
        assert server.requests == []


# --- stored tokens


def test_stored_token_is_checked_and_taken(connect: Connect) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        Credentials(server.url, store=True).remember("T1", "ana")
        client = connect(server.url)
        client("authenticate")
        assert client.client.user == "ana"
        assert server.paths == ["/me"]


def test_stale_stored_token_gives_way_to_a_login(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with newer_alyx({"T2": "ana"}, **{"/auth-token": [token_answer("T2")]}) as server:
        Credentials(server.url, store=True).remember("stale", "ana")
        client = connect(server.url)
        with pytest.raises(MissingCredentialsError):
            client("authenticate", "ana")
        monkeypatch.setenv("ALYX_PASSWORD", "p")
        client("authenticate", "ana")
        assert client.client._auth.token == "T2"


def test_force_leaves_stored_tokens_aside(connect: Connect) -> None:
    with newer_alyx({"T1": "ana", "T2": "ana"}, **{"/auth-token": [token_answer("T2")]}) as server:
        Credentials(server.url, store=True).remember("T1", "ana")
        client = connect(server.url, username="ana", password="p")
        client("authenticate", force=True)
        assert server.paths == ["/auth-token"]
        silent = connect(server.url)
        with pytest.raises(MissingCredentialsError):
            silent("authenticate", force=True)
        assert server.paths == ["/auth-token"]


def test_stored_token_is_taken_as_it_is_where_the_server_cannot_be_reached(connect: Connect) -> None:
    url = f"http://127.0.0.1:{faults.closed_port()}"
    Credentials(url, store=True).remember("T1", "ana")
    client = connect(url)
    client("authenticate")
    assert (client.client.user, bool(client.client.is_logged_in)) == ("ana", True)


def test_stored_token_of_another_user_is_passed_over(connect: Connect) -> None:
    with newer_alyx({"T1": "miles"}) as server:
        Credentials(server.url, store=True).remember("T1", "ana")
        with pytest.raises(MissingCredentialsError, match="'ana'"):
            connect(server.url)("authenticate", "ana")


def test_ones_token_logs_in_without_any_setup(connect: Connect, alyx: LocalAlyx, isolated_settings: Path) -> None:
    folder = isolated_settings / ".one"
    folder.mkdir()
    key = alyx.url.removeprefix("http://").replace(":", "_")
    (folder / ".caches").write_text(json.dumps({"CLIENT_MAP": {key: str(isolated_settings / "d")}, "DEFAULT": key}))
    token = {"olivier": {"token": alyx.token("olivier")}}
    (folder / f".{key}").write_text(json.dumps({"ALYX_URL": alyx.url, "ALYX_LOGIN": "olivier", "TOKEN": token}))
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}
    client = connect(None)
    assert (client.client.base_url, client.client.user) == (alyx.url, "olivier")
    assert client("get", "/users/olivier")["username"] == "olivier"
    client("logout")
    assert not client.client.is_logged_in
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()} == before


# --- what is kept


@pytest.mark.parametrize("cache_token", [True, False])
def test_token_is_kept_only_if_wanted(connect: Connect, isolated_settings: Path, cache_token: bool) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        client = connect(server.url)
        # By itself, a token of a server on this machine is not kept.
        client.client._auth.credentials.store = True
        client("authenticate", token="T1", cache_token=cache_token)
        assert ("T1" in kept_text(isolated_settings)) is cache_token
        assert (connect(server.url).client.user == "ana") is cache_token


def test_token_that_was_not_to_be_kept_is_not_when_it_is_renewed(connect: Connect, isolated_settings: Path) -> None:
    script = [token_answer("T1"), faults.stale_token(), token_answer("T2")]
    with FaultServer(script, then=USERS) as server:
        client = connect(server.url)
        client.client._auth.credentials.store = True
        client("authenticate", "ana", "p", cache_token=False)
        client("get", "/users")
        assert server.tokens[-1] == "T2"
        assert kept_text(isolated_settings) == ""


def test_nothing_is_kept_without_stay_logged_in(connect: Connect, isolated_settings: Path, terminal: list[str]) -> None:
    with FaultServer(routes={"/auth-token": [token_answer("T1")]}, then=USERS) as server:
        terminal += ["ana", "p"]
        connect(server.url, silent=False, stay_logged_in=False)("authenticate")
        assert terminal == []
        assert kept_text(isolated_settings) == ""


def test_token_from_the_environment_is_not_written(
    connect: Connect, isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        monkeypatch.setenv("ALYX_TOKEN", "T1")
        client = connect(server.url)
        client.client._auth.credentials.store = True
        client("authenticate")
        assert client.client.user == "ana"
        assert kept_text(isolated_settings) == ""


def test_broken_settings_lose_no_login(connect: Connect, isolated_settings: Path) -> None:
    with FaultServer(routes={"/auth-token": [token_answer("T1")]}, then=USERS) as server:
        client = connect(server.url, username="ana", password="p")
        client.client._auth.credentials.store = True
        servers_file().parent.mkdir(parents=True)
        servers_file().write_text("broken")
        with pytest.warns(AlyxWarning, match=r"token was not stored.*servers\.toml"):
            client("authenticate", force=True)
        assert client.client.is_logged_in
        # Where they might say whose token to take, they are not passed over in silence.
        with pytest.raises(ConfigurationError):
            Credentials(server.url).token()


# --- at a terminal


def test_prompt_asks_for_what_is_missing(connect: Connect, terminal: list[str], alyx: LocalAlyx) -> None:
    terminal += ["olivier", "olivier"]
    client = connect(alyx.url, silent=False)
    client("authenticate")
    assert (client.client.user, terminal) == ("olivier", [])
    terminal += ["admin"]
    client("authenticate", "admin")
    assert (client.client.user, terminal) == ("admin", [])


@pytest.mark.parametrize("call", ["authenticate", "get"])
def test_user_without_a_password_types_a_token(
    connect: Connect, terminal: list[str], isolated_settings: Path, call: str
) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        terminal += ["ana", "", " T1 "]
        client = connect(server.url, silent=False)
        client(call, *([] if call == "authenticate" else ["/users"]))
        assert (client.client.user, terminal) == ("ana", [])
        assert "T1" in kept_text(isolated_settings)
        assert connect(server.url).client.is_logged_in


def test_wrong_typed_token_is_not_kept(connect: Connect, terminal: list[str], isolated_settings: Path) -> None:
    with newer_alyx({}) as server:
        for call in (("authenticate",), ("get", "/users")):
            terminal += ["ana", "", "T1", "", "", ""]
            client = connect(server.url, silent=False)
            with pytest.raises((AuthenticationError, MissingCredentialsError)):
                client(*call)
            assert not client.client.is_logged_in
            terminal.clear()
        assert kept_text(isolated_settings) == ""


# --- logging out


def test_logout_forgets_the_token_everywhere(connect: Connect, isolated_settings: Path) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        Credentials(server.url, store=True).remember("T2", "miles")
        client = connect(server.url)
        client.client._auth.credentials.store = True
        client("authenticate", token="T1")
        client("logout")
        assert not client.client.is_logged_in
        assert client.client.user is None
        assert "T1" not in kept_text(isolated_settings)
        assert "T2" in kept_text(isolated_settings)
        sent = len(server.requests)
        with pytest.raises(MissingCredentialsError, match=r"logged out.*authenticate\(\)"):
            client("get", "/users")
        assert len(server.requests) == sent


@pytest.mark.parametrize("source", ["argument", "environment", "login", "file"])
def test_logout_picks_nothing_up_again_until_asked(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    with newer_alyx({"T1": "ana"}, **{"/auth-token": [token_answer("T1")] * 5}) as server:
        settings = {"argument": {"token": "T1"}, "login": {"username": "ana", "password": "p"}}.get(source, {})
        if source == "environment":
            monkeypatch.setenv("ALYX_TOKEN", "T1")
        if source == "file":
            Credentials(server.url, store=True).remember("T1", "ana")
        client = connect(server.url, **settings)
        client("get", "/users")
        client("logout")
        for _ in range(2):
            with pytest.raises(MissingCredentialsError, match="logged out"):
                client("get", "/users")
        worker = pickle.loads(pickle.dumps(client.client))
        assert not worker.is_logged_in
        if source == "environment":
            client("authenticate")
        else:
            client("authenticate", "ana", "p")
        assert client.client.is_logged_in
        client("get", "/users", clobber=True)


def test_logout_without_a_login_is_no_error(connect: Connect) -> None:
    with FaultServer() as server:
        client = connect(server.url)
        client("logout")
        client("logout")
        assert server.requests == []


def test_prompt_may_follow_a_logout(connect: Connect, terminal: list[str], alyx: LocalAlyx) -> None:
    client = connect(alyx.url, username="admin", password="admin", silent=False)
    client("get", "/users/admin")
    client("logout")
    terminal += ["olivier", "olivier"]
    assert client("get", "/users/olivier")["username"] == "olivier"
    assert (client.client.user, terminal) == ("olivier", [])


def test_logout_among_requests_in_flight(alyx: LocalAlyx) -> None:
    """Many threads log in, out and ask; each call ends in an answer or in a clear refusal, and none hangs."""
    client = AlyxClient(alyx.url, silent=True, cache_rest=None)
    client.authenticate("olivier", "olivier")
    start = threading.Barrier(8)

    def work(number: int) -> set[str]:
        start.wait()
        seen: set[str] = set()
        for round_ in range(8):
            try:
                if number == 0:
                    client.logout()
                elif number < 3:
                    client.authenticate(*(("olivier", "olivier") if round_ % 2 else ("admin", "admin")))
                else:
                    client.get("/users/olivier")
                seen.add("done")
            except MissingCredentialsError:
                seen.add("refused")
        return seen

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(work, range(8)))
    assert set().union(*outcomes) <= {"done", "refused"}
    assert not client._auth.renewal_lock.locked()
    client.logout()
    assert not client.is_logged_in
    client.close()


def test_turn_is_given_back_after_every_failure(connect: Connect) -> None:
    with FaultServer([faults.wrong_password(), faults.html_answer(200)], then=USERS) as server:
        client = connect(server.url)
        for credentials in (("ana", "p"), ("ana", "p"), ()):
            with pytest.raises((AuthenticationError, UnexpectedAnswerError, MissingCredentialsError)):
                client("authenticate", *credentials)
            assert not client.client._auth.renewal_lock.locked()


# --- whether and who


def test_login_state_is_value_and_call() -> None:
    assert LoginState(True)
    assert LoginState(True)()
    assert LoginState(True) == True  # noqa: E712
    assert not LoginState(False)
    assert LoginState("")() is False
    assert (repr(LoginState(True)), str(LoginState(False)), f"{LoginState(True)}") == ("True", "False", "True")
    assert pickle.loads(pickle.dumps(LoginState(True))) == LoginState(True)
    assert {True: "in"}[LoginState(True)] == "in"


def test_is_logged_in_sends_nothing_and_knows_refusals(connect: Connect) -> None:
    with newer_alyx({"T1": "ana"}) as server:
        client = connect(server.url, token="stale")
        assert client.client.is_logged_in
        assert client.client.is_logged_in()
        assert server.requests == []
        for _ in range(2):
            with pytest.raises(AuthenticationError):
                client("get", "/users")
            assert not client.client.is_logged_in


def test_user_is_known_without_asking(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def user(**arguments: Any) -> str | None:
        return Credentials(REMOTE, **arguments).user()

    assert user() is None
    folder = isolated_settings / ".one"
    folder.mkdir()
    (folder / ".alyx.example.org").write_text(json.dumps({"ALYX_URL": REMOTE, "ALYX_LOGIN": "one"}))
    assert user() == "one"
    Credentials(REMOTE).remember("T1", "last")
    assert user() == "last"
    servers_file().parent.mkdir(parents=True, exist_ok=True)
    servers_file().write_text(f'[servers."{REMOTE}"]\nusername = "file"\n')
    assert user() == "file"
    monkeypatch.setenv("ALYX_TOKEN", "T2")
    assert user() is None
    monkeypatch.setenv("ALYX_USERNAME", "env")
    assert user() == "env"
    assert user(username="me") == "me"
    assert user(explicit_token="T3") is None


def test_token_of_an_unknown_user_is_found_again(isolated_settings: Path) -> None:
    Credentials(REMOTE).remember("T1", "")
    assert Credentials(REMOTE).token() == "T1"
    assert Credentials(REMOTE).user() is None


def test_identity_tells_tokens_apart_and_hides_them() -> None:
    assert identity("T1") == identity("T1")
    assert identity("T1") != identity("T2")
    assert len(identity("T1")) == 32
    assert int(identity("T1"), 16)
