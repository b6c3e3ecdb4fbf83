"""Requests that are stored as texts, and get the keys of records in place of placeholders."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from alyx_client.http.message import Request
from alyx_client.outbox.entries import Receipt
from alyx_client.outbox.stored_request import dump_request, fill, load_request, placeholders_of, with_fields
from alyx_client.runtime.placeholders import new_token

RECEIPT = Receipt(new_token(), "subjects", "create")
NAME = str(RECEIPT.id)


def request(**parts: Any) -> Request:
    return replace(Request("POST", "/notes", endpoint="notes", action="create"), **parts)


@pytest.mark.parametrize("key", ["a/b c", 5, 'quoted "\\'])
@pytest.mark.parametrize("part", ["path", "params", "form", "json"])
def test_keys_replace_placeholders_in_every_part(part: str, key: str | int) -> None:
    parts: dict[str, Any] = {
        "path": f"/notes/{NAME}/x",
        "params": (("a", "b"), ("key", f"of {NAME}")),
        "form": (("a", "b"), ("key", f"of {NAME}")),
        "json": json.dumps({"key": NAME, "text": f"of {NAME}", "other": None}).encode(),
    }
    stored = load_request(dump_request(request(**{part: parts[part]})))
    assert stored == request(**{part: parts[part]})
    (placeholder,) = placeholders_of(stored)
    filled = fill(stored, {placeholder: key})
    assert placeholders_of(filled) == []
    if part == "path":
        assert filled == request(path={"a/b c": "/notes/a%2Fb%20c/x", 5: "/notes/5/x"}.get(key, filled.path))
    elif part == "json":
        assert filled.json is not None
        assert json.loads(filled.json) == {"key": key, "text": f"of {key}", "other": None}
    else:
        assert filled == request(**{part: (("a", "b"), ("key", f"of {key}"))})


@pytest.mark.parametrize("is_form", [False, True])
def test_fields_that_are_sent_win_over_those_of_the_record(is_form: bool) -> None:
    sent = request(form=(("text", "new"),)) if is_form else request(json=b'{"text": "new"}')
    whole = with_fields(sent, {"text": "old", "number": 1, "nothing": None})
    if is_form:
        assert sorted(whole.form) == [("nothing", ""), ("number", "1"), ("text", "new")]
    else:
        assert json.loads(whole.json or b"") == {"text": "new", "number": 1, "nothing": None}


def test_numbers_that_json_does_not_have_are_not_sent() -> None:
    with pytest.raises(ValueError, match="JSON"):
        with_fields(request(json=b'{"text": "new"}'), {"number": float("nan")})
