"""Odd values in variables of the environment, in the settings file and in ONE's files."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import pytest

from alyx_client import AlyxClient
from alyx_client.config import DataServer, data_server, find_settings, servers_file
from alyx_client.errors import ConfigurationError
from alyx_client.storage import file_system
from tests.config.stored_settings import URL, write_one, write_toml


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        *(("ALYX_URL", value) for value in ("http://[", "a b", "https://u:secret@h/", "h/?q", "file:///x", "h:99999")),
        *(("ALYX_DATA_SERVER", value) for value in ("http://[", "a b", "https://u:secret@h/", "h/#x", "\udc80")),
        ("ALYX_CACHE_DIR", "~nobody-of-this-name/x"),
    ],
)
def test_variable_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=f"environment variable {variable}") as raised:
        AlyxClient(None if variable == "ALYX_URL" else URL)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("name", ["https://u:secret@h/", "u:secret@h", "https://u:secret@["])
def test_password_in_the_name_of_a_server_is_not_shown(name: str) -> None:
    write_toml(f"[servers.'{name}']\n")
    with pytest.raises(ConfigurationError, match="has a wrong name") as raised:
        find_settings(URL)
    assert "secret" not in str(raised.value)


def test_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_system, "_LARGEST", 1000)
    write_toml("#" * 1001)
    with pytest.raises(ConfigurationError, match=r"servers\.toml cannot be read: it has more than 1,000 bytes"):
        find_settings(URL)
    write_toml("#" * 1000)
    assert find_settings(URL).base_url == URL


@pytest.mark.skipif(sys.platform != "linux", reason="files of Linux that wait for their content")
def test_file_of_the_system_that_waits_does_not_hang() -> None:
    file = servers_file()
    file.parent.mkdir(parents=True)
    for special in ("/proc/kmsg", "/proc/self/mem"):
        file.symlink_to(special)
        # Whether it can be read at all depends on the user.
        with contextlib.suppress(ConfigurationError):
            find_settings(URL)
        file.unlink()


def test_many_data_servers_are_read_without_comparing_each_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(data_server, "same_origin", lambda *urls: compared.append(urls))
    tables = ", ".join(f'{{url = "https://d{number}.example.org"}}' for number in range(500))
    write_toml(f'[servers."{URL}"]\nmore_data_servers = [{tables}]\n')
    assert find_settings(URL).data_servers[-1] == DataServer("https://d499.example.org")
    assert len(compared) < 500


@pytest.mark.parametrize("value", ["\ud800", "a\0b"])
def test_text_of_ones_that_cannot_be_sent_counts_as_damaged(isolated_settings: Path, value: str) -> None:
    write_one(isolated_settings, ALYX_LOGIN=value, ALYX_PWD=value, HTTP_DATA_SERVER=value)
    settings = find_settings(URL)
    assert (settings.username, settings.data_servers) == (None, ())


@pytest.mark.skipif(os.name == "nt", reason="names of variables and values are text there")
@pytest.mark.parametrize("name", ["ALYX_USERNAME", "ALYX_URL", "ALYX_TOKEN", "ALYX_PASSWORD", "ALYX_TIMEOUT"])
def test_variable_that_is_no_text_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x\udc80")
    with pytest.raises(ConfigurationError, match=name):
        AlyxClient(
            None if name == "ALYX_URL" else URL, None if name in ("ALYX_USERNAME", "ALYX_TOKEN") else "me"
        ).authenticate()
