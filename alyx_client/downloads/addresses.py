"""URLs of files and the logins in them: their normal form, and refusal of what could lead to another folder."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import field
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from alyx_client.errors import ForeignURLError, InvalidFileNameError
from alyx_client.http.url import is_encodable, normalise_base_url, same_server
from alyx_client.lazy_dataclasses import dataclass

_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and password, and the server that they are for.

    Parameters
    ----------
    url
        The server, perhaps with a path: whatever is not below it never receives them.
    username, password
        The login; both None for a server without one.
    """

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> Mapping[str, str]:
        """The header of basic authentication (RFC 7617); empty without a login."""
        if not self.username and not self.password:
            return {}
        pair = f"{self.username or ''}:{self.password or ''}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def normalise_url(url: str) -> tuple[str, Login | None]:
    """Bring the URL of a file to its normal form.

    Parameters
    ----------
    url
        An http(s) URL, as written in links and in Alyx's records, perhaps with a login in it.

    Returns
    -------
    tuple
        The URL without login and fragment, and the login.

    Raises
    ------
    ForeignURLError
        It is not an http(s) URL.
    InvalidFileNameError
        Its path can lead to another folder.
    """
    if not is_encodable(url):
        raise InvalidFileNameError(
            f"{url!r} contains half a surrogate pair, which is not a character; nothing was sent."
        )
    head, query_mark, query = url.partition("?")
    scheme, _, rest = head.partition("://")
    netloc, slash, path = rest.partition("/")
    userinfo, at, host = netloc.rpartition("@")
    try:
        root = normalise_base_url(f"{scheme.lower()}://{host}")
    except ValueError as error:
        raise ForeignURLError(f"{host!r} is not the address of a file server; nothing was sent.") from error
    parts = urlsplit(root)
    encoded = quote_link(f"{slash}{path}")
    _refuse_dots(encoded)
    # Whatever is percent-encoded already stays: a signature covers the query as it is written.
    query = quote(query.partition("#")[0], safe="%/:?@!$&'()*+,;=-._~[]")
    login = None
    if at:
        username, _, password = userinfo.partition(":")
        login = Login(root, unquote(username), unquote(password))
    return urlunsplit((parts.scheme, parts.netloc, encoded, query if query_mark else "", "")), login


def quote_link(path: str) -> str:
    """Quote a URL path as it is written in links and in Alyx's records.

    There, ``#`` is part of a name (``#2022-08-08#``), and a ``%`` that encodes nothing is itself; whatever is
    percent-encoded already keeps its meaning.
    """
    return quote(_BARE_PERCENT.sub("%25", path), safe="/%:@!$&'()*+,;=~")


def redirect_target(url: str, location: str) -> str | None:
    """Return the URL that a response redirects to; None if it is not a usable http(s) URL.

    Parameters
    ----------
    url
        The URL of the request, which a relative reference is resolved against (RFC 9110, section 10.2.2).
    location
        The ``Location`` header.
    """
    try:
        return normalise_url(urljoin(url, location))[0]
    except (ForeignURLError, InvalidFileNameError, ValueError):
        return None


def is_below(url: str, root: str) -> bool:
    """Return whether a URL is a server's, or below its path."""
    if not same_server(url, root):
        return False
    path, prefix = urlsplit(url).path, urlsplit(root).path.rstrip("/")
    return path == prefix or path.startswith(f"{prefix}/")


def _refuse_dots(path: str) -> None:
    for segment in path.split("/"):
        # Servers and proxies decode at different times, so that an encoded separator may act as one: "..%2f" would
        # pass the check of who gets a login and then leave the folder that the login is for.
        decoded = unquote(segment)
        if decoded in {".", ".."} or re.search(r"[/\\\x00-\x1f]", decoded):
            raise InvalidFileNameError(f"{segment!r} in a URL can lead to another folder; nothing was sent.")
