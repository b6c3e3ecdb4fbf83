"""Setting a server up: questions asked once, tried out, and written only when all of them are answered."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.login import Send, authenticate, drive
from alyx_client.auth.prompt import Questions, questions, unquote
from alyx_client.auth.token_flow import Session
from alyx_client.config import one as one_settings
from alyx_client.config.servers_toml import read_servers
from alyx_client.config.settings import DataServer, Settings, find_base_url, find_settings, save_settings, servers_file
from alyx_client.errors import (
    AlyxError,
    AlyxWarning,
    AuthenticationError,
    ConfigurationError,
    MethodNotAllowedError,
    MissingCredentialsError,
    UnexpectedAnswerError,
)
from alyx_client.http.log import warn
from alyx_client.http.message import Request
from alyx_client.http.url import is_loopback, normalise_base_url

_TRIES = 3
_AT_THE_DOOR = Request("GET", "/auth-token", endpoint="auth_token", action="read", authenticate=False)


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known before the first question; None is asked for.

    Parameters
    ----------
    url
        The server.
    username, password, token
        The login, with a password or a token.
    data_server, data_username, data_password
        Where data files come from, and the login there.
    cache_dir
        Where data files go.
    keyring
        Whether secrets go to the system's keyring.
    default
        Whether this becomes the server that ``AlyxClient()`` connects to.
    """

    url: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | Mapping[str, str] | None = field(default=None, repr=False)
    data_server: str | None = None
    data_username: str | None = None
    data_password: str | None = field(default=None, repr=False)
    cache_dir: str | os.PathLike[str] | None = None
    keyring: bool | None = None
    default: bool | None = None


@dataclass(frozen=True, slots=True)
class _Login:
    """Who was let in, with which token; nobody if the login was put off."""

    user: str | None = None
    token: str | None = field(default=None, repr=False)


def run(
    answers: Answers,
    connect: Callable[[str], Send],
    *,
    silent: bool = False,
    ask: Callable[[str], str] | None = None,
    ask_secret: Callable[[str], str] | None = None,
    show: Callable[[str], object] = print,
) -> Settings | None:
    """Ask for a server's settings, try them, and write them at the end.

    What `answers` holds is not asked for. Where nobody can be asked, the present values stand in for the rest. The
    token is kept; the password never. Until the end, nothing is changed.

    Parameters
    ----------
    answers
        What is known already.
    connect
        Makes, for an address, the function that sends a request there with a token or with none.
    silent
        Ask nobody, and show nothing.
    ask, ask_secret, show
        How to put questions and show lines; by default at the terminal.

    Returns
    -------
    Settings or None
        What was written; None if the person wanted nothing written.

    Raises
    ------
    MissingCredentialsError
        Nobody can be asked, and no server was passed.
    AuthenticationError
        The login was refused: three times, or once where nobody can be asked.
    AlyxError
        What was passed does not work, and nobody can be asked for another answer.
    ConfigurationError
        The present settings file cannot be read.
    OSError
        The cache folder, or the settings file, cannot be written.
    """
    asked = questions(ask, ask_secret, show, silent=silent)
    default = read_servers().default
    with _made_folders() as make:
        try:
            url, reached = _server(answers, connect, asked)
            present = find_settings(url)
            login = _log_in(answers, connect(url), asked, present) if reached else _put_off(answers, asked, present)
            keyring = _keyring(answers, asked, present)
            data_server, data_password = _data_server(answers, asked, present)
            folder = _cache_folder(answers, asked, present, make)
            becomes_default = _becomes_default(answers, asked, url, default)
            settings = _settings(present, login, data_server, folder, keyring=keyring)
            _summarise(settings, asked, default=becomes_default, logged_in=login.token is not None)
            if not asked.yes("Write these settings?", present=True):
                asked.show("Nothing was changed.")
                return None
        except EOFError:
            raise ConfigurationError("The questions were not answered to the end; nothing was changed.") from None
        file = save_settings(settings, default=becomes_default)
        make.keep()
    if login.token is not None:
        Credentials(url, store=True).remember(login.token, login.user or "")
    _keep_data_password(settings, data_password, asked)
    asked.show(f"Written to {file}.")
    return find_settings(url)


