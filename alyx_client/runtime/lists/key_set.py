"""Sets of keys of rows that take little memory: those of a million rows are held while these are iterated over."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from struct import iter_unpack
from typing import Any, Final
from uuid import UUID

__all__ = ["KeySet", "pack_key", "pack_uuids"]

_UUID_BYTES: Final = 16
_NUMBER_BYTES: Final = 8
_DASHES: Final = (8, 13, 18, 23)

_LEAST_SLOTS = 2048
# With fewer slots, most keys would meet another one; growing by more would waste memory, and by less take time.
_SLOTS_PER_KEY = 2
_GROWTH = 4


class KeySet:
    """A set of packed keys: as exact as Python's own, which would take five times as much memory."""

    def __init__(self) -> None:
        self._tables = [_Table(_UUID_BYTES), _Table(_NUMBER_BYTES)]
        self._others: set[object] = set()

    def __len__(self) -> int:
        return sum(map(len, self._tables)) + len(self._others)

    def __contains__(self, key: object) -> bool:
        return key in self._others or any(key in table for table in self._tables)

    def add(self, keys: Sequence[Any]) -> list[bool]:
        """Add the keys of a page; return for each whether it was known, be it from earlier in the page.

        Parameters
        ----------
        keys
            Keys as `pack_key` returns them. None stands for no key: it is not added, and never known.
        """
        try:
            length = len(b"".join(keys))
        except TypeError:  # some are neither UUIDs nor numbers
            return [self._add(key) for key in keys]
        for table in self._tables:
            if length == table.width * len(keys):
                return table.add(keys)
        return [self._add(key) for key in keys]

    def _add(self, key: object) -> bool:
        if key is None:
            return False
        for table in self._tables:
            if isinstance(key, bytes) and len(key) == table.width:
                return table.add([key])[0]
        is_known = key in self._others
        self._others.add(key)
        return is_known


class _Table:
    """A hash table of byte strings of one length: the strings themselves, one after the other, and their numbers.

    Parameters
    ----------
    width
        The length of a string.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._strings = bytearray()
        self._count = 0
        self._slots = array("I", [0])  # numbers by hash, from 1; 0 in empty slots

    def __len__(self) -> int:
        return self._count

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, bytes) or len(key) != self.width:
            return False
        mask = len(self._slots) - 1
        slot = hash(key) & mask
        while number := self._slots[slot]:
            if self._strings.startswith(key, (number - 1) * self.width):
                return True
            slot = (slot + 1) & mask
        return False

    def add(self, keys: Sequence[bytes]) -> list[bool]:
        """Add strings; return for each whether it was there."""
        self._make_room(self._count + len(keys))
        # This runs for each row of each list: no calls, and no attributes that could be looked up once.
        strings, slots, width, count, mask = self._strings, self._slots, self.width, self._count, len(self._slots) - 1
        are_known: list[bool] = []
        note = are_known.append
        for key in keys:
            slot = hash(key) & mask
            while number := slots[slot]:
                if strings.startswith(key, (number - 1) * width):
                    note(True)
                    break
                slot = (slot + 1) & mask
            else:
                strings += key
                slots[slot] = count = count + 1
                note(False)
        self._count = count
        return are_known

    def _make_room(self, count: int) -> None:
        size = len(self._slots)
        if size >= count * _SLOTS_PER_KEY and size >= _LEAST_SLOTS:
            return
        size = max(size, _LEAST_SLOTS)
        while size < count * _SLOTS_PER_KEY:
            size *= _GROWTH
        self._slots = slots = array("I", [0]) * size
        mask = size - 1
        for number, (key,) in enumerate(iter_unpack(f"{self.width}s", self._strings), 1):
            slot = hash(key) & mask
            while slots[slot]:
                slot = (slot + 1) & mask
            slots[slot] = number


def pack_key(key: object) -> object:
    """Return a key in few bytes: 16 for a UUID, also as text, and 8 for a number; any other key as it is."""
    if isinstance(key, str):
        # "007" may be the key of another row than "7".
        if len(key) < 20 and key.isdecimal() and str(int(key)) == key:
            key = int(key)
        else:
            packed = pack_uuids([key]) if len(key) == 36 else _from_hex(key, 1)
            return key if packed is None else packed[0]
    if isinstance(key, UUID):
        return key.bytes
    if type(key) is int and -(2**63) <= key < 2**63:
        return key.to_bytes(_NUMBER_BYTES, "big", signed=True)
    return key


def pack_uuids(values: Sequence[Any]) -> list[bytes] | None:
    """Pack the keys of a page at once; None if one of them is not a UUID, or is written without dashes."""
    kinds = set(map(type, values))
    if kinds == {UUID}:
        return [value.bytes for value in values]
    if kinds != {str} or set(map(len, values)) != {36}:
        return None
    text = "".join(values)
    if any(text[place::36] != "-" * len(values) for place in _DASHES):
        return None
    return _from_hex(text.replace("-", ""), len(values))


def _from_hex(digits: str, count: int) -> list[bytes] | None:
    """Return so many UUIDs, written one after the other without dashes; None if the text is not that."""
    try:
        packed = bytes.fromhex(digits)
    except ValueError:
        return None
    # Spaces between the digits are skipped.
    if len(digits) != 2 * len(packed) or len(packed) != _UUID_BYTES * count:
        return None
    return [key for (key,) in iter_unpack(f"{_UUID_BYTES}s", packed)]
