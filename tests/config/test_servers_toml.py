"""Reading and saving the settings file."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from alyx_client.config import DataServer, find_settings, servers_file
from alyx_client.config.save import save_settings
from alyx_client.config.settings import find_base_url
from alyx_client.config.toml_write import write_value
from alyx_client.errors import AlyxWarning, ConfigurationError, MissingCredentialsError
from tests.config.stored_settings import DATA, HOSTILE, OTHER, URL, everything_below, settings_of, write_toml


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
def test_invalid_file_is_an_error_that_names_the_line(isolated_settings: Path, text: str, message: str) -> None:
    file = write_toml(text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        find_settings(URL)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfed\x00e\x00", 'username = "Müller"'.encode("latin-1")])
def test_file_in_another_encoding_is_an_error(isolated_settings: Path, content: bytes) -> None:
    write_toml("").write_bytes(content)
    with pytest.raises(ConfigurationError, match="UTF-8"):
        find_settings(URL)


def test_invalid_file_is_read_only_when_needed(isolated_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_toml("broken")
    assert find_base_url(URL) == URL
    monkeypatch.setenv("ALYX_URL", OTHER)
    assert find_base_url() == OTHER
    monkeypatch.delenv("ALYX_URL")
    with pytest.raises(ConfigurationError):
        find_base_url()


def test_invalid_file_is_not_overwritten(isolated_settings: Path) -> None:
    settings = find_settings(URL)
    file = write_toml("broken")
    with pytest.raises(ConfigurationError):
        save_settings(settings, default=True)
    assert file.read_text() == "broken"


def test_unknown_setting_is_reported_with_the_nearest_name(isolated_settings: Path) -> None:
    write_toml(f'[servers."{URL}"]\ncach_dir = "/x"\n')
    with pytest.warns(AlyxWarning, match=r"'cach_dir'; is cache_dir meant"):
        find_settings(URL)


def test_files_of_windows_editors_are_read(isolated_settings: Path) -> None:
    write_toml("").write_bytes(f'\ufeffdefault = "{URL}"\r\n[servers."{URL}"]\r\nusername = "o"\r\n'.encode())
    assert (find_settings().base_url, find_settings().username) == (URL, "o")


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
def test_unusual_text_is_saved_and_found_again(isolated_settings: Path, text: str) -> None:
    folder = isolated_settings / text.replace("\x00", "")
    settings = settings_of(username=text, data_servers=(DataServer(DATA, text),), cache_dir=folder)
    save_settings(settings, default=False)
    save_settings(settings_of(base_url=OTHER), default=True)
    settings = find_settings(URL)
    assert (settings.username, settings.data_servers, settings.cache_dir) == (
        text,
        (DataServer(DATA, text),),
        folder,
    )


def test_name_that_toml_cannot_represent_is_an_error_and_nothing_is_written(isolated_settings: Path) -> None:
    with pytest.raises(ValueError, match="surrogate"):
        save_settings(settings_of(username="\udc80"), default=True)
    assert not servers_file().exists()


def test_other_servers_and_comments_are_preserved(isolated_settings: Path) -> None:
    write_toml(
        f"""# mine
default = "{OTHER}"  # for now

# about the other
[servers."{OTHER}"]
username = "ana"  # me

# about alyx
[servers."alyx.example.org"]   # main
username = "old"  # was "olivier" # once
# as written by hand
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
# as written by hand
favourite = 7 # unknown here
cache_dir = {folder}
data_server = "{DATA}"

[elsewhere]
x = 1979-05-27
"""
    )


def test_file_that_cannot_be_edited_by_lines_is_rewritten_and_backed_up(isolated_settings: Path) -> None:
    text = f'# mine\nservers = {{"{URL}" = {{username = "old"}}, "{OTHER}" = {{keyring = true}}}}\nwhen = 07:32:00\n'
    file = write_toml(text)
    with pytest.warns(AlyxWarning, match="rewritten"):
        save_settings(settings_of(), default=True)
    assert find_settings() == settings_of()
    assert find_settings(OTHER).keyring
    assert file.with_name("servers.toml.old").read_text() == text


def test_password_added_by_hand_stays_with_its_own_login_only(isolated_settings: Path) -> None:
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


def test_default_server_is_changed_on_request_only(isolated_settings: Path) -> None:
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
def test_file_is_readable_by_its_owner_only_and_a_link_stays_one(isolated_settings: Path, tmp_path: Path) -> None:
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
def test_read_only_folder_leaves_the_file_unchanged(isolated_settings: Path) -> None:
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
