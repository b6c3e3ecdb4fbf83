"""The log of drift: responses that differ from the schema that the client was generated from."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, overload

from alyx_client.errors import SchemaDriftError, SchemaDriftWarning, printable
from alyx_client.http.log import warn
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.schema.commands import generate_command, probe_command

__all__ = ["Drift", "DriftLog"]


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between the declared type of a field and the value received.

    Parameters
    ----------
    endpoint
        The endpoint's name on the client.
    field
        The field, with ``[]`` for each list it is nested in: ``file_records[].data_url``.
    expected
        The declared type.
    found
        The JSON type of the value received, or ``missing``.
    count
        The number of times it was seen.
    """

    endpoint: str
    field: str
    expected: str
    found: str
    count: int = 1

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.field} should be {self.expected} but is {self.found} ({self.count}x)"


class DriftLog(Sequence[Drift]):
    """The differences that one client has seen, each listed once with its count.

    Parameters
    ----------
    strict
        Raise `SchemaDriftError` instead of warning.
    package
        The client's package, for the commands in messages.
    server
        The server's address, for the commands in messages.
    """

    def __init__(
        self, *, strict: bool = False, package: str | None = None, server: str = "https://alyx.example.org"
    ) -> None:
        self.strict = strict
        self._package = package
        self._server = server
        self._seen: dict[tuple[str, str, str, str], Drift] = {}
        self._lock = threading.RLock()

    def add(self, drift: Drift) -> None:
        """Record one difference; warn the first time.

        Raises
        ------
        SchemaDriftError
            The log is strict.
        """
        received = "nothing" if drift.found == "missing" else drift.found
        text = f"{drift.endpoint}: the server sent {received} for {drift.field}, declared as {drift.expected}"
        if self.strict:
            raise SchemaDriftError(f"{text}. The client is strict (strict=True) and does not accept it.")
        key = (drift.endpoint, drift.field, drift.expected, drift.found)
        with self._lock:
            earlier = self._seen.get(key)
            self._seen[key] = drift if earlier is None else replace(earlier, count=earlier.count + drift.count)
        # A list has the same difference in each of its rows: one warning is enough.
        if earlier is None:
            warn(
                f"{text}. The value is passed on unchanged. If client.check_schema() reports that the server has "
                f"changed, regenerate the client: {generate_command(self._package, self._server)}",
                SchemaDriftWarning,
            )

    def clear(self) -> None:
        """Discard the differences seen so far."""
        with self._lock:
            self._seen.clear()

    @overload
    def __getitem__(self, index: int) -> Drift: ...
    @overload
    def __getitem__(self, index: slice) -> list[Drift]: ...
    def __getitem__(self, index: int | slice) -> Drift | list[Drift]:
        return list(self._seen.values())[index]

    def __len__(self) -> int:
        return len(self._seen)

    def __iter__(self) -> Iterator[Drift]:
        return iter(list(self._seen.values()))

    def __repr__(self) -> str:
        if not self._seen:
            return "no drift"
        return "\n".join(
            [
                *(printable(str(drift)) for drift in self),
                "If client.check_schema() reports that the server has changed, regenerate the client:",
                f"    {generate_command(self._package, self._server)}",
                "Otherwise its schema is wrong there, and this writes corrections to generate with:",
                f"    {probe_command(self._server)}",
            ]
        )

    def __getstate__(self) -> dict[str, Any]:
        # A lock cannot be pickled, and a client that travels to a worker process takes its log along.
        return {name: value for name, value in self.__dict__.items() if name != "_lock"} | {"_seen": dict(self._seen)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()
