"""Proxies and certificates that the environment sets, read as `requests` reads them."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import ipaddress
import os
import re
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import field
from urllib.parse import SplitResult, urlsplit

from alyx_client.errors import ConfigurationError
from alyx_client.http.url import is_loopback
from alyx_client.lazy_dataclasses import dataclass

__all__ = ["BUNDLES", "Proxy", "environment_proxy", "invalid_proxy", "ssl_verification"]

_PORTS = {"http": 80, "https": 443}
_SYSTEM = "The system's proxy setting"
# In the order in which requests reads them; the first that is set replaces the trust store.
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""The variables that replace the trust store; the first that is set counts."""
_WAY_OUT = "Correct it, or exempt {} in NO_PROXY."


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the setting that names it.

    Attributes
    ----------
    url
        Its address, which may hold a password.
    variable
        The environment variable that it is set by; or words for the system's setting.
    """

    url: str = field(repr=False)
    variable: str

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]} ({self.variable})"

    @property
    def scheme(self) -> str:
        """``http``, ``https`` or ``socks5``."""
        return urlsplit(self.url).scheme


def environment_proxy(url: str, environ: Mapping[str, str] | None = None) -> Proxy | None:
    """Return the proxy for a URL, or None if it is requested directly.

    Parameters
    ----------
    url
        The URL. This machine is never reached through a proxy.
    environ
        The environment; by default that of this process. Without proxies there, macOS and Windows may have settings.

    Raises
    ------
    ConfigurationError
        The setting that applies to this URL is invalid; settings that do not apply are not looked at.
    """
    environ = os.environ if environ is None else environ
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or is_loopback(url):
        return None
    if any(value and name.lower().endswith("_proxy") for name, value in environ.items()):
        setting = _proxy_variable(parts.scheme, environ)
        if setting is None or _is_exempt(parts, environ.get("no_proxy") or _last(environ, "no_proxy")):
            return None
    else:
        setting = _system_setting(parts)
        if setting is None:
            return None
    return _parse_proxy(*setting, server=parts.netloc.rpartition("@")[2])


def ssl_verification(verify: bool | ssl.SSLContext, url: str, proxy: Proxy | None = None) -> bool | ssl.SSLContext:
    """Return what certificates are checked against: for True, the operating system's trust store or the environment's.

    ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE`` replace the trust store, as in `requests`. ``SSL_CERT_FILE`` and
    ``SSL_CERT_DIR`` add to it, and are ignored if they cannot be read, as OpenSSL ignores them.

    Parameters
    ----------
    verify
        The client's setting.
    url, proxy
        The server, and the proxy that leads to it.

    Raises
    ------
    ConfigurationError
        A variable names certificates that cannot be read, and there is an encrypted connection to check.
    """
    if verify is not True:
        return verify
    variable = next((name for name in BUNDLES if os.environ.get(name)), None)
    if variable is not None:
        is_encrypted = urlsplit(url).scheme == "https" or (proxy is not None and proxy.scheme == "https")
        bundle = _environment_bundle(variable, required=is_encrypted)
        if bundle is not None:
            return bundle
    return _trust_store()


def _environment_bundle(variable: str, *, required: bool) -> ssl.SSLContext | None:
    try:
        return _bundle(os.environ[variable])
    except OSError as error:
        if required:
            raise ConfigurationError(
                f"The environment variable {variable} names no certificates that can be read: "
                f"{os.environ[variable]!r} ({error.strerror or error}). Correct or unset it."
            ) from error
        return None


def _trust_store() -> bool | ssl.SSLContext:
    file, folder = os.environ.get("SSL_CERT_FILE") or None, os.environ.get("SSL_CERT_DIR") or None
    try:
        import truststore

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    except (ImportError, NotImplementedError, OSError):
        return _bundle(file or folder or "") if file or folder else True
    # truststore reads these variables on Linux only.
    for location in filter(None, (file, folder)):
        with contextlib.suppress(OSError):
            _load(context, location)
    return context


def _bundle(location: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load(context, location)
    return context


def _load(context: ssl.SSLContext, location: str) -> None:
    if os.path.isdir(location):
        context.load_verify_locations(capath=location)
    elif os.path.exists(location) and not os.path.isfile(location):
        # A pipe would wait for its other end, and devices have no end.
        raise OSError(errno.EINVAL, "neither a file nor a folder")
    else:
        context.load_verify_locations(cafile=location)


def _proxy_variable(scheme: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    for name in (f"{scheme}_proxy", "all_proxy"):
        if name in environ:
            # Set but empty, the variable in lower case disables the one in upper case.
            variable = name
        elif name == "http_proxy" and "REQUEST_METHOD" in environ:
            # In a CGI script, HTTP_PROXY is the header "Proxy" of whoever sent the request (CVE-2016-1000110).
            continue
        else:
            variable = next((key for key in environ if key.lower() == name and environ[key]), "")
        if environ.get(variable):
            return environ[variable], variable
    return None


def _last(environ: Mapping[str, str], name: str) -> str:
    return next((value for key, value in environ.items() if key.lower() == name and value), "")


def _system_setting(parts: SplitResult) -> tuple[str, str] | None:
    proxies = urllib.request.getproxies()
    setting = proxies.get(parts.scheme) or proxies.get("all")
    if not setting:
        return None
    # On Windows, resolving the host can fail.
    with contextlib.suppress(TypeError, OSError):
        if urllib.request.proxy_bypass(parts.hostname or ""):
            return None
    return setting, _SYSTEM


def invalid_proxy(variable: str, server: str) -> ConfigurationError:
    """Return the error for a setting that is not the address of a proxy; it does not show it."""
    return ConfigurationError(
        f"{variable} does not hold the address of a proxy, such as http://proxy.example.org:3128. "
        f"{_WAY_OUT.format(server)}"
    )


def _is_exempt(parts: SplitResult, no_proxy: str) -> bool:
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or _PORTS[parts.scheme]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        address = None
    for entry in re.split(r"[\s,]+", no_proxy.lower()):
        scheme, mark, rest = entry.rpartition("://")
        if mark and scheme not in {"all", parts.scheme}:
            continue
        if rest == "*" or (address is not None and _contains(rest, address)):
            return True
        name = rest.removesuffix("/").removeprefix("*").strip(".").removesuffix(f":{port}")
        # The end of a name is its domain; the end of an address is nothing of its own.
        if name in {host, f"[{host}]"} or (name and address is None and host.endswith(f".{name}")):
            return True
    return False


def _contains(entry: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        # Brackets are of URLs ("[::1]"), but common here too, also in a range ("[fe80::]/10").
        return address in ipaddress.ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False


def _parse_proxy(setting: str, variable: str, server: str) -> Proxy:
    """Check a proxy's address; errors do not show it, because it may hold a password wherever it is malformed."""
    url = setting.strip()
    if "://" not in url:
        url = f"http://{url}"
    way_out = _WAY_OUT.format(server)
    try:
        parts = urlsplit(url)
        # Reading the port checks it.
        valid = bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\\]", parts.netloc)
    except ValueError:
        valid = False
    if not valid:
        raise invalid_proxy(variable, server)
    scheme = url.partition("://")[0].lower()
    if scheme in {"socks5", "socks5h"}:
        if importlib.util.find_spec("socksio") is None:
            raise ConfigurationError(
                f"{variable} names a SOCKS proxy, which needs another package: "
                f'pip install "alyx-client[socks]". {way_out}'
            )
        scheme = "socks5"  # both leave resolving names to the proxy
    elif scheme not in _PORTS:
        raise ConfigurationError(
            f"{variable} names a proxy of an unknown kind, {scheme}://. Supported are http://, https://, socks5:// and "
            f"socks5h://. {way_out}"
        )
    return Proxy(f"{scheme}://{url.partition('://')[2]}", variable)
