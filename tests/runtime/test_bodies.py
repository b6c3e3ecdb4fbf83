"""Bodies of requests: what JSON and forms cannot express, and files that cannot be read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from alyx_client.errors import InvalidFieldError
from alyx_client.runtime.bodies import file_parts, form_fields, json_text


def closed() -> io.BytesIO:
    file = io.BytesIO(b"x")
    file.close()
    return file


FILES: dict[str, tuple[Any, str]] = {
    "text mode": ({"image": io.StringIO("x")}, "image: the file is open in text mode; open it with mode 'rb'"),
    "closed": ({"image": closed()}, r"image: a BytesIO cannot be read \(ValueError\)"),
    "no file": ({"image": 5}, "image: a int is not a file"),
    "missing": ({"image": Path("missing.png")}, "image: there is no file missing.png"),
    "a name that is none": ({"image": (5, b"x")}, "image: the name of a file is text, not a int"),
    "a name of too many bytes": ({"image": Path("x" * 5000)}, "image: the file x+ cannot be read|there is no file"),
    "half a surrogate pair": ({"image": ("\ud800.png", b"x")}, "half a surrogate pair"),
    "no pairs": (5, "files takes a dictionary"),
    "a key of another type": ({5: b"x"}, "files takes a dictionary"),
}


@pytest.mark.parametrize(("files", "message"), FILES.values(), ids=FILES)
def test_file_that_cannot_be_sent_is_named(files: Any, message: str) -> None:
    with pytest.raises(InvalidFieldError, match=message):
        file_parts(files)


@pytest.mark.parametrize(
    ("lists", "sent"),
    [
        (None, (("tags", "a"), ("tags", "b"), ("sizes", "[1, 2]"))),
        (("sizes",), (("tags", '["a", "b"]'), ("sizes", "1"), ("sizes", "2"))),
    ],
)
def test_lists_in_forms_are_repeated_where_the_field_is_one(lists: Any, sent: Any) -> None:
    assert form_fields({"tags": ["a", "b"], "sizes": [1, 2]}, "notes.create()", lists) == sent


def nested() -> list[Any]:
    value: list[Any] = []
    for _ in range(200_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("payload", "message"),
    [(float("inf"), "infinite or not a number"), (nested(), "nested too deeply")],
    ids=["infinite", "nested"],
)
def test_what_json_cannot_express_is_not_sent(payload: object, message: str) -> None:
    with pytest.raises(InvalidFieldError, match=message):
        json_text(payload, "notes.create()")
