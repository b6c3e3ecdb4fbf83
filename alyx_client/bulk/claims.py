"""Claims on tasks that a cluster may run twice.

Dask runs the tasks of a worker that it has lost again, on another one. A creation would then be sent twice.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["is_claimed"]


def is_claimed(name: str) -> bool:
    """Claim a task, in a worker of Dask; returns whether it was claimed before. Elsewhere, no task runs twice.

    Parameters
    ----------
    name
        The task's name, which no other one of the cluster has.
    """
    distributed: Any = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:  # this process works for another executor
        return False
    claim = distributed.Event(name)
    if claim.is_set():
        return True
    claim.set()
    return False
