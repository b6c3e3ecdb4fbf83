from __future__ import annotations

import json
import os
import stat
import sys
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from alyx_client.config import DataServer, Settings, find_settings, servers_file
from alyx_client.config.save import save_settings, write_server
from alyx_client.config.settings import find_base_url
from alyx_client.config.toml_edit import replace_list
from alyx_client.config.toml_write import write_document, write_value
from alyx_client.errors import AlyxWarning, ConfigurationError, MissingCredentialsError

URL = "https://alyx.example.org"
OTHER = "https://other.example.org"
DATA = "https://data.example.org/public"
HOSTILE = [
    "",
    "plain",
    'say "hi"',
    "it's",
    '"""',
    "back\\slash \\u0041 \\",
    "C:\\Users\\Ana María\\neuro\\x86",
    "line\nbreak\r\n\ttab",
    "\x00\x01\x1f\x7f\x80\x9f",
    "ä ß 漢字 🐭 e\u0301",
    "\u2028\u2029\u200e\ufeff",
    "# no comment",
    "[servers]",
    "a = 1",
    "{x}",
]


def write_toml(text: str) -> Path:
    file = servers_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    return file


def write_one(home: Path, default: bool = True, cache: str | None = "/data/one", **values: object) -> list[Path]:
    folder = home / ".one"
    folder.mkdir(exist_ok=True)
    caches: dict[str, object] = {"CLIENT_MAP": {"alyx.example.org": cache} if cache else {}}
    if default:
        caches["DEFAULT"] = "alyx.example.org"
    (folder / ".caches").write_text(json.dumps(caches))
    (folder / ".alyx.example.org").write_text(json.dumps({"ALYX_URL": URL, **values}))
    return sorted(folder.iterdir())


def everything_below(folder: Path) -> dict[Path, tuple[bytes, int]]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


# --- the order of sources


def test_nothing_known_says_what_to_do(isolated_settings: Path) -> None:
    with pytest.raises(MissingCredentialsError, match=r"ALYX_URL.*AlyxClient\.setup") as caught:
        find_settings()
    assert "https://alyx.example.org" in str(caught.value)
    with pytest.raises(MissingCredentialsError):
        find_base_url()


