from __future__ import annotations

import asyncio
import io
import json
import logging
import multiprocessing
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.errors import (
    AlyxConnectionError,
    BadRequestError,
    ClientClosedError,
    ForeignURLError,
    InvalidFieldError,
    InvalidKeyError,
    MissingCredentialsError,
    NotFoundError,
    RateLimitError,
    ServerError,
)
from alyx_client.http.retry import Retries
from alyx_client.models import Channel, Lab, Note, Subject
from alyx_client.testing import LocalAlyx
from tests import faults
from tests.faults import FaultServer, Received, json_response

SECRET = "secret-token-0123456789"
QUICK = Retries(base=0.001, cap=0.001)
KEY = "0b12ba9e-01e3-4784-8c35-d7bb1bab414f"
LAB: dict[str, Any] = {
    "name": "a",
    "institution": "",
    "address": "",
    "timezone": "UTC",
    "reference_weight_pct": 0.85,
    "zscore_weight_pct": 0.0,
    "repositories": [],
    "json": None,
}


class Sync:
    """The synchronous client behind the face that the tests use for both."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.client: Any = AlyxClient(url, **{"token": SECRET, "retries": QUICK, "cache_rest": None, **settings})

    def __call__(self, call: Callable[[Any], Any]) -> Any:
        result = call(self.client)
        return list(result) if hasattr(result, "total") else result

    def close(self) -> None:
        self.client.close()


class Async:
    """The asynchronous client, each call run to its end."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.client: Any = AsyncAlyxClient(url, **{"token": SECRET, "retries": QUICK, "cache_rest": None, **settings})
        self._runner = asyncio.Runner()

    def __call__(self, call: Callable[[Any], Any]) -> Any:
        async def run() -> Any:
            result = call(self.client)
            return await (result.all() if hasattr(result, "all") else result)

        return self._runner.run(run())

    def close(self) -> None:
        self._runner.run(self.client.aclose())
        self._runner.close()


Connect = Callable[..., Any]


