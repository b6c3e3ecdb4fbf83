"""Values of options, by the types of generated methods."""

from __future__ import annotations

from uuid import UUID

import pytest

from alyx_client.cli.output import plain
from alyx_client.cli.usage_error import UsageError
from alyx_client.cli.values import ValueType

KEY = "5a2c6a0e-e4b8-4d5c-9c7e-3a0f2d1a9b11"
VALUES: list[tuple[str, list[str], object]] = [
    ("datetime", ["2026-01-31T12:00"], "2026-01-31T12:00"),
    ("UUID", [KEY], UUID(KEY)),
    ("list[dict[str, Any]]", ['[{"a": 1}]'], [{"a": 1}]),
    ("list[dict[str, Any]]", ['{"a": 1}'], [{"a": 1}]),
    ("Any", ["no JSON"], "no JSON"),
    ("float | None", ["1e3"], 1000.0),
    ("int | str", ["x"], "x"),
    ("Annotated[int, Field(ge=0)] | None", ["5"], 5),
    ("DateRange", ["2026-01-01", "2026-01-31"], ("2026-01-01", "2026-01-31")),
]


@pytest.mark.parametrize(("annotation", "texts", "value"), VALUES)
def test_values(annotation: str, texts: list[str], value: object) -> None:
    assert ValueType.of(annotation).coerce(texts, "--x") == value


@pytest.mark.parametrize(
    ("annotation", "text", "message"),
    [
        ("UUID", "x", "takes a UUID"),
        ("float", "x", "takes a number"),
        ("int", "1.5", "a whole number"),
        ("list[Any]", "[1,", "not JSON"),
    ],
)
def test_refused_values(annotation: str, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ValueType.of(annotation).coerce([text], "--x")


def test_what_is_no_record() -> None:
    """A server may send something else in its place."""
    assert plain([1]) == {"value": [1]}
    assert plain({"url": "x"}, ["id", "url"]) == {"id": None, "url": "x"}
