"""Resolution of tokens and passwords: from arguments, environment, token store, ONE's settings, or a prompt."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from copy import copy
from dataclasses import field

from alyx_client.auth.token import Secret, clean_token, hide, is_token
from alyx_client.auth.token_store import TokenStore, token_store
from alyx_client.config import one as one_settings
from alyx_client.config.environment import variable
from alyx_client.config.servers_toml import StoredServer, read_servers
from alyx_client.errors import AlyxWarning, ConfigurationError, MissingCredentialsError
from alyx_client.http.log import warn
from alyx_client.http.url import is_loopback, normalise_base_url
from alyx_client.lazy_dataclasses import dataclass


@dataclass(slots=True)
class Credentials:
    """Resolves the token or the login for one server.

    Arguments take precedence, and are never combined with another user's secrets: with a token, no stored token is
    considered; with a user name, ``ALYX_TOKEN`` is not. A stored token is used for the server it was made for and no
    other, and with ``ALYX_URL`` set, the other variables apply to that server alone.

    A pickle holds everything; the pickle of a client holds what `for_worker` returns.

    Parameters
    ----------
    base_url
        The server.
    username, password
        The login.
    explicit_token
        A token to use as it is; or the server's response as ONE stores it, ``{"token": ...}``.
    silent
        Never prompt.
    store
        Whether to store tokens in the token file, or in the keyring. By default they are stored, except for a server
        on this machine whose password was not typed in.
    pickle_token
        Whether the token travels to worker processes.
    """

    base_url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    explicit_token: str | Mapping[str, str] | None = field(default=None, repr=False)
    silent: bool = False
    store: bool | None = None
    pickle_token: bool = True
    # After a logout, stored credentials are ignored until the next login.
    logged_out: bool = field(default=False, init=False)
    # The current login must not be stored, whatever `store` says.
    transient: bool = field(default=False, init=False, repr=False)
    # The current login was typed in.
    prompted: bool = field(default=False, init=False, repr=False)
    _typed: tuple[str, str] | None = field(default=None, init=False, repr=False)
    # These have come from another process, and had a password there.
    _lost_password: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        self.base_url = normalise_base_url(self.base_url)
        self.username = self.username or None
        self.password = hide(self.password or None)
        self.explicit_token = hide(self.explicit_token)

    def for_worker(self) -> Credentials:
        """Return these as they travel to another process: without the password.

        Without `pickle_token`, nothing is left of them, and the process uses what it has itself: its environment, its
        settings and its stored tokens, perhaps those of another user.
        """
        traveller = copy(self)
        traveller._lost_password = self.password is not None or self._lost_password
        traveller.password = None
        if not self.pickle_token:
            traveller.explicit_token = traveller.username = None
        return traveller

    def token(self, refused: Collection[str] = ()) -> str | None:
        """Find a token without prompting.

        Parameters
        ----------
        refused
            Tokens that the server has refused, which are skipped.

        Returns
        -------
        str or None
            A token from the argument, the environment, the token store, or ONE's settings, in this order.

        Raises
        ------
        ConfigurationError
            The settings file was needed and cannot be read.
        """
        if self.logged_out:
            return None
        # A token that was passed is the only candidate: a stored one in its place might be another user's.
        fixed = self._fixed_token()
        candidates = self._stored_tokens() if fixed is None else iter([fixed])
        return hide(next((token for token in candidates if token not in refused), None))

    def login(self, *, again: bool = False) -> tuple[str, str] | None:
        """Find a user name and password; prompts for them in an interactive session, unless it is to be silent.

        Parameters
        ----------
        again
            Whether the server has just refused the login that was typed.

        Returns
        -------
        tuple or None
            A login from the arguments, the environment, ONE's settings, or a prompt, in this order. None if there is
            none.

        Raises
        ------
        ConfigurationError
            The settings file was needed and cannot be read.
        """
        self.prompted, self._typed = False, None
        if self.username and self.password:
            return self.username, self.password
        if self.logged_out:
            return self._prompt(self.username, again)
        if self.explicit_token is not None and not self.username:
            # Nobody knows whose token it is: logging in might turn it into another user's.
            return None
        username = self._preferred_user()
        password = self._password_of(username) if username else None
        if username and password:
            return username, password
        if self._fixed_token() is not None and not username:
            # The same for the environment's token, unless a user is named.
            return None
        one_server = one_settings.server(self.base_url)
        if one_server.login and one_server.password and username in {None, one_server.login}:
            return one_server.login, Secret(one_server.password)
        return self._prompt(username or one_server.login, again)

    def typed_token(self) -> tuple[str, str] | None:
        """Return once the user name and the token that were typed at the last prompt instead of a password."""
        typed, self._typed = self._typed, None
        return typed

    def user(self) -> str | None:
        """Name the user whose token or login would be used, if that is known without prompting."""
        if self.username or self.logged_out:
            return self.username
        if self.explicit_token is not None:
            return None
        # The order is that of `token` and `login`, so that the cache serves this user's responses before any login.
        environment_user = self._environment("ALYX_USERNAME")
        if environment_user or self._environment("ALYX_TOKEN"):
            return environment_user
        preferred = self._preferred_user()
        if preferred:
            return preferred
        stored = self._token_store().read()
        return (next(reversed(stored)) or None) if stored else one_settings.server(self.base_url).login

    def remember(self, token: str, username: str) -> None:
        """Store a token in the token file (mode 0600) or the keyring, unless this login must not be stored.

        Parameters
        ----------
        token
            A token that the server has just issued or accepted.
        username
            Its user; empty if unknown.
        """
        self.username = self.username or username or None
        self.logged_out = False
        if not self._is_storable():
            return
        try:
            store = self._token_store()
        except ConfigurationError as error:
            return warn(f"The token was not stored. {error}", AlyxWarning)
        # The order says who logged in last: that user comes last, and is the default of the next session.
        store.update(
            lambda tokens: {**{user: other for user, other in tokens.items() if user != username}, username: token}
        )

    def forget(self, token: str | None = None) -> None:
        """Remove stored tokens of this server.

        Parameters
        ----------
        token
            The token to remove; by default all of them.
        """
        self._token_store().update(
            lambda tokens: {user: other for user, other in tokens.items() if token is not None and other != token}
        )

    def log_in_as(
        self, username: str | None, password: str | None, token: str | None, *, keep: bool, prompted: bool
    ) -> None:
        """Replace the arguments by a login that the server has accepted.

        Parameters
        ----------
        username
            The user, if known.
        password
            The password; None if the program did not pass one.
        token
            The token, if one was passed instead.
        keep
            Whether the token may be stored for the next session.
        prompted
            Whether the login was typed in.
        """
        # A login by token of the same user leaves the password in place, for the renewal of the token.
        if password is None and username == self.username:
            password = self.password
        self.username, self.password, self.explicit_token = username, password, token
        self.transient, self.prompted, self.logged_out = not keep, prompted, False

    def log_out(self) -> None:
        """Drop the arguments, and ignore stored credentials until the next login."""
        self.username = self.password = self.explicit_token = None
        self.logged_out = True

    def missing(self) -> MissingCredentialsError:
        """Make the error for a request that needs a token when there is neither a token nor a login."""
        if self.logged_out:
            return MissingCredentialsError(
                f"You have logged out from {self.base_url}; nothing was sent. Call authenticate() to log in again."
            )
        user = f" for the user {self.username!r}" if self.username else ""
        advice = "Pass username= and password= (or token=), or set"
        if self._lost_password:
            advice = (
                "A client travels to other processes without its password: call authenticate() before, or set there"
            )
        return MissingCredentialsError(
            f"There is no token or password{user} for {self.base_url}; nothing was sent. {advice} ALYX_USERNAME and "
            "ALYX_PASSWORD (or ALYX_TOKEN)."
        )

    def _fixed_token(self) -> str | None:
        if self.explicit_token is not None:
            return clean_token(self.explicit_token, "token=")
        # ALYX_TOKEN may be anybody's; a login that was passed is the user's own choice.
        if self.username or self.password:
            return None
        token = self._environment("ALYX_TOKEN")
        return clean_token(token, "ALYX_TOKEN") if token else None

    def _environment(self, name: str) -> str | None:
        return variable(name, self.base_url)

    def _preferred_user(self) -> str | None:
        return self.username or self._environment("ALYX_USERNAME") or self._settings().username

    def _password_of(self, username: str) -> str | None:
        if self.password:
            return self.password
        # The environment's password belongs to the environment's user, and must not be sent for anybody else.
        owner = self._environment("ALYX_USERNAME")
        return hide(self._environment("ALYX_PASSWORD")) if owner in {None, username} else None

    def _stored_tokens(self) -> Iterator[str]:
        username = self._preferred_user()
        stored = self._token_store().read()
        token = stored.get(username) if username else next(reversed(stored.values()), None)
        if token:
            yield token
        one_server = one_settings.server(self.base_url)
        one_token = one_server.tokens.get(username or one_server.login or "")
        if one_token and is_token(one_token):
            yield one_token

    def _is_storable(self) -> bool:
        if self.transient:
            return False
        if self.store is not None:
            return self.store
        # Servers on this machine are mostly those of tests, whose tokens are worthless in the next session.
        return self.prompted or not is_loopback(self.base_url)

    def _settings(self) -> StoredServer:
        return read_servers().server(self.base_url)

    def _token_store(self) -> TokenStore:
        return token_store(self.base_url, keyring=self._settings().keyring)

    def _prompt(self, username: str | None, again: bool) -> tuple[str, str] | None:
        from alyx_client.auth.prompt import is_interactive, prompt_login

        if self.silent or not is_interactive():
            return None
        login = prompt_login(self.base_url, username, again=again)
        if login is None:
            return None
        self.prompted = login.password is not None or login.token is not None
        if login.token is not None:
            self._typed = login.username, login.token
        return (login.username, Secret(login.password)) if login.password is not None else None
