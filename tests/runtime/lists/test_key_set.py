"""The keys of rows that were returned: exact whatever their kinds, and small."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alyx_client.runtime.lists.key_set import KeySet, pack_key, pack_uuids
from alyx_client.runtime.lists.row_keys import KeyReader, SeenRows

KEY = UUID("b2f1c6de-7f4a-4a3b-8c6e-2f1d3c4b5a69")

# Few different ones, so that many come again; those of other kinds have the same digits and bytes.
SMALL = st.integers(-3, 3)
KEYS = (
    st.none()
    | SMALL.map(pack_key)
    | SMALL.map(lambda number: pack_key(UUID(int=number % 5)))
    | SMALL.map(lambda number: pack_key(UUID(int=number % 5 << 64)))
    | st.sampled_from(["007", "-5", 2**63, 2**200, True, "x" * 16])
)


@settings(max_examples=300, deadline=None)
@given(pages=st.lists(st.lists(KEYS, max_size=12), max_size=12))
def test_keys_are_those_of_a_set(pages: list[list[object]]) -> None:
    keys, expected = KeySet(), set[tuple[type, object]]()
    for page in pages:
        known: list[bool] = []
        for key in page:
            known.append((type(key), key) in expected and key is not None)
            expected |= {(type(key), key)} - {(type(None), None)}
        assert keys.add(page) == known
        assert len(keys) == len(expected)
    assert all(key in keys for _, key in expected)
    assert None not in keys
    assert pack_key(UUID(int=77)) not in keys


def number_key(number: int) -> object:
    return number


def sequential_uuid(number: int) -> object:
    return UUID(int=number)


def random_uuid(number: int) -> object:
    return UUID(int=random.Random(number).getrandbits(128))


@pytest.mark.parametrize("key_of", [number_key, sequential_uuid, random_uuid])
def test_many_keys_are_told_apart(key_of: Callable[[int], object]) -> None:
    keys = KeySet()
    for start in range(0, 20_000, 500):
        page = [pack_key(key_of(number)) for number in range(max(0, start - 20), start + 500)]
        assert keys.add(page) == [number < start for number in range(max(0, start - 20), start + 500)]
    assert len(keys) == 20_000
    assert pack_key(key_of(20_001)) not in keys


@pytest.mark.parametrize(
    ("key", "packed"),
    [
        (KEY, KEY.bytes),
        (str(KEY), KEY.bytes),
        (str(KEY).upper(), KEY.bytes),
        (KEY.hex, KEY.bytes),
        (5, (5).to_bytes(8, "big")),
        ("5", (5).to_bytes(8, "big")),
        (-5, b"\xff" * 7 + b"\xfb"),
        # Other texts than that of a key may be those of other rows.
        ("05", "05"),
        ("-5", "-5"),
        ("\u0665", "\u0665"),
        (2**64, 2**64),
        (True, True),
        (None, None),
        (f"{{{KEY.hex}}}", f"{{{KEY.hex}}}"),
        (f"urn:{KEY.hex}", f"urn:{KEY.hex}"),
        (str(KEY)[:-1] + "g", str(KEY)[:-1] + "g"),
        (str(KEY).replace("-", " "), str(KEY).replace("-", " ")),
        ("b2f1c6de7-f4a-4a3b-8c6e-2f1d3c4b5a69", "b2f1c6de7-f4a-4a3b-8c6e-2f1d3c4b5a69"),
        ("b2f1c6de-7f4a-4a3b-8c6e-2f1d3c4b5a- ", "b2f1c6de-7f4a-4a3b-8c6e-2f1d3c4b5a- "),
        ("b2f1c6de-7f4a-4a3b-8c6e-2f1d3c4b5a  ", "b2f1c6de-7f4a-4a3b-8c6e-2f1d3c4b5a  "),
    ],
)
def test_packed_key(key: object, packed: object) -> None:
    assert pack_key(key) == packed
    assert type(pack_key(key)) is type(packed)
    if isinstance(key, str) and not isinstance(packed, bytes):
        assert pack_uuids([str(KEY), key]) is None


def rows_of(values: Sequence[object], name: str = "id") -> list[object]:
    return [{name: value} for value in values]


URL = "https://alyx.example.org/weighings/"


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        (["id"], rows_of([KEY, UUID(int=3)])),
        (["id"], rows_of([str(KEY), str(UUID(int=3))])),
        (["id"], rows_of([str(KEY), UUID(int=3)])),
        (["id"], rows_of([str(KEY), 5, None, True])),
        (["id"], rows_of([str(KEY)[:-1], str(KEY) + "0"])),
        (["id"], [*rows_of([str(KEY)]), 5, ["x"], "text"]),
        (["id", "url"], [*rows_of([str(KEY)]), *rows_of([URL + str(UUID(int=3))], "url")]),
        (["id", "url"], rows_of([URL + str(KEY), URL + str(UUID(int=3))], "url")),
        (["url"], rows_of([URL + str(KEY), URL + str(UUID(int=3))], "url")),
        (["url"], rows_of([URL + str(KEY), URL + str(UUID(int=3)) + "/"], "url")),
        (["url"], rows_of([URL + str(KEY), None, 5], "url")),
        (["url"], rows_of([URL + str(KEY), "https://alyx.example.org/sessions//" + str(UUID(int=3))], "url")),
        (["url"], rows_of([f"{URL}x/{KEY}", f"{URL}x/{UUID(int=3)}"], "url")),
        (["url"], rows_of([f"{URL}{n:05}{KEY}"[:-5] for n in range(2)], "url")),
        (["url"], rows_of([str(KEY), f"/{KEY}"], "url")),
        ([], rows_of([KEY])),
        (["id"], []),
    ],
)
def test_keys_of_a_page_are_those_of_its_rows(names: list[str], rows: list[object]) -> None:
    reader = KeyReader(names, "/weighings")
    assert reader.packed(rows) == [pack_key(reader(row)) for row in rows]


@pytest.mark.parametrize("is_number", [False, True])
def test_keys_take_little_memory(is_number: bool) -> None:
    """Python's own set takes 120 bytes for each."""
    count, size = 100_000, 1000
    seen = SeenRows[object](KeyReader(["id"], "/weighings"), None)
    rows: list[dict[str, object]] = []
    tracemalloc.start()
    try:
        for start in range(0, count, size):
            rows = [
                {"id": number if is_number else str(UUID(int=number << 40))} for number in range(start, start + size)
            ]
            assert len(seen.new_rows(rows)) == size
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 45 * count
    assert len(seen.keys) == count
    assert seen.new_rows(rows) == []
