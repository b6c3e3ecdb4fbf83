"""Limits as settings: from the argument, the environment and the settings file."""

from __future__ import annotations

import math

import pytest

from alyx_client.config import find_settings
from alyx_client.config.limits import LIMITS, Limits
from alyx_client.errors import ConfigurationError
from tests.config.stored_settings import URL, write_toml


@pytest.mark.parametrize("name", LIMITS)
def test_limit_comes_from_argument_environment_settings_file_and_default(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def found(**arguments: float) -> tuple[float, str | None]:
        settings = find_settings(URL, limits=arguments)
        return getattr(settings.limits, name), settings.sources.get(name)

    assert found() == (getattr(Limits(), name), None)
    write_toml(f'[servers."{URL}"]\n{name} = 60\n')
    assert found() == (60, "settings file")
    monkeypatch.setenv(f"ALYX_{name.upper()}", "20")
    assert found() == (20, f"ALYX_{name.upper()}")
    assert found(**{name: 5}) == (5, "argument")


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", ["much", -1, math.nan, True, [1]])
def test_what_is_no_limit_is_refused_everywhere(monkeypatch: pytest.MonkeyPatch, name: str, value: object) -> None:
    with pytest.raises((TypeError, ValueError), match=name):
        find_settings(URL, limits={name: value})  # type: ignore[dict-item]
    if not isinstance(value, bool):
        monkeypatch.setenv(f"ALYX_{name.upper()}", str(value))
        with pytest.raises(ConfigurationError, match=f"ALYX_{name.upper()}"):
            find_settings(URL)
        monkeypatch.delenv(f"ALYX_{name.upper()}")
    text = repr(value) if isinstance(value, str) else str(value).lower()
    write_toml(f'[servers."{URL}"]\n{name} = {text}\n')
    with pytest.raises(ConfigurationError, match=rf"line 2: {name}"):
        find_settings(URL)
