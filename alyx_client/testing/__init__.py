"""A local Alyx, for trying the client out and for tests; imports nothing else of the client.

It needs the extra ``local``: ``pip install "alyx-client[local]"``. It is a stand-in that reproduces the observed
behaviour of a real Alyx; where they differ, the real server is right. Being independent of the client, it cannot share
the client's mistakes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alyx_client.testing.server.local import LocalAlyx

__all__ = ["LocalAlyx"]


def __getattr__(name: str) -> object:
    if name == "LocalAlyx":
        # Deferred, so that importing this module needs neither the web server nor the framework.
        from alyx_client.testing.server.local import LocalAlyx

        return LocalAlyx
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
