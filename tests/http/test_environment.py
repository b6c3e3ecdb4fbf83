"""Proxies of the environment: the expected ones were compared with those of requests 2.34, and differ where noted."""

from __future__ import annotations

import importlib.machinery
import sys
import types
import urllib.request

import pytest

from alyx_client.errors import ConfigurationError
from alyx_client.http.environment import environment_proxy

PROXY, PLAIN, OTHER = "http://proxy.lab.org:3128", "http://plain:1", "http://other:2"
ALYX, HTTP = "https://alyx.lab.org", "http://alyx.lab.org"
ADDRESS, LINK_LOCAL = "https://10.1.2.3", "https://[fe80::1]"


@pytest.fixture(autouse=True)
def socks_package(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("socksio")
    module.__spec__ = importlib.machinery.ModuleSpec("socksio", None)
    monkeypatch.setitem(sys.modules, "socksio", module)


@pytest.mark.parametrize(
    ("environ", "url", "expected"),
    [
        ({}, ALYX, None),
        ({"HTTPS_PROXY": PROXY}, ALYX, PROXY),
        ({"HTTPS_PROXY": PROXY}, HTTP, None),
        ({"HTTP_PROXY": PLAIN, "HTTPS_PROXY": PROXY}, HTTP, PLAIN),
        ({"ALL_PROXY": PROXY}, HTTP, PROXY),
        ({"ALL_PROXY": OTHER, "HTTPS_PROXY": PROXY}, ALYX, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": OTHER}, ALYX, PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": OTHER}, ALYX, None),
        ({"https_proxy": "", "ALL_PROXY": PROXY}, ALYX, PROXY),
        ({"Https_Proxy": PROXY}, ALYX, PROXY),
        ({"FTP_PROXY": PROXY}, ALYX, None),
        ({"HTTP_PROXY": PLAIN, "REQUEST_METHOD": "GET"}, HTTP, None),
        ({"http_proxy": PLAIN, "REQUEST_METHOD": "GET"}, HTTP, PLAIN),
        ({"HTTPS_PROXY": "proxy.lab.org:3128"}, ALYX, PROXY),
        ({"HTTPS_PROXY": " http://user:pa%40ss@proxy:3128 "}, ALYX, "http://user:pa%40ss@proxy:3128"),
        ({"HTTPS_PROXY": "HTTPS://proxy:3128"}, ALYX, "https://proxy:3128"),
        ({"HTTPS_PROXY": "http://[::1]:3128/"}, ALYX, "http://[::1]:3128/"),
        ({"ALL_PROXY": "socks5://s:1080"}, ALYX, "socks5://s:1080"),
        ({"ALL_PROXY": "socks5h://s:1080"}, ALYX, "socks5://s:1080"),
        # What does not apply to this server is not looked at.
        ({"ALL_PROXY": "socks://s:1080", "HTTPS_PROXY": PROXY}, ALYX, PROXY),
        ({"HTTPS_PROXY": "http://proxy:3128:9"}, HTTP, None),
        ({"HTTPS_PROXY": "http://proxy:3128:9", "NO_PROXY": "lab.org"}, ALYX, None),
        ({"HTTPS_PROXY": "http://proxy:3128:9"}, "https://localhost:8000", None),
        # Unlike with requests, this machine is never reached through a proxy.
        ({"HTTPS_PROXY": PROXY}, "https://127.0.0.1:8000", None),
        ({"HTTP_PROXY": PROXY}, "http://[::1]:8000", None),
        ({"ALL_PROXY": PROXY}, "ftp://alyx.lab.org", None),
    ],
)
def test_variable_by_scheme(environ: dict[str, str], url: str, expected: str | None) -> None:
    proxy = environment_proxy(url, environ)
    assert (proxy.url if proxy else None) == expected


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize(
    ("no_proxy", "url", "is_exempt"),
    [
        ("*", ALYX, True),
        ("lab.org", ALYX, True),
        (".lab.org", ALYX, True),
        (".lab.org", "https://lab.org", True),
        ("lab.org", "https://xlab.org", False),
        ("LAB.ORG", ALYX, True),
        (" a.org , alyx.lab.org ", ALYX, True),
        ("alyx.lab.org:8000", f"{ALYX}:8000", True),
        ("alyx.lab.org:8000", ALYX, False),
        ("10.1.2.3", ADDRESS, True),
        ("10.0.0.0/8", ADDRESS, True),
        ("10.0.0.0/8", f"{ADDRESS}:8000", True),
        ("10.1.3.0/24", ADDRESS, False),
        ("a.org,10.1.2.0/24", ADDRESS, True),
        ("10.0.0.0/8", ALYX, False),
        ("fe80::1", LINK_LOCAL, True),
        ("fe80::2", LINK_LOCAL, False),
        # Ignored, since they are no names, addresses or ranges.
        ("300.0.0.0/8,10.0.0.0/99,[,/,::/x,[]", ADDRESS, False),
        ("[::1]", ALYX, False),
        ("::1/128", LINK_LOCAL, False),
        # Not exempt with requests, although nothing else can be meant.
        ("a.org,*", ALYX, True),
        ("*.lab.org", ALYX, True),
        ("a.org lab.org", ALYX, True),
        ("alyx.lab.org:443", ALYX, True),
        ("https://alyx.lab.org", ALYX, True),
        ("http://alyx.lab.org", ALYX, False),
        ("10.0.0.0/255.0.0.0", ADDRESS, True),
        ("[fe80::1]", LINK_LOCAL, True),
        ("fe80::/10", LINK_LOCAL, True),
        ("[fe80::]/10", f"{LINK_LOCAL}:8000", True),
        ("fe80::/10", "https://[fe80::1%25eth0]", True),
        ("2001:db8::/32", LINK_LOCAL, False),
        ("lab.org.", ALYX, True),
        ("https://alyx.lab.org/", ALYX, True),
        (".", ALYX, False),
        # The end of an address is no domain.
        ("1.2.3", ADDRESS, False),
        (".2.3", ADDRESS, False),
    ],
)
def test_no_proxy(variable: str, no_proxy: str, url: str, is_exempt: bool) -> None:
    proxy = environment_proxy(url, {"HTTPS_PROXY": PROXY, variable: no_proxy})
    assert (proxy is None) == is_exempt


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("http://proxy:3128:9", "does not hold the address of a proxy"),
        ("http://:3128", "does not hold the address of a proxy"),
        ("http://", "does not hold the address of a proxy"),
        ("http://proxy:99999", "does not hold the address of a proxy"),
        ("http://proxy:0", "does not hold the address of a proxy"),
        ("http://[::1", "does not hold the address of a proxy"),
        ("http://pro xy:1", "does not hold the address of a proxy"),
        ("http://user:hunter2/@proxy:1", "does not hold the address of a proxy"),
        ("socks://hunter2@s:1080", "unknown kind, socks://. Supported are http://"),
        ("socks4://s:1080", "unknown kind, socks4://"),
        ("ftp://s", "unknown kind, ftp://"),
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_error_names_the_variable_and_no_secret(variable: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        environment_proxy(ALYX, {variable: value})
    assert str(caught.value).startswith(variable)
    assert message in str(caught.value)
    assert "exempt alyx.lab.org in NO_PROXY" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_missing_socks_package_is_named(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(ConfigurationError, match=r'ALL_PROXY .* pip install "alyx-client\[socks\]"'):
        environment_proxy(ALYX, {"ALL_PROXY": f"{scheme}://s:1080"})


def test_proxy_prints_without_its_password() -> None:
    proxy = environment_proxy(ALYX, {"HTTPS_PROXY": "http://user:hunter2@proxy:3128"})
    assert str(proxy) == "http://proxy:3128 (HTTPS_PROXY)"
    assert "hunter2" not in repr(proxy)


@pytest.mark.parametrize(
    ("environ", "url", "expected"),
    [
        ({}, ALYX, PROXY),
        ({}, "https://exempt.lab.org", None),
        ({}, HTTP, None),
        ({}, "https://localhost", None),
        ({"HTTPS_PROXY": OTHER}, ALYX, OTHER),
        ({"NO_PROXY": ""}, ALYX, PROXY),
        # Any variable for proxies replaces the system's settings, as with requests.
        ({"NO_PROXY": "example.org"}, ALYX, None),
    ],
)
def test_settings_of_the_system(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], url: str, expected: str | None
) -> None:
    # Stand-ins for what Python reads on macOS and Windows only.
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"https": PROXY})
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: host == "exempt.lab.org")
    proxy = environment_proxy(url, environ)
    assert (proxy.url if proxy else None) == expected


def test_invalid_setting_of_the_system_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"https": "http://proxy:x"})
    with pytest.raises(ConfigurationError, match="The system's proxy setting does not hold the address"):
        environment_proxy(ALYX, {})
