"""Which servers files may come from, and which of them gets which credentials."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from alyx_client.downloads.names import check_name, quote_link
from alyx_client.errors import ForeignURLError, InsecureConnectionWarning, InvalidFileNameError
from alyx_client.http.log import warn
from alyx_client.http.url import is_loopback, normalise_base_url, redact_url, same_origin

Headers = Mapping[str, str]

_CREDENTIAL = re.compile(r"auth|cookie|token|key|secret|signature|credential|password|session", re.IGNORECASE)
# RFC 9110, section 5: a name is a token; values are sent as ASCII, and a line break would begin another header.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_OURS = frozenset({"range", "if-range", "accept-encoding", "host"})


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and password, and the one place that they are for.

    Parameters
    ----------
    url
        The server, perhaps with a path: what is not below it never sees them.
    username, password
        The login; both None where the server needs none.
    """

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def headers(self) -> Headers:
        """The header of basic authentication."""
        if not self.username and not self.password:
            return {}
        pair = f"{self.username or ''}:{self.password or ''}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


class DataServers:
    """The servers of one client.

    Parameters
    ----------
    servers
        Data servers; paths are below the first.
    base_url
        Alyx itself.
    token
        Gives the header with Alyx's token.
    anywhere
        Whether files may also come from other places, without credentials.
    """

    def __init__(
        self,
        servers: tuple[Login, ...] = (),
        *,
        base_url: str | None = None,
        token: Callable[[], Headers] | None = None,
        anywhere: bool = False,
    ) -> None:
        self.logins = tuple(
            Login(normalise_base_url(server.url), server.username, server.password) for server in servers
        )
        self.base_url = base_url and normalise_base_url(base_url)
        self._token = token
        self._anywhere = anywhere
        self._warned: set[str] = set()

    def with_login(self, url: str, username: str, password: str) -> DataServers:
        """Return the same servers, where the one of a URL has another login."""
        parts = urlsplit(url)
        login = Login(f"{parts.scheme}://{parts.netloc}", username, password)
        return self._copy((login, *self.logins), anywhere=self._anywhere)

    def and_anywhere(self) -> DataServers:
        """Return the same servers, where files may also come from other places."""
        return self._copy(self.logins, anywhere=True)

    def _copy(self, logins: tuple[Login, ...], *, anywhere: bool) -> DataServers:
        copy = DataServers(logins, base_url=self.base_url, token=self._token, anywhere=anywhere)
        copy._warned = self._warned
        return copy

    def url_of_path(self, path: str) -> str:
        """Return the URL of a path on the first data server; what is special in URLs is percent-encoded.

        Raises
        ------
        ForeignURLError
            There is no data server, or the path is a URL already.
        InvalidFileNameError
            The path leads out of it.
        """
        if not self.logins:
            raise ForeignURLError(
                f"Which server is {path!r} on? Pass a URL, or name a data server in the settings (data_server=)."
            )
        if "://" in path:
            raise ForeignURLError(f"{redact_url(path)!r} is a URL already; pass a path on the data server.")
        segments = [check_name(segment) for segment in path.replace("\\", "/").strip("/").split("/")]
        return f"{self.logins[0].url}/{quote('/'.join(segments), safe='/!$&()*+,;=@~')}"

    def complete(self, source: str) -> tuple[str, Login | None]:
        """Return the full URL of a file.

        Parameters
        ----------
        source
            A URL, or a path on the first data server.

        Returns
        -------
        tuple
            The URL in its normal form, and the login that was written into it.

        Raises
        ------
        ForeignURLError
            It is of none of the servers; nothing was sent.
        """
        text = source.strip()
        if "://" not in text.partition("?")[0]:
            return self.url_of_path(text), None
        url, login = _normal_form(text)
        if self._anywhere or self._server(url) is not None or self.is_alyx(url):
            return url, login
        known = [server.url for server in self.logins] + ([self.base_url] if self.base_url else [])
        raise ForeignURLError(
            f"{url.partition('?')[0]} is on none of the servers that files may come from "
            f"({', '.join(known) or 'there are none'}); nothing was sent. Name its server in the settings "
            "(data_server=), or use http_download_file, which sends no stored credentials.",
            url=url.partition("?")[0],
        )

    def path_below(self, url: str) -> str:
        """Return the path of a URL below its server, percent-encoded."""
        path = urlsplit(url).path
        server = self._server(url)
        root = server.url if server else self.base_url if self.is_alyx(url) and self.base_url else ""
        prefix = urlsplit(root).path
        return path.removeprefix(prefix).strip("/")

    def headers(self, url: str, *, trusted: bool, extra: Headers | None = None, origin: str = "") -> dict[str, str]:
        """Return the headers that one request may have.

        Parameters
        ----------
        url
            Where it goes, perhaps by a redirect.
        trusted
            Whether all that redirected it there were servers of ours.
        extra
            Headers that the user passed.
        origin
            The URL that the user passed; what is a credential among ``extra`` goes no further than its origin.
        """
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        at_origin = trusted and same_origin(url, origin)
        check_headers(extra)
        for name, value in (extra or {}).items():
            if at_origin or not _CREDENTIAL.search(name):
                headers[name] = value
        if any(name.lower() == "authorization" for name in headers) or not trusted:
            return headers
        server = self._server(url)
        if server and server.headers:
            headers |= server.headers
        elif self.is_alyx(url) and self._token:
            headers |= self._token()
        if "Authorization" in headers:
            self._warn_if_insecure(url)
        return headers

    def is_known(self, url: str) -> bool:
        """Return whether a URL is of one of the servers."""
        return self._server(url) is not None or self.is_alyx(url)

    def _server(self, url: str) -> Login | None:
        return next((server for server in self.logins if _is_below(url, server.url)), None)

    def is_data(self, url: str) -> bool:
        """Return whether a URL is of a data server."""
        return self._server(url) is not None

    def is_alyx(self, url: str) -> bool:
        """Return whether a URL has Alyx's origin."""
        return bool(self.base_url) and same_origin(url, str(self.base_url))

    def _warn_if_insecure(self, url: str) -> None:
        host = urlsplit(url).netloc
        if url.startswith("http://") and not is_loopback(url) and host not in self._warned:
            self._warned.add(host)
            warn(f"Passwords and tokens go to {host} without encryption; use https://.", InsecureConnectionWarning)


