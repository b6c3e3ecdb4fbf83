"""Where tokens and passwords come from: arguments, environment, what was kept, ONE's settings, a prompt."""

from __future__ import annotations

import getpass
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from alyx_client.auth.interactive import can_ask
from alyx_client.auth.token import clean_token, is_token
from alyx_client.auth.token_store import TokenStore, token_store
from alyx_client.config import one as one_settings
from alyx_client.config.environment import variable
from alyx_client.errors import AlyxWarning, ConfigurationError, MissingCredentialsError, UnexpectedAnswerError
from alyx_client.http.log import warn
from alyx_client.http.message import Request, Response
from alyx_client.http.url import is_loopback, normalise_base_url

if TYPE_CHECKING:
    from alyx_client.config.servers_toml import StoredServer


@dataclass(slots=True)
class Credentials:
    """Finds the token or the login for one server.

    What is passed as an argument comes first and is never mixed with another user's: with a token, no stored one is
    looked at; with a user name, ``ALYX_TOKEN`` is not. Stored tokens serve only the server they were made for, and
    with ``ALYX_URL`` set, the other variables serve that server alone.

    A pickle of it holds the token and the password, for worker processes: keep it as secret as those.

    Parameters
    ----------
    base_url
        The server.
    username, password
        The login.
    explicit_token
        A token that is used as it is; or the server's answer as ONE keeps it, ``{"token": ...}``.
    silent
        Never prompt.
    store
        Whether tokens are kept in the token file, or in the keyring. By default they are, except for servers on this
        machine whose password was not typed in.
    """

    base_url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    explicit_token: str | Mapping[str, str] | None = field(default=None, repr=False)
    silent: bool = False
    store: bool | None = None
    # After a logout, nothing that lies about is picked up again.
    logged_out: bool = field(default=False, init=False)
    # The present login is not to be kept, whatever `store` says.
    passing: bool = field(default=False, init=False, repr=False)
    # The present login was typed in.
    prompted: bool = field(default=False, init=False, repr=False)
    _typed: tuple[str, str] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.base_url = normalise_base_url(self.base_url)
        self.username = self.username or None
        self.password = self.password or None

    def token(self, refused: Collection[str] = ()) -> str | None:
        """Find a token without asking anyone.

        Parameters
        ----------
        refused
            Tokens that the server did not accept; these are passed over.

        Returns
        -------
        str or None
            From the argument, the environment, what was kept, or ONE's settings, in this order.

        Raises
        ------
        ConfigurationError
            The settings file was needed and cannot be read.
        """
        if self.logged_out:
            return None
        fixed = self._fixed_token()
        candidates = self._stored_tokens() if fixed is None else iter([fixed])
        return next((token for token in candidates if token not in refused), None)

    def login(self) -> tuple[str, str] | None:
        """Find a user name and password; asks for them on a terminal, or in a notebook, where that is allowed.

        Returns
        -------
        tuple or None
            From the arguments, the environment, ONE's settings, or a prompt, in this order. None if there is none.

        Raises
        ------
        ConfigurationError
            The settings file was needed and cannot be read.
        """
        self.prompted, self._typed = False, None
        if self.username and self.password:
            return self.username, self.password
        if self.logged_out:
            return self._prompt(self.username)
        if self.explicit_token is not None and not self.username:
            # Whose token it is, is not known; it must not turn into another user's.
            return None
        username = self._chosen_user()
        if username and self.password:
            return username, self.password
        password = self._environment("ALYX_PASSWORD")
        if username and password and username == (self._environment("ALYX_USERNAME") or username):
            return username, password
        if self._fixed_token() is not None and not username:
            return None
        ones = one_settings.server(self.base_url)
        if ones.login and ones.password and username in {None, ones.login}:
            return ones.login, ones.password
        return self._prompt(username or ones.login)

    def typed_token(self) -> tuple[str, str] | None:
        """Return the user name and the token that were typed at the last prompt, by a user without a password."""
        typed, self._typed = self._typed, None
        return typed

    def user(self) -> str | None:
        """Tell whose token or login this finds, as far as that is known without asking anyone."""
        if self.username or self.logged_out:
            return self.username
        if self.explicit_token is not None:
            return None
        named = self._environment("ALYX_USERNAME")
        if named or self._environment("ALYX_TOKEN"):
            return named
        chosen = self._chosen_user()
        if chosen:
            return chosen
        kept = self._kept().read()
        return (next(reversed(kept)) or None) if kept else one_settings.server(self.base_url).login

    def remember(self, token: str, username: str) -> None:
        """Keep a token in the token file (mode 0600) or the keyring, unless something speaks against it.

        Parameters
        ----------
        token
            A token that the server just gave, or accepted.
        username
            Whose it is; empty if that is unknown.
        """
        self.username = self.username or username or None
        self.logged_out = False
        store = self.store if self.store is not None else self.prompted or not is_loopback(self.base_url)
        if not store or self.passing:
            return
        try:
            kept = self._kept()
        except ConfigurationError as error:
            return warn(f"The token was not kept. {error}", AlyxWarning)
        # The user who logged in last stands last.
        kept.change(lambda tokens: {**{user: old for user, old in tokens.items() if user != username}, username: token})

    def forget(self, token: str | None = None) -> None:
        """Drop tokens of this server from where they are kept.

        Parameters
        ----------
        token
            Drop only this one; by default all.
        """
        self._kept().change(
            lambda tokens: {user: kept for user, kept in tokens.items() if token is not None and kept != token}
        )

    def log_in_as(
        self, username: str | None, password: str | None, token: str | None, *, keep: bool, prompted: bool
    ) -> None:
        """Replace what was passed as arguments by a login that the server has accepted.

        Parameters
        ----------
        username
            The user, if known.
        password
            The password; None if it was not passed by the program.
        token
            The token, if it was passed instead.
        keep
            Whether the token may be kept between runs.
        prompted
            Whether the login was typed in.
        """
        if password is None and username == self.username:
            password = self.password
        self.username, self.password, self.explicit_token = username, password, token
        self.passing, self.prompted, self.logged_out = not keep, prompted, False

    def log_out(self) -> None:
        """Drop the arguments, and pick up nothing that lies about until the next login."""
        self.username = self.password = self.explicit_token = None
        self.logged_out = True

    def missing(self) -> MissingCredentialsError:
        """Make the error to raise where neither a token nor a login was found."""
        if self.logged_out:
            return MissingCredentialsError(
                f"You have logged out from {self.base_url}; nothing was sent. Call authenticate() to log in again."
            )
        who = f" for the user {self.username!r}" if self.username else ""
        return MissingCredentialsError(
            f"There is no token or password{who} for {self.base_url}; nothing was sent. Pass username= and password= "
            "(or token=), or set ALYX_USERNAME and ALYX_PASSWORD (or ALYX_TOKEN)."
        )

    def _fixed_token(self) -> str | None:
        if self.explicit_token is not None:
            return clean_token(self.explicit_token, "token=")
        if self.username or self.password:
            return None
        token = self._environment("ALYX_TOKEN")
        return clean_token(token, "ALYX_TOKEN") if token else None

    def _environment(self, name: str) -> str | None:
        return variable(name, self.base_url)

    def _chosen_user(self) -> str | None:
        return self.username or self._environment("ALYX_USERNAME") or self._settings().username

    def _stored_tokens(self) -> Iterator[str]:
        username = self._chosen_user()
        kept = self._kept().read()
        mine = kept.get(username) if username else next(reversed(kept.values()), None)
        if mine:
            yield mine
        ones = one_settings.server(self.base_url)
        token = ones.tokens.get(username or ones.login or "")
        if token and is_token(token):
            yield token

    def _settings(self) -> StoredServer:
        from alyx_client.config.servers_toml import read_servers

        return read_servers().server(self.base_url)

    def _kept(self) -> TokenStore:
        return token_store(self.base_url, keyring=self._settings().keyring)

    def _may_prompt(self) -> bool:
        return not self.silent and can_ask()

    def _prompt(self, username: str | None) -> tuple[str, str] | None:
        if not self._may_prompt():
            return None
        place = f"for {self.base_url}"
        try:
            username = username or input(f"Alyx user name {place}: ").strip()
            if not username:
                return None
            password = getpass.getpass(f"Alyx password of {username} {place} (leave it empty to give a token): ")
            token = "" if password else getpass.getpass(f"Alyx token of {username} {place} (see {self.base_url}/me): ")
        except EOFError:
            return None
        if token.strip():
            self._typed = username, clean_token(token, "what was typed")
        self.prompted = bool(password or token)
        return (username, password) if password else None


def login_request(username: str, password: str) -> Request:
    """Build the request that asks for a token.

    Parameters
    ----------
    username, password
        The login.
    """
    body = json.dumps({"username": username, "password": password}).encode()
    return Request("POST", "/auth-token", json=body, endpoint="auth_token", action="create", authenticate=False)


def token_from(response: Response) -> str:
    """Read the token from the answer to a login.

    Raises
    ------
    UnexpectedAnswerError
        The answer holds no token, so what answered may not be Alyx.
    """
    try:
        body: object = json.loads(response.content)
        if isinstance(body, dict):
            return clean_token(cast("dict[str, str]", body), "the answer")
    except (ValueError, MissingCredentialsError):
        pass
    raise UnexpectedAnswerError(
        f"The login at {response.url} was answered without a token. Check that there is an Alyx at this address.",
        status_code=response.status,
        method=response.method,
        url=response.url,
    )


def is_stale(response: Response) -> bool:
    """Tell whether an answer says that the token is not, or no longer, valid."""
    if response.status == 401:
        return True
    if response.status != 403:
        return False
    try:
        body: object = json.loads(response.content)
    except ValueError:
        return False
    return (cast("dict[str, object]", body).get("detail") if isinstance(body, dict) else body) == "Invalid token."
