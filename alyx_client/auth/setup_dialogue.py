"""The dialogue of setup: for each setting an option, or a prompt that repeats until the value works."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.login import authenticate
from alyx_client.auth.login_api import LOGIN_ATTEMPTS
from alyx_client.auth.prompt import Prompter, strip_quotes
from alyx_client.auth.setup_checks import TrialFolders, locate_alyx, parse_address
from alyx_client.auth.setup_options import LoginOutcome, SetupOptions
from alyx_client.auth.state import AuthState
from alyx_client.config.data_server import DataServer
from alyx_client.config.settings import Settings, find_base_url
from alyx_client.errors import AlyxError, AuthenticationError, MissingCredentialsError, UnexpectedAnswerError
from alyx_client.http.flow import Sender, drive

T = TypeVar("T")


class SetupDialogue:
    """Determines each setting from an option or by a prompt; without an interactive session, from current settings.

    An option that does not work raises an error if the session is not interactive, and is prompted for otherwise.

    Parameters
    ----------
    options
        The settings that are known already.
    prompter
        Prompts for the others.
    connect
        Makes, for an address, the function that sends a request there with a token or with none.
    folders
        Creates the folder for data files on trial.
    """

    def __init__(
        self, options: SetupOptions, prompter: Prompter, connect: Callable[[str], Sender], folders: TrialFolders
    ) -> None:
        self._options = options
        self._prompter = prompter
        self._connect = connect
        self._folders = folders

    def server(self) -> tuple[str, bool]:
        """Find a server that responds as Alyx does.

        Returns
        -------
        tuple
            Its address, and whether it could be reached.
        """
        prompter, option = self._prompter, self._options.url or None
        if option is None and not prompter.interactive:
            raise MissingCredentialsError(
                "Setup prompts at a terminal or in a notebook, and this session is neither. Pass the settings, as in "
                "AlyxClient.setup('https://alyx.example.org', username=..., password=...), or set ALYX_URL, "
                "ALYX_USERNAME and ALYX_PASSWORD instead."
            )
        current = _current_server()
        while True:
            address = option or prompter.text("Address of the Alyx server", current)
            option = None
            if not address:
                prompter.show("An address is required, such as https://alyx.example.org.")
                continue
            try:
                url = parse_address(address)
                alyx_url = locate_alyx(self._connect(url), url)
            except (AlyxError, ValueError) as error:
                if not prompter.interactive:
                    raise
                prompter.show(str(error))
                # The server may be down, or reachable from the laboratory's network alone.
                if isinstance(error, AlyxError) and prompter.confirm("Use this address anyway?", default=False):
                    return parse_address(address), False
                continue
            if alyx_url == url or self._accepts_redirect(url, alyx_url):
                return alyx_url, True

    def login(self, current: Settings) -> LoginOutcome:
        """Log in, with the options first, then with what is entered at up to two more prompts.

        Parameters
        ----------
        current
            The current settings of the server.
        """
        options = self._options
        for attempts_left in reversed(range(LOGIN_ATTEMPTS)):
            try:
                return self._attempt_login(options, current)
            except MissingCredentialsError as error:
                self._prompter.show(str(error))
            except AuthenticationError as error:
                if not self._prompter.interactive or not attempts_left:
                    raise
                self._prompter.show(str(error))
            # Nobody knows which of the options is wrong: prompt for all of them.
            options = SetupOptions()
        raise MissingCredentialsError("Nobody logged in; nothing was changed.")

    def username_only(self, current: Settings) -> LoginOutcome:
        """Determine the user name without a login, for a server that cannot be reached.

        Parameters
        ----------
        current
            The current settings of the server.
        """
        return LoginOutcome(self._options.username or self._prompter.text("User name", current.username))

    def keyring(self, current: Settings) -> bool:
        """Determine whether tokens go to the system's keyring; prompts only if the package is installed.

        Parameters
        ----------
        current
            The current settings of the server.
        """
        if self._options.keyring is not None:
            return self._options.keyring
        if importlib.util.find_spec("keyring") is None:
            return current.keyring
        return self._prompter.confirm(
            "Store tokens in the system's keyring, rather than in a file?", default=current.keyring
        )

    def data_server(self, current: Settings) -> tuple[DataServer | None, str | None]:
        """Determine the data server.

        Parameters
        ----------
        current
            The current settings of the server.

        Returns
        -------
        tuple
            The data server without its password, and the password; None each if there is none.
        """
        previous = current.data_server
        url = self._valid(
            self._options.data_server,
            "Address of the data server",
            previous.url if previous else None,
            parse_address,
        )
        if url is None:
            return None, None
        # A user name belongs to its server, and is not proposed for another one.
        previous_user = previous.username if previous and previous.url == url else None
        username = self._options.data_username or self._prompter.text("User name on the data server", previous_user)
        if not username:
            return DataServer(url), None
        password = self._options.data_password or self._prompter.secret(
            "Password on the data server (leave empty to keep the current one)"
        )
        return DataServer(url, username), password

    def cache_folder(self, current: Settings) -> Path | None:
        """Determine a folder for data files that is writable; None for the default folder.

        Parameters
        ----------
        current
            The current settings of the server.
        """
        is_default = current.sources.get("cache_dir") == "default"
        option = os.fspath(self._options.cache_dir) if self._options.cache_dir is not None else None
        # The default folder is created when the first file is downloaded, so that it need not be tried out.
        if option is None and is_default and not self._prompter.interactive:
            return None
        folder = self._valid(option, "Folder for data files", str(current.cache_dir), self._writable_folder)
        return None if is_default and folder == current.cache_dir else folder

    def is_default(self, url: str, default_url: str | None) -> bool:
        """Determine whether ``AlyxClient()`` is to connect to this server.

        Parameters
        ----------
        url
            The server.
        default_url
            The current default server.
        """
        if self._options.default is not None:
            return self._options.default
        return self._prompter.confirm(
            "Make it the server that AlyxClient() connects to?", default=default_url in {None, url}
        )

    def _accepts_redirect(self, url: str, alyx_url: str) -> bool:
        """Check whether the password may be sent to the server that an address redirects to."""
        # The same host under https, say, is the server that the user meant.
        if urlsplit(alyx_url).hostname == urlsplit(url).hostname:
            self._prompter.show(f"The server is at {alyx_url}.")
            return True
        if not self._prompter.interactive:
            raise UnexpectedAnswerError(f"{url} leads to {alyx_url}. If that is the right server, pass it.", url=url)
        return self._prompter.confirm(f"{url} leads to {alyx_url}. Use that?", default=False)

    def _attempt_login(self, options: SetupOptions, current: Settings) -> LoginOutcome:
        prompter = self._prompter
        username = options.username
        if not username and not options.token:
            username = prompter.text("User name", self._options.username or current.username)
            if not username:
                prompter.show("No login was attempted.")
                return LoginOutcome()
        password, token = self._secrets(options, username)
        # Stores nothing: the token is stored once all settings are confirmed.
        state = AuthState(Credentials(current.base_url, silent=True, store=False))
        try:
            user = drive(authenticate(state, username, password, token=token), self._connect(current.base_url))
        except MissingCredentialsError:
            if prompter.interactive:
                raise
            # Scripts may set up a server first, and log in later.
            prompter.show("No login was attempted, since there is no password.")
            return LoginOutcome(username)
        prompter.show(f"Logged in{f' as {user}' if user else ''}.")
        return LoginOutcome(user, state.token)

    def _secrets(
        self, options: SetupOptions, username: str | None
    ) -> tuple[str | None, str | Mapping[str, str] | None]:
        """Return the password and the token, one of them prompted for unless it was passed."""
        if options.password or options.token:
            return options.password, options.token
        password = self._prompter.secret(f"Password of {username} (leave empty for a token, or to stay logged in)")
        if password:
            return password, None
        return None, self._prompter.secret("Token (from /me on the site; leave empty to stay logged in)")

    def _valid(self, option: str | None, question: str, default: str | None, parse: Callable[[str], T]) -> T | None:
        """Parse the option, then replies, until one is valid; an empty one is None."""
        while True:
            text = option if option is not None else self._prompter.text(question, default)
            option = None
            if not text:
                return None
            try:
                return parse(text)
            except (OSError, ValueError) as error:
                if not self._prompter.interactive:
                    raise
                self._prompter.show(
                    str(error) if isinstance(error, ValueError) else f"{text} cannot be written: {error.strerror}."
                )

    def _writable_folder(self, text: str) -> Path:
        folder = Path(strip_quotes(text)).expanduser().absolute()
        self._folders.ensure_writable(folder)
        return folder


def _current_server() -> str | None:
    try:
        return find_base_url()
    except MissingCredentialsError:
        return None
