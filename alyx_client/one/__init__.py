"""ONE (``one.api.ONE``, of ONE-api) on this client: its cache, its connections, its verified downloads.

>>> import alyx_client.one  # doctest: +SKIP
>>> from one.api import ONE  # doctest: +SKIP

Importing this module is enough, before or after ONE is imported: all ``ONE`` objects that are made from then on use
this client. The import is cheap, and works without ONE. `uninstall` brings ONE's own client back; `install` says what
is wrong if ONE cannot be found.

The topmost room: it may import all others, and none of them imports it.
"""

from __future__ import annotations

from alyx_client.one.installation import install, is_installed, uninstall, watch

__all__ = ["install", "is_installed", "uninstall"]

watch()
