"""What clients do, over and over, and what they check.

Each task is a generator, as is the client's own logic: it yields functions of a client, and receives their results,
whole lists for lists. So both clients do the same.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from alyx_client.models import Tag, Weighing
from benchmarks.soak.ledger import Ledger

Call = Callable[[Any], Any]
Task = Generator[Call, Any, None]

NUMBER_OF_TAGS = 20
STEP = 1_000_000
SETTLED = 5.0
"""Seconds after which a request that was given up is no longer carried out by the server."""


@dataclass
class Worker:
    """One thread or task, with records that no other one changes.

    Parameters
    ----------
    number
        Its number among those of all processes.
    facts
        What the server has.
    ledger
        Where it writes down what it did.
    folder
        The folder for files.
    random
        Source of its choices.
    """

    number: int
    facts: dict[str, Any]
    ledger: Ledger
    folder: Path
    random: random.Random
    weights: itertools.count[int] = field(init=False)
    tags: dict[str, set[str | None]] = field(init=False)
    unsettled: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.weights = itertools.count((1 + self.number) * STEP)
        self.tags = {f"soak-{self.number}-{n}": {None} for n in range(NUMBER_OF_TAGS)}

    def choose(self) -> tuple[str, Callable[[Worker], Task]]:
        """Return a task, with its name."""
        task = self.random.choices([task for task, _ in TASKS], [weight for _, weight in TASKS])[0]
        return task.__name__.replace("_", " "), task

    @contextmanager
    def writing(self, table: str, name: str, state: str | None) -> Generator[None]:
        """Write down a write: as done, or if the block raises, as possible."""
        try:
            yield
        except BaseException:
            self.ledger.write(table, name, state, is_certain=False)
            if table == "tags":
                self.tags[name].add(state)
                self.unsettled[name] = time.monotonic() + SETTLED
            raise
        self.ledger.write(table, name, state, is_certain=True)
        if table == "tags":
            self.tags[name] = {state}


def read_record(key: str, client: Any) -> Any:
    return client.datasets.read(key)


def find_tags(name: str, client: Any) -> Any:
    return client.tags.list(name=name)


def list_types(worker: Worker) -> Task:
    """List records that nobody changes, in pages of one of several lengths."""
    size = worker.random.choice((None, None, 100, 1000))
    rows = yield lambda client: client.dataset_types.list(page_size=size)
    names = sorted(row.name for row in rows)
    if names != worker.facts["types"]:
        worker.ledger.violation(f"list of {len(names)} types, {len(set(names))} of them distinct")


def list_tags(worker: Worker) -> Task:
    """List records that others change meanwhile."""
    size = worker.random.choice((20, 100))
    tags = yield lambda client: client.tags.list(page_size=size)
    # A tag that was deleted and created again while the list was read is another record.
    for key, number in Counter(tag.id for tag in tags).items():
        if number > 1:
            rows = [tag.model_dump_json() for tag in tags if tag.id == key]
            worker.ledger.violation(f"list of tags with a row twice: {rows}")
    names = {tag.name for tag in tags}
    for name, states in worker.tags.items():
        if None not in states and name not in names:
            worker.ledger.violation(f"list of tags without {name}")
        if states == {None} and name in names:
            worker.ledger.violation(f"list of tags with {name}, which was deleted")


def read_dataset(worker: Worker) -> Task:
    """Read a record that nobody changes, in most cases from the cache."""
    key = worker.random.choice(list(worker.facts["files"]))
    record = yield partial(read_record, key)
    if (record.name, record.hash) != (worker.facts["files"][key]["name"], worker.facts["files"][key]["hash"]):
        worker.ledger.violation(f"dataset {key} was read as {record.name}")


def weigh(worker: Worker) -> Task:
    """Create a record that the server would create twice."""
    weight = float(next(worker.weights))
    weighing = Weighing(subject=worker.facts["subject"], weight=weight)
    with worker.writing("weighings", str(weight), ""):
        record = yield lambda client: client.weighings.create(weighing)
    if record.weight != weight:
        worker.ledger.violation(f"weighing of {weight} returned {record.weight}")
    if worker.random.random() < 0.3:
        with worker.writing("weighings", str(weight), None):
            yield lambda client: client.weighings.delete(record)


def write_tag(worker: Worker) -> Task:
    """Create, change, replace, read or delete one of the worker's own records."""
    name = worker.random.choice(list(worker.tags))
    if worker.unsettled.get(name, 0.0) > time.monotonic():
        return
    text = f"{worker.random.getrandbits(64):x}"
    states = worker.tags[name]
    if states == {None}:
        with worker.writing("tags", name, text):
            yield lambda client: client.tags.create(Tag(name=name, description=text))
    elif None in states:
        # An earlier call failed: find out what it did.
        rows = yield partial(find_tags, name)
        found = rows[0].description if rows else None
        if found not in states:
            worker.ledger.violation(f"tag {name} is {found!r}, should be one of {states}")
        worker.tags[name] = {found}
    else:
        yield from change_tag(worker, name, text)


