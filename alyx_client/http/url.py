"""Addresses of servers: their normal form, whose origin a URL is of, and what of a URL may be shown."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, urlsplit, urlunsplit

Origin = tuple[str, str, int]

_PORTS = {"http": 80, "https": 443}
_SECRET = re.compile(
    r"(?:^|[._-])(?:password|passwd|pwd|token|secret|signature|sig|credentials?|api[_-]?key|authorization)$",
    re.IGNORECASE,
)
_HEADER_SECRET = re.compile(r"\b(Token|Bearer|Basic)\s+[^\s'\",)\]]+")


def normalise_base_url(url: str) -> str:
    """Bring a server's address to its normal form.

    Parameters
    ----------
    url
        ``https://alyx.example.org``, perhaps with a port or a base path; without a scheme it means https.

    Returns
    -------
    str
        Scheme and host in lower case, no default port, no trailing slash.

    Raises
    ------
    ValueError
        It is no http(s) address, or holds a password, a query or a fragment.
    """
    text = url.strip()
    if "://" not in text:
        text = f"https://{text}"
    shown = redact_url(text)
    try:
        parts = urlsplit(text)
        scheme, host, port = origin(text)
    except ValueError:
        raise ValueError(f"{shown!r} is not the address of a server; it looks like https://alyx.example.org.") from None
    if "@" in parts.netloc:
        raise ValueError(f"The address {shown!r} holds a user name; pass it as username= and password= instead.")
    if parts.query or parts.fragment:
        raise ValueError(f"The address {shown!r} must end at its path, without ? or #.")
    netloc = f"[{host}]" if ":" in host else host
    if port != _PORTS[scheme]:
        netloc = f"{netloc}:{port}"
    return urlunsplit((scheme, netloc, quote(parts.path, safe="/%:@!$&'()*+,;=~").rstrip("/"), "", ""))


def origin(url: str) -> Origin:
    """Tell scheme, host and port of a URL.

    Raises
    ------
    ValueError
        It is no http(s) URL with a host.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.hostname or re.search(r"[\s\\]", parts.netloc):
        raise ValueError("not an http(s) URL")
    return scheme, parts.hostname.lower().rstrip("."), parts.port or _PORTS[scheme]


def same_origin(url: str, other: str) -> bool:
    """Tell whether two URLs have scheme, host and port in common; False for what is no http(s) URL."""
    try:
        return origin(url) == origin(other)
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine."""
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def redact_url(url: str) -> str:
    """Take user names, passwords and secret query values out of a URL."""
    head, mark, query = url.partition("?")
    head = re.sub(r"//[^/?#]*@", "//", head, count=1)
    if not mark:
        return head
    query, hash_mark, fragment = query.partition("#")
    pairs = (pair.partition("=") for pair in query.split("&"))
    shown = "&".join(
        f"{name}=***" if equals and _SECRET.search(name) else name + equals + value for name, equals, value in pairs
    )
    return f"{head}?{shown}{hash_mark}{fragment}"


def redact_text(text: str) -> str:
    """Take the values of Authorization headers, and user names in URLs, out of a text made by other code."""
    return re.sub(r"//[^/\s?#]*@", "//", _HEADER_SECRET.sub(r"\1 ***", text))
