"""Data servers, and the choice of those that belong to an Alyx server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace

from alyx_client.config.environment import variable
from alyx_client.errors import AlyxWarning
from alyx_client.http.arguments import require, require_text
from alyx_client.http.log import warn
from alyx_client.http.url import Origin, normalise_base_url, origin, redact_url, same_origin
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.storage.keyring import KeyringUnavailableError, read_secret, write_secret

__all__ = ["DataServer", "DataServerArgument", "choose_data_servers", "parse_argument"]

_KEYRING_SERVICE = "alyx-client data server"


@dataclass(frozen=True, slots=True)
class DataServer:
    """A server of data files.

    Parameters
    ----------
    url
        Its address.
    username, password
        The login; both None if it needs none.
    keyring
        Whether to look up a missing password in the system's keyring.
    """

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    keyring: bool = False

    def login(self) -> tuple[str, str] | None:
        """Return user name and password, the latter perhaps from the keyring; None if either is missing."""
        if not self.username:
            return None
        password = self.password
        if password is None and self.keyring:
            # By user and address: one user may have another password at another data server.
            try:
                password = read_secret(_KEYRING_SERVICE, f"{self.username} {self.url}")
            except KeyringUnavailableError as error:
                warn(str(error), AlyxWarning)
        return (self.username, password) if password else None

    def keep_password(self, password: str) -> bool:
        """Store the password in the system's keyring; returns whether that worked."""
        try:
            write_secret(_KEYRING_SERVICE, f"{self.username} {self.url}", password)
        except KeyringUnavailableError as error:
            warn(str(error), AlyxWarning)
            return False
        return True


DataServerArgument = str | DataServer | Sequence[str | DataServer] | None
"""An argument that names data servers."""

_Login = tuple[str | None, str | None]


def parse_argument(argument: DataServerArgument) -> tuple[DataServer, ...]:
    """Return the data servers that an argument names, their addresses in normal form.

    Raises
    ------
    ValueError
        An address is invalid.
    """
    if argument is None:
        return ()
    servers: list[DataServer] = []
    expected = "an address, an alyx_client.config.DataServer, or a list of these"
    require("data_server", argument, (str, DataServer, Iterable), expected)
    for item in [argument] if isinstance(argument, str | DataServer) else argument:
        require("data_server", item, (str, DataServer), expected)
        server = DataServer(item) if isinstance(item, str) else item
        require_text("data_server", server.url)
        require_text("data_server (its username)", server.username)
        require_text("data_server (its password)", server.password)
        try:
            servers.append(replace(server, url=normalise_base_url(server.url)))
        except ValueError as error:
            raise ValueError(f"The data server {redact_url(server.url)!r} cannot be used: {error}") from None
    return tuple(servers)


def choose_data_servers(
    sources: Sequence[tuple[str, tuple[DataServer, ...]]],
    username: str | None,
    password: str | None,
    base_url: str,
    *,
    keyring: bool,
) -> tuple[tuple[DataServer, ...], str]:
    """Take the data servers of the first source that names any, with the logins of all sources.

    Parameters
    ----------
    sources
        The name and the data servers of each source, in order of precedence.
    username, password
        The login at the first data server; None for what the sources say.
    base_url
        The Alyx server.
    keyring
        Whether passwords may be in the keyring.

    Returns
    -------
    tuple
        The data servers, and the name of their source.
    """
    chosen_source, chosen = next(((source, servers) for source, servers in sources if servers), ("default", ()))
    named: dict[Origin, list[_Login]] = {}
    for server in (server for _, servers in sources for server in servers):
        named.setdefault(origin(server.url), []).append((server.username, server.password))
    # The sources are not mixed: an argument that names one data server must not bring in others from a file.
    completed: list[DataServer] = []
    for position, server in enumerate(chosen):
        logins: list[_Login] = [(server.username, server.password)]
        # Arguments and environment have room for one login: that of the first.
        if position == 0:
            logins = [(username, password), *logins, *_environment_login(server.url, base_url)]
        # Other sources may name the same server. A login goes to the server that it was given for and to no other.
        logins += named[origin(server.url)]
        completed.append(_with_login(server, logins, keyring=keyring))
    return tuple(completed), chosen_source


def _environment_login(data_server: str, base_url: str) -> Iterator[_Login]:
    url = variable("ALYX_DATA_SERVER", base_url)
    if url is None or same_origin(url if "://" in url else f"https://{url}", data_server):
        yield variable("ALYX_DATA_USERNAME", base_url), variable("ALYX_DATA_PASSWORD", base_url)


def _with_login(server: DataServer, logins: Sequence[_Login], *, keyring: bool) -> DataServer:
    username = next((user for user, _ in logins if user), None)
    # A password belongs to its own user; one without a user name, to any.
    password = next((secret for user, secret in logins if secret and user in {None, username}), None)
    return replace(server, username=username, password=password, keyring=keyring)
