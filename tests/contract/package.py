"""The client under test: the shipped one, or the generated package that ``CONTRACT_PACKAGE`` names."""

from __future__ import annotations

import importlib
import os
from typing import Any

__all__ = ["AlyxClient", "AsyncAlyxClient", "PACKAGE", "endpoints", "models", "new_session"]

PACKAGE = os.environ.get("CONTRACT_PACKAGE", "")

endpoints: Any = importlib.import_module(PACKAGE or "alyx_client.endpoints")
models: Any = importlib.import_module(f"{endpoints.__name__}.models")
AlyxClient: Any = endpoints.Client if PACKAGE else endpoints.AlyxClient
AsyncAlyxClient: Any = endpoints.AsyncClient if PACKAGE else endpoints.AsyncAlyxClient


def new_session(**fields: Any) -> Any:
    """Return a session to create; servers before 3.3 require its users."""
    users: dict[str, Any] = {"users": []} if models.Session.model_fields["users"].is_required() else {}
    return models.Session(**users | fields)