def check_headers(headers: object) -> None:
    """Raise an error if headers that a user passed cannot be sent; their values are not shown.

    Raises
    ------
    TypeError
        They are no dictionary of texts.
    ValueError
        One would break the download, or is not allowed in HTTP.
    """
    if headers is None:
        return
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers: pass a dictionary of names and values, not an object of type {_type(headers)}.")
    for name, value in cast("Mapping[object, object]", headers).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"headers: {name!r} must be a text with a text as its value, not {_type(value)}.")
        if name.lower() in _OURS:
            raise ValueError(f"headers: {name} cannot be passed; bytes are asked for with chunks=.")
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"headers: {name!r} is not the name of a header.")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"headers: the value of {name} has characters that no header may have.")


def _type(value: object) -> str:
    return type(value).__name__


def redirected(url: str, location: str) -> str | None:
    """Return the URL that an answer redirects to; None if that is no http(s) URL."""
    try:
        return _normal_form(urljoin(url, location))[0]
    except (ForeignURLError, InvalidFileNameError, ValueError):
        return None


def _normal_form(url: str) -> tuple[str, Login | None]:
    head, mark, query = url.partition("?")
    scheme, _, rest = head.partition("://")
    netloc, slash, path = rest.partition("/")
    userinfo, at, host = netloc.rpartition("@")
    try:
        root = normalise_base_url(f"{scheme.lower()}://{host}")
    except ValueError as error:
        raise ForeignURLError(f"{host!r} is not the address of a server of files; nothing was sent.") from error
    parts = urlsplit(root)
    encoded = quote_link(f"{slash}{path}")
    _refuse_dots(encoded)
    # A space or the like in a query was not meant to be sent as it is; what is encoded already stays.
    query = quote(query.partition("#")[0], safe="%/:?@!$&'()*+,;=-._~[]")
    login = None
    if at:
        username, _, password = userinfo.partition(":")
        login = Login(root, unquote(username), unquote(password))
    return urlunsplit((parts.scheme, parts.netloc, encoded, query if mark else "", "")), login


def _refuse_dots(path: str) -> None:
    for segment in path.split("/"):
        # Servers and proxies undo the encoding at different times, so that an encoded separator may act as one.
        decoded = unquote(segment)
        if decoded in {".", ".."} or re.search(r"[/\\\x00-\x1f]", decoded):
            raise InvalidFileNameError(f"{segment!r} in an address can lead to another folder; nothing was sent.")


def _is_below(url: str, root: str) -> bool:
    if not same_origin(url, root):
        return False
    path, prefix = urlsplit(url).path, urlsplit(root).path.rstrip("/")
    return path == prefix or path.startswith(f"{prefix}/")