def change_tag(worker: Worker, name: str, text: str) -> Task:
    """Change, replace, read or delete a record that exists."""
    action = worker.random.choice(("change", "replace", "read", "read", "delete"))
    if action == "change":
        with worker.writing("tags", name, text):
            yield lambda client: client.tags.partial_update(name, description=text)
    elif action == "replace":
        with worker.writing("tags", name, text):
            yield lambda client: client.tags.update(name, Tag(name=name, description=text))
    elif action == "delete":
        with worker.writing("tags", name, None):
            yield lambda client: client.tags.delete(name)
    else:
        record = yield lambda client: client.tags.read(name)
        if record.description not in worker.tags[name]:
            states = worker.tags[name]
            worker.ledger.violation(f"tag {name} was read as {record.description!r}, should be one of {states}")


def download(worker: Worker) -> Task:
    """Download files to a folder of its own."""
    with tempfile.TemporaryDirectory(dir=worker.folder) as folder:
        yield from fetch(worker, Path(folder), worker.random.randint(1, 4))


def download_again(worker: Worker) -> Task:
    """Download files to a folder where other processes download the same ones."""
    yield from fetch(worker, worker.folder / "shared", 2, clobber=worker.random.random() < 0.3)


def fetch(worker: Worker, folder: Path, number: int, **options: Any) -> Generator[Call, Any, list[Path]]:
    """Download several files, check them, and return them."""
    keys = worker.random.sample(list(worker.facts["files"]), number)
    records = []
    for key in keys:
        records.append((yield partial(read_record, key)))
    paths = yield lambda client: client.download_file(records, target_dir=folder, **options)
    for key, path in zip(keys, paths, strict=True):
        check_file(worker, key, path)
    return list(paths)


def check_file(worker: Worker, key: str, path: Path) -> None:
    """Compare a file with its hash."""
    if hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != worker.facts["files"][key]["hash"]:
        worker.ledger.violation(f"{path.name} differs from the original")


def finish(worker: Worker) -> Task:
    """Do everything once, on a server that no longer fails: nothing may remain of earlier failures."""
    yield from list_types(worker)
    for name, states in worker.tags.items():
        rows = yield partial(find_tags, name)
        if (rows[0].description if rows else None) not in states:
            worker.ledger.violation(f"at the end, tag {name} is not {states}")
    folder = worker.folder / f"final-{worker.number}"
    shutil.copytree(worker.folder / "shared", folder)
    paths = yield from fetch(worker, folder, len(worker.facts["files"]), clobber=True)
    left = {path for path in folder.rglob("*") if path.is_file()}
    if left != set(paths):
        worker.ledger.violation(f"beside the files are {sorted(path.name for path in left.difference(paths))[:5]}")


TASKS = [
    (list_types, 6),
    (list_tags, 5),
    (read_dataset, 12),
    (weigh, 20),
    (write_tag, 30),
    (download, 8),
    (download_again, 4),
]
"""The tasks, with how often each is chosen."""
