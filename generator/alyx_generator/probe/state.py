"""State of a probe, stored in a file after each operation so that an interrupted probe resumes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from alyx_client.schema.openapi import Schema
from alyx_client.storage.atomic import write_private
from alyx_generator.probe.observations import Location, Observation, Observations
from alyx_generator.source.openapi import JSONDict


class ProbeStateError(ValueError):
    """The state file belongs to another probe, or is not a state file."""


@dataclass
class OperationProgress:
    """The progress of one operation.

    Parameters
    ----------
    requests
        The number of requests sent.
    rows
        The number of rows or records checked.
    skipped
        Why it was not read, or not completely; empty if it was.
    failed
        Whether the server failed to respond properly.
    observations
        What its responses contained.
    """

    requests: int = 0
    rows: int = 0
    skipped: str = ""
    failed: bool = False
    observations: Observations = field(default_factory=dict[Location, Observation])


class ProbeState:
    """The finished operations of a probe.

    Parameters
    ----------
    file
        The file that stores them; None stores nothing.
    fingerprint
        Identifies the server, the schema and the bounds, since the state is of no use to a probe with others.

    Raises
    ------
    ProbeStateError
        The file belongs to another probe, or cannot be read.
    """

    def __init__(self, file: Path | None, fingerprint: str) -> None:
        self._file = file
        self._fingerprint = fingerprint
        self.finished: dict[str, OperationProgress] = {}
        if file is not None and file.exists():
            self._load(file)

    def _load(self, file: Path) -> None:
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            fingerprint = content["fingerprint"]
            finished = {path: _load_progress(progress) for path, progress in content["finished"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ProbeStateError(f"{file} is not the state of a probe; remove it to start again") from None
        if fingerprint != self._fingerprint:
            raise ProbeStateError(
                f"{file} is the state of another probe: the server, its schema, the corrections or the bounds differ. "
                "Remove it to start again"
            )
        self.finished = finished

    def finish(self, path: str, progress: OperationProgress) -> None:
        """Add a finished operation, and write the file."""
        for observation in progress.observations.values():
            observation.forget_data_keys()
        self.finished[path] = progress
        if self._file is not None:
            finished = {name: _dump_progress(operation) for name, operation in self.finished.items()}
            # The names of fields may be sensitive, so only the user may read the file.
            write_private(self._file, json.dumps({"fingerprint": self._fingerprint, "finished": finished}))


def _dump_progress(progress: OperationProgress) -> JSONDict:
    # Locations are tuples, which cannot be keys in JSON.
    observations = [[list(location), asdict(observation)] for location, observation in progress.observations.items()]
    return {
        "requests": progress.requests,
        "rows": progress.rows,
        "skipped": progress.skipped,
        "failed": progress.failed,
        "observations": observations,
    }


def _load_progress(content: Schema) -> OperationProgress:
    observations = {tuple(location): Observation.load(observed) for location, observed in content["observations"]}
    return OperationProgress(content["requests"], content["rows"], content["skipped"], content["failed"], observations)
