"""ONE (``one.api.ONE``, of ONE-api) on this client.

The topmost room: it may import all others, and none of them imports it. Importing it needs no ONE.
"""

from __future__ import annotations
