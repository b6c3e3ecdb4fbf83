from __future__ import annotations

import base64

import pytest

from alyx_client.downloads.addresses import Login, redirect_target
from alyx_client.downloads.data_servers import DataServers
from alyx_client.downloads.options import Options
from alyx_client.errors import ForeignURLError, InsecureConnectionWarning, InvalidFileNameError

ALYX = "https://alyx.example.org"
DATA = "https://data.example.org/public"
SERVERS = DataServers(
    (Login(DATA, "reader", "s3cret"), Login("https://two.example.org", "other", "anders")),
    base_url=ALYX,
    token=lambda: {"Authorization": "Token abc"},
)


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def authorisation(servers: DataServers, url: str, **options: object) -> str | None:
    settings: dict = {"trusted": True, "source_url": url, **options}
    return servers.headers(url, **settings).get("Authorization")


def test_each_server_receives_its_own_credentials_only() -> None:
    assert authorisation(SERVERS, f"{DATA}/a.npy") == basic("reader", "s3cret")
    assert authorisation(SERVERS, "https://two.example.org/a.npy") == basic("other", "anders")
    assert authorisation(SERVERS, f"{ALYX}/cache.zip") == "Token abc"


@pytest.mark.parametrize(
    "url",
    [
        "https://data.example.org/private/a.npy",
        "https://data.example.org/publication/a.npy",
        "http://data.example.org/public/a.npy",
        "https://data.example.org:8443/public/a.npy",
        "https://elsewhere.example.org/public/a.npy",
        "http://alyx.example.org/cache.zip",
    ],
)
def test_other_servers_receive_no_credentials(url: str) -> None:
    assert authorisation(SERVERS, url) is None
    with pytest.raises(ForeignURLError, match="nothing was sent"):
        SERVERS.resolve(url)


def test_https_is_the_same_server_as_http_on_default_ports() -> None:
    data, alyx = "http://data.example.org/public", "http://alyx.example.org"
    servers = DataServers((Login(data, "reader", "s3cret"),), base_url=alyx, token=lambda: {"Authorization": "Token a"})
    for url in ("https://data.example.org/public/lab/a.npy", "https://Data.example.org:443/public/lab/a.npy"):
        resolved, _ = servers.resolve(url)
        assert resolved == "https://data.example.org/public/lab/a.npy"
        assert authorisation(servers, resolved) == basic("reader", "s3cret")
        assert servers.path_on_server(resolved) == "lab/a.npy"
        # A redirect to https is followed with the same credentials, also those of the call.
        sent = servers.headers(resolved, trusted=True, extra={"X-Api-Key": "k"}, source_url=f"{data}/lab/a.npy")
        assert sent["X-Api-Key"] == "k"
    assert authorisation(servers, "https://alyx.example.org/cache.zip") == "Token a"
    for url in (
        "https://data.example.org:8443/public/a.npy",
        "https://data.example.org:80/public/a.npy",
        "https://data.example.org/private/a.npy",
        "https://other.example.org/public/a.npy",
        "http://data.example.org:443/public/a.npy",
    ):
        with pytest.raises(ForeignURLError):
            servers.resolve(url)
    for named in ("http://data.example.org:8080", "https://data.example.org"):
        with pytest.raises(ForeignURLError):
            DataServers((Login(named),)).resolve(f"{'https' if named[4] == ':' else 'http'}://data.example.org/a")


def test_no_credentials_are_sent_after_foreign_redirect() -> None:
    assert authorisation(SERVERS, f"{DATA}/a.npy", trusted=False) is None
    headers = {"Authorization": "mine", "Cookie": "c", "X-Api-Key": "k", "X-Amz-Security-Token": "t", "X-Lab": "lab"}
    url = f"{DATA}/a.npy"
    sent = SERVERS.headers(url, trusted=False, extra=headers, source_url=url)
    assert {name for name in sent if name in headers} == {"X-Lab"}
    sent = SERVERS.headers("https://two.example.org/a", trusted=True, extra=headers, source_url=url)
    assert {name for name in sent if name in headers} == {"X-Lab", "Authorization"}
    assert sent["Authorization"] == basic("other", "anders")
    assert SERVERS.headers(url, trusted=True, extra=headers, source_url=url)["Authorization"] == "mine"


def test_headers_of_the_download_itself_are_refused() -> None:
    for name in ("Range", "if-range", "Accept-Encoding", "Host"):
        with pytest.raises(ValueError, match="chunks="):
            Options(headers={name: "x"})


def test_paths_belong_to_first_server() -> None:
    assert SERVERS.resolve("lab/#2022#/a b%.npy") == (f"{DATA}/lab/%232022%23/a%20b%25.npy", None)
    assert SERVERS.resolve("/lab\\x.npy")[0] == f"{DATA}/lab/x.npy"
    for path in ("../private/a.npy", "a/../../b", "lab//a", ""):
        with pytest.raises(InvalidFileNameError):
            SERVERS.url_of_path(path)
    with pytest.raises(ForeignURLError, match="data_server="):
        DataServers(base_url=ALYX).resolve("lab/x.npy")


@pytest.mark.parametrize("path", ["%2e%2e/a", "a/..%2fb", "a%5c..%5cb", "../a", "a%00b"])
def test_urls_that_lead_to_another_folder_are_refused(path: str) -> None:
    with pytest.raises(InvalidFileNameError):
        SERVERS.resolve(f"{DATA}/{path}")


def test_urls_are_normalised() -> None:
    assert SERVERS.resolve("HTTPS://Data.example.org:443/public/#1#/a b.npy?s=1#part") == (
        f"{DATA}/%231%23/a%20b.npy?s=1",
        None,
    )
    url, login = SERVERS.resolve("https://me:p%40ss@data.example.org/public/a.npy")
    assert (url, login) == (f"{DATA}/a.npy", Login("https://data.example.org", "me", "p@ss"))
    assert "p@ss" not in repr(login)
    for other in ("ftp://data.example.org/a", "https:///a", "file:///etc/passwd"):
        with pytest.raises(ForeignURLError):
            SERVERS.resolve(other)


def test_path_on_server_excludes_path_of_server() -> None:
    assert SERVERS.path_on_server(f"{DATA}/lab/a.npy?x=1") == "lab/a.npy"
    assert SERVERS.path_on_server(f"{ALYX}/uploaded/a.npy") == "uploaded/a.npy"


def test_redirect_target_must_be_http() -> None:
    assert redirect_target(f"{DATA}/a/b.npy", "../c.npy?s=1") == f"{DATA}/c.npy?s=1"
    for location in ("ftp://x.org/a", "javascript:x", "file:///etc/passwd", "https://x.org/%2e%2e/a"):
        assert redirect_target(f"{DATA}/a", location) is None


def test_unencrypted_password_warns_once() -> None:
    servers = DataServers((Login("http://data.example.org", "a", "b"),))
    with pytest.warns(InsecureConnectionWarning):
        authorisation(servers, "http://data.example.org/a")
    assert authorisation(servers, "http://data.example.org/a") == basic("a", "b")