def _server(answers: Answers, connect: Callable[[str], Send], asked: Questions) -> tuple[str, bool]:
    """Find a server that answers as Alyx does; returns its address, and whether it was reached."""
    given = answers.url or None
    try:
        present = find_base_url()
    except MissingCredentialsError:
        present = None
    if given is None and not asked.attended:
        raise MissingCredentialsError(
            "Setup asks its questions at a terminal or in a notebook, and there is none. Pass the answers, as in "
            "AlyxClient.setup('https://alyx.example.org', username=..., password=...), or set ALYX_URL, ALYX_USERNAME "
            "and ALYX_PASSWORD instead."
        )
    while True:
        typed = given if given is not None else asked.text("Address of the Alyx server", present)
        given = None
        if not typed:
            asked.show("An address is needed, such as https://alyx.example.org.")
            continue
        try:
            url = _address(typed)
            found = _reach(connect(url), url)
        except (AlyxError, ValueError) as error:
            if not asked.attended:
                raise
            asked.show(str(error))
            if isinstance(error, AlyxError) and asked.yes("Use this address all the same?", present=False):
                return _address(typed), False
            continue
        if found == url or _is_accepted(found, url, asked):
            return found, True


def _address(typed: str) -> str:
    typed = unquote(typed)
    local = "://" not in typed and is_loopback(f"http://{typed}")
    return normalise_base_url(f"http://{typed}" if local else typed)


def _reach(send: Send, url: str) -> str:
    """Return the address at which Alyx answers: it lets nobody read the place where one logs in."""
    try:
        at, alyx = send(_AT_THE_DOOR, None).url, False
    except (MethodNotAllowedError, AuthenticationError) as error:
        at, alyx = error.url or "", error.body is not None
    if not alyx:
        raise UnexpectedAnswerError(f"There is a server at {url}, but it is no Alyx. Check the address.", url=at)
    return normalise_base_url(at.removesuffix(_AT_THE_DOOR.path))


def _is_accepted(found: str, url: str, asked: Questions) -> bool:
    """Tell whether the password may go to where the address led; the same host under https, say, needs no question."""
    if urlsplit(found).hostname == urlsplit(url).hostname:
        asked.show(f"The server is at {found}.")
        return True
    if not asked.attended:
        raise UnexpectedAnswerError(f"{url} leads to {found}. If Alyx lives there, pass that address.", url=url)
    return asked.yes(f"{url} leads to {found}. Use that?", present=False)


def _log_in(answers: Answers, send: Send, asked: Questions, present: Settings) -> _Login:
    """Log in, with what was passed first, then with what is typed; an empty name puts it off."""
    passed = answers
    for left in reversed(range(_TRIES)):
        known = answers.username or present.username
        username = passed.username or (None if passed.token else asked.text("User name", known))
        if not username and not passed.token:
            asked.show("No login was tried.")
            return _Login()
        session = Session(Credentials(present.base_url, silent=True, store=False))
        try:
            user = _try_login(session, passed, username, send, asked)
        except MissingCredentialsError as error:
            if not asked.attended:
                asked.show("No login was tried, for there is no password.")
                return _Login(username)
            asked.show(str(error))
        except AuthenticationError as error:
            if not asked.attended or not left:
                raise
            asked.show(str(error))
        else:
            asked.show(f"Logged in{f' as {user}' if user else ''}.")
            return _Login(user, session.token)
        passed = Answers()
    raise MissingCredentialsError("Nobody logged in; nothing was changed.")


def _put_off(answers: Answers, asked: Questions, present: Settings) -> _Login:
    return _Login(answers.username or asked.text("User name", present.username))


def _try_login(session: Session, passed: Answers, username: str | None, send: Send, asked: Questions) -> str | None:
    password, token = passed.password, passed.token
    if not password and not token:
        password = asked.secret(f"Password of {username} (leave it empty for a token, or to stay logged in)")
    if not password and not token:
        token = asked.secret("Token (shown on the site under /me; leave it empty to stay logged in)")
    return drive(authenticate(session, username, password, token=token), send, session.turn)


def _keyring(answers: Answers, asked: Questions, present: Settings) -> bool:
    if answers.keyring is not None:
        return answers.keyring
    if importlib.util.find_spec("keyring") is None:
        return present.keyring
    return asked.yes("Keep tokens in the system's keyring, rather than in a file?", present=present.keyring)


