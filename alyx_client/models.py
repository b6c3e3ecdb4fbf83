"""The models of all endpoints, imported on first access: ``from alyx_client.models import Subject``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alyx_client.endpoints.models import *  # noqa: F403


def __getattr__(name: str) -> Any:
    from alyx_client.endpoints import models

    if name == "__all__":
        return models.__all__
    try:
        return getattr(models, name)
    except AttributeError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    from alyx_client.endpoints import models

    return models.__all__
