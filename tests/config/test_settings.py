"""Settings from arguments, environment, the settings file and ONE's files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alyx_client.config import DataServer, find_settings
from alyx_client.config.save import save_settings
from alyx_client.config.settings import find_base_url
from alyx_client.config.toml_write import write_value
from alyx_client.errors import MissingCredentialsError
from alyx_client.storage.file_system import user_label
from tests.config.stored_settings import DATA, OTHER, URL, everything_below, write_one, write_toml


def test_error_without_a_server_says_what_to_do(isolated_settings: Path) -> None:
    with pytest.raises(MissingCredentialsError, match=r"ALYX_URL.*AlyxClient\.setup") as caught:
        find_settings()
    assert "https://alyx.example.org" in str(caught.value)
    with pytest.raises(MissingCredentialsError):
        find_base_url()


def test_values_come_from_argument_then_environment_then_file_then_one(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = find_settings(URL)
    assert (bare.username, bare.data_servers, bare.keyring) == (None, (), False)
    assert bare.cache_dir == isolated_settings / "Downloads" / "ONE" / "alyx.example.org"
    write_one(isolated_settings, ALYX_LOGIN="one", HTTP_DATA_SERVER="https://one.example.org")

    def values() -> tuple[str | None, str, str]:
        settings = find_settings(URL)
        assert settings.data_server is not None
        return settings.username, settings.cache_dir.as_posix()[-9:], settings.data_server.url

    assert values() == ("one", "/data/one", "https://one.example.org")
    home = isolated_settings.as_posix()
    write_toml(
        f'[servers."{URL}"]\nusername = "file"\ncache_dir = "{home}/data/fil"\ndata_server = "file.example.org/"\n'
    )
    assert values() == ("file", "/data/fil", "https://file.example.org")
    for name, value in {"USERNAME": "env", "CACHE_DIR": f"{home}/data/env", "DATA_SERVER": "env.example.org"}.items():
        monkeypatch.setenv(f"ALYX_{name}", f" {value}\n")
    assert values() == ("env", "/data/env", "https://env.example.org")
    settings = find_settings(URL, username="me", cache_dir=Path(f"{home}/data/arg"), data_server="arg.example.org")
    assert (settings.username, settings.cache_dir.name) == ("me", "arg")
    assert settings.data_servers == (DataServer("https://arg.example.org"),)


def test_server_comes_from_argument_then_environment_then_file_then_one(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_one(isolated_settings)
    assert find_base_url() == find_settings().base_url == URL
    write_toml('default = "Other.example.org/"\n')
    assert find_base_url() == find_settings().base_url == OTHER
    monkeypatch.setenv("ALYX_URL", "env.example.org")
    assert find_base_url() == find_settings().base_url == "https://env.example.org"
    assert find_base_url("http://x.org:80/") == find_settings("http://x.org:80/").base_url == "http://x.org"


def test_sources_are_reported(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_one(isolated_settings, ALYX_LOGIN="one")
    monkeypatch.setenv("ALYX_DATA_SERVER", "data.example.org")
    sources = find_settings(cache_dir="x").sources
    assert dict(sources) == {
        "base_url": "ONE",
        "username": "ONE",
        "data_servers": "ALYX_DATA_SERVER",
        "cache_dir": "argument",
        "keyring": "default",
    }


def test_environment_applies_to_the_server_it_names(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"URL": URL, "USERNAME": "u", "CACHE_DIR": "/c", "DATA_SERVER": DATA, "DATA_USERNAME": "d"}
    for name, value in values.items():
        monkeypatch.setenv(f"ALYX_{name}", value)
    monkeypatch.setenv("ALYX_DATA_PASSWORD", "p")
    assert find_settings(URL).data_servers == (DataServer(DATA, "d", "p"),)
    other = find_settings(OTHER, data_server=DATA)
    assert (other.username, other.data_servers) == (None, (DataServer(DATA),))
    assert other.sources["cache_dir"] == "default"


def test_finding_settings_creates_nothing(isolated_settings: Path) -> None:
    find_settings(URL, cache_dir=isolated_settings / "data")
    assert list(isolated_settings.rglob("*")) == []


@pytest.mark.parametrize("source", ["argument", "environment", "file", "one"])
def test_cached_responses_go_below_a_chosen_folder(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    folder = isolated_settings / "chosen"
    argument = folder if source == "argument" else None
    if source == "environment":
        monkeypatch.setenv("ALYX_CACHE_DIR", str(folder))
    if source == "file":
        write_toml(f'[servers."{URL}"]\ncache_dir = {write_value(str(folder))}\n')
    if source == "one":
        write_one(isolated_settings, cache=str(folder))
    assert find_settings(URL, cache_dir=argument).rest_cache_dir == folder / f".rest-{user_label()}"


def test_cached_responses_go_to_the_platforms_cache_by_default(isolated_settings: Path) -> None:
    settings = find_settings(URL)
    assert settings.cache_dir not in settings.rest_cache_dir.parents
    assert "alyx-client" in settings.rest_cache_dir.parts


def test_folders_are_made_absolute(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_settings(URL, cache_dir="~/x").cache_dir == isolated_settings / "x"
    assert find_settings(URL, cache_dir="x").cache_dir == tmp_path / "x"
    write_toml(f'[servers."{URL}"]\ncache_dir = "~/y"\n')
    assert find_settings(URL).cache_dir == isolated_settings / "y"


def test_login_is_used_for_its_own_data_server_only(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = {"HTTP_DATA_SERVER": DATA, "HTTP_DATA_SERVER_LOGIN": "ibl", "HTTP_DATA_SERVER_PWD": "secret"}
    write_one(isolated_settings, **one)
    expected = DataServer(DATA, "ibl", "secret")
    assert find_settings(URL).data_servers == (expected,)
    assert find_settings(URL, data_server="https://data.example.org/").data_servers == (
        DataServer("https://data.example.org", "ibl", "secret"),
    )
    for elsewhere in ("http://data.example.org/public", "https://data.example.org:8443", "https://evil.org"):
        assert find_settings(URL, data_server=elsewhere).data_servers == (DataServer(elsewhere),)
    assert find_settings(URL, data_username="ana").data_servers == (DataServer(DATA, "ana"),)
    assert find_settings(URL, data_password="p").data_servers == (DataServer(DATA, "ibl", "p"),)
    monkeypatch.setenv("ALYX_DATA_SERVER", OTHER)
    monkeypatch.setenv("ALYX_DATA_USERNAME", "env")
    monkeypatch.setenv("ALYX_DATA_PASSWORD", "env-secret")
    assert find_settings(URL).data_servers == (DataServer(OTHER, "env", "env-secret"),)
    assert find_settings(URL, data_server=DATA).data_servers == (expected,)
    both = find_settings(URL, data_server=[DATA, OTHER]).data_servers
    assert both == (expected, DataServer(OTHER))


def test_several_data_servers_have_their_own_logins(isolated_settings: Path) -> None:
    write_toml(
        f'[servers."{URL}"]\ndata_server = "{DATA}"\ndata_username = "a"\ndata_password = "1"\n'
        f'[[servers."{URL}".more_data_servers]]\nurl = "{OTHER}"\nusername = "b"\npassword = "2"\n'
        f'[[servers."{URL}".more_data_servers]]\nurl = "https://open.example.org"\n'
    )
    assert find_settings(URL).data_servers == (
        DataServer(DATA, "a", "1"),
        DataServer(OTHER, "b", "2"),
        DataServer("https://open.example.org"),
    )
    assert [server.login() for server in find_settings(URL).data_servers] == [("a", "1"), ("b", "2"), None]


def test_repr_shows_no_password() -> None:
    assert "secret" not in repr(find_settings(URL, data_server=DataServer(DATA, "u", "secret")))


@pytest.mark.parametrize("wrong", ["ftp://x.org", "https://", "https://u:secret@x.org", "https://x.org/?a=b"])
def test_wrong_data_server_is_an_error_without_secrets(wrong: str) -> None:
    with pytest.raises(ValueError, match="data server") as caught:
        find_settings(URL, data_server=wrong)
    assert "secret" not in str(caught.value)


def test_ones_files_suffice_and_are_never_written(isolated_settings: Path) -> None:
    write_one(
        isolated_settings,
        ALYX_LOGIN="olivier",
        HTTP_DATA_SERVER=DATA,
        HTTP_DATA_SERVER_LOGIN=None,
        HTTP_DATA_SERVER_PWD=None,
        cache="~/one data",
    )
    before = everything_below(isolated_settings)
    settings = find_settings()
    assert (settings.base_url, settings.username) == (URL, "olivier")
    assert settings.data_servers == (DataServer(DATA),)
    assert settings.cache_dir == isolated_settings / "one data"
    assert everything_below(isolated_settings) == before
    save_settings(settings, default=True)
    after = everything_below(isolated_settings)
    assert {file: after[file] for file in before} == before
    assert sorted((isolated_settings / ".one").iterdir()) == sorted(before)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_ones_settings_of_a_server_with_port_and_path_are_found(isolated_settings: Path, scheme: str) -> None:
    folder = isolated_settings / ".one"
    folder.mkdir()
    key = "x.org_8443_alyx-main"
    (folder / ".caches").write_text(json.dumps({"CLIENT_MAP": {key: "/d"}, "DEFAULT": key}))
    (folder / f".{key}").write_text(json.dumps({"ALYX_URL": f"{scheme}://X.org:8443/alyx-main/", "ALYX_LOGIN": "o"}))
    settings = find_settings()
    assert settings.base_url == f"{scheme}://x.org:8443/alyx-main"
    assert (settings.username, settings.sources["cache_dir"]) == ("o", "ONE")
    other = "http" if scheme == "https" else "https"
    assert find_settings(f"{other}://x.org:8443/alyx-main").username is None


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "\x00", "[" * 100_000, '{"CLIENT_MAP": 3, "DEFAULT": ["x"]}', "null"]
)
def test_damaged_files_of_one_are_ignored(isolated_settings: Path, content: str) -> None:
    for file in write_one(isolated_settings, ALYX_LOGIN="olivier"):
        file.write_text(content)
    assert find_settings(URL).username is None
    with pytest.raises(MissingCredentialsError):
        find_settings()


@pytest.mark.parametrize("values", [{"ALYX_LOGIN": None}, {"ALYX_LOGIN": ""}, {"HTTP_DATA_SERVER": "ftp://x"}, {}])
def test_missing_values_of_one_are_none(isolated_settings: Path, values: dict[str, object]) -> None:
    write_one(isolated_settings, cache=None, **values)
    settings = find_settings()
    assert (settings.username, settings.data_servers, settings.sources["cache_dir"]) == (None, (), "default")


def test_default_server_of_one_cannot_lead_out_of_its_folder(isolated_settings: Path) -> None:
    write_one(isolated_settings)
    (isolated_settings / "evil").write_text(json.dumps({"ALYX_URL": "https://evil.org"}))
    (isolated_settings / ".one" / ".caches").write_text(json.dumps({"DEFAULT": "/../evil"}))
    with pytest.raises(MissingCredentialsError):
        find_base_url()


@pytest.mark.parametrize(
    ("address", "corrected"),
    [
        ("https://ibl.flatironinstitute.org", "https://ibl.flatironinstitute.org/public"),
        ("https://ibl.flatironinstitute.org/", "https://ibl.flatironinstitute.org/public"),
        ("https://ibl.flatironinstitute.org/public", "https://ibl.flatironinstitute.org/public"),
        ("https://mirror.example.org", "https://mirror.example.org"),
    ],
)
def test_old_address_of_the_public_data_is_corrected(isolated_settings: Path, address: str, corrected: str) -> None:
    url = "https://openalyx.example.org"
    folder = isolated_settings / ".one"
    folder.mkdir()
    (folder / ".openalyx.example.org").write_text(json.dumps({"ALYX_URL": url, "HTTP_DATA_SERVER": address}))
    assert find_settings(url).data_servers == (DataServer(corrected),)