def _data_server(answers: Answers, asked: Questions, present: Settings) -> tuple[DataServer | None, str | None]:
    before = present.data_server
    given = answers.data_server
    while True:
        typed = given if given is not None else asked.text("Address of the data server", before.url if before else None)
        if not typed:
            return None, None
        try:
            url = _address(typed)
            break
        except ValueError as error:
            if not asked.attended:
                raise
            asked.show(str(error))
            given = None
    same = before if before and before.url == url else None
    username = answers.data_username or asked.text("User name there", same.username if same else None)
    if not username:
        return DataServer(url), None
    password = answers.data_password or asked.secret("Password there (leave it empty to keep the present one)")
    return DataServer(url, username), password


def _cache_folder(answers: Answers, asked: Questions, present: Settings, make: _Folders) -> Path | None:
    """Find a folder that can be written; None where nobody chose one."""
    given = os.fspath(answers.cache_dir) if answers.cache_dir is not None else None
    unchosen = present.sources.get("cache_dir") == "default"
    while True:
        typed = given if given is not None else asked.text("Folder for data files", str(present.cache_dir))
        if not typed or (given is None and not asked.attended and unchosen):
            return None
        folder = Path(unquote(typed)).expanduser().absolute()
        try:
            make.writable(folder)
        except OSError as error:
            if not asked.attended:
                raise
            asked.show(f"{folder} cannot be written: {error.strerror}.")
            given = None
            continue
        return None if unchosen and folder == present.cache_dir else folder


def _becomes_default(answers: Answers, asked: Questions, url: str, default: str | None) -> bool:
    if answers.default is not None:
        return answers.default
    return asked.yes("Make it the server that AlyxClient() connects to?", present=default in {None, url})


def _settings(
    present: Settings, login: _Login, data_server: DataServer | None, folder: Path | None, *, keyring: bool
) -> Settings:
    further = tuple(
        server for server in present.data_servers[1:] if data_server is None or server.url != data_server.url
    )
    return replace(
        present,
        username=login.user,
        data_servers=(data_server, *further) if data_server else (),
        cache_dir=folder or one_settings.default_cache_dir(present.base_url),
        keyring=keyring,
        sources={**present.sources, "cache_dir": "answer" if folder else "default"},
    )


def _summarise(settings: Settings, asked: Questions, *, default: bool, logged_in: bool) -> None:
    server = settings.data_server
    asked.show(f"Server:       {settings.base_url}{' (the default)' if default else ''}")
    asked.show(f"User:         {settings.username or 'unknown'}{'' if logged_in else ', not logged in'}")
    asked.show(f"Data server:  {server.url if server else 'none'}")
    if server and server.username:
        asked.show(f"  user there: {server.username}")
    asked.show(f"Data files:   {settings.cache_dir}")
    asked.show(f"Tokens:       in {'the keyring' if settings.keyring else 'a file that you alone can read'}")
    asked.show(f"Settings:     {servers_file()}")


def _keep_data_password(settings: Settings, password: str | None, asked: Questions) -> None:
    server = settings.data_server
    if password is None or server is None or (settings.keyring and server.keep_password(password)):
        return
    found = find_settings(settings.base_url).data_server
    if found is not None and found.login() == (server.username, password):
        return
    hint = (
        "The password of the data server was not kept. Set ALYX_DATA_PASSWORD, or add a line by hand: "
        f'data_password = "..." below [servers."{settings.base_url}"].'
    )
    if asked.attended:
        asked.show(hint)
    else:
        warn(hint, AlyxWarning)


class _Folders:
    """Folders made on trial."""

    def __init__(self) -> None:
        self.made: list[Path] = []

    def writable(self, folder: Path) -> None:
        """Make sure that a folder is there and can be written.

        Raises
        ------
        OSError
            It cannot.
        """
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        for place in reversed(missing):
            place.mkdir(exist_ok=True)
            self.made.append(place)
        with tempfile.TemporaryFile(dir=folder):
            pass

    def keep(self) -> None:
        """Let them stay."""
        self.made.clear()


@contextmanager
def _made_folders() -> Generator[_Folders]:
    """Take away at the end what was made on trial and is not to stay."""
    folders = _Folders()
    try:
        yield folders
    finally:
        for place in reversed(folders.made):
            with contextlib.suppress(OSError):
                place.rmdir()