@pytest.fixture(params=[Sync, Async], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    made: list[Any] = []

    def make(url: str, **settings: Any) -> Any:
        made.append(request.param(url, **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


# --- connections


def test_calls_share_a_connection_without_a_with_block(connect: Connect) -> None:
    with FaultServer(then=json_response(LAB)) as server:
        alyx = connect(server.url)
        for _ in range(5):
            assert alyx(lambda client: client.labs.read("a")).name == "a"
        assert server.connections == 1
        assert server.tokens == [SECRET] * 5


def test_closed_client_refuses_calls_until_it_is_opened_again(connect: Connect) -> None:
    async def read_again(client: Any) -> Any:
        async with client:
            return await client.labs.read("a")

    with FaultServer(then=json_response(LAB)) as server:
        alyx = connect(server.url)
        alyx(lambda client: client.labs.read("a"))
        for _ in range(2):
            if isinstance(alyx, Sync):
                alyx.client.close()
            else:
                alyx(lambda client: client.aclose())
        for call in (lambda client: client.labs.read("a"), lambda client: client.get("/labs/a")):
            with pytest.raises(ClientClosedError, match="client is closed"):
                alyx(call)
        assert server.connections == 1
        if isinstance(alyx, Sync):
            with alyx.client:
                alyx.client.labs.read("a")
        else:
            alyx(read_again)
        assert server.connections == 2


def test_with_block_closes_and_another_one_opens_again() -> None:
    with FaultServer(then=json_response(LAB)) as server:
        with AlyxClient(server.url, token=SECRET, cache_rest=None) as client:
            client.labs.read("a")
        with pytest.raises(ClientClosedError):
            client.labs.read("a")
        with client:
            client.labs.read("a")
        assert server.connections == 2


async def test_async_with_block_closes_and_another_one_opens_again() -> None:
    with FaultServer(then=json_response(LAB)) as server:
        async with AsyncAlyxClient(server.url, token=SECRET, cache_rest=None) as client:
            await client.labs.read("a")
        with pytest.raises(ClientClosedError):
            await client.labs.read("a")
        async with client:
            await client.labs.read("a")
        assert server.connections == 2


def test_two_clients_keep_their_servers_and_tokens_apart() -> None:
    with FaultServer(then=json_response(LAB)) as one, FaultServer(then=json_response({**LAB, "name": "b"})) as two:
        first, second = (
            AlyxClient(server.url, token=token, cache_rest=None) for server, token in ((one, "first"), (two, "second"))
        )
        assert [first.labs.read("x").name, second.labs.read("x").name, first.labs.read("x").name] == ["a", "b", "a"]
        assert (one.tokens, two.tokens) == (["first", "first"], ["second"])


def echo(received: Received, connection: Any) -> bool:
    """Answer with a lab of the name that was asked for."""
    return json_response({**LAB, "name": received.path.rpartition("/")[2]})(received, connection)


def test_threads_share_a_client() -> None:
    with FaultServer(then=echo) as server:
        client = AlyxClient(server.url, token=SECRET, cache_rest=None)
        with ThreadPoolExecutor(8) as pool:
            read = list(pool.map(lambda number: client.labs.read(f"lab{number}").name, range(80)))
    assert read == [f"lab{number}" for number in range(80)]


async def test_tasks_share_a_client() -> None:
    with FaultServer(then=echo) as server:
        async with AsyncAlyxClient(server.url, token=SECRET, cache_rest=None) as client:
            read = await asyncio.gather(*(client.labs.read(f"lab{number}") for number in range(20)))
    assert [record.name for record in read] == [f"lab{number}" for number in range(20)]


def test_async_client_works_in_one_loop_after_another() -> None:
    with FaultServer(then=echo) as server:
        client = AsyncAlyxClient(server.url, token=SECRET, cache_rest=None)

        async def read(name: str) -> str:
            return (await client.labs.read(name)).name

        assert [asyncio.run(read("a")), asyncio.run(read("b"))] == ["a", "b"]
        threads = [threading.Thread(target=asyncio.run, args=(read("c"),)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert server.count("/labs/c") == 3


def _read_in_a_child(client: AlyxClient, connection: Any) -> None:
    connection.send([client.labs.read(name).name for name in ("b", "c")])


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_client_works_in_a_forked_process_and_goes_on_in_its_parent() -> None:
    with FaultServer(then=echo) as server:
        client = AlyxClient(server.url, token=SECRET, cache_rest=None)
        client.labs.read("a")
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context("fork").Process(target=_read_in_a_child, args=(client, there))
        process.start()
        assert here.poll(30)
        assert here.recv() == ["b", "c"]
        process.join(20)
        assert process.exitcode == 0
        assert client.labs.read("d").name == "d"
        assert {request.connection for request in server.requests if request.path in ("/labs/a", "/labs/d")} == {1}
        assert {request.connection for request in server.requests if request.path in ("/labs/b", "/labs/c")} == {2}


def test_making_a_client_contacts_nothing() -> None:
    with FaultServer() as server:
        AlyxClient(server.url, "olivier", "password")
        AsyncAlyxClient(server.url, "olivier", "password")
        assert server.connections == 0


def test_server_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingCredentialsError, match="ALYX_URL"):
        AlyxClient()
    with pytest.raises(ValueError, match="address"):
        AlyxClient("https://me:password@x.org")
    monkeypatch.setenv("ALYX_URL", "x.org/alyx/")
    assert AlyxClient().base_url == AsyncAlyxClient().base_url == "https://x.org/alyx"


# --- pickles


def test_clients_results_records_and_errors_pickle() -> None:
    page = {"count": 1, "next": None, "previous": None, "results": [LAB]}
    with FaultServer(
        routes={"/labs": [faults.page([LAB])] * 9, "/labs/gone": [json_response({}, status=404)]}, then=echo
    ) as server:
        client = AlyxClient(server.url, token=SECRET, cache_rest=None)
        rows = client.labs.list()
        record = client.labs.read("a")
        again = pickle.loads(pickle.dumps(client))
        assert (again.base_url, again.labs.read("b").name) == (client.base_url, "b")
        assert server.requests[-1].token == SECRET
        assert pickle.loads(pickle.dumps(rows)) == rows == [pickle.loads(pickle.dumps(rows[0]))]
        assert pickle.loads(pickle.dumps(record)) == record
        with pytest.raises(NotFoundError) as caught:
            client.labs.read("gone")
        error = pickle.loads(pickle.dumps(caught.value))
        assert (type(error), str(error), error.status_code, error.url) == (
            NotFoundError,
            str(caught.value),
            404,
            caught.value.url,
        )
    assert page["count"] == len(rows)


def test_pickled_client_works_in_a_fresh_process() -> None:
    with FaultServer(then=echo) as server:
        client = AlyxClient(server.url, token=SECRET, cache_rest=None)
        client.labs.read("a")
        code = "import pickle, sys; print(pickle.load(sys.stdin.buffer).labs.read('b').name)"
        done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(client), capture_output=True, timeout=60)
    assert (done.stdout.decode().strip(), done.stderr.decode()) == ("b", "")


# --- secrets


def test_token_and_password_are_never_shown(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    script = [json_response({"token": SECRET}), json_response(LAB), json_response({"detail": "no"}, status=404)]
    script += [json_response({"detail": "boom"}, status=500)]
    with caplog.at_level(logging.DEBUG), FaultServer(script, then=faults.reset_before_headers()) as server:
        alyx = connect(server.url, token=None, username="olivier", password="secret-password")
        alyx(lambda client: client.labs.read("a"))
        shown = [repr(alyx.client), repr(alyx.client.labs), str(alyx.client.drift), repr(alyx.client._transport)]
        for _ in range(3):
            with pytest.raises((NotFoundError, ServerError, AlyxConnectionError)) as caught:
                alyx(lambda client: client.labs.read("a"))
            shown += [str(caught.value), repr(caught.value), repr(vars(caught.value)), repr(caught.value.__cause__)]
        assert server.requests[1].token == SECRET
    assert caplog.text.count("/labs/a") >= 3
    for text in (*shown, caplog.text):
        assert SECRET not in text
        assert "secret-password" not in text
    assert "olivier" in repr(alyx.client)


# --- addresses of records


FOREIGN = ["https://evil.example.org/labs/a", "http://127.0.0.1:1/labs/a", "http://user@evil.example.org/labs/a"]


@pytest.mark.parametrize("url", FOREIGN)
def test_record_of_another_server_is_refused_before_anything_is_sent(connect: Connect, url: str) -> None:
    with FaultServer(then=json_response(LAB)) as server:
        alyx = connect(server.url)
        for call in (
            lambda client: client.labs.read(url),
            lambda client: client.labs.update(url, Lab(name="a")),
            lambda client: client.labs.partial_update(url, name="a"),
            lambda client: client.labs.delete(url),
            lambda client: client.uploaded.read(url),
        ):
            with pytest.raises(ForeignURLError, match="is not a record of"):
                alyx(call)
        assert server.connections == 0


def test_own_address_of_a_record_is_a_key(connect: Connect) -> None:
    with FaultServer(then=json_response(LAB)) as server:
        alyx = connect(f"{server.url}/alyx")
        alyx(lambda client: client.labs.read(f"{server.url}/alyx/labs/a%2Fb/"))
        assert server.paths == ["/alyx/labs/a%2Fb"]
        with pytest.raises(InvalidKeyError, match="not a record of /labs"):
            alyx(lambda client: client.labs.read(f"{server.url}/alyx/subjects/a"))


@pytest.mark.parametrize("key", [KEY, KEY.upper(), KEY.replace("-", ""), UUID(KEY)])
def test_keys_that_are_uuids_have_one_form(connect: Connect, key: Any) -> None:
    with FaultServer(then=json_response({"detail": "no"}, status=404)) as server:
        with pytest.raises(NotFoundError):
            connect(server.url)(lambda client: client.sessions.read(key))
        assert server.paths == [f"/sessions/{KEY}"]


@pytest.mark.parametrize("key", ["", "..", "flowers", 5, None, True, "1" * 31, f"{KEY}/x", f"{{{KEY}}}"])
def test_what_is_no_uuid_is_refused_before_anything_is_sent(connect: Connect, key: Any) -> None:
    with FaultServer() as server:
        with pytest.raises(InvalidKeyError, match="sessions"):
            connect(server.url)(lambda client: client.sessions.read(key))
        assert server.requests == []


def test_keys_that_are_integers(connect: Connect) -> None:
    with FaultServer(then=json_response({"detail": "no"}, status=404)) as server:
        alyx = connect(server.url)
        for key in (0, "0", -5):
            with pytest.raises(NotFoundError):
                alyx(lambda client, key=key: client.brain_regions.read(key))
        for key in ("CA1", "", "--5", "1_0", None, "٣"):
            with pytest.raises(InvalidKeyError):
                alyx(lambda client, key=key: client.brain_regions.read(key))
        assert server.paths == ["/brain-regions/0", "/brain-regions/0", "/brain-regions/-5"]


def test_path_of_an_image_is_taken_from_its_address(connect: Connect) -> None:
    with FaultServer(then=faults.response(b"\x89PNG", content_type="image/png")) as server:
        alyx = connect(server.url)
        assert alyx(lambda client: client.uploaded.read(f"{server.url}/uploaded/notes/a.png")) == b"\x89PNG"
        assert alyx(lambda client: client.uploaded.read("notes/a.png")) == b"\x89PNG"
        assert server.paths == ["/uploaded/notes/a.png"] * 2
        with pytest.raises(InvalidKeyError):
            alyx(lambda client: client.uploaded.read(None))


# --- tries


LOST = {
    "reset": faults.reset_before_headers(),
    "cut": faults.reset_mid_body(LAB),
    "short": faults.short_body(LAB),
}


@pytest.mark.parametrize("fault", LOST)
def test_reads_are_repeated_after_a_lost_connection(connect: Connect, fault: str) -> None:
    with FaultServer([LOST[fault], LOST[fault]], then=json_response(LAB)) as server:
        assert connect(server.url)(lambda client: client.labs.read("a")).name == "a"
        assert len(server.requests) == 3


@pytest.mark.parametrize("fault", LOST)
def test_writes_are_not_repeated_after_a_lost_connection(connect: Connect, fault: str) -> None:
    with FaultServer([LOST[fault], LOST[fault]], then=json_response(LAB)) as server:
        alyx = connect(server.url)
        with pytest.raises(AlyxConnectionError, match="check before sending it again"):
            alyx(lambda client: client.labs.create(Lab(name="a")))
        with pytest.raises(AlyxConnectionError, match="check before sending it again"):
            alyx(lambda client: client.labs.partial_update("a", name="b"))
        assert [request.method for request in server.requests] == ["POST", "PATCH"]


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.labs.read("a"),
        lambda client: client.labs.list(),
        lambda client: client.labs.create(Lab(name="a")),
        lambda client: client.labs.update("a", Lab(name="a")),
        lambda client: client.labs.partial_update("a", name="b"),
        lambda client: client.labs.delete("a"),
    ],
)
def test_500_is_never_repeated(connect: Connect, call: Callable[[Any], Any]) -> None:
    with FaultServer([json_response({"detail": "Cannot resolve keyword"}, status=500)]) as server:
        with pytest.raises(ServerError, match="Cannot resolve keyword"):
            connect(server.url)(call)
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_refused_writes_are_sent_again_unchanged(connect: Connect, status: int) -> None:
    refused = faults.too_many() if status == 429 else faults.unavailable(503)
    with FaultServer([refused, refused, json_response(LAB, status=201)]) as server:
        connect(server.url)(lambda client: client.labs.create(Lab(name="a")))
        assert [request.json() for request in server.requests] == [{"name": "a"}] * 3


@pytest.mark.parametrize("wait", ["0", faults.http_date(-60)], ids=["seconds", "date"])
def test_both_forms_of_retry_after_are_waited_for(connect: Connect, wait: str) -> None:
    with FaultServer([faults.too_many(wait)] * 3, then=json_response(LAB)) as server:
        assert connect(server.url)(lambda client: client.labs.read("a")).name == "a"
        assert len(server.requests) == 4


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_wait_beyond_the_bound_is_an_error(connect: Connect, form: str) -> None:
    wait = "3600" if form == "seconds" else faults.http_date(3600)
    with FaultServer([faults.too_many(wait)]) as server:
        with pytest.raises(RateLimitError) as caught:
            connect(server.url, retries=Retries(base=0.001, max_wait=5))(lambda client: client.labs.read("a"))
        assert caught.value.retry_after == pytest.approx(3600, abs=120)
        assert len(server.requests) == 1


def test_one_try_is_one_try(connect: Connect) -> None:
    with FaultServer(then=faults.unavailable()) as server:
        with pytest.raises(ServerError):
            connect(server.url, retries=Retries(tries=1))(lambda client: client.labs.read("a"))
        assert len(server.requests) == 1


def test_storm_of_503_ends(connect: Connect) -> None:
    with FaultServer(then=faults.unavailable()) as server:
        with pytest.raises(ServerError):
            connect(server.url)(lambda client: client.labs.list())
        assert len(server.requests) == QUICK.tries


def test_stale_token_is_renewed_once_for_a_whole_list(connect: Connect) -> None:
    routes = {"/auth-token": [faults.token_response("fresh")]}
    with FaultServer(
        then=faults.require_token("fresh", {"count": 0, "next": None, "results": []}), routes=routes
    ) as server:
        alyx = connect(server.url, token="stale", username="olivier", password="p")
        assert alyx(lambda client: client.labs.list()) == []
        assert alyx(lambda client: client.labs.list()) == []
        assert server.paths == ["/labs", "/auth-token", "/labs", "/labs"]


# --- writing


def test_create_takes_the_shape_and_nothing_else(connect: Connect) -> None:
    with FaultServer() as server:
        alyx = connect(server.url)
        for body in ({"name": "a"}, "a", [{"name": "a"}], 5, b"a"):
            with pytest.raises(InvalidFieldError, match=r"labs\.create\(\) takes Lab\(\.\.\.\), not "):
                alyx(lambda client, body=body: client.labs.create(body))
        assert server.requests == []


def channel(number: int) -> Channel:
    return Channel(trajectory_estimate=KEY, axial=float(number), lateral=0.0)


def test_several_records_are_sent_as_one_list(connect: Connect) -> None:
    with FaultServer(then=json_response([], status=201)) as server:
        alyx = connect(server.url)
        for given in ([channel(1), channel(2)], (channel(1), channel(2)), (channel(number) for number in (1, 2))):
            alyx(lambda client, given=given: client.channels.create(given))
        bodies = [request.json() for request in server.requests]
    assert [len(body) for body in bodies] == [2, 2, 2]  # type: ignore[arg-type]
    assert bodies[0] == bodies[1] == bodies[2]


def test_numbers_that_json_lacks_are_refused_before_anything_is_sent(connect: Connect) -> None:
    with FaultServer() as server:
        alyx = connect(server.url)
        with pytest.raises(InvalidFieldError, match=r"Lab was not sent\. json: .*in json\['x'\]"):
            alyx(lambda client: client.labs.create(Lab(name="a", json={"x": float("nan")})))
        with pytest.raises(InvalidFieldError, match=r"Lab was not sent\. json: .*in json\[0\]"):
            alyx(lambda client: client.labs.partial_update("a", json=[float("inf")]))
        assert server.requests == []


def test_changes_tell_null_from_left_out(connect: Connect) -> None:
    with FaultServer(then=json_response({"detail": "no"}, status=404)) as server:
        alyx = connect(server.url)
        for changes in ({"death_date": None}, {"description": ""}, {"lab": "b", "json": None}):
            with pytest.raises(NotFoundError):
                alyx(lambda client, changes=changes: client.subjects.partial_update("x", **changes))
        assert [request.json() for request in server.requests] == [
            {"death_date": None},
            {"description": ""},
            {"lab": "b", "json": None},
        ]
        with pytest.raises(InvalidFieldError, match="nothing to change"):
            alyx(lambda client: client.subjects.partial_update("x"))
        with pytest.raises(InvalidFieldError, match="did you mean lab"):
            alyx(lambda client: client.subjects.partial_update("x", labb="b"))
        assert len(server.requests) == 3


NOTE: dict[str, Any] = {
    "content_type": "actions.session",
    "date_time": "2020-01-02T03:04:05",
    "id": KEY,
    "image": None,
    "json": None,
    "object_id": "11111111-2222-3333-4444-555555555555",
    "text": "x",
    "user": "olivier",
}


def test_what_the_server_would_lose_is_read_and_sent_back(connect: Connect) -> None:
    with FaultServer(then=json_response(NOTE)) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        connect(server.url)(lambda client: client.notes.partial_update(KEY, text="new"))
        assert [request.method for request in server.requests] == ["GET", "PATCH"]
        assert server.requests[1].json() == {
            "content_type": NOTE["content_type"],
            "object_id": NOTE["object_id"],
            "text": "new",
        }


def test_what_is_given_is_not_read_first(connect: Connect) -> None:
    with FaultServer(then=json_response(NOTE)) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alyx = connect(server.url)
        changes = {"text": "y", "content_type": "actions.session", "object_id": KEY}
        alyx(lambda client: client.notes.partial_update(KEY, **changes))
        assert [request.method for request in server.requests] == ["PATCH"]
        with pytest.raises(InvalidFieldError):
            alyx(lambda client: client.notes.partial_update(KEY, text=5))
        with pytest.raises(InvalidFieldError):
            alyx(lambda client: client.notes.partial_update(KEY))
        assert len(server.requests) == 1


def test_open_file_is_read_once_and_sent_whole(connect: Connect) -> None:
    image = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    with FaultServer(then=json_response(NOTE)) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        connect(server.url)(lambda client: client.notes.partial_update(KEY, image=io.BytesIO(image), text="new"))
        read, patched = server.requests
        assert (read.method, patched.method) == ("GET", "PATCH")
        assert image in patched.body
        assert NOTE["object_id"].encode() in patched.body


def test_trajectory_keeps_its_parents(local_alyx: LocalAlyx) -> None:
    client = AlyxClient(local_alyx.url, token=local_alyx.token())
    before = next(row for row in client.trajectories.list() if row.probe_insertion)
    local_alyx.requests.clear()
    after = client.trajectories.partial_update(before.id, theta=12.5)
    assert (after.probe_insertion, after.session) == (before.probe_insertion, before.session)
    assert after.theta == 12.5
    assert [request.method for request in local_alyx.requests] == ["GET", "PATCH"]
    after = client.trajectories.partial_update(before.id, probe_insertion=None, chronic_insertion=None)
    assert after.probe_insertion is None
    assert [request.method for request in local_alyx.requests] == ["GET", "PATCH", "PATCH"]


# --- against the local Alyx


def test_a_record_lives_from_creation_to_deletion(local_alyx: LocalAlyx, connect: Connect, tmp_path: Path) -> None:
    alyx = connect(local_alyx.url, token=local_alyx.token())
    made = alyx(lambda client: client.subjects.create(Subject(nickname="alyx.client-1", lab="cortexlab")))
    assert alyx(lambda client: client.subjects.read(made.url)).id == made.id
    changed = alyx(lambda client: client.subjects.partial_update("alyx.client-1", description="grey"))
    assert changed.description == "grey"
    (found,) = alyx(lambda client: client.subjects.list(id=made.id))
    assert found.nickname == "alyx.client-1"
    image = tmp_path / "brain.png"
    image.write_bytes(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
            "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
        )
    )
    note = Note(user="olivier", content_type="subjects.subject", object_id=made.id, text="x")
    assert alyx(lambda client: client.notes.create(note, image=image)).text == "x"
    alyx(lambda client: client.subjects.delete(made.url))
    with pytest.raises(NotFoundError, match=r"alyx\.client-1"):
        alyx(lambda client: client.subjects.read("alyx.client-1"))


def test_rejected_record_says_which_field(local_alyx: LocalAlyx, connect: Connect) -> None:
    alyx = connect(local_alyx.url, token=local_alyx.token())
    with pytest.raises(BadRequestError) as caught:
        alyx(lambda client: client.subjects.create(Subject(nickname="x", lab="no-such-lab")))
    assert set(caught.value.fields) == {"lab"}
    assert "lab" in str(caught.value)


def test_list_is_a_sequence_of_typed_rows(local_alyx: LocalAlyx) -> None:
    client = AlyxClient(local_alyx.url, token=local_alyx.token(), strict=True)
    sessions = client.sessions.list(page_size=7)
    assert len(sessions) == len(list(sessions)) > 7
    assert sessions[-1] == list(sessions)[-1]
    assert all(row.start_time is None or row.start_time.tzinfo is None for row in sessions)
    some = [row.id for row in sessions[:3]]
    assert {row.id for row in client.sessions.list(id=some)} == set(some)
    assert client.sessions.list(id=some[0])[0].id == some[0]
    assert len(client.sessions.list(django={"id__in": some, "~id": some[0]})) == 2
    with pytest.raises(TypeError, match="subject"):
        client.sessions.list(subjct="x")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="time zone"):
        client.sessions.list(django={"start_time__gte": datetime(2020, 1, 1, tzinfo=UTC)})


def test_endpoint_shows_what_it_can_do() -> None:
    client = AlyxClient("https://x.org", token=SECRET)
    assert repr(client.weighings) == "<Weighings: create, create_many, delete, delete_many, list, read, read_many>"
    assert repr(client) == "AlyxClient('https://x.org')"
    assert json.dumps(client.base_url) == '"https://x.org"'
