"""The servers that files may come from, and the credentials that each of them receives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote, urlsplit

from alyx_client.downloads.addresses import Login, is_below, normalise_url
from alyx_client.downloads.names import check_name
from alyx_client.errors import ForeignURLError, InsecureConnectionWarning
from alyx_client.http.log import warn
from alyx_client.http.own_headers import OwnHeaders
from alyx_client.http.url import is_loopback, normalise_base_url, redact_url, same_server

Headers = Mapping[str, str]

_CREDENTIAL = re.compile(r"auth|cookie|token|key|secret|signature|credential|password|session", re.IGNORECASE)


class DataServers:
    """The servers of one client.

    Parameters
    ----------
    logins
        The data servers, each with its login; paths are relative to the first.
    base_url
        The Alyx server.
    token
        Returns the header with Alyx's token.
    any_server
        Whether files may also come from other servers, which receive no stored credentials.
    own_headers
        Header fields for the Alyx server alone.
    """

    def __init__(
        self,
        logins: Iterable[Login] = (),
        *,
        base_url: str | None = None,
        token: Callable[[], Headers] | None = None,
        any_server: bool = False,
        own_headers: OwnHeaders | None = None,
    ) -> None:
        self._own_headers = own_headers or OwnHeaders()
        self.logins = tuple(Login(normalise_base_url(login.url), login.username, login.password) for login in logins)
        self.base_url = base_url and normalise_base_url(base_url)
        self._token = token
        self._any_server = any_server
        self._warned_hosts: set[str] = set()

    def with_login(self, url: str, login: Login) -> DataServers:
        """Return the same servers with another login for the server of a URL, whatever the path."""
        parts = urlsplit(url)
        first = Login(f"{parts.scheme}://{parts.netloc}", login.username or "", login.password or "")
        return self._copy((first, *self.logins), any_server=self._any_server)

    def with_any_server(self) -> DataServers:
        """Return the same servers, where files may also come from others."""
        return self._copy(self.logins, any_server=True)

    def _copy(self, logins: tuple[Login, ...], *, any_server: bool) -> DataServers:
        copy = DataServers(
            logins,
            base_url=self.base_url,
            token=self._token,
            any_server=any_server,
            own_headers=self._own_headers,
        )
        # Shared, so that each host is warned about once per client, not once per call.
        copy._warned_hosts = self._warned_hosts
        return copy

    def url_of_path(self, path: str) -> str:
        """Return the URL of a path on the first data server; characters that are special in URLs are quoted.

        Raises
        ------
        ForeignURLError
            There is no data server, or the path is a URL already.
        InvalidFileNameError
            The path leads out of the server's folder.
        """
        if not self.logins:
            raise ForeignURLError(
                f"Which server is {path!r} on? Pass a URL, or name a data server in the settings (data_server=)."
            )
        if "://" in path:
            raise ForeignURLError(f"{redact_url(path)!r} is a URL already; pass a path on the data server.")
        # Backslashes: relative paths of Windows are accepted, too.
        segments = [check_name(segment) for segment in path.replace("\\", "/").strip("/").split("/")]
        return f"{self.logins[0].url}/{quote('/'.join(segments), safe='/!$&()*+,;=@~')}"

    def resolve(self, address: str) -> tuple[str, Login | None]:
        """Return the URL of a file.

        Parameters
        ----------
        address
            A URL, or a path on the first data server.

        Returns
        -------
        tuple
            The URL in its normal form, and the login that was part of it.

        Raises
        ------
        ForeignURLError
            It belongs to none of the servers; nothing was sent.
        InvalidFileNameError
            The path leads out of the server's folder.
        """
        text = address.strip()
        if "://" not in text.partition("?")[0]:
            return self.url_of_path(text), None
        url, login = normalise_url(text)
        if self._any_server or self.is_known(url):
            return url, login
        allowed = [server.url for server in self.logins] + ([self.base_url] if self.base_url else [])
        raise ForeignURLError(
            f"{url.partition('?')[0]} is on none of the servers that files may come from "
            f"({', '.join(allowed) or 'there are none'}); nothing was sent. Name its server in the settings "
            "(data_server=), or use http_download_file, which sends no stored credentials.",
            url=url.partition("?")[0],
        )

    def path_on_server(self, url: str) -> str:
        """Return the path of a URL relative to its server, percent-encoded."""
        server = self._server(url)
        root = server.url if server else self.base_url if self.is_alyx(url) and self.base_url else ""
        return urlsplit(url).path.removeprefix(urlsplit(root).path).strip("/")

    def headers(self, url: str, *, trusted: bool, extra: Headers | None = None, source_url: str = "") -> dict[str, str]:
        """Return the headers of one request, with the credentials that its server may receive.

        Parameters
        ----------
        url
            The URL of the request, perhaps after redirects.
        trusted
            Whether the request was passed in by the user, or redirected by servers of ours only.
        extra
            Headers that the user passed.
        source_url
            The URL that the user passed; credentials among `extra` go to its origin only.
        """
        # Identity: sizes, ranges and hashes are those of the file, not of a compressed form of it.
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        # Like browsers (RFC 9110, section 15.4, and the Fetch standard), redirects to another origin drop credentials;
        # those of our own servers are added by origin below, whatever redirected there.
        at_source = trusted and same_server(url, source_url)
        for name, value in (extra or {}).items():
            if at_source or not _CREDENTIAL.search(name):
                headers[name] = value
        if trusted and self.is_alyx(url):
            headers.update(self._own_headers)
        # Once a foreign server is on the way, it chooses the URL: nobody's credentials are sent to it any more, not
        # even our own server's to that server.
        if not trusted or any(name.lower() == "authorization" for name in headers):
            return headers
        credentials = self._credentials(url)
        if credentials:
            self._warn_if_insecure(url)
        return headers | dict(credentials)

    def _credentials(self, url: str) -> Headers:
        server = self._server(url)
        if server and server.headers:
            return server.headers
        return self._token() if self._token and self.is_alyx(url) else {}

    def is_known(self, url: str) -> bool:
        """Return whether a URL belongs to one of the servers."""
        return self._server(url) is not None or self.is_alyx(url)

    def is_data_server(self, url: str) -> bool:
        """Return whether a URL belongs to a data server."""
        return self._server(url) is not None

    def is_alyx(self, url: str) -> bool:
        """Return whether a URL is on the Alyx server."""
        return self.base_url is not None and same_server(url, self.base_url)

    def is_from_alyx(self, url: str) -> bool:
        """Return whether Alyx itself responds to a URL, not a data server of the same origin."""
        return self.is_alyx(url) and not self.is_data_server(url)

    def _server(self, url: str) -> Login | None:
        return next((server for server in self.logins if is_below(url, server.url)), None)

    def _warn_if_insecure(self, url: str) -> None:
        host = urlsplit(url).netloc
        if url.startswith("http://") and not is_loopback(url) and host not in self._warned_hosts:
            self._warned_hosts.add(host)
            warn(
                f"Passwords and tokens are sent to {host} without encryption; use https://.", InsecureConnectionWarning
            )
