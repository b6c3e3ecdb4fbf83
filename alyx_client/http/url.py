"""URLs: normal form, origins, building them from requests, and redacting their secrets."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, quote, urlencode, urlsplit, urlunsplit

from alyx_client.errors import ForeignURLError, InvalidCallError
from alyx_client.http.message import Request

Origin = tuple[str, str, int]

_PORTS = {"http": 80, "https": 443}
_SECRET = r"(?i)(?:^|[._-])(?:password|passwd|pwd|token|secret|signature|sig|credentials?|api[_-]?key|authorization)$"
_HEADER_SECRET = r"\b(Token|Bearer|Basic)\s+[^\s'\",)\]]+"


def normalise_base_url(url: str) -> str:
    """Normalise a server's address.

    Parameters
    ----------
    url
        An address such as ``https://alyx.example.org``, perhaps with a port or a base path; without a scheme, https is
        assumed.

    Returns
    -------
    str
        Scheme and host in lower case, no default port, no trailing slash.

    Raises
    ------
    ValueError
        It is not an http(s) address, or it contains a password, a query or a fragment.
    """
    text = url.strip()
    if "://" not in text:
        text = f"https://{text}"
    redacted = redact_url(text)
    try:
        text.encode()  # half a surrogate pair has no encoding, in which it could be sent
        parts = urlsplit(text)
        scheme, host, port = origin(text)
    except ValueError:
        raise ValueError(f"{redacted!r} is not the address of a server, such as https://alyx.example.org.") from None
    if "@" in parts.netloc:
        raise ValueError(f"The address {redacted!r} holds a user name; pass it as username= and password= instead.")
    if parts.query or parts.fragment:
        raise ValueError(f"The address {redacted!r} must end at its path, without ? or #.")
    netloc = f"[{host}]" if ":" in host else host
    if port != _PORTS[scheme]:
        netloc = f"{netloc}:{port}"
    return urlunsplit((scheme, netloc, quote(parts.path, safe="/%:@!$&'()*+,;=~").rstrip("/"), "", ""))


def split_url(url: str) -> SplitResult:
    """Split a URL, and quote its tabs and line breaks: `urlsplit` drops them, and what is left is another record's."""
    return urlsplit(re.sub(r"[\t\r\n]", lambda blank: quote(blank[0]), url))


def origin(url: str) -> Origin:
    """Return scheme, host and port of a URL.

    Raises
    ------
    ValueError
        It is not an http(s) URL with a host.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.hostname or re.search(r"[\s\\\x00-\x1f\x7f]", parts.netloc):
        raise ValueError("not an http(s) URL")
    return scheme, parts.hostname.lower().rstrip("."), parts.port or _PORTS[scheme]


def same_origin(url: str, other: str) -> bool:
    """Return whether two URLs have scheme, host and port in common; False for anything but http(s) URLs."""
    try:
        return origin(url) == origin(other)
    except ValueError:
        return False


def is_https_upgrade(url: str, target: str) -> bool:
    """Return whether a URL has http where another has https, with the same host and the default ports of both."""
    try:
        (scheme, host, port), other = origin(url), origin(target)
    except ValueError:
        return False
    return (scheme, port) == ("http", _PORTS["http"]) and other == ("https", host, _PORTS["https"])


def same_server(url: str, server: str) -> bool:
    """Return whether a URL has a server's origin, or that of the server with https instead of http, never less."""
    return same_origin(url, server) or is_https_upgrade(server, url)


def request_url(request: Request, base_url: str) -> str:
    """Build the complete URL of a request.

    Parameters
    ----------
    request
        The request.
    base_url
        The configured server, in normal form.
    """
    return absolute_url(request_target(request, base_url), base_url)


def request_target(request: Request, base_url: str) -> str:
    """Build the path and query of a request, the same for a path and for the absolute URL of that path.

    Parameters
    ----------
    request
        The request.
    base_url
        The configured server, in normal form.

    Returns
    -------
    str
        The path below `base_url`, with a leading slash, and the query; or the URL, if it is not below `base_url`.
    """
    # Fragments are never sent (RFC 3986, section 3.5).
    path = request.path.partition("#")[0]
    if not path.startswith("/") and same_origin(path, base_url):
        base = urlsplit(base_url).path
        parts = split_url(path)
        if parts.path == base or parts.path.startswith(f"{base}/"):
            path = urlunsplit(("", "", parts.path.removeprefix(base) or "/", parts.query, ""))
    if not request.params:
        return path
    try:
        # The characters of Alyx's filters need no escape in a query (RFC 3986, section 3.4), and stay readable in logs.
        query = urlencode(request.params, safe="/:,", quote_via=quote)
    except UnicodeEncodeError:
        name, value = next((name, value) for name, value in request.params if not is_encodable(name + value))
        raise InvalidCallError(f"{name}={value!r} was not sent: half a surrogate pair is not a character.") from None
    return f"{path}{'&' if '?' in path else '?'}{query}"


def is_encodable(text: str) -> bool:
    """Return whether a text can be sent: one with half a surrogate pair, which JSON may contain, has no encoding."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def absolute_url(target: str, base_url: str) -> str:
    """Return the complete URL of a target built by `request_target`."""
    return f"{base_url}{target}" if target.startswith("/") else target


def refuse_foreign(request: Request, base_url: str) -> None:
    """Refuse a request whose path is the URL of another server, or not a path at all.

    Raises
    ------
    ForeignURLError
        The request would reach another server.
    """
    path = request.path
    # "//host/path" would be a URL of another host (RFC 3986, section 4.2).
    if path.startswith("/") and not path.startswith("//"):
        return
    if not same_origin(path, base_url):
        raise ForeignURLError(
            f"{redact_url(path)!r} does not belong to the configured server {base_url}; nothing was sent. "
            "Pass a key or a URL of that server, or create a client for the other one.",
            method=request.method,
            url=redact_url(path),
        )


def is_loopback(url: str) -> bool:
    """Return whether a URL's host is this machine."""
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def redact_url(url: str) -> str:
    """Remove user names, passwords and secret query values from a URL."""
    head, mark, query = url.partition("?")
    head = re.sub(r"//[^/?#]*@", "//", head, count=1)
    if not mark:
        return head
    query, hash_mark, fragment = query.partition("#")
    pairs = (pair.partition("=") for pair in query.split("&"))
    redacted = "&".join(
        f"{name}=***" if equals and re.search(_SECRET, name) else name + equals + value for name, equals, value in pairs
    )
    return f"{head}?{redacted}{hash_mark}{fragment}"


def redact_text(text: str) -> str:
    """Remove values of Authorization headers, and user names in URLs, from a text made by other code."""
    return re.sub(r"//[^/\s?#]*@", "//", re.sub(_HEADER_SECRET, r"\1 ***", text))
