"""What became of a write, by the error that its attempt ended with; and attempts that something else ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from alyx_client import AsyncAlyxClient
from alyx_client.errors import (
    AlyxConnectionError,
    AlyxError,
    AlyxHTTPError,
    AlyxTimeoutError,
    AuthenticationError,
    ClientClosedError,
    DeadlineExceededError,
    MissingCredentialsError,
    OfflineError,
    OutboxError,
    ResponseTooLargeError,
    ServerError,
    UnexpectedAnswerError,
)
from alyx_client.http.message import Request
from alyx_client.models import Lab, Weighing
from alyx_client.outbox.entries import Receipt
from alyx_client.outbox.store import Store
from alyx_client.outbox.verdicts import Verdict, verdict

from .conftest import QUICK, Rig

REQUEST = Request("POST", "/labs", endpoint="labs", action="create")


def http(status: int, path: str = "/labs") -> AlyxError:
    return AlyxHTTPError("", status_code=status, url=f"https://alyx.example.org{path}")


def attributed(error: AlyxError, **attributes: Any) -> AlyxError:
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *((http(status), Verdict.REFUSED) for status in (400, 403, 404, 405, 409, 413)),
        *((http(status), Verdict.NOT_SENT) for status in (302, 401, 429, 503)),
        *((http(status), Verdict.UNCERTAIN) for status in (408, 502, 504)),
        (http(500), Verdict.FAILED),
        (http(400, "/labs/"), Verdict.REFUSED),
        # A login that goes wrong says nothing about the write.
        (http(400, "/auth-token"), Verdict.NOT_SENT),
        (http(500, "/auth-token"), Verdict.NOT_SENT),
        (ServerError("", status_code=500, url="https://alyx.example.org/labs?limit=1"), Verdict.FAILED),
        *(
            (kind(""), Verdict.NOT_SENT)
            for kind in (AuthenticationError, ClientClosedError, MissingCredentialsError, OfflineError)
        ),
        (attributed(AlyxConnectionError(""), unreached=True), Verdict.NOT_SENT),
        (AlyxConnectionError("a certificate that is not trusted"), Verdict.NOT_SENT),
        (attributed(AlyxConnectionError(""), may_have_acted=True), Verdict.UNCERTAIN),
        (attributed(AlyxTimeoutError(""), may_have_acted=True), Verdict.UNCERTAIN),
        (DeadlineExceededError("it waited for its turn"), Verdict.NOT_SENT),
        (attributed(DeadlineExceededError(""), attempts=1), Verdict.UNCERTAIN),
        (UnexpectedAnswerError(""), Verdict.UNCERTAIN),
        (ResponseTooLargeError(""), Verdict.UNCERTAIN),
    ],
    ids=repr,
)
def test_verdicts(error: AlyxError, expected: Verdict) -> None:
    assert verdict(error, REQUEST) is expected


def test_a_task_that_is_cancelled_leaves_its_write_uncertain(rig: Rig) -> None:
    rig.alyx.faults.add("/labs", "delay", seconds=30.0, method="POST")

    async def run() -> None:
        async with AsyncAlyxClient(rig.alyx.url, "olivier", "olivier", cache_rest=None, retries=QUICK) as client:
            task = asyncio.create_task(client.outbox.write(client.labs.create, Lab(name="cancelled")))
            while not rig.count("/labs"):
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            (entry,) = client.outbox
            assert (entry.state, entry.doubtful) == ("uncertain", True)

    asyncio.run(run())
    rig.alyx.faults.clear()
    assert rig.send()


def test_a_stored_write_never_raises_for_what_comes_after(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Store, *args: object, **changes: object) -> None:
        raise OutboxError("the disk is full")

    with rig.client() as client:
        with monkeypatch.context() as patch:
            patch.setattr(Store, "set_state", fail)
            receipt = client.outbox.write(client.labs.create, Lab(name="other"))
        assert isinstance(receipt, Receipt)
        assert client.outbox.send()
        assert client.labs.read("other").name == "other"


def test_a_lookup_that_the_server_fails_at_stops_no_other_write(rig: Rig) -> None:
    rig.alyx.faults.add("/weighings", "reset", method="POST")
    with rig.client() as client:
        subject = client.subjects.list(max_items=1)[0].nickname
    rig.write("weighings.create", Weighing(subject=subject, date_time="2020-05-01T10:00:00", weight=20.5))
    rig.write("labs.create", Lab(name="other"))
    rig.alyx.faults.add("/weighings", "status", status=500, method="GET")
    report = rig.send()
    assert [entry.endpoint for entry in report.sent] == ["labs"]
    assert [entry.endpoint for entry in report.held] == ["weighings"]
