"""Setting a server up, with real files and the local Alyx."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.config import find_settings, servers_file
from alyx_client.credentials import Credentials
from alyx_client.errors import AuthenticationError, MissingCredentialsError
from alyx_client.setup import Answers, run
from alyx_client.testing import LocalAlyx
from alyx_client.transport import SyncTransport


def written(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def connect(address: str) -> Callable[..., Any]:
    transport = SyncTransport(address, Credentials(address, silent=True))
    return lambda request, token: transport.send(request, token=token)


@pytest.mark.parametrize("kind", [AlyxClient, AsyncAlyxClient])
def test_server_that_was_set_up_needs_no_arguments(
    kind: Any, local_alyx: LocalAlyx, isolated_settings: Path, tmp_path: Path
) -> None:
    made = kind.setup(
        local_alyx.url,
        username="olivier",
        password="olivier",
        data_server=local_alyx.data_url,
        cache_dir=tmp_path / "data",
        default=True,
        silent=True,
    )
    assert made.base_url == local_alyx.url
    client = AlyxClient(silent=True)
    assert (client.base_url, client.user, client.cache_dir) == (local_alyx.url, "olivier", tmp_path / "data")
    assert client.labs.list()
    lines = servers_file().read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "password" in line and not line.startswith("#")]


def test_login_that_is_refused_changes_nothing(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    before = written(isolated_settings)
    with pytest.raises(AuthenticationError):
        AlyxClient.setup(local_alyx.url, username="olivier", password="wrong", silent=True)
    assert written(isolated_settings) == before


def test_nobody_to_ask_and_nothing_passed(isolated_settings: Path) -> None:
    with pytest.raises(MissingCredentialsError):
        AlyxClient.setup(silent=True)


def test_questions_forgive_quotes_and_the_end_may_be_no(local_alyx: LocalAlyx, isolated_settings: Path) -> None:
    def answer(question: str) -> str:
        asked.append(question)
        if "Write" in question:
            return final
        if len(asked) == 1:
            return f' "{local_alyx.url}/" '
        return "olivier" if "user" in question.lower() and "data" not in question.lower() else ""

    for word, kept in (("n", False), ("y", True)):
        final = word
        asked: list[str] = []
        shown: list[Any] = []
        settings = run(Answers(), connect, ask=answer, ask_secret=lambda _: "olivier", show=shown.append)
        assert (settings is not None) is kept
        assert servers_file().exists() is kept
        assert local_alyx.token("olivier") not in "".join(map(str, shown))
    assert find_settings(local_alyx.url).username == "olivier"
