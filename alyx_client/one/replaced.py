"""Calls by name through the methods that a program has replaced on its client, as its tests do for ONE."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlencode

from alyx_client.http.flow import Send
from alyx_client.http.json_body import parse_json
from alyx_client.http.message import Request, Response
from alyx_client.one.libraries import request_function

__all__ = ["METHODS", "Caller", "replaced_caller"]

METHODS = ("get", "post", "put", "patch", "delete")


class Caller(Protocol):
    """Performs a request in another way; None if it does not perform this one."""

    def __call__(self, step: Send) -> Response | None:
        """Perform the request of a step."""
        ...


def replaced_caller(client: object, own: type) -> Caller | None:
    """Return the way through the methods that are not those of `own` any more; None if all of them are.

    In ONE, ``rest`` calls ``get``, ``post`` and so on, and these ``_generic_request``.

    Parameters
    ----------
    client
        The client.
    own
        The class that defines the methods.
    """
    replaced = {
        name: getattr(client, name) for name in (*METHODS, "_generic_request") if _is_replaced(client, own, name)
    }
    if not replaced:
        return None

    def call(step: Send) -> Response | None:
        request, name = step.request, step.request.method.lower()
        if request.files or request.endpoint in ("api/schema", "docs"):
            return None
        if name in replaced:
            return _response(request, _call(replaced[name], name, step))
        if generic := replaced.get("_generic_request"):
            return _response(request, generic(request_function(name), _url(request), data=_data(request), files=None))
        return None

    return call


def _is_replaced(client: object, own: type, name: str) -> bool:
    return name in vars(client) or getattr(type(client), name) is not getattr(own, name)


def _call(method: Callable[..., object], name: str, step: Send) -> object:
    url = _url(step.request)
    if name == "get":
        return method(url, clobber=step.bypass_cache, expires=step.expires or False)
    return method(url) if name == "delete" else method(url, data=_data(step.request), files=None)


def _url(request: Request) -> str:
    query = urlencode(request.params)
    return f"{request.path}{'?' if query else ''}{query}"


def _data(request: Request) -> Any:
    return None if request.json is None else parse_json(request.json)


def _response(request: Request, result: object) -> Response:
    content = json.dumps(result, default=str).encode()
    return Response(200, {"content-type": "application/json"}, content, request.method, request.path)
