"""A local Alyx for trying the client out, for tests, and for pipelines in continuous integration.

It needs the extra ``local`` (``pip install "alyx-client[local]"``) and is a stand-in: it behaves as a real Alyx was
seen to behave, and the truth is the real server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alyx_client.testing.server.local import LocalAlyx

__all__ = ["LocalAlyx"]


def __getattr__(name: str) -> object:
    if name == "LocalAlyx":
        # Web server and framework are imported only when a server is asked for.
        from alyx_client.testing.server.local import LocalAlyx

        return LocalAlyx
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
