"""The client that ONE uses: its settings and tokens are ONE's, and calls that ONE's users make go on."""

from __future__ import annotations

import importlib
import json
import logging
import pickle
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import alyx_client.one
from alyx_client import AlyxClient, AlyxWarning, InvalidCallError
from alyx_client.testing import LocalAlyx
from tests.one.conftest import MakeOne

webclient: Any = pytest.importorskip("one.webclient", reason="ONE-api is not installed")
pytest.importorskip("one.api", reason="ONE-api is not installed")


def stored(alyx: Any) -> dict[str, Any]:
    parameters: dict[str, Any] = importlib.import_module("one.params").get(client=alyx.base_url, silent=True).as_dict()
    return parameters


def test_client_is_this_one(one: Any) -> None:
    assert isinstance(one.alyx, AlyxClient)
    assert isinstance(one.alyx, webclient.AlyxClient)
    assert one.alyx.subjects.read("flowers").nickname == "flowers"


def test_token_of_a_login_is_stored_for_one(new_one: MakeOne, local_alyx: LocalAlyx) -> None:
    new_one("ours").alyx.get("/labs")
    token = local_alyx.token("admin")
    (folder,) = Path.home().glob(".one")
    settings = json.loads(next(folder.glob(".127*")).read_text())
    assert settings["TOKEN"] == {"admin": {"token": token}}
    assert settings["ALYX_LOGIN"] == "admin"


def test_settings_of_one_that_cannot_be_written_do_not_fail_a_call(new_one: MakeOne) -> None:
    alyx = new_one("ours").alyx
    (file,) = (Path.home() / ".one").glob(".127*")
    file.write_text("{")
    alyx.authenticate("olivier", "olivier")
    assert alyx.rest("labs", "list")
    assert alyx.user == "olivier"


def test_token_of_one_is_used(new_one: MakeOne, local_alyx: LocalAlyx) -> None:
    theirs = new_one("theirs")
    alyx_client.one.install()
    local_alyx.requests.clear()
    ours = webclient.AlyxClient(local_alyx.url, silent=True)
    assert ours.is_logged_in
    assert ours.get("/labs")
    assert ours.user == theirs.alyx.user == "admin"
    assert "/auth-token" not in [request.path for request in local_alyx.requests]


def test_token_that_must_not_be_stored_is_not(local_alyx: LocalAlyx, one: Any) -> None:
    one.alyx.authenticate("olivier", "olivier", cache_token=False)
    assert one.alyx.get("/labs")
    assert list(stored(one.alyx)["TOKEN"]) == ["admin"]
    transient = webclient.AlyxClient(local_alyx.url, "olivier", "olivier", silent=True, stay_logged_in=False)
    transient.get("/labs")


def test_logging_out_forgets_the_token_everywhere(one: Any) -> None:
    one.alyx.logout()
    assert stored(one.alyx)["TOKEN"] == {}
    assert not one.alyx.is_logged_in
    assert one.alyx._token is None


def test_login_after_a_logout_is_that_of_ones_settings(one: Any) -> None:
    alyx = one.alyx
    alyx.logout()
    alyx._par = alyx._par.set("ALYX_LOGIN", "olivier").set("ALYX_PWD", "olivier")
    alyx.authenticate()
    assert alyx.user == "olivier"


def test_token_is_taken_in_place_of_a_password(local_alyx: LocalAlyx, one: Any) -> None:
    for token in (local_alyx.token("olivier"), {"token": local_alyx.token("olivier")}):
        client = webclient.AlyxClient(local_alyx.url, "olivier", None, None, True, "GET", token)
        assert client.user == "olivier"
        assert stored(client)["TOKEN"]["olivier"] == {"token": local_alyx.token("olivier")}


def test_token_of_another_computer_is_taken(local_alyx: LocalAlyx, new_one: MakeOne) -> None:
    for client in ("theirs", "ours"):
        alyx = new_one(client).alyx
        token = {"token": local_alyx.token("olivier")}
        alyx._par = alyx._par.set("ALYX_LOGIN", "olivier").set("TOKEN", {"olivier": token})
        alyx._token = token
        alyx._headers = {"Authorization": f"Token {token['token']}", "Accept": "application/json"}
        alyx.user = "olivier"
        assert alyx.is_logged_in
        assert (alyx.user, alyx._token, alyx._headers["Authorization"]) == ("olivier", token, f"Token {token['token']}")
        made = alyx.rest("weighings", "create", data={"subject": "flowers", "weight": 22.5})
        assert made["user"] == "olivier"


