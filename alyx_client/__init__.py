"""A typed client for Alyx, the database of neuroscience labs.

>>> from alyx_client import AlyxClient
>>> client = AlyxClient("https://alyx.example.org")  # doctest: +SKIP
>>> client.subjects.list(lab="cortexlab", alive=True)  # doctest: +SKIP
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from alyx_client.endpoints import AlyxClient, AsyncAlyxClient
    from alyx_client.errors import (
        AlyxConnectionError,
        AlyxError,
        AlyxHTTPError,
        AlyxTimeoutError,
        AlyxWarning,
        AuthenticationError,
        BadRequestError,
        BulkError,
        ChecksumError,
        ClientClosedError,
        ConfigurationError,
        DeadlineExceededError,
        DownloadsFailedError,
        ForeignURLError,
        FrozenRecordError,
        IncompleteDownloadError,
        InvalidCallError,
        InvalidFieldError,
        InvalidKeyError,
        MissingCredentialsError,
        MissingLibraryError,
        NotAnObjectError,
        NotCompletedError,
        NotFoundError,
        OfflineError,
        OutboxDamagedError,
        OutboxError,
        PermissionDeniedError,
        RateLimitError,
        ResponseTooLargeError,
        SchemaDriftError,
        SchemaDriftWarning,
        ServerError,
        StaleAnswerWarning,
        UnexpectedAnswerError,
        UnknownFilterError,
    )
    from alyx_client.http.retry import Retries
    from alyx_client.outbox.entries import Receipt
    from alyx_client.runtime.bulk_results import BulkResults
    from alyx_client.runtime.lists.async_results import AsyncResults
    from alyx_client.runtime.lists.results import Results

__version__ = "1.0.0rc1"

__all__ = [
    "AlyxClient",
    "AlyxConnectionError",
    "AlyxError",
    "AlyxHTTPError",
    "AlyxTimeoutError",
    "AlyxWarning",
    "AsyncAlyxClient",
    "AsyncResults",
    "AuthenticationError",
    "BadRequestError",
    "BulkError",
    "BulkResults",
    "ChecksumError",
    "ClientClosedError",
    "ConfigurationError",
    "DeadlineExceededError",
    "DownloadsFailedError",
    "ForeignURLError",
    "FrozenRecordError",
    "IncompleteDownloadError",
    "InvalidCallError",
    "InvalidFieldError",
    "InvalidKeyError",
    "MissingCredentialsError",
    "MissingLibraryError",
    "NotAnObjectError",
    "NotCompletedError",
    "NotFoundError",
    "OfflineError",
    "OutboxDamagedError",
    "OutboxError",
    "PermissionDeniedError",
    "RateLimitError",
    "Receipt",
    "ResponseTooLargeError",
    "Results",
    "Retries",
    "SchemaDriftError",
    "SchemaDriftWarning",
    "ServerError",
    "StaleAnswerWarning",
    "UnexpectedAnswerError",
    "UnknownFilterError",
]

# The modules of the names above that are not errors. All of them are imported on first access (PEP 562), so that
# `import alyx_client` loads neither httpx2 nor pydantic.
_MODULES = {
    "AlyxClient": "alyx_client.endpoints",
    "AsyncAlyxClient": "alyx_client.endpoints",
    "AsyncResults": "alyx_client.runtime.lists.async_results",
    "BulkResults": "alyx_client.runtime.bulk_results",
    "Receipt": "alyx_client.outbox.entries",
    "Results": "alyx_client.runtime.lists.results",
    "Retries": "alyx_client.http.retry",
}
# Imported before them, one after the other: imports within imports nest so deeply that CPython 3.11 maps and unmaps the
# memory of its frames with thousands of calls, which takes a quarter of all the time. And a module that is imported
# before its package, while another thread imports that, may be a deadlock, which CPython reports as an error.
_RUNTIME = ("alyx_client.runtime",)
_FIRST = {
    "AlyxClient": (*_RUNTIME, "alyx_client.client"),
    "AsyncAlyxClient": (*_RUNTIME, "alyx_client.client"),
    "AsyncResults": _RUNTIME,
    "BulkResults": _RUNTIME,
    "Receipt": _RUNTIME,
    "Results": _RUNTIME,
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _FIRST:
        _import_all(_FIRST[name])
    value = getattr(import_module(_MODULES.get(name, "alyx_client.errors")), name)
    # Later accesses find the name in the module, and do not call this function.
    globals()[name] = value
    return value


def _import_all(modules: Iterable[str]) -> None:
    """Import modules while the garbage collector rests: it would scan all that they make, repeatedly, and free none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for module in modules:
            import_module(module)
    finally:
        if was_enabled:
            # What was made joins the oldest objects, as after several scans, unless the program has frozen others.
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
