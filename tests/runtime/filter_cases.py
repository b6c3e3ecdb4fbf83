from __future__ import annotations

import ast
from collections.abc import Mapping
from enum import Enum
from uuid import UUID

from alyx_client.runtime.filters import FilterStyle, encode

KEY = UUID("0b12ba9e-01e3-4784-8c35-d7bb1bab414f")


STYLES: dict[str, FilterStyle] = {
    "lab": "plain",
    "alive": "boolean",
    "birth_date": "day",
    "start_time": "moment",
    "dataset_types": "comma",
    "tags": "repeat",
    "date_range": "range",
    "id": "id",
    "django": "django",
}


def sent(*, extra_params: Mapping[str, object] | None = None, **filters: object) -> list[tuple[tuple[str, str], ...]]:
    return encode(filters, STYLES, endpoint="sessions", extra_params=extra_params)


def one(**filters: object) -> dict[str, str]:
    (params,) = sent(**filters)
    assert len(dict(params)) == len(params)
    return dict(params)


# --- a model of how the server reads django=


def as_the_server_reads(text: str) -> dict[str, object]:
    """Read the mini-language: what is outside brackets is cut at commas, then guessed at, by pairs."""
    pieces, inside = [""], None
    for character in text.strip():
        if character == "," and inside is None:
            pieces.append("")
            continue
        if character in "([":
            inside = {"(": ")", "[": "]"}[character]
        elif character == inside:
            inside = None
        pieces[-1] += character
    assert len(pieces) % 2 == 0, f"an odd number of pieces: {pieces}"
    names = pieces[::2]
    assert len(set(names)) == len(names), f"a name twice: {names}"
    return dict(zip(names, map(guessed, pieces[1::2]), strict=True))


def guessed(piece: str) -> object:
    words = {"none": None, "true": True, "false": False}
    if piece == "None" or piece.lower() in ("true", "false"):
        return words[piece.lower()]
    if "".join(piece.split(".", 1)).isdigit():
        return float(piece)
    if piece[:1] in tuple("[(") and piece[-1:] in tuple(")]"):
        return ast.literal_eval(piece)
    return piece


class Colour(str, Enum):  # noqa: UP042
    """Text: `str()` of a member is "Colour.RED"."""

    RED = "red"
