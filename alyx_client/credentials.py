"""Where tokens and passwords come from: arguments, environment, token file, ONE's settings, a prompt."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import sys
import tempfile
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from alyx_client.address import is_loopback, normalise_base_url, same_origin
from alyx_client.errors import MissingCredentialsError, UnexpectedAnswerError
from alyx_client.log import logger
from alyx_client.messages import Request, Response


@dataclass(slots=True)
class Credentials:
    """Finds the token or the login for one server.

    What is passed as an argument comes first and is never mixed with another user's: with a token, no stored one is
    looked at; with a user name, ``ALYX_TOKEN`` is not. Tokens in files serve only the server they were made for, and
    with ``ALYX_URL`` set, the other variables serve that server alone.

    A pickle of it holds the token and the password, for worker processes: keep it as secret as those.

    Parameters
    ----------
    base_url
        The server.
    username, password
        The login.
    explicit_token
        A token that is used as it is.
    silent
        Never prompt.
    store
        Whether tokens are kept in the token file. By default they are, except for servers on this machine whose
        password was not typed in.
    """

    base_url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    explicit_token: str | None = field(default=None, repr=False)
    silent: bool = False
    store: bool | None = None
    _prompted: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        self.base_url = normalise_base_url(self.base_url)

    def token(self, refused: Collection[str] = ()) -> str | None:
        """Find a token without asking anyone.

        Parameters
        ----------
        refused
            Tokens that the server did not accept; these are passed over.

        Returns
        -------
        str or None
            From the argument, the environment, the token file, or ONE's settings, in this order.
        """
        fixed = self._fixed_token()
        candidates = self._stored_tokens() if fixed is None else iter([fixed])
        return next((token for token in candidates if token not in refused), None)

    def login(self) -> tuple[str, str] | None:
        """Find a user name and password; asks for them on a terminal, or in a notebook, where that is allowed.

        Returns
        -------
        tuple or None
            From the arguments, the environment, ONE's settings, or a prompt, in this order. None if there is none.
        """
        self._prompted = False
        if self.username and self.password is not None:
            return self.username, self.password
        username = self.username or self._environment("ALYX_USERNAME")
        if username and self.password is not None:
            return username, self.password
        password = self._environment("ALYX_PASSWORD")
        if username and password and username == (self._environment("ALYX_USERNAME") or username):
            return username, password
        if self._fixed_token() is not None and not username:
            return None
        ones = _one_settings(self.base_url)
        ones_user, ones_password = _text(ones.get("ALYX_LOGIN")), _text(ones.get("ALYX_PWD"))
        if ones_user and ones_password and username in {None, ones_user}:
            return ones_user, ones_password
        return self._prompt(username or ones_user) if self._may_prompt() else None

    def remember(self, token: str, username: str) -> None:
        """Keep a token in the token file (mode 0600), unless ``store`` or a read-only folder speaks against it.

        Parameters
        ----------
        token
            A token that the server just gave.
        username
            Whose it is.
        """
        self.username = self.username or username
        store = self.store if self.store is not None else self._prompted or not is_loopback(self.base_url)
        if store:
            self._write({**self._read(), username: token}, username)

    def forget(self, token: str | None = None) -> None:
        """Drop tokens of this server from the token file.

        Parameters
        ----------
        token
            Drop only this one; by default all.
        """
        kept = self._read()
        left = {name: value for name, value in kept.items() if token is not None and value != token}
        if left != kept:
            self._write(left, None)

    def missing(self) -> MissingCredentialsError:
        """Make the error to raise where neither a token nor a login was found."""
        who = f" for the user {self.username!r}" if self.username else ""
        return MissingCredentialsError(
            f"There is no token or password{who} for {self.base_url}; nothing was sent. Pass username= and password= "
            "(or token=), or set ALYX_USERNAME and ALYX_PASSWORD (or ALYX_TOKEN)."
        )

    def _fixed_token(self) -> str | None:
        if self.explicit_token is not None:
            return _clean(self.explicit_token, "token=")
        if self.username or self.password is not None:
            return None
        token = self._environment("ALYX_TOKEN")
        return _clean(token, "ALYX_TOKEN") if token else None

    def _environment(self, name: str) -> str | None:
        # With ALYX_URL set, the other variables are meant for that server and must not reach another one.
        url = os.environ.get("ALYX_URL", "").strip()
        if url and not same_origin(url if "://" in url else f"https://{url}", self.base_url):
            return None
        return os.environ.get(name, "").strip() or None

    def _stored_tokens(self) -> Iterator[str]:
        username = self.username or self._environment("ALYX_USERNAME")
        kept = self._read()
        # The user who logged in last stands last.
        mine = kept.get(username) if username else next(reversed(kept.values()), None)
        if mine:
            yield mine
        ones = _one_settings(self.base_url)
        tokens = ones.get("TOKEN")
        entry = (
            cast("dict[str, object]", tokens).get(username or str(ones.get("ALYX_LOGIN"))) if _is_map(tokens) else None
        )
        token = _text(cast("dict[str, object]", entry).get("token")) if _is_map(entry) else None
        if token:
            yield token

    def _may_prompt(self) -> bool:
        return not self.silent and ((sys.stdin is not None and sys.stdin.isatty()) or _is_notebook())

    def _prompt(self, username: str | None) -> tuple[str, str] | None:
        try:
            username = username or input(f"Alyx user name for {self.base_url}: ").strip()
            password = getpass.getpass(f"Alyx password of {username} for {self.base_url}: ") if username else ""
        except EOFError:
            return None
        self._prompted = True
        return (username, password) if password else None

    def _file(self) -> Path:
        import platformdirs

        name = re.sub(r"[^\w.-]+", "_", self.base_url)
        return platformdirs.user_config_path("alyx-client") / "tokens" / f"{name}.json"

    def _read(self) -> dict[str, str]:
        content = _read_json(self._file())
        tokens = content.get("tokens")
        # Two addresses may share a file's name, so the file says itself whose tokens it holds.
        if content.get("server") != self.base_url or not _is_map(tokens):
            return {}
        pairs = cast("dict[str, object]", tokens).items()
        return {name: token for name, token in pairs if isinstance(token, str) and token.isprintable()}

    def _write(self, tokens: dict[str, str], last: str | None) -> None:
        if last is not None:
            tokens = {**{name: token for name, token in tokens.items() if name != last}, last: tokens[last]}
        file = self._file()
        text = json.dumps({"server": self.base_url, "tokens": tokens}, indent=1)
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp makes the file readable by its owner alone; the replacement is atomic for other processes.
            handle, unfinished = tempfile.mkstemp(dir=file.parent, prefix=".token-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    stream.write(text)
                os.replace(unfinished, file)
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(unfinished)
                raise
        except OSError as error:
            logger.info("the token file %s was not written: %s", file, error.strerror)


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
        token = _text(cast("dict[str, object]", body).get("token")) if _is_map(body) else None
        if token:
            return _clean(token, "the answer")
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
    return (cast("dict[str, object]", body).get("detail") if _is_map(body) else body) == "Invalid token."


def _one_settings(base_url: str) -> dict[str, object]:
    """Read what ONE has stored for this server; its files are never written."""
    windows = os.environ.get("APPDATA") if sys.platform in {"win32", "cygwin"} else None
    folder = (Path(windows) if windows else Path(os.path.expanduser("~"))) / ".one"
    parts = urlsplit(base_url)
    name = unicodedata.normalize("NFKC", f"{parts.netloc}{parts.path}").strip("/").lower()
    name = re.sub(r"[-\s]+", "-", re.sub(r"[^.\w\s-]", "_", name))
    content = _read_json(folder / f".{name}")
    url = _text(content.get("ALYX_URL"))
    # ONE's file name leaves the scheme out; a token made over https must not go out over http.
    return content if url and same_origin(url, base_url) else {}


def _read_json(file: Path) -> dict[str, object]:
    try:
        content: object = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, object]", content) if _is_map(content) else {}


def _is_notebook() -> bool:
    """Return whether this is a notebook whose reader can be asked: a kernel that runs unattended cannot."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", False))


def _is_map(value: object) -> bool:
    return isinstance(value, dict)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _clean(token: str, source: str) -> str:
    token = token.strip()
    if not token or not re.fullmatch(r"[\x21-\x7e]+", token):
        raise MissingCredentialsError(
            f"The token in {source} is empty or has spaces or characters that no token has; copy it again."
        )
    return token
