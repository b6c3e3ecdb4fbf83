"""A client that shows what it would send."""

from __future__ import annotations

import json
from typing import Any

from alyx_client.cli.terminal import say
from alyx_client.http.deadline import Deadline
from alyx_client.http.message import Request

__all__ = ["DryRun"]


class DryRun:
    """Stands in for a client: it sends requests that only read, and shows the others.

    Parameters
    ----------
    client
        The client that reads.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def run(self, flow: Any, timeout: float | None = None) -> None:
        """Run a flow up to the first request that would change something, and show that."""
        step = next(flow)
        # Parts of a call, so that nothing that waits in the outbox is sent.
        deadline = Deadline.of(timeout, self._client.timeout)
        while step.request.method == "GET":
            # Some updates send fields along that the server would lose, and read them first.
            step = flow.send(self._client.send(step.request, bypass_cache=step.bypass_cache, timeout=deadline))
        flow.close()
        _show(step.request, self._client.base_url)


def _show(request: Request, base_url: str) -> None:
    say(f"{request.method} {base_url}{request.path}")
    if request.json is not None:
        say(json.dumps(json.loads(request.json), indent=2, ensure_ascii=False))
    for name, value in request.form:
        say(f"{name}: {value}")
    for file in request.files:
        say(f"{file.name}: file {file.filename}, {len(file.content)} bytes, {file.content_type}")
