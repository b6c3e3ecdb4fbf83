"""Calls for many records, of either client."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Protocol, Unpack, cast

from alyx_client.bulk.ledger import Ledger
from alyx_client.bulk.options import Options
from alyx_client.bulk.plan import make_plan
from alyx_client.bulk.threads import run_in_threads
from alyx_client.errors import InvalidCallError
from alyx_client.runtime.action import Action
from alyx_client.runtime.bulk_options import BulkArguments
from alyx_client.runtime.bulk_results import BulkResults
from alyx_client.runtime.client import ClientContext, SyncClient

__all__ = ["Settings", "begin", "finish", "interruptions", "mark_stale", "run_many"]


class Settings(ClientContext, Protocol):
    """The settings of a client that calls for many records go by."""

    silent: bool

    @property
    def max_requests(self) -> int:
        """How many requests are under way at a time."""
        ...

    def mark_stale(self) -> None:
        """Make all cached responses stale."""
        ...


class _Client(Settings, SyncClient, Protocol):
    def ensure_token(self) -> None: ...


def run_many(
    client: _Client, action: Action[Any], items: object, **arguments: Unpack[BulkArguments]
) -> BulkResults[Any]:
    """Carry out an action for many records.

    Parameters
    ----------
    client
        The client.
    action
        The action for one record.
    items
        The input, as the method for many records takes it.
    **arguments
        As in `BulkArguments`.

    Raises
    ------
    BulkError
        Records failed, and `on_error` is ``"raise"``.
    """
    options, workers, ledger = begin(client, action, items, arguments)
    if ledger.plan.tasks:
        silent = client.silent if options.silent is None else options.silent
        with interruptions(ledger):
            if options.executor is None:
                run_in_threads(client, ledger, workers=workers, silent=silent, timeout=options.timeout)
            else:
                from alyx_client.bulk.executors import run_with_executor

                client.ensure_token()
                try:
                    run_with_executor(client, ledger, options.executor, options, silent=silent)
                finally:
                    mark_stale(client, ledger)
    return finish(ledger, options)


def begin(
    client: Settings, action: Action[Any], items: object, arguments: BulkArguments
) -> tuple[Options, int, Ledger]:
    """Return the checked options of a call, how many requests are under way at a time, and its ledger."""
    if not isinstance(cast("object", action), Action):
        raise InvalidCallError(f"action: pass an action of an endpoint, not an object of type {type(action).__name__}")
    rows, current, batches = (
        arguments.pop("rows", None),
        arguments.pop("current", None),
        arguments.pop("batches", False),
    )
    options = Options.of(arguments)
    workers = options.max_workers or client.max_requests
    plan = make_plan(client, action, items, workers=workers, rows=rows, current=current, batches=batches)
    return options, workers, Ledger(plan)


def finish(ledger: Ledger, options: Options) -> BulkResults[Any]:
    """Return the results of a call, or raise what failed."""
    results = ledger.results()
    if options.on_error == "raise":
        results.raise_failures()
    return results


def mark_stale(client: Settings, ledger: Ledger) -> None:
    """Make the client's cached responses stale after writes of other processes, which may be on other machines."""
    if ledger.plan.work.is_write:
        client.mark_stale()


@contextmanager
def interruptions(ledger: Ledger) -> Generator[None]:
    """Tell on whatever ends the call, such as `KeyboardInterrupt`, what was done."""
    try:
        yield
    except BaseException as error:
        ledger.interrupt(error)
        raise
