"""Both clients behind one synchronous interface."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl

from alyx_client import AlyxClient, AsyncAlyxClient
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx

QUICK = Retries(base=0.001, cap=0.001)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


class Sync:
    def __init__(self, url: str, **settings: Any) -> None:
        self.client: Any = AlyxClient(url, **{"retries": QUICK, "cache_rest": None, "silent": True, **settings})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def close(self) -> None:
        self.client.close()


class Async:
    """The asynchronous client with every call run to its end, and lists read whole."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.client: Any = AsyncAlyxClient(url, **{"retries": QUICK, "cache_rest": None, "silent": True, **settings})
        self._runner = asyncio.Runner()

    def __getattr__(self, name: str) -> Any:
        def wait(value: Any) -> Any:
            async def run() -> Any:
                result = await value
                return await result.all() if hasattr(result, "all") else result

            return self._runner.run(run())

        attribute = getattr(self.client, name)
        if hasattr(attribute, "__await__"):
            return wait(attribute)
        return (lambda *args, **kwargs: wait(attribute(*args, **kwargs))) if callable(attribute) else attribute

    def close(self) -> None:
        self._runner.run(self.client.aclose())
        self._runner.close()


def sent(local: LocalAlyx) -> dict[str, str]:
    """Return the query of the last request."""
    return dict(parse_qsl(local.requests[-1].query, keep_blank_values=True))
