"""Setup of a server: prompts for its settings, tries them out, and writes them once all of them are confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from alyx_client.auth.credentials import Credentials
from alyx_client.auth.prompt import Prompter
from alyx_client.auth.setup_checks import TrialFolders
from alyx_client.auth.setup_dialogue import SetupDialogue
from alyx_client.auth.setup_options import LoginOutcome, SetupOptions
from alyx_client.config import one as one_settings
from alyx_client.config.data_server import DataServer
from alyx_client.config.save import save_settings
from alyx_client.config.servers_toml import read_servers, servers_file
from alyx_client.config.settings import Settings, find_settings
from alyx_client.errors import AlyxWarning, ConfigurationError
from alyx_client.http.flow import Sender
from alyx_client.http.log import warn

__all__ = ["SetupOptions", "run_setup"]


def run_setup(options: SetupOptions, connect: Callable[[str], Sender], prompter: Prompter) -> Settings | None:
    """Prompt for a server's settings, try them out, and write them at the end.

    Settings in `options` are not prompted for. Without an interactive session, the current settings stand in for the
    others. The token is stored, the password never. Until everything is confirmed, nothing is changed.

    Parameters
    ----------
    options
        The settings that are known already.
    connect
        Makes, for an address, the function that sends a request there with a token or with none.
    prompter
        Prompts for the other settings.

    Returns
    -------
    Settings or None
        The settings written; None if the user declined.

    Raises
    ------
    MissingCredentialsError
        The session is not interactive, and no server was passed.
    AuthenticationError
        The login was refused: three times, or once if the session is not interactive.
    AlyxError
        A setting that was passed does not work, and the session is not interactive.
    ConfigurationError
        The current settings file cannot be read.
    OSError
        The cache folder, or the settings file, cannot be written.
    """
    # Read first, so that a broken settings file is reported before the first prompt.
    default_url = read_servers().default
    with TrialFolders() as folders:
        dialogue = SetupDialogue(options, prompter, connect, folders)
        try:
            url, is_reachable = dialogue.server()
            current = find_settings(url)
            login = dialogue.login(current) if is_reachable else dialogue.username_only(current)
            keyring = dialogue.keyring(current)
            data_server, data_password = dialogue.data_server(current)
            folder = dialogue.cache_folder(current)
            is_default = dialogue.is_default(url, default_url)
            settings = _merge(current, login, data_server, folder, keyring=keyring)
            _show_summary(settings, prompter, is_default=is_default, is_logged_in=login.token is not None)
            if not prompter.confirm("Write these settings?", default=True):
                prompter.show("Nothing was changed.")
                return None
        except EOFError:
            raise ConfigurationError("The input ended before all settings were entered; nothing was changed.") from None
        # A failure here removes the folders again, as any failure before.
        file = save_settings(settings, default=is_default)
        folders.keep()
    if login.token is not None:
        # Stored for servers on this machine as well: the user has just asked for it.
        Credentials(url, store=True).remember(login.token, login.user or "")
    _store_data_password(settings, data_password, prompter)
    prompter.show(f"Settings written to {file}.")
    return find_settings(url)


def _merge(
    current: Settings, login: LoginOutcome, data_server: DataServer | None, folder: Path | None, *, keyring: bool
) -> Settings:
    # Setup edits the first data server alone; the others, added by hand, stay behind it.
    others = [server for server in current.data_servers[1:] if data_server is None or server.url != data_server.url]
    return replace(
        current,
        username=login.user,
        data_servers=(data_server, *others) if data_server else (),
        cache_dir=folder or one_settings.default_cache_dir(current.base_url),
        keyring=keyring,
        sources={**current.sources, "cache_dir": "setup" if folder else "default"},
    )


def _show_summary(settings: Settings, prompter: Prompter, *, is_default: bool, is_logged_in: bool) -> None:
    server = settings.data_server
    prompter.show(f"Server:       {settings.base_url}{' (the default)' if is_default else ''}")
    prompter.show(f"User:         {settings.username or 'unknown'}{'' if is_logged_in else ', not logged in'}")
    prompter.show(f"Data server:  {server.url if server else 'none'}")
    if server and server.username:
        prompter.show(f"  user there: {server.username}")
    prompter.show(f"Data files:   {settings.cache_dir}")
    prompter.show(f"Tokens:       in {'the keyring' if settings.keyring else 'a file that only you can read'}")
    prompter.show(f"Settings:     {servers_file()}")


def _store_data_password(settings: Settings, password: str | None, prompter: Prompter) -> None:
    """Store the password of the data server in the keyring; without one, say how to pass it from now on."""
    server = settings.data_server
    if password is None or server is None or (settings.keyring and server.keep_password(password)):
        return
    # The environment, ONE's settings or a line added by hand may have it already.
    stored = find_settings(settings.base_url).data_server
    if stored is not None and stored.login() == (server.username, password):
        return
    hint = (
        "The password of the data server was not stored. Set ALYX_DATA_PASSWORD, or add this line by hand below "
        f'[servers."{settings.base_url}"]: data_password = "...".'
    )
    if prompter.interactive:
        prompter.show(hint)
    else:
        warn(hint, AlyxWarning)
