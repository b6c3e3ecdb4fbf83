"""Limits as settings: from the argument, the environment and the settings file."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from alyx_client import AlyxClient
from alyx_client.config import find_settings
from alyx_client.config.limits import LIMITS, Limits
from alyx_client.errors import ConfigurationError, DeadlineExceededError
from alyx_client.testing import LocalAlyx
from tests.config.stored_settings import URL, write_toml
from tests.faults import FaultServer, silent

numpy: Any = pytest.importorskip("numpy")


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


class _Number:
    def __float__(self) -> float:
        return 7.0


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", [Decimal(7), Fraction(7), _Number(), numpy.float32(7), numpy.int8(7)], ids=type)
def test_limit_is_a_number_of_pythons_own(local_alyx: LocalAlyx, name: str, value: Any) -> None:
    limit = getattr(find_settings(URL, limits={name: value}).limits, name)
    assert (limit, type(limit) in (int, float)) == (7, True)
    if name != "max_response_bytes":
        with AlyxClient(local_alyx.url, "olivier", "olivier", cache_rest=None, **{name: value}) as client:
            assert client.labs.list()
            client.authenticate("olivier", "olivier")
    if name == "timeout":
        with AlyxClient(local_alyx.url, token=local_alyx.token(), cache_rest=None) as client:
            assert client.labs.list(timeout=value)
            client.timeout = value
            assert (client.timeout, len(client.get("/labs"))) == (7, len(client.labs.list()))


@pytest.mark.parametrize("name", [*LIMITS, "connect_timeout", "read_timeout"])
@pytest.mark.parametrize("value", [numpy.timedelta64(5, "ms"), numpy.bool_(True), timedelta(seconds=5), Decimal("NaN")])
def test_durations_and_truth_are_no_limits(name: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=name):
        AlyxClient(URL, **{name: value})


def test_limit_of_logins_is_in_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALYX_LOGIN_TIMEOUT", "0.05")
    with FaultServer(then=silent(5)) as server, AlyxClient(server.url, "x", "y", cache_rest=None) as client:
        for call in (client.authenticate, client.labs.list):
            with pytest.raises(DeadlineExceededError, match=r"login_timeout=0\.05 s.*ALYX_LOGIN_TIMEOUT"):
                call()
