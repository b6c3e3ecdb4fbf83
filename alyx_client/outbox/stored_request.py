"""Requests as texts, and with the keys of records in place of placeholders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote

from alyx_client.http.json_body import parse_json
from alyx_client.http.message import Request
from alyx_client.outbox.entries import fields_of
from alyx_client.runtime.placeholders import Placeholder, find_placeholders

__all__ = ["dump_request", "fill", "load_request", "placeholders_of", "with_fields"]

_PLAIN = ("method", "path", "form_type", "accept", "json_type", "endpoint", "action", "hint")


def dump_request(request: Request) -> str:
    """Return a request without its files as text."""
    values: dict[str, Any] = {name: getattr(request, name) for name in _PLAIN}
    body = None if request.json is None else request.json.decode()
    return json.dumps({**values, "params": request.params, "form": request.form, "json": body})


def load_request(text: str) -> Request:
    """Return the request of a text."""
    values: dict[str, Any] = json.loads(text)
    for name in ("params", "form"):
        values[name] = tuple((key, value) for key, value in values[name])
    body: str | None = values.pop("json")
    return Request(**values, json=None if body is None else body.encode())


def placeholders_of(request: Request) -> list[Placeholder]:
    """Return the placeholders in a request."""
    texts = [request.path, *(value for _, value in (*request.params, *request.form))]
    if request.json is not None:
        texts.append(request.json.decode())
    return find_placeholders("\n".join(texts))


def fill(request: Request, keys: Mapping[Placeholder, str | int]) -> Request:
    """Return the request with keys in place of placeholders."""
    for placeholder, key in keys.items():
        text, name = str(key), str(placeholder)
        body = request.json
        if body is not None:
            # As a value of its own it keeps its type; as a part of a text it is escaped as such.
            filled = body.decode().replace(f'"{name}"', json.dumps(key)).replace(name, json.dumps(text)[1:-1])
            body = filled.encode()
        request = replace(
            request,
            path=request.path.replace(name, quote(text, safe="")),
            params=tuple((field, value.replace(name, text)) for field, value in request.params),
            form=tuple((field, value.replace(name, text)) for field, value in request.form),
            json=body,
        )
    return request


def with_fields(request: Request, fields: Mapping[str, object]) -> Request:
    """Return the request with further fields, unless it has them."""
    present = fields_of(request)
    new = {name: value for name, value in fields.items() if name not in present}
    if request.json is not None:
        body = cast("dict[str, Any]", parse_json(request.json))
        return replace(request, json=json.dumps({**new, **body}, allow_nan=False).encode())
    pairs = tuple((name, _form_text(value)) for name, value in new.items())
    return replace(request, form=(*pairs, *request.form))


def _form_text(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
