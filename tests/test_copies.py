"""Public objects copied, pickled, compared and shown, as by process pools, caches and notebooks."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import pickle
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import alyx_client
from alyx_client import AlyxClient, AlyxError, AsyncAlyxClient, models
from alyx_client.config import DataServer, Settings
from alyx_client.http.retry import Retries
from alyx_client.testing import LocalAlyx

NOBODY = "0b12ba9e-01e3-4784-8c35-d7bb1bab414f"
OTHERS = ("alyx_client.one", "alyx_client.cli", "alyx_client.testing", "alyx_client.frames")
WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def classes_below(kind: type[Any]) -> Iterator[type[Any]]:
    for below in kind.__subclasses__():
        yield below
        yield from classes_below(below)


def error_classes() -> list[type[AlyxError]]:
    for module in pkgutil.walk_packages(alyx_client.__path__, "alyx_client."):
        # Those that need another library, and the command line itself, define no errors of this kind.
        if not module.name.startswith(OTHERS) and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    own = {AlyxError, *classes_below(AlyxError)}
    return sorted((kind for kind in own if kind.__module__.startswith("alyx_client.")), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("way", WAYS)
def test_errors_keep_all_that_they_say(way: str) -> None:
    kinds = error_classes()
    assert len(kinds) > 40
    for kind in kinds:
        error = kind(
            "what\x1b happened",
            status_code=400,
            method="PATCH",
            url="http://server/x",
            detail="why",
            fields={"lab": ["unknown"]},
            retry_after=1.5,
            body={"lab": ["unknown"]},
        )
        error.may_have_acted = True
        error.content = b"{}"  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        error.add_note("where")
        copied = WAYS[way](error)
        assert type(copied) is kind
        assert vars(copied) == vars(error), kind
        assert (str(copied), copied.args) == (str(error), error.args)
        assert copied.__notes__ == ["where"]


def objects(alyx: LocalAlyx, folder: Path) -> dict[str, Any]:
    settings: Any = {"cache_rest": None, "silent": True, "cache_dir": folder}
    client = AlyxClient(alyx.url, token=alyx.token(), **settings)
    rows = client.sessions.list()
    fields = client.sessions.fields
    client.offline = True
    weighing = models.Weighing(subject=rows[0].subject, weight=3.0, date_time="2020-01-01T00:00:00")
    receipt = client.outbox.write(client.weighings.create, weighing)
    entries = list(client.outbox)
    client.offline = False
    return {
        "client": client,
        "asynchronous client": AsyncAlyxClient(alyx.url, token="x", **settings),
        "endpoint": client.sessions,
        "results": rows,
        "row": rows[0],
        "record": client.sessions.read(rows[0]),
        "resource": models.Session(subject="x", json={"a": [1]}),
        "condition": (fields.number == 1) & ~(fields.subject.nickname == "x"),
        "field": fields.subject.nickname,
        "JSON field": fields.json["a"],
        "many": client.sessions.read_many([rows[0]]),
        "failures": client.sessions.read_many([NOBODY], on_error="return"),
        "receipt": receipt,
        "entry": entries[0],
        "outbox": client.outbox,
        "list by name": client.rest("sessions", "list"),
        "schemes": client.rest_schemes,
        "report": client.check_schema(),
        "retries": Retries(),
        "settings": Settings("http://server", "user", (DataServer("http://data", "user", "secret"),), folder, folder),
    }


# Two of these are told apart: they have connections, errors, or comparisons of their own.
BY_IDENTITY = {"client", "asynchronous client", "endpoint", "outbox", "schemes", "failures", "field", "JSON field"}


@pytest.mark.filterwarnings("ignore:.*waits in the outbox:alyx_client.AlyxWarning")
def test_objects_are_copied_compared_and_shown(local_alyx: LocalAlyx, tmp_path: Path) -> None:
    for name, value in objects(local_alyx, tmp_path).items():
        assert " at 0x" not in repr(value), name
        for way, copied in ((way, made(value)) for way, made in WAYS.items()):
            assert type(copied) is type(value), (name, way)
            assert repr(copied) == repr(value), (name, way)
            if name not in BY_IDENTITY:
                assert copied == value, (name, way)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            assert dataclasses.replace(value) == value, name


def test_records_are_members_of_sets(local_alyx: LocalAlyx) -> None:
    with AlyxClient(local_alyx.url, token=local_alyx.token(), cache_rest=None, silent=True) as client:
        rows, again = list(client.sessions.list()), list(client.sessions.list())
        records = [client.sessions.read(rows[0]), client.sessions.read(rows[0])]
        assert set(rows) == set(again)
        assert len({*rows, *again}) == len(rows) > 1
        assert len(set(records)) == 1
        assert rows[0] not in records
        assert {row: row.subject for row in rows}[again[1]] == again[1].subject
        for endpoint in (client.subjects, client.datasets, client.labs, client.insertions):
            assert len({*endpoint.list(), *endpoint.list()}) == len(endpoint.list())
