from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import pickle
import ssl
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from alyx_client.auth.credentials import Credentials
from alyx_client.errors import ClientClosedError, InsecureConnectionWarning
from alyx_client.http.async_transport import AsyncTransport
from alyx_client.http.retry import Retries
from alyx_client.http.transport import SyncTransport
from tests import faults
from tests.faults import FaultServer, json_response
from tests.http.transports import LIST, authentication, with_password


def test_closed_transport_opens_again_in_a_with_block() -> None:
    with FaultServer(then=json_response([])) as server:
        with SyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t"))) as transport:
            transport.send(LIST)
        transport.close()
        with pytest.raises(ClientClosedError):
            transport.send(LIST)
        with transport:
            assert transport.send(LIST).status == 200
        assert server.connections == 2


def test_async_transport_serves_several_event_loops() -> None:
    with FaultServer(then=json_response([])) as server:
        transport = AsyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t")))

        async def twice() -> int:
            async with transport:
                await transport.send(LIST)
                return (await transport.send(LIST)).status

        assert asyncio.run(twice()) == 200
        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(lambda _: asyncio.run(twice()), range(2))) == [200, 200]
        assert server.connections == 3


def test_pools_of_ended_event_loops_are_dropped() -> None:
    with FaultServer(then=json_response([])) as server:
        transport = AsyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t")))
        for _ in range(3):
            asyncio.run(transport.send(LIST))
        assert len(transport._pools) == 1


def test_event_loops_in_several_threads_log_in_once() -> None:
    routes = {"/auth-token": [faults.token_response("T1", delay=0.1)]}
    with FaultServer(then=faults.require_token("T1", []), routes=routes) as server:
        transport = AsyncTransport(server.url, authentication(with_password(server.url)))

        async def fetch() -> int:
            async with transport:
                responses = await asyncio.gather(*(transport.send(LIST) for _ in range(3)))
                return sum(response.status for response in responses)

        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(lambda _: asyncio.run(fetch()), range(3))) == [600] * 3
        assert server.count("/auth-token") == 1


def test_cancelled_login_releases_the_lock() -> None:
    logins = [faults.silent(), faults.token_response("T1")]
    with FaultServer(then=json_response([]), routes={"/auth-token": logins}) as server:

        async def cancel_then_send() -> int:
            async with AsyncTransport(server.url, authentication(with_password(server.url))) as transport:
                first = asyncio.create_task(transport.send(LIST))
                while not server.count("/auth-token"):
                    await asyncio.sleep(0.01)
                first.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await first
                return (await asyncio.wait_for(transport.send(LIST), 60)).status

        assert asyncio.run(cancel_then_send()) == 200


def test_threads_share_one_transport() -> None:
    with FaultServer(then=faults.require_token("t", [], delay=0.01)) as server:
        transport = SyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t")))
        with transport, ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _: transport.send(LIST).status, range(64)))
        assert statuses == [200] * 64
        assert server.connections <= 8


def test_pickle_keeps_the_settings_and_the_token() -> None:
    with FaultServer(then=json_response([]), routes={"/auth-token": [faults.token_response("T1")]}) as server:
        credentials = with_password(server.url)
        transport = SyncTransport(
            server.url, authentication(credentials), read_timeout=7, retries=Retries(tries=2), user_agent="mine"
        )
        transport.send(LIST)
        restored = pickle.loads(pickle.dumps(transport))
        assert restored.send(LIST).status == 200
        assert server.tokens == [None, "T1", "T1"]
        assert server.requests[-1].headers["user-agent"] == "mine"
        assert (restored.timeout.read, restored.retries.tries) == (7, 2)
        transport.close()
        restored.close()


def test_transport_with_an_ssl_context_cannot_be_pickled() -> None:
    transport = SyncTransport(
        "https://x.org", authentication(Credentials("https://x.org")), verify=ssl.create_default_context()
    )
    with pytest.raises(TypeError, match="SSLContext"):
        pickle.dumps(transport)


def _send_in_worker(transport: SyncTransport) -> int:
    with transport:
        return transport.send(LIST).status


def test_spawned_workers_use_a_pickled_transport() -> None:
    with FaultServer(then=faults.require_token("t", [])) as server:
        transport = SyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t")))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.map(_send_in_worker, [transport]) == [200]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_forked_child_opens_connections_of_its_own() -> None:
    with FaultServer(then=json_response([])) as server:
        transport = SyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t")))
        transport.send(LIST)
        # The child's copy of a lock that is held at the fork must not block it.
        transport.auth.state.renewal_lock.acquire()
        transport._lock.acquire()
        child = os.fork()
        if child == 0:
            status = 1
            with contextlib.suppress(BaseException):
                status = 0 if transport.send(LIST).status == 200 else 2
                transport.close()
            os._exit(status)
        transport._lock.release()
        transport.auth.state.renewal_lock.release()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert transport.send(LIST).status == 200
        transport.close()
        connections = [received.connection for received in server.requests]
    assert connections[0] == connections[2] != connections[1]


def test_importing_the_rest_of_the_core_does_not_import_httpx() -> None:
    names = (
        "errors",
        "http.message",
        "http.url",
        "http.retry",
        "auth.credentials",
        "auth.token_flow",
        "http.notices",
        "http.log",
    )
    code = f"import sys; {'; '.join(f'import alyx_client.{name}' for name in names)}"
    check = f"{code}; sys.exit('httpx2' in sys.modules or 'pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


def test_connections_are_closed_with_the_object() -> None:
    with warnings.catch_warnings():
        # Connections that earlier tests left behind are no concern of this one.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    with FaultServer(then=json_response([])) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        transport = SyncTransport(server.url, authentication(Credentials(server.url, explicit_token="t")))
        transport.send(LIST)
        pool = transport._pool
        assert pool is not None
        del transport
        gc.collect()
        assert pool.is_closed


def _unverified_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@pytest.mark.parametrize("make", [SyncTransport, AsyncTransport])
@pytest.mark.parametrize("verify", [False, _unverified_context()], ids=["False", "context"])
def test_unchecked_certificates_are_warned_about_once(
    make: type[SyncTransport | AsyncTransport], verify: bool | ssl.SSLContext
) -> None:
    with pytest.warns(
        InsecureConnectionWarning, match=r"Certificates are not checked.*https://alyx\.example\.org"
    ) as caught:
        make("https://alyx.example.org", verify=verify)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make("https://alyx.example.org")
        make("https://alyx.example.org", verify=ssl.create_default_context())
        # Without encryption there is no certificate; and nobody is between this machine and itself.
        make("http://alyx.example.org", verify=verify)
        make("https://localhost:8000", verify=verify)