def test_each_value_comes_from_argument_then_environment_then_file_then_one(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = find_settings(URL)
    assert (bare.username, bare.data_servers, bare.keyring) == (None, (), False)
    assert bare.cache_dir == isolated_settings / "Downloads" / "ONE" / "alyx.example.org"
    write_one(isolated_settings, ALYX_LOGIN="one", HTTP_DATA_SERVER="https://one.example.org")

    def found() -> tuple[str | None, str, str]:
        settings = find_settings(URL)
        assert settings.data_server is not None
        return settings.username, settings.cache_dir.as_posix()[-9:], settings.data_server.url

    assert found() == ("one", "/data/one", "https://one.example.org")
    home = isolated_settings.as_posix()
    write_toml(
        f'[servers."{URL}"]\nusername = "file"\ncache_dir = "{home}/data/fil"\ndata_server = "file.example.org/"\n'
    )
    assert found() == ("file", "/data/fil", "https://file.example.org")
    for name, value in {"USERNAME": "env", "CACHE_DIR": f"{home}/data/env", "DATA_SERVER": "env.example.org"}.items():
        monkeypatch.setenv(f"ALYX_{name}", f" {value}\n")
    assert found() == ("env", "/data/env", "https://env.example.org")
    given = find_settings(URL, username="me", cache_dir=Path(f"{home}/data/arg"), data_server="arg.example.org")
    assert (given.username, given.cache_dir.name) == ("me", "arg")
    assert given.data_servers == (DataServer("https://arg.example.org"),)


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


def test_sources_are_told(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_environment_serves_the_server_it_names(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"URL": URL, "USERNAME": "u", "CACHE_DIR": "/c", "DATA_SERVER": DATA, "DATA_USERNAME": "d"}
    for name, value in values.items():
        monkeypatch.setenv(f"ALYX_{name}", value)
    monkeypatch.setenv("ALYX_DATA_PASSWORD", "p")
    assert find_settings(URL).data_servers == (DataServer(DATA, "d", "p"),)
    other = find_settings(OTHER, data_server=DATA)
    assert (other.username, other.data_servers) == (None, (DataServer(DATA),))
    assert other.sources["cache_dir"] == "default"


def test_reading_makes_nothing(isolated_settings: Path) -> None:
    find_settings(URL, cache_dir=isolated_settings / "data")
    assert list(isolated_settings.rglob("*")) == []


@pytest.mark.parametrize("source", ["argument", "environment", "file", "one"])
def test_answers_lie_below_a_chosen_folder(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    folder = isolated_settings / "chosen"
    given = folder if source == "argument" else None
    if source == "environment":
        monkeypatch.setenv("ALYX_CACHE_DIR", str(folder))
    if source == "file":
        write_toml(f'[servers."{URL}"]\ncache_dir = {write_value(str(folder))}\n')
    if source == "one":
        write_one(isolated_settings, cache=str(folder))
    assert find_settings(URL, cache_dir=given).rest_cache_dir == folder / ".rest"


def test_answers_lie_in_the_platforms_cache_otherwise(isolated_settings: Path) -> None:
    settings = find_settings(URL)
    assert settings.cache_dir not in settings.rest_cache_dir.parents
    assert "alyx-client" in settings.rest_cache_dir.parts


def test_folders_are_absolute_and_know_the_home_folder(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_settings(URL, cache_dir="~/x").cache_dir == isolated_settings / "x"
    assert find_settings(URL, cache_dir="x").cache_dir == tmp_path / "x"
    write_toml(f'[servers."{URL}"]\ncache_dir = "~/y"\n')
    assert find_settings(URL).cache_dir == isolated_settings / "y"


# --- logins of data servers


def test_login_goes_to_the_data_server_it_was_given_for(
    isolated_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = {"HTTP_DATA_SERVER": DATA, "HTTP_DATA_SERVER_LOGIN": "ibl", "HTTP_DATA_SERVER_PWD": "secret"}
    write_one(isolated_settings, **one)
    known = DataServer(DATA, "ibl", "secret")
    assert find_settings(URL).data_servers == (known,)
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
    assert find_settings(URL, data_server=DATA).data_servers == (known,)
    both = find_settings(URL, data_server=[DATA, OTHER]).data_servers
    assert both == (known, DataServer(OTHER))


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


# --- ONE's files


def test_ones_files_are_enough_and_are_never_written(isolated_settings: Path) -> None:
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
def test_damaged_files_of_one_are_passed_over(isolated_settings: Path, content: str) -> None:
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


def test_default_of_one_cannot_lead_out_of_its_folder(isolated_settings: Path) -> None:
    write_one(isolated_settings)
    (isolated_settings / "evil").write_text(json.dumps({"ALYX_URL": "https://evil.org"}))
    (isolated_settings / ".one" / ".caches").write_text(json.dumps({"DEFAULT": "/../evil"}))
    with pytest.raises(MissingCredentialsError):
        find_base_url()


@pytest.mark.parametrize(
    ("server", "found"),
    [
        ("https://ibl.flatironinstitute.org", "https://ibl.flatironinstitute.org/public"),
        ("https://ibl.flatironinstitute.org/", "https://ibl.flatironinstitute.org/public"),
        ("https://ibl.flatironinstitute.org/public", "https://ibl.flatironinstitute.org/public"),
        ("https://mirror.example.org", "https://mirror.example.org"),
    ],
)
def test_old_address_of_the_public_data_is_mended(isolated_settings: Path, server: str, found: str) -> None:
    url = "https://openalyx.example.org"
    folder = isolated_settings / ".one"
    folder.mkdir()
    (folder / ".openalyx.example.org").write_text(json.dumps({"ALYX_URL": url, "HTTP_DATA_SERVER": server}))
    assert find_settings(url).data_servers == (DataServer(found),)


# --- the settings file


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("default = \n", r"servers\.toml.*line 1"),
        ('default = "x.org"\n\n[servers\n', r"servers\.toml.*line 3"),
        (f'[servers."{URL}"]\nkeyring = true\nusername = 5\n', r"servers\.toml, line 3: username of .* text in quotes"),
        (f'[servers."{URL}"]\nkeyring = "yes"\n', r"line 2: keyring .* true or false"),
        (f'[servers."{URL}"]\ncache_dir = "data"\n', r"line 2: cache_dir .* whole path"),
        (f'[servers."{URL}"]\ndata_server = "ftp://x"\n', r"line 2: data_server .* is wrong"),
        (f'[servers."{URL}"]\nmore_data_servers = ["x"]\n', r"line 2: more_data_servers .* url each"),
        ('[servers."https://a b"]\n', "wrong name"),
        (f'[servers."{URL}"]\n[servers."alyx.example.org"]\n', "same server"),
        ("servers = 3\n", "must hold tables"),
        (f'[servers]\n"{URL}" = 3\n', "must be a table"),
    ],
)
def test_broken_file_is_an_error_that_names_the_place(isolated_settings: Path, text: str, message: str) -> None:
    file = write_toml(text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        find_settings(URL)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfed\x00e\x00", 'username = "Müller"'.encode("latin-1")])
def test_file_in_another_encoding_is_an_error(isolated_settings: Path, content: bytes) -> None:
    write_toml("").write_bytes(content)
    with pytest.raises(ConfigurationError, match="UTF-8"):
        find_settings(URL)


def test_broken_file_is_read_only_when_needed(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_toml("broken")
    assert find_base_url(URL) == URL
    monkeypatch.setenv("ALYX_URL", OTHER)
    assert find_base_url() == OTHER
    monkeypatch.delenv("ALYX_URL")
    with pytest.raises(ConfigurationError):
        find_base_url()


def test_broken_file_is_not_overwritten(isolated_settings: Path) -> None:
    settings = find_settings(URL)
    file = write_toml("broken")
    with pytest.raises(ConfigurationError):
        save_settings(settings, default=True)
    assert file.read_text() == "broken"


def test_unknown_setting_is_named_with_the_nearest(isolated_settings: Path) -> None:
    write_toml(f'[servers."{URL}"]\ncach_dir = "/x"\n')
    with pytest.warns(AlyxWarning, match=r"'cach_dir'; is cache_dir meant"):
        find_settings(URL)


def test_what_windows_editors_write_is_read(isolated_settings: Path) -> None:
    write_toml("").write_bytes(f'\ufeffdefault = "{URL}"\r\n[servers."{URL}"]\r\nusername = "o"\r\n'.encode())
    assert (find_settings().base_url, find_settings().username) == (URL, "o")


# --- saving


def settings_of(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "base_url": URL,
        "username": "olivier",
        "data_servers": (DataServer(DATA, "ibl"),),
        "cache_dir": Path.home() / "data",
        "rest_cache_dir": Path.home() / "data" / ".rest",
    }
    return Settings(**{**values, **changes})


def test_saved_settings_are_found_again(isolated_settings: Path) -> None:
    further = (DataServer(DATA, "ibl"), DataServer(OTHER, "b"), DataServer("https://open.example.org"))
    settings = settings_of(data_servers=further)
    file = save_settings(settings, default=True)
    assert find_settings() == settings
    text = file.read_text()
    save_settings(find_settings(), default=True)
    assert file.read_text() == text
    assert text.startswith("#")


@pytest.mark.parametrize("text", HOSTILE[1:])
def test_hostile_text_survives(isolated_settings: Path, text: str) -> None:
    home = str(isolated_settings / text.replace("\x00", ""))
    settings = settings_of(username=text, data_servers=(DataServer(DATA, text),), cache_dir=Path(home))
    save_settings(settings, default=False)
    save_settings(settings_of(base_url=OTHER), default=True)
    found = find_settings(URL)
    assert (found.username, found.data_servers, found.cache_dir) == (text, (DataServer(DATA, text),), Path(home))


def test_name_that_toml_cannot_hold_is_an_error_and_nothing_is_written(isolated_settings: Path) -> None:
    with pytest.raises(ValueError, match="surrogate"):
        save_settings(settings_of(username="\udc80"), default=True)
    assert not servers_file().exists()


def test_other_servers_and_comments_stay(isolated_settings: Path) -> None:
    write_toml(
        f"""# mine
default = "{OTHER}"  # for now

# about the other
[servers."{OTHER}"]
username = "ana"  # me

# about alyx
[servers."alyx.example.org"]   # main
username = "old"  # was "olivier" # once
# how it is kept
favourite = 7 # unknown here

[elsewhere]
x = 1979-05-27
"""
    )
    with pytest.warns(AlyxWarning, match="favourite"):
        file = save_settings(settings_of(data_servers=(DataServer(DATA),)), default=True)
    folder = write_value(str(Path.home() / "data"))
    assert (
        file.read_text()
        == f"""# mine
default = "{URL}"  # for now

# about the other
[servers."{OTHER}"]
username = "ana"  # me

# about alyx
[servers."alyx.example.org"]   # main
username = "olivier"  # was "olivier" # once
# how it is kept
favourite = 7 # unknown here
cache_dir = {folder}
data_server = "{DATA}"

[elsewhere]
x = 1979-05-27
"""
    )


def test_file_in_a_form_that_lines_cannot_change_is_written_anew_and_kept(isolated_settings: Path) -> None:
    text = f'# mine\nservers = {{"{URL}" = {{username = "old"}}, "{OTHER}" = {{keyring = true}}}}\nwhen = 07:32:00\n'
    file = write_toml(text)
    with pytest.warns(AlyxWarning, match="rewritten"):
        save_settings(settings_of(), default=True)
    assert find_settings() == settings_of()
    assert find_settings(OTHER).keyring
    assert file.with_name("servers.toml.old").read_text() == text


def test_password_written_by_hand_stays_with_its_login_alone(isolated_settings: Path) -> None:
    def write() -> None:
        write_toml(
            f'[servers."{URL}"]\ndata_server = "{DATA}"\ndata_username = "ibl"\ndata_password = "by-hand"\n'
            f'[[servers."{URL}".more_data_servers]]\nurl = "{OTHER}"\nusername = "b"\npassword = "by-hand-too"\n'
        )

    write()
    same = find_settings(URL)
    save_settings(same, default=True)
    assert find_settings(URL) == same
    for changed in (DataServer(DATA, "ana"), DataServer("https://new.example.org", "ibl"), DataServer(DATA)):
        write()
        save_settings(settings_of(data_servers=(changed, *same.data_servers[1:])), default=True)
        assert find_settings(URL).data_servers == (changed, same.data_servers[1])
    write()
    third = DataServer("https://third.example.org")
    save_settings(settings_of(data_servers=(*same.data_servers, third)), default=True)
    assert find_settings(URL).data_servers == (*same.data_servers, third)
    write()
    save_settings(settings_of(data_servers=()), default=True)
    assert "by-hand" not in servers_file().read_text()


def test_passwords_are_never_written(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_DATA_PASSWORD", "secret-password")
    monkeypatch.setenv("ALYX_PASSWORD", "secret-password")
    both = (DataServer(DATA, "a", "secret-password"), DataServer(OTHER, "b", "secret-password"))
    settings = find_settings(URL, username="o", data_server=both, data_password="secret-password")
    save_settings(settings, default=True)
    assert not any(b"secret-password" in content for content, _ in everything_below(isolated_settings).values())


def test_default_server_is_changed_only_when_asked(isolated_settings: Path) -> None:
    save_settings(settings_of(), default=True)
    save_settings(settings_of(base_url=OTHER), default=False)
    assert find_base_url() == URL
    save_settings(settings_of(base_url=OTHER), default=True)
    assert find_base_url() == OTHER
    save_settings(settings_of(base_url=OTHER), default=False)
    with pytest.raises(MissingCredentialsError):
        find_base_url()


def test_default_cache_folder_is_not_written(isolated_settings: Path) -> None:
    settings = find_settings(URL, username="o")
    file = save_settings(settings, default=True)
    assert "cache_dir" not in file.read_text()
    assert find_settings() == settings


@pytest.mark.skipif(sys.platform == "win32", reason="file modes and links are POSIX's")
def test_file_is_the_owners_alone_and_a_link_stays_one(isolated_settings: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "servers.toml"
    real.parent.mkdir()
    real.write_text("# linked\n")
    servers_file().parent.mkdir(parents=True)
    servers_file().symlink_to(real)
    save_settings(settings_of(), default=True)
    assert servers_file().is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert find_settings() == settings_of()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs folders that are read-only")
def test_folder_that_cannot_be_written_leaves_the_file(isolated_settings: Path) -> None:
    file = save_settings(settings_of(), default=True)
    before = file.read_bytes()
    file.parent.chmod(0o500)
    try:
        with pytest.raises(OSError, match="denied"):
            save_settings(settings_of(username="x"), default=True)
    finally:
        file.parent.chmod(0o700)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


# --- TOML


@pytest.mark.parametrize("text", HOSTILE)
def test_text_and_names_survive_toml(text: str) -> None:
    document = {text: text, "table": {text: {text: [text, True, False, 3]}}, "list": [{"a": text}, {"b": text}]}
    assert tomllib.loads(write_document(document)) == document


def test_every_type_survives_toml() -> None:
    document = {
        "x": 1.5,
        "big": 1e300,
        "n": -3,
        "day": date(2020, 1, 2),
        "time": datetime(2020, 1, 2, 3, 4, 5),
        "empty": {},
        "none": [],
        "nested": [[1, 2], ["a"]],
        "mixed": [{"a": {"b": 1}}, 2],
    }
    assert tomllib.loads(write_document(document)) == document


def test_every_control_character_survives_toml() -> None:
    text = "".join(chr(code) for code in [*range(0x20), 0x7F, *range(0x80, 0xA0), 0x1F42D])
    assert tomllib.loads(f"x = {write_value(text)}") == {"x": text}


def test_several_lines_of_one_value_are_not_torn(isolated_settings: Path) -> None:
    write_toml(f'[servers."{URL}"]\nusername = """\nold"""\n')
    with pytest.warns(AlyxWarning, match="rewritten"):
        write_server(URL, {"username": "new"}, default=False)
    assert find_settings(URL).username == "new"


def test_list_entries_are_replaced_without_what_stands_around_them() -> None:
    text = '[a]\nx = 1\n[[a.l]]\nurl = "1"\n\n# about b\n[b]\ny = 2\n[[a.l]]\nurl = "2"\n'
    changed = replace_list(text, ("a", "l"), [{"url": "3", "username": None}])
    assert tomllib.loads(changed) == {"a": {"x": 1, "l": [{"url": "3"}]}, "b": {"y": 2}}
    assert "# about b\n[b]" in changed
