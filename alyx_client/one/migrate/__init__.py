"""Calls by name, such as ``one.alyx.rest("sessions", "list")``, rewritten as typed ones in source code.

``python -m alyx_client.one.migrate FILES`` reads code, without running it, and shows what it would change. Importing
this package requires neither ONE nor LibCST; rewriting requires LibCST (the extra ``migrate``).
"""

from __future__ import annotations
