"""A local Alyx that fails at random.

``python -m benchmarks.soak.server SEED RATE FOLDER`` prints its URL, and writes what clients should find to
``facts.json`` in the folder. At a line of its standard input, it stops to fail, and prints how often it failed; at the
next one, it prints the records. It serves until its standard input is closed.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections import Counter, deque
from pathlib import Path
from typing import Any

from alyx_client.testing import LocalAlyx
from alyx_client.testing.records.files import content_of
from alyx_client.testing.seed.record_maker import RecordMaker, key_of
from alyx_client.testing.server.faults import Fault, FaultKind, Faults

LOGIN = ("local", "alyx")
TYPES, FILES = 700, 24
LARGEST = 400_000
THROTTLE = (1200, 60.0)
"""Requests of each user within seconds; clients would take refusals at random for a much lower limit."""

# Kind, options and weight of each fault. Those with `handled` hide that the server has carried out the request.
FAULTS: list[tuple[FaultKind, dict[str, Any], int]] = [
    ("delay", {"seconds": 0.5}, 3),
    ("status", {"status": 500}, 2),
    ("status", {"status": 500, "handled": True}, 2),
    ("status", {"status": 502, "handled": True}, 2),
    ("status", {"status": 503}, 3),
    ("status", {"status": 503, "retry_after": 1}, 1),
    ("reset", {}, 3),
    ("reset", {"handled": True}, 3),
    ("cut_body", {}, 3),
    ("cut_body", {"reset": True}, 2),
    ("truncated_json", {}, 2),
    ("wrong_length", {"delta": -1}, 2),
    ("wrong_length", {"delta": 1}, 2),
    ("html", {}, 1),
    ("stale_token", {}, 1),
]


class RandomFaults(Faults):
    """Faults that affect some requests, chosen at random.

    Parameters
    ----------
    seed
        The seed of the choices.
    rate
        The share of requests that are affected.
    """

    def __init__(self, seed: int, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.requests = 0
        self.numbers: Counter[str] = Counter()
        self._random = random.Random(seed)

    def take(self, method: str, path: str) -> Fault | None:
        """Return a fault for some requests."""
        self.requests += 1
        if self._random.random() >= self.rate:
            return None
        kind, options, _ = self._random.choices(FAULTS, [weight for *_, weight in FAULTS])[0]
        words = [kind, *(f"{name}={value}" for name, value in options.items())]
        self.numbers[" ".join(words)] += 1
        return Fault(path, kind, options=options)


def fill(alyx: LocalAlyx) -> dict[str, Any]:
    """Add records and files that no client changes, and return what clients should find."""
    maker = RecordMaker(alyx.store, alyx.tables)
    for number in range(TYPES):
        maker.add("dataset-types", f"soak {number}", name=f"soak.type{number}")
    session = alyx.store.rows("sessions")[0]
    files: dict[str, dict[str, Any]] = {}
    for number in range(FILES):
        key, name = key_of("datasets", f"soak {number}"), f"soak.{number}.npy"
        size = 1 + number * LARGEST // FILES
        content = content_of(key, size)
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        kinds = {"collection": "soak", "dataset_type": f"soak.type{number}", "data_format": "npy"}
        maker.add("datasets", f"soak {number}", name=name, session=session["id"], file_size=size, hash=digest, **kinds)
        path = f"cortexlab/Subjects/soak/2020-01-01/001/{name}"
        repository = {"data_repository": "data_server", "relative_path": path, "exists": True}
        maker.add("files", f"soak {number}", dataset=key, **repository)
        files[key] = {"name": name, "hash": digest}
    types = sorted(row["name"] for row in alyx.store.rows("dataset-types"))
    subjects = sorted(row["nickname"] for row in alyx.store.rows("subjects"))
    return {"types": types, "files": files, "subject": subjects[0], "data": alyx.data_url}


def records(alyx: LocalAlyx) -> dict[str, list[tuple[str, str]]]:
    """Return the records that clients write: name and state of each."""
    return {
        "tags": [(row["name"], row["description"]) for row in alyx.store.rows("tags")],
        "weighings": [(str(row["weight"]), "") for row in alyx.store.rows("weighings")],
    }


def main() -> None:
    """Serve until standard input is closed."""
    seed, rate, folder = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
    alyx = LocalAlyx(data_login=LOGIN)
    throttle = alyx.faults
    throttle.throttle(*THROTTLE)
    faults = alyx.faults = RandomFaults(seed, rate)
    # The log of requests would grow all the time.
    alyx.requests = deque(maxlen=1000)  # type: ignore[assignment]
    with alyx:
        (folder / "facts.json").write_text(json.dumps(fill(alyx)), encoding="utf-8")
        print(alyx.url, flush=True)
        sys.stdin.readline()
        faults.rate = 0.0
        throttle.clear()
        print(json.dumps({"requests": faults.requests, "faults": faults.numbers}), flush=True)
        sys.stdin.readline()
        print(json.dumps(records(alyx)), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
