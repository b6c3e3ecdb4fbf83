"""Wrong arguments of public functions: an AlyxError, or a TypeError or ValueError that names the argument."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alyx_client import AlyxClient, AlyxError, AsyncAlyxClient, Retries
from alyx_client.config import DataServer, find_settings
from alyx_client.runtime.django_filter import split_parts
from alyx_client.testing import LocalAlyx
from alyx_client.webclient import http_download_file, no_cache, update_url_params
from tests.odd_arguments import ODD, Call, Endless, calls, odd_values

CLOSED = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def local() -> Iterator[LocalAlyx]:
    with LocalAlyx() as started:
        yield started


@pytest.fixture(scope="module")
def all_calls(local: LocalAlyx) -> list[Call]:
    return list(calls(local))


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@settings(
    max_examples=800,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_only_errors_that_name_the_argument_come_out(all_calls: list[Call], data: st.DataObject) -> None:
    data.draw(st.sampled_from(all_calls)).run(ODD[data.draw(odd_values)])


@pytest.mark.parametrize("label", ["AlyxClient", "find_settings", "Retries", "update_url_params", "no_cache"])
def test_every_odd_argument_of_a_function(all_calls: list[Call], label: str) -> None:
    chosen = [call for call in all_calls if call.label == label]
    assert chosen
    for call in chosen:
        for value in ODD:
            call.run(value)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda client: client.get(None), "rest_query"),
        (lambda client: client.delete(5), "rest_query"),
        (lambda client: client.post("/labs", files={"a": 1}), "a: "),
        (lambda client: client.post("/labs", files={1: b""}), "files"),
        (lambda client: client.rest(5), "url"),
        (lambda client: client.rest("labs", 5), "action"),
        (lambda client: client.rest("labs", "list", extra_params=True), "extra_params"),
        (lambda client: client.labs.list(extra_params=True), "extra_params"),
        (lambda client: client.labs.list(page_size="x"), "page_size"),
        (lambda client: client.labs.list(max_items=-1), "max_items"),
        (lambda client: client.json_field_write([], "x", "json"), "endpoint"),
        (lambda client: client.send(None), "request"),
        (lambda client: client.run(None), "flow"),
        (lambda client: client.authenticate(username=5), "username"),
        (lambda client: client.rel_path2url(None), "path"),
        (lambda client: client.download_file("a.npy", target_dir="~nobody-of-this-name"), "target_dir"),
        (lambda client: client.download_cache_tables(destination=5), "destination"),
        (lambda client: setattr(client, "cache_dir", None), "cache_dir"),
        (lambda client: setattr(client, "cache_mode", 5), "mode"),
        (lambda client: AlyxClient(5), "base_url"),  # type: ignore[arg-type]
        (lambda client: AsyncAlyxClient(5), "base_url"),  # type: ignore[arg-type]
        (lambda client: AlyxClient(CLOSED, retries=True), "retries"),  # type: ignore[arg-type]
        (lambda client: AlyxClient(CLOSED, data_server=5), "data_server"),  # type: ignore[arg-type]
        (lambda client: AlyxClient(CLOSED, data_server=[5]), "data_server"),  # type: ignore[list-item]
        (lambda client: AlyxClient(CLOSED, data_server=DataServer(5)), "data_server"),  # type: ignore[arg-type]
        (lambda client: AlyxClient(CLOSED, cache_dir="\0"), "cache_dir"),
        (lambda client: AlyxClient(CLOSED, read_timeout="x"), "read_timeout"),  # type: ignore[arg-type]
        (lambda client: AlyxClient(CLOSED, verify="ca.pem"), "verify"),  # type: ignore[arg-type]
        (lambda client: AlyxClient.setup(5, silent=True), "url"),  # type: ignore[arg-type]
        (lambda client: find_settings(username=5), "username"),  # type: ignore[arg-type]
        (lambda client: Retries(tries="x"), "tries"),  # type: ignore[arg-type]
        (lambda client: update_url_params(None, {}), "url"),  # type: ignore[arg-type]
        (lambda client: update_url_params("x", None), "params"),  # type: ignore[arg-type]
        (lambda client: no_cache(5), "ac"),  # type: ignore[call-overload]
    ],
)
def test_message_names_the_argument(local: LocalAlyx, call: Callable[[Any], object], name: str) -> None:
    with (
        AlyxClient(local.url, token=local.token(), cache_rest=None, silent=True) as client,
        pytest.raises((AlyxError, TypeError, ValueError), match=name),
    ):
        call(client)


def test_secrets_are_not_shown() -> None:
    with pytest.raises(TypeError) as caught:
        AlyxClient(CLOSED, password=b"secret")  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)


def test_values_without_end_are_refused(local: LocalAlyx) -> None:
    with AlyxClient(local.url, token=local.token(), cache_rest=None, silent=True) as client:
        for call, name in (
            (lambda: client.labs.partial_update("x", name=range(10**12)), "name"),  # type: ignore[arg-type]
            (lambda: client.labs.list(extra_params={"x": itertools.count()}), "x"),
            (lambda: client.datasets.create(Endless()), "datasets"),  # type: ignore[arg-type]
            (lambda: client.download_file(itertools.repeat("a.npy")), "url"),
            (lambda: client.download_file(["a.npy"], target_dir=itertools.repeat("x")), "target_dir"),
        ):
            with pytest.raises((TypeError, ValueError), match=name):
                call()


def test_long_text_of_lookups_is_split_quickly() -> None:
    assert len(split_parts("name," + "x" * 10**6)) == 2


def test_host_that_no_encoding_has_is_an_error_of_this_package() -> None:
    for call in (AlyxClient("http://xn--a", silent=True, token="t").get, no_client_download):
        with pytest.raises(AlyxError):
            call("/labs")


def no_client_download(_: str) -> object:
    return http_download_file("http://xn--a/a.npy", silent=True)
