"""Comparison of what was sent, and of what was received, with what the document says."""

from __future__ import annotations

import email
import email.policy
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import UUID

from .server import Sent

Pairs = list[tuple[str, str]]
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


def request_differences(sent: Sent, method: str, path: str, query: Pairs, extra: frozenset[str]) -> Iterator[str]:
    """Yield how a request differs from the method, the path and the query that are expected.

    Parameters
    ----------
    sent
        The request.
    method, path, query
        What is expected, not yet encoded.
    extra
        Names of query parameters that may be sent besides, such as those of paging.
    """
    target = urlsplit(sent.target)
    if sent.method != method:
        yield f"method {sent.method}, not {method}"
    if unquote(target.path) != path:
        yield f"path {unquote(target.path)}, not {path}"
    names = {name for name, _ in query}
    got = [pair for pair in parse_qsl(target.query, keep_blank_values=True) if pair[0] in names or pair[0] not in extra]
    if len(got) != len(query) or not all(
        name == other and same(text, wanted)
        for (name, text), (other, wanted) in zip(sorted(got), sorted(query), strict=True)
    ):
        yield f"query {sorted(got)}, not {sorted(query)}"


def body_differences(sent: Sent, body: Any, files: Mapping[str, list[bytes]], media_types: Sequence[str]) -> list[str]:
    """Return how a request's body differs from what is expected.

    Parameters
    ----------
    sent
        The request.
    body
        The JSON value that is expected; in a form, an object of its fields.
    files
        The contents of files by form field.
    media_types
        The media types that the operation takes.
    """
    kind = sent.headers.get("content-type", "").partition(";")[0].strip()
    if body is None and not files:
        return [f"a body of {len(sent.body)} bytes, and none is declared"] if sent.body else []
    if not body and not files and not sent.body:
        return []  # a form without fields
    if media_types and not {kind, "*/*"} & {one.partition(";")[0].strip() for one in media_types}:
        return [f"a body of type {kind}, which is not declared: {', '.join(media_types)}"]
    if kind not in FORMS:
        received = _json(sent.body)
        return differences(received, body) + [f"{one}, and was not passed" for one in differences(body, received)]
    fields, received = form_of(sent)
    wanted = [pair for name, value in (body or {}).items() for pair in _form_pairs(name, value)]
    wrong = [] if received == files else [f"files {received}, not {dict(files)}"]
    if len(fields) != len(wanted) or not all(
        name == other and same_form(text, value)
        for (name, text), (other, value) in zip(sorted(fields), sorted(wanted), strict=True)
    ):
        wrong.append(f"form {sorted(fields)}, not {sorted(wanted)}"[:600])
    return wrong


def _form_pairs(name: str, value: Any) -> Pairs:
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return [pair for item in value for pair in _form_pairs(name, item)]
    if value is None:
        return [(name, "")]
    return [(name, value if isinstance(value, str) else json.dumps(value))]


def form_of(sent: Sent) -> tuple[Pairs, dict[str, list[bytes]]]:
    """Return the fields and the files of a form."""
    kind = sent.headers.get("content-type", "")
    if not kind.startswith("multipart/"):
        return parse_qsl(sent.body.decode(), keep_blank_values=True), {}
    # HTTP's header lets the standard library's reader of e-mail read the parts.
    head = f"Content-Type: {kind}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    message = email.message_from_bytes(head + sent.body, policy=email.policy.HTTP)
    fields: Pairs = []
    files: dict[str, list[bytes]] = {}
    for part in message.iter_parts() if isinstance(message, EmailMessage) else ():
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        content = content if isinstance(content, bytes) else b""
        if part.get_filename() is None:
            fields.append((name, content.decode()))
        else:
            files.setdefault(name, []).append(content)
    return fields, files


def differences(received: Any, sent: Any, place: str = "") -> list[str]:
    """Return where a value that was received differs from the one that was sent; fields may come on top."""
    where = place or "the whole"
    if isinstance(sent, Mapping) and isinstance(received, Mapping):
        missing = [f"{place}.{name} is lost" for name in sent if name not in received]
        inner = [
            found
            for name in sent
            if name in received
            for found in differences(received[name], sent[name], f"{place}.{name}")
        ]
        return missing + inner
    if isinstance(sent, list) and isinstance(received, list | tuple):
        if len(sent) != len(received):
            return [f"{where} has {len(received)} items, not {len(sent)}"]
        pairs = zip(received, sent, strict=True)
        return [found for n, (one, other) in enumerate(pairs) for found in differences(one, other, f"{place}[{n}]")]
    return [] if same(received, sent) else [f"{where} is {received!r}, not {sent!r}"[:300]]


def same(one: Any, other: Any) -> bool:
    """Return whether two values are the same, if one is JSON and the other may be an object of Python."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other or (str(one).lower(), str(other).lower()) in (("true", "true"), ("false", "false"))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other or math.isclose(one, other)
    if one == other or one is None or other is None:
        return bool(one == other)
    if isinstance(other, str) and isinstance(one, str):
        return _moment(one) == _moment(other) != "" or _uuid(one) == _uuid(other) != ""
    # Dates, UUIDs and decimals are objects whose text differs from the server's at most in its form.
    return isinstance(other, str) and (same(str(one), other) or isinstance(one, timedelta) or _isoformat(one) == other)


def same_form(one: str, other: str) -> bool:
    """Return whether two texts of a form's fields are the same, also as JSON."""
    return one == other or same(one, other) or (_json(one) is not None and not differences(_json(one), _json(other)))


def _moment(text: str) -> object:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return (moment, moment.tzinfo is None)


def _uuid(text: str) -> object:
    try:
        return UUID(text)
    except ValueError:
        return ""


def _isoformat(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else ""


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
