"""``alyx login``, ``alyx logout`` and ``alyx whoami``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from alyx_client.auth.credentials import Credentials
from alyx_client.cli.session import GlobalOptions, Session, session_of
from alyx_client.cli.terminal import REFUSED, command, fail, note, say
from alyx_client.cli.usage_error import UsageError
from alyx_client.config.save import write_server
from alyx_client.config.servers_toml import read_servers
from alyx_client.errors import MissingCredentialsError

__all__ = ["login", "logout", "whoami"]

_NO_PROMPT = (
    "there is no terminal to prompt at; pass --username NAME with --password-stdin, or --token-stdin, or set "
    "ALYX_USERNAME and ALYX_PASSWORD"
)


@command
def login(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="The server; by default that of the other commands.")
    ] = None,
    username: Annotated[str | None, typer.Option("--username", "-u", metavar="NAME", help="The user.")] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin.")] = False,
    token_stdin: Annotated[bool, typer.Option("--token-stdin", help="Read a token from stdin.")] = False,
    setup: Annotated[
        bool, typer.Option("--setup", help="Prompt for all settings: the data server, the folder for files, …")
    ] = False,
) -> None:
    """Log in, and store the token.

    Only you can read it; the password is not stored. The first server becomes the one that the other commands connect
    to.

    For example:
      alyx login https://alyx.example.org
      alyx login --username olivier --password-stdin < password.txt
      alyx login https://alyx.example.org --setup
    """
    session = session_of(context)
    if url is not None:
        options = session.options
        session = Session(GlobalOptions(url, options.package, options.offline, options.silent, options.timeout))
    _require_server(session)
    if password_stdin and token_stdin:
        raise UsageError("stdin holds the password or a token, not both")
    if setup:
        if not sys.stdin.isatty():
            raise UsageError("--setup prompts, which requires a terminal")
        session.client_class.setup(session.options.url, username=username)
        return
    secret = sys.stdin.readline().strip() if password_stdin or token_stdin else None
    # The prompts of a login are what the user has asked for, whatever becomes of stdout.
    client = session.make_client(username=username, prompts=not session.options.silent)
    try:
        client.authenticate(
            username, secret if password_stdin else None, force=secret is None, token=secret if token_stdin else None
        )
    except MissingCredentialsError:
        fail(_NO_PROMPT, REFUSED)
    token, user = _known_token(client), client.user
    if token is not None:
        # Also for servers on this machine, whose tokens are otherwise not stored: the user has just asked for it.
        Credentials(client.base_url, store=True).remember(token, user or "")
    # Written with False, the default server would be one no more.
    is_default = read_servers().default in (None, client.base_url)
    write_server(client.base_url, {"username": user} if user else {}, default=is_default)
    note(f"logged in as {user or 'the owner of the token'} at {client.base_url}")


@command
def logout(context: typer.Context) -> None:
    """Log out: forget the token.

    This user's cached responses are deleted, too.

    For example:
      alyx logout
    """
    client = session_of(context).client
    client.logout()
    note(f"logged out of {client.base_url}")


@command
def whoami(context: typer.Context) -> None:
    """Print the user and the server.

    The token is checked there.

    For example:
      alyx whoami
      alyx --url https://alyx.example.org whoami
    """
    session = session_of(context)
    client = session.client
    token = _known_token(client)
    if token is None:
        fail(f"not logged in at {client.base_url}; run: alyx login", REFUSED)
    if not session.options.offline:
        client.authenticate(client.user, token=token, cache_token=False)
    say(f"{client.user or 'unknown user'} at {client.base_url}")


def _require_server(session: Session) -> None:
    """Refuse to log in nowhere; other commands advise to run this one."""
    try:
        assert session.url
    except UsageError as error:
        if isinstance(error.__cause__, MissingCredentialsError):
            raise UsageError("pass the server: alyx login https://alyx.example.org") from None
        raise


def _known_token(client: Any) -> str | None:
    token: str | None = client._auth.known_token()
    return token
