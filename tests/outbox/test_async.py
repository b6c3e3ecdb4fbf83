"""The outbox of the asynchronous client: the event loop goes on, and tasks can be cancelled at any point."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from alyx_client import AsyncAlyxClient
from alyx_client.models import Lab
from alyx_client.outbox.aio import AsyncOutbox
from alyx_client.outbox.entries import Entry, Receipt
from alyx_client.storage.durable import DurableDatabase

from .conftest import Rig


async def listed(outbox: AsyncOutbox) -> list[Entry]:
    return [entry async for entry in outbox]


USES: dict[str, Callable[[AsyncAlyxClient, Receipt], Awaitable[object]]] = {
    "write": lambda client, _: client.outbox.write(client.labs.create, Lab(name="other")),
    "edit": lambda client, receipt: client.outbox.edit(receipt, client.labs.create, Lab(name="edited")),
    "get": lambda client, receipt: client.outbox.get(receipt),
    "count": lambda client, _: client.outbox.count(),
    "iterate": lambda client, _: listed(client.outbox),
    "resend": lambda client, receipt: client.outbox.resend(receipt),
    "settle": lambda client, receipt: client.outbox.settle(receipt, "x"),
    "drop": lambda client, receipt: client.outbox.drop(receipt),
    "send": lambda client, _: client.outbox.send(),
}


@pytest.mark.parametrize("use", USES)
def test_the_event_loop_goes_on_while_another_process_has_the_file(rig: Rig, use: str) -> None:
    receipt = rig.write("labs.create", Lab(name="first"), offline=True)

    async def run() -> object:
        async with AsyncAlyxClient(rig.alyx.url, **rig.options(offline=use != "send")) as client:
            if use in ("resend", "settle"):
                client.outbox._store.set_state(receipt.token, "held", expected=["queued"])  # pyright: ignore[reportPrivateUsage]
            file = client.outbox.folder / "outbox.sqlite"
            with closing(sqlite3.connect(file, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                task = asyncio.ensure_future(USES[use](client, receipt))
                # A blocked loop would not come here before the file is given up.
                for _ in range(20):
                    await asyncio.sleep(0.005)
                assert not task.done()
                other.execute("ROLLBACK")
                return await task

    result = asyncio.run(run())
    assert result is not None
    if use == "drop":
        assert isinstance(result, Entry)
        assert result.receipt == receipt


class Cancelling:
    """Cancels a task while a thread is in the nth transaction of the outbox, before its end or after it."""

    def __init__(self, number: int, *, committed: bool) -> None:
        self.number = number
        self.committed = committed
        self.count = 0
        self.task: asyncio.Task[Any] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def cancel(self) -> None:
        if self.task is None or self.loop is None:
            return
        cancelled = threading.Event()
        self.loop.call_soon_threadsafe(self.task.cancel)
        self.loop.call_soon_threadsafe(cancelled.set)
        cancelled.wait(10)

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        original = DurableDatabase.transaction

        @contextmanager
        def transaction(database: DurableDatabase) -> Generator[Any]:
            self.count += self.task is not None
            is_last = self.task is not None and self.count == self.number
            with original(database) as connection:
                yield connection
                if is_last and not self.committed:
                    self.cancel()
            if is_last and self.committed:
                self.cancel()

        monkeypatch.setattr(DurableDatabase, "transaction", transaction)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("number", range(1, 10))
def test_a_task_that_is_cancelled_at_any_point_leaves_a_whole_write_or_none(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, number: int, committed: bool
) -> None:
    cancelling = Cancelling(number, committed=committed)

    async def run() -> Entry | None:
        async with AsyncAlyxClient(rig.alyx.url, **rig.options()) as client:
            await client.authenticate()
            cancelling.patch(monkeypatch)
            cancelling.loop = asyncio.get_running_loop()
            cancelling.task = asyncio.create_task(client.outbox.write(client.labs.create, Lab(name="other")))
            error: BaseException | None = None
            try:
                await cancelling.task
            except asyncio.CancelledError as cancelled:
                error = cancelled
            cancelling.task = None
            if error is not None:
                states = {entry.state for entry in await listed(client.outbox)}
                # Never as if it were still being sent: what was not sent is not in doubt.
                assert states <= {"queued", "uncertain"}
                assert bool(states) <= any("stays in the outbox" in note for note in error.__notes__)
                assert "queued" not in states or not rig.count("/labs")
            return None

    asyncio.run(run())
    assert rig.send()
    assert rig.labs() == ["other"]
    assert rig.count("/labs") <= 2
    assert number < 9 or cancelling.count < 9


def test_cancelling_gives_up_the_lock_of_senders(rig: Rig) -> None:
    rig.write("labs.create", Lab(name="first"), offline=True)
    rig.alyx.faults.add("/labs", "delay", seconds=30.0, method="POST")

    async def run() -> None:
        async with AsyncAlyxClient(rig.alyx.url, **rig.options()) as client:
            task = asyncio.create_task(client.outbox.send())
            while not rig.count("/labs"):
                await asyncio.sleep(0.01)
            waiting = asyncio.create_task(client.outbox.send())
            await asyncio.sleep(0.05)
            for other in (task, waiting):
                other.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await other
            rig.alyx.faults.clear()
            assert await client.outbox.send()

    asyncio.run(run())
