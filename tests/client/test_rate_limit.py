"""The rate limit as a setting, and processes that share it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.config import find_settings
from alyx_client.errors import ConfigurationError, DeadlineExceededError
from alyx_client.http.rate import Rate
from alyx_client.testing import LocalAlyx
from tests.config.stored_settings import URL, write_toml


def test_rate_limit_comes_from_argument_environment_settings_file_and_default(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(text: str | None = None) -> tuple[Rate | None, str | None]:
        settings = find_settings(URL, rate_limit=text)
        return settings.rate_limit, settings.sources.get("rate_limit")

    assert found() == (None, None)
    write_toml(f'[servers."{URL}"]\nrate_limit = "60/hour"\n')
    assert found() == (Rate(60, 3600.0), "settings file")
    monkeypatch.setenv("ALYX_RATE_LIMIT", "20/minute")
    assert found() == (Rate(20, 60.0), "ALYX_RATE_LIMIT")
    assert found("5/second") == (Rate(5, 1.0), "argument")


@pytest.mark.parametrize("value", ["much", "0/minute", "5/week", "5"])
def test_what_is_no_rate_is_refused_everywhere(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    for client in (AlyxClient, AsyncAlyxClient):
        with pytest.raises(ValueError, match=r"rate_limit=.*500/minute"):
            client(URL, rate_limit=value)
    monkeypatch.setenv("ALYX_RATE_LIMIT", value)
    with pytest.raises(ConfigurationError, match=r"ALYX_RATE_LIMIT.*500/minute"):
        AlyxClient(URL)
    monkeypatch.delenv("ALYX_RATE_LIMIT")
    write_toml(f'[servers."{URL}"]\nrate_limit = "{value}"\n')
    with pytest.raises(ConfigurationError, match=r"line 2: rate_limit.*500/minute"):
        AlyxClient(URL)


@pytest.mark.parametrize("value", [500, 5.0, b"5/minute", True, ["5/minute"]])
def test_rate_is_a_text(value: object) -> None:
    with pytest.raises(TypeError, match=r"rate_limit.*500/minute"):
        AlyxClient(URL, rate_limit=value)  # type: ignore[arg-type]
    write_toml(f'[servers."{URL}"]\nrate_limit = 5\n')
    with pytest.raises(ConfigurationError, match=r"line 2: rate_limit.*text in quotes"):
        AlyxClient(URL)


def test_downloads_and_cached_responses_are_not_paced(local_alyx: LocalAlyx) -> None:
    local_alyx.save_data("cortexlab/a.npy", b"content")
    with AlyxClient(local_alyx.url, "olivier", "olivier", rate_limit="1/hour", timeout=20) as client:
        assert client.labs.list()
        assert client.labs.list()
        for number in range(3):
            local_alyx.save_data(f"cortexlab/{number}.npy", b"content")
            path = client.download_file(
                f"{local_alyx.data_url}cortexlab/{number}.npy", username="local", password="alyx", silent=True
            )
            assert path.read_bytes() == b"content"
        with pytest.raises(DeadlineExceededError, match="1/hour"):
            client.subjects.list()[0]


PROGRAM = """
import sys
from concurrent.futures import ThreadPoolExecutor
from alyx_client import AlyxClient
with AlyxClient(sys.argv[1], token=sys.argv[2], cache_rest=None, silent=True) as client:
    client.get("/labs")
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(6) as pool:
        print(len(list(pool.map(lambda _: client.get("/labs"), range(15)))))
"""


def test_processes_share_the_limit_that_one_of_them_learns(local_alyx: LocalAlyx) -> None:
    command = [sys.executable, "-c", PROGRAM, local_alyx.url, local_alyx.token()]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    local_alyx.faults.throttle(15, seconds=1)
    outputs = [process.communicate("\n")[0] for process in processes]
    assert outputs == ["15\n"] * 2
    # Each of twelve threads is refused once at most before all know the limit, and a few when it is tried out later.
    assert 0 < local_alyx.faults.throttled <= 24


def test_limiter_is_not_loaded_without_a_limit(local_alyx: LocalAlyx) -> None:
    program = """
import sys
from alyx_client import AlyxClient
with AlyxClient(sys.argv[1], token=sys.argv[2], cache_rest=None) as client:
    client.labs.list()[0]
names = ("limiter", "pace", "rate")
print([name for name in names if f"alyx_client.http.{name}" in sys.modules])
"""
    command = [sys.executable, "-c", program, local_alyx.url, local_alyx.token()]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
