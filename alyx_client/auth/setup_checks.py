"""Checks of the settings entered at setup: the server's address, and folders for data files."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from types import TracebackType

from alyx_client.auth.prompt import strip_quotes
from alyx_client.errors import AuthenticationError, MethodNotAllowedError, UnexpectedAnswerError
from alyx_client.http.flow import Send, Sender
from alyx_client.http.message import Request
from alyx_client.http.url import is_loopback, normalise_base_url

# The user is told, or asked, where redirects lead before anything else is sent there.
_LOGIN_PROBE = Request("GET", "/auth-token", endpoint="auth_token", action="read", authenticate=False, any_server=True)


def parse_address(text: str) -> str:
    """Normalise an address as users type it; the scheme defaults to https, and to http on this machine.

    Parameters
    ----------
    text
        The address, perhaps in quotes.

    Raises
    ------
    ValueError
        The text is not an address.
    """
    text = strip_quotes(text)
    # Servers on this machine rarely have a certificate.
    local = "://" not in text and is_loopback(f"http://{text}")
    return normalise_base_url(f"http://{text}" if local else text)


def locate_alyx(send: Sender, url: str) -> str:
    """Check that an Alyx server responds at an address, and return the address that it is redirected to.

    Parameters
    ----------
    send
        Sends a request to the server.
    url
        The server.

    Raises
    ------
    UnexpectedAnswerError
        There is another kind of server.
    AlyxError
        The server cannot be reached, or it failed.
    """
    # Alyx refuses GET on its login endpoint, and does so in JSON, which identifies it without sending any secret.
    try:
        probed_url, is_alyx = send(Send(_LOGIN_PROBE)).url, False
    except (MethodNotAllowedError, AuthenticationError) as error:
        probed_url, is_alyx = error.url or "", error.body is not None
    if not is_alyx:
        raise UnexpectedAnswerError(
            f"There is a server at {url}, but it is not Alyx. Check the address.", url=probed_url
        )
    return normalise_base_url(probed_url.removesuffix(_LOGIN_PROBE.path))


class TrialFolders:
    """Creates folders on trial, and removes them at the end unless they are kept."""

    def __init__(self) -> None:
        self._created: list[Path] = []

    def ensure_writable(self, folder: Path) -> None:
        """Create a folder where it is missing, and check that files can be created in it.

        Parameters
        ----------
        folder
            The folder.

        Raises
        ------
        OSError
            The folder cannot be created or written.
        """
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            self._created.append(path)
        # Permissions alone do not tell: file systems may be read-only or full.
        with tempfile.TemporaryFile(dir=folder):
            pass

    def keep(self) -> None:
        """Keep the folders created so far."""
        self._created.clear()

    def __enter__(self) -> TrialFolders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for path in reversed(self._created):
            # Another program may have put a file there meanwhile; such a folder stays.
            with contextlib.suppress(OSError):
                path.rmdir()
