from __future__ import annotations

import logging
import pickle
import ssl
import traceback
import warnings

import pytest

from alyx_client.errors import (
    AlyxConnectionError,
    AlyxError,
    InsecureConnectionWarning,
    ServerError,
)
from alyx_client.http.message import Request
from alyx_client.http.retry import Retries
from tests import faults
from tests.faults import FaultServer, json_response
from tests.http.transports import LIST, TransportFactory, with_password


def test_secrets_stay_out_of_logs_errors_and_reprs(connect: TransportFactory, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    script = [faults.reset_before_headers(), json_response([]), json_response({"detail": "x"}, status=500)]
    request = Request("GET", "/subjects", params=(("password", "hunter2"), ("lab", "cortexlab")))
    with FaultServer(script, routes={"/auth-token": [faults.token_response("secret-token")]}) as server:
        sender = connect(server.url, credentials=with_password(server.url))
        sender.send(request)
        with pytest.raises(ServerError) as caught:
            sender.send(request)
    restored = pickle.loads(pickle.dumps(sender.transport))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("alyx_client")]
    shown = "".join(
        [
            *ours,
            *map(
                repr,
                (
                    caught.value,
                    caught.value.url,
                    sender.transport.auth.state.credentials,
                    restored.auth.state.credentials,
                ),
            ),
            *map(repr, (sender.transport, restored)),
            *traceback.format_exception(caught.value),
        ]
    )
    assert "password=***&lab=cortexlab" in shown
    for secret in ("hunter2", "secret-password", "secret-token"):
        assert secret not in shown


def test_each_request_is_logged_in_one_line(connect: TransportFactory, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "alyx_client")
    with FaultServer([faults.response(b"x" * 12_300)]) as server:
        connect(server.url).send(LIST)
    line = next(line for line in caplog.messages if line.startswith("GET"))
    assert line.startswith("GET /subjects 200 12 kB ")
    assert line.endswith(" s")


def test_password_to_another_machine_without_encryption_warns_once(connect: TransportFactory) -> None:
    sender = connect("http://alyx.invalid", retries=Retries(tries=1), connect_timeout=1.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(2):
            with pytest.raises(AlyxError):
                sender.send(LIST)
    (warning,) = [item for item in caught if item.category is InsecureConnectionWarning]
    assert "http://alyx.invalid without encryption" in str(warning.message)


def test_untrusted_certificate_is_named_and_not_retried(
    connect: TransportFactory, caplog: pytest.LogCaptureFixture, tls_server: tuple[FaultServer, ssl.SSLContext]
) -> None:
    server, trusting = tls_server
    caplog.set_level(logging.INFO, "alyx_client")
    with pytest.raises(AlyxConnectionError, match=r"certificate of localhost:\d+ is not trusted"):
        connect(server.url).send(LIST)
    assert not any("retrying" in line for line in caplog.messages)
    assert connect(server.url, verify=trusting).send(LIST).status == 200