def test_settings_change_together(one: Any, tmp_path: Path) -> None:
    alyx = one.alyx
    alyx.cache_dir = tmp_path / "first"
    assert alyx._par.CACHE_DIR == alyx.cache_dir == one.cache_dir == tmp_path / "first"
    alyx._par = alyx._par.set("CACHE_DIR", str(tmp_path / "second"))
    assert alyx.cache_dir == tmp_path / "second"
    alyx._par = alyx._par.set("HTTP_DATA_SERVER", "https://data.example.org/public")
    assert alyx.rel_path2url("/a/#b#/c d.npy") == "https://data.example.org/public/a/#b#/c d.npy"


def test_unknown_filters_are_refused_unless_told_otherwise(one: Any, new_one: MakeOne, local_alyx: LocalAlyx) -> None:
    with pytest.raises(InvalidCallError, match="subject"):
        one.alyx.rest("sessions", "list", subjet="flowers")
    alyx_client.one.install(strict_filters=False)
    lenient = webclient.AlyxClient(local_alyx.url, "admin", "admin", silent=True)
    with pytest.warns(AlyxWarning, match="no filter subjet"):
        assert len(lenient.rest("sessions", "list", subjet="flowers", number=None, limit=100)) == 30
    alyx_client.one.install()


def test_missing_arguments_are_logged_and_printed(
    one: Any, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    alyx = one.alyx
    for call, logged, printed in (
        (lambda: alyx.rest(), "", "'subjects'"),
        (lambda: alyx.rest("sessions"), "", "['create', 'delete', 'list', 'partial_update', 'read', 'update']"),
        (lambda: alyx.rest("sessions", "read"), "needs an id", ""),
        (lambda: alyx.rest("sessions", "partial-update", id="x"), "needs data", "'narrative'"),
    ):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "one.webclient"):
            assert call() is None
        assert logged in caplog.text
        assert printed in capsys.readouterr().out
    for url, action in (("nothing", "list"), ("sessions", "nothing"), ("nothing", None)):
        with pytest.raises(ValueError, match="nothing"):
            alyx.rest(url, action)


@pytest.mark.parametrize("client", ["theirs", "ours"])
def test_replaced_methods_are_called(client: str, new_one: MakeOne) -> None:
    alyx = new_one(client).alyx
    alyx.rest_schemes  # noqa: B018 - fetched before get() is replaced
    with mock.patch.object(alyx, "get", return_value=[{"name": "here"}]) as get:
        assert alyx.rest("subjects", "list", django=None, lab="foo") == [{"name": "here"}]
        assert alyx.rest("subjects", "read", id="flowers", no_cache=True) == [{"name": "here"}]
        made = alyx.rest("tags", "create", data={"name": "made", "public": True})
    assert made["name"] == "made"
    assert get.call_args_list == [
        mock.call("/subjects?lab=foo", clobber=False, expires=False),
        mock.call("/subjects/flowers", clobber=True, expires=True),
    ]
    with mock.patch.object(alyx, "patch", return_value={"id": 1}) as patch:
        assert alyx.rest("tags", "partial_update", id=made["id"], data={"public": False}) == {"id": 1}
    patch.assert_called_once_with(f"/tags/{made['id']}", data={"public": False}, files=None)
    with mock.patch.object(type(alyx), "_generic_request", return_value={"id": 2}) as generic:
        assert alyx.rest("tags", "partial_update", id=made["id"], data={"public": False}) == {"id": 2}
    assert generic.call_args.kwargs["data"] == {"public": False}
    with mock.patch.object(alyx, "get", side_effect=OSError), pytest.raises(OSError):  # noqa: PT011
        alyx.rest("subjects", "read", id="flowers")


def test_generic_requests_return_the_page(one: Any, new_one: MakeOne) -> None:
    requests: Any = importlib.import_module("requests")
    pages = [client.alyx._generic_request(requests.get, "/labs?limit=1") for client in (new_one("theirs"), one)]
    assert pages[0] == pages[1]
    assert pages[1]["count"] == 3


def test_no_cache_of_clients_from_before_is_ones_own(new_one: MakeOne) -> None:
    theirs = new_one("theirs").alyx
    alyx_client.one.install()
    with webclient.no_cache(theirs) as same:
        assert same is theirs
        assert theirs.cache_mode is None
    assert theirs.cache_mode == "GET"


def test_client_travels_to_other_processes(one: Any) -> None:
    one.alyx.get("/labs")
    copy = pickle.loads(pickle.dumps(one.alyx))
    assert copy._par == one.alyx._par
    assert copy.get("/labs", clobber=True) == one.alyx.get("/labs")
    assert copy.cache_dir == one.alyx.cache_dir


def test_settings_of_this_client_are_accepted(new_one: MakeOne) -> None:
    one = new_one("ours", timeout=20, data_server="https://data.example.org")
    assert one.alyx.timeout == 20
    assert one.alyx.rel_path2url("a.npy") == "https://data.example.org/a.npy"
