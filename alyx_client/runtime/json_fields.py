"""Changes to the keys of a JSON field, such as ``sessions.extended_qc``.

Alyx only replaces a field as a whole. To change one key, the field is read, past the cache, and written again: of two
programs that do so at the same time, the last one wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from alyx_client.errors import NotAnObjectError
from alyx_client.http.arguments import require
from alyx_client.http.flow import Flow
from alyx_client.http.log import logger
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.bodies import plain_json

__all__ = ["JSONField"]


@dataclass(frozen=True, slots=True)
class JSONField:
    """A JSON field of one record, sans-I/O; endpoints and calls by name read and write it in their own ways.

    Parameters
    ----------
    label
        The record and the field, for messages.
    read
        Reads the field from the server, past the cache.
    write
        Replaces the field, and returns the value that the server then has.
    zones
        Whether date-times may have a time zone.
    """

    label: str
    read: Callable[[], Flow[object]]
    write: Callable[[object], Flow[Any]]
    zones: bool = False

    def update(self, data: object) -> Flow[Any]:
        """Set some keys, and return the value that the server then has.

        Parameters
        ----------
        data
            The keys to set; the others are left unchanged.

        Raises
        ------
        NotAnObjectError
            The field, or `data`, is not an object.
        InvalidFieldError
            JSON cannot express a value; nothing was sent.
        """
        if not isinstance(data, Mapping):
            raise NotAnObjectError(f"{self.label}: the keys to set are a dictionary, not a {type(data).__name__}")
        keys: dict[str, Any] = plain_json(cast("object", data), self.label, zones=self.zones)
        current = yield from self.read()
        content = {} if current is None else self._object(current)
        return (yield from self.write(content | keys))

    def remove_key(self, key: str) -> Flow[Any]:
        """Remove a key, and return the value that the server then has; without such a key, nothing is written.

        Parameters
        ----------
        key
            The key to remove.

        Raises
        ------
        NotAnObjectError
            The field is not an object.
        """
        require("key", key, str, "the name of a key")
        current = yield from self.read()
        content = {} if current is None else self._object(current)
        if key not in content:
            logger.info("%s has no key %r; nothing was written", self.label, key)
            return current
        return (yield from self.write({name: value for name, value in content.items() if name != key}))

    def _object(self, value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise NotAnObjectError(
                f"{self.label} holds a {type(value).__name__}, which has no keys; nothing was written. "
                "json_field_write replaces it as a whole."
            )
        return dict(cast("Mapping[str, Any]", value))
