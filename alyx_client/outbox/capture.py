"""The request that a call of an endpoint's method would send, without sending it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from alyx_client.errors import InvalidCallError, InvalidFieldError
from alyx_client.http.message import Request
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.outbox.entries import fields_of
from alyx_client.runtime.action import Action
from alyx_client.runtime.arguments import Arguments
from alyx_client.runtime.client import ClientContext
from alyx_client.runtime.endpoint import AsyncEndpoint, Endpoint
from alyx_client.storage.durable import sync_file

__all__ = ["Captured", "FilesMode", "capture"]

FilesMode = Literal["copy", "refer"]
"""``copy``: the outbox has a copy of each file. ``refer``: it has the path, and the hash, of files passed by path."""

_ACTIONS = ("create", "update", "partial_update")
# The server takes the time at which it receives these records for that of the event.
_TIMED = frozenset({"notes", "water_administrations", "weighings"})


@dataclass(frozen=True, slots=True)
class Captured:
    """A call of a method that writes.

    Parameters
    ----------
    action
        The action.
    request
        Its request, files included.
    preserved
        Fields to read from the server before it is sent.
    paths
        The paths of files that are referred to, by form field.
    timeout
        The call's own time limit.
    """

    action: Action[Any]
    request: Request
    preserved: tuple[str, ...]
    paths: Mapping[str, str]
    timeout: float | None


@dataclass(frozen=True, slots=True)
class _Call:
    action: Action[Any]
    parts: dict[str, Any]


class _Recorder:
    __slots__ = ()

    def _send(self, action: Action[Any], **parts: Any) -> Any:
        return _Call(action, parts)


class _AsyncRecorder:
    __slots__ = ()

    async def _send(self, action: Action[Any], **parts: Any) -> Any:
        return _Call(action, parts)


@cache
def _recording(endpoint: Any) -> Any:
    """Return a subclass of an endpoint's class whose methods return what they would send."""
    base = _AsyncRecorder if issubclass(endpoint, AsyncEndpoint) else _Recorder
    return type(endpoint.__name__, (base, endpoint), {"__slots__": ()})


def capture(
    client: ClientContext,
    method: Callable[..., Any],
    args: tuple[Any, ...],
    keywords: Mapping[str, Any],
    files: FilesMode,
) -> Captured:
    """Return the request of a call.

    Parameters
    ----------
    client
        The client.
    method
        The method of one of its endpoints: ``create``, ``update`` or ``partial_update``.
    args, keywords
        The arguments of the call.
    files
        Whether files are copied.

    Raises
    ------
    InvalidCallError
        It is no such method, or one of another client.
    InvalidKeyError, InvalidFieldError, ForeignURLError
        An argument cannot be sent.
    """
    endpoint = getattr(method, "__self__", None)
    name = getattr(method, "__name__", "")
    if not isinstance(endpoint, Endpoint | AsyncEndpoint) or name not in _ACTIONS:
        raise InvalidCallError(
            "outbox: pass a method of an endpoint that creates or changes a record, and its arguments: "
            "client.outbox.write(client.weighings.create, Weighing(...))"
        )
    if getattr(endpoint, "_client", None) is not client:
        raise InvalidCallError(f"outbox: {name} is a method of another client's endpoint")
    function = cast("Callable[..., Any]", getattr(method, "__func__", None))
    kind: Any = type(endpoint)
    recorded = function(_recording(kind)(client), *args, **keywords)
    return _captured(client, recorded if isinstance(recorded, _Call) else _result_of(recorded), files)


def _result_of(coroutine: Coroutine[Any, Any, Any]) -> _Call:
    try:
        coroutine.send(None)
    except StopIteration as end:
        if isinstance(end.value, _Call):
            return end.value
    finally:
        coroutine.close()
    raise InvalidCallError("outbox: this method does more than one request, and cannot wait")


def _captured(client: ClientContext, call: _Call, files: FilesMode) -> Captured:
    action, parts = call.action, dict(call.parts)
    timeout, current = parts.pop("timeout", None), parts.pop("current", None)
    if isinstance(parts.get("body"), list | tuple):
        raise InvalidCallError(f"outbox: {action.endpoint}.{action.name}() takes one record at a time here")
    uploads: Mapping[str, Any] = parts.pop("files", None) or {}
    arguments = Arguments(files=uploads, filters=parts.pop("filters", None) or {}, **parts).read_files()
    request = action.request(client.base_url, arguments, client.closed_sets)
    if action.name == "create" and action.endpoint in _TIMED and "date_time" not in fields_of(request):
        raise InvalidFieldError(
            f"outbox: {action.endpoint}.create() needs date_time: a write may wait, and the server would take the time "
            "at which it is sent",
            fields={"date_time": ["required for writes that may wait"]},
        )
    lost = () if current is None or arguments.changes is None else action.preserved_fields
    changes = arguments.changes or {}
    paths = {
        field: str(Path(upload).absolute())
        for field, upload in uploads.items()
        if files == "refer" and isinstance(upload, Path)
    }
    for path in paths.values():
        # A power cut must not leave a write without its file.
        sync_file(Path(path))
    return Captured(action, request, tuple(field for field in lost if field not in changes), paths, timeout)
