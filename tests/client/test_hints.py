"""Misspelled names suggest what was meant, and remain what Python and notebooks expect of missing attributes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient, FrozenRecordError, InvalidCallError, InvalidFieldError
from alyx_client.models import Subject
from alyx_client.testing import LocalAlyx

READ = r"client\.sessions\.read\(record\) has it; rows of a list do not\."


class Places:
    """A client, and records of each kind."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.row = client.sessions.list()[0]
        self.session = client.sessions.read(self.row)
        self.dataset = client.datasets.list()[0]
        self.weighing = client.weighings.list()[0]
        self.part = self.dataset.file_records[0]


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    with LocalAlyx() as local, AlyxClient(local.url, token=local.token(), cache_rest=None, silent=True) as client:
        yield Places(client)


ATTRIBUTES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "field": (lambda at: at.session.subjct, "Did you mean 'subject'[?]$"),
    "field of a row": (lambda at: at.row.subjct, "Did you mean 'subject'[?]$"),
    "field of the whole record": (lambda at: at.row.qc, f"has no attribute 'qc'[.] {READ}$"),
    "field of the whole record, misspelled": (lambda at: at.row.narative, f"Did you mean 'narrative'[?] {READ}$"),
    "field of a part": (lambda at: at.part.data_ur, "Did you mean 'data_url'"),
    "field like no other": (lambda at: at.session.zzz, "has no attribute 'zzz'$"),
    "endpoint": (
        lambda at: at.client.sesions,
        "'AlyxClient' object has no attribute 'sesions'. Did you mean 'sessions'",
    ),
    "endpoint in the singular": (lambda at: at.client.subject, "Did you mean 'subjects'"),
    "method of the client": (lambda at: at.client.download, "Did you mean .*'download_file'"),
    "endpoint of the asynchronous client": (lambda at: AsyncAlyxClient(at.client.base_url).labz, "Did you mean 'labs'"),
    "action": (lambda at: at.client.sessions.raed, "'Sessions' object has no attribute 'raed'. Did you mean 'read'"),
    "action it lacks": (
        lambda at: at.client.procedures.read,
        r"There are: create, create_many, list\.$",
    ),
}


@pytest.mark.parametrize("case", ATTRIBUTES)
def test_misspelled_attributes_suggest_names(places: Places, case: str) -> None:
    read, message = ATTRIBUTES[case]
    with pytest.raises(AttributeError, match=message) as caught:
        read(places)
    assert caught.value.name
    # Python would add a suggestion of its own to errors with an object.
    assert caught.value.obj is None


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda at: at.row["qc"], f"^'qc'[.] {READ}$"),
        (lambda at: at.row["subjct"], "Did you mean 'subject'"),
        (lambda at: at.dataset["id"], "the attribute 'id' reads it from the url"),
        (lambda at: at.row[0], "^0$"),
    ],
)
def test_misspelled_keys_suggest_names(places: Places, read: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(KeyError, match=message) as caught:
        read(places)
    assert len(caught.value.args) == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda at: Subject(nicknam="x", lab="y"), InvalidFieldError, "did you mean nickname"),  # type: ignore[call-arg]
        (
            lambda at: at.client.sessions.partial_update(at.row, narative=""),
            InvalidFieldError,
            "did you mean narrative",
        ),
        (lambda at: at.client.sessions.list(subjct="x"), TypeError, "Did you mean 'subject'"),
        (lambda at: at.client.rest("sesions", "list"), InvalidCallError, "Did you mean 'sessions'"),
        (lambda at: at.client.rest("sessions", "lst"), InvalidCallError, "Did you mean 'list'"),
        (lambda at: at.client.rest("sessions", "list", subjct="x"), InvalidCallError, "Did you mean 'subject'"),
        (lambda at: at.client.sessions.json_field_update(at.row, "jsn", {}), InvalidFieldError, "mean 'json'"),
        (
            lambda at: at.client.json_field_update("sessions", at.row, "jsn", {}),
            InvalidCallError,
            "Did you mean 'json'",
        ),
    ],
)
def test_misspelled_arguments_suggest_names(
    places: Places, call: Callable[[Any], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call(places)


@pytest.mark.parametrize("name", ["row", "session", "dataset", "weighing", "part", "client"])
def test_probing_for_attributes_works(places: Places, name: str) -> None:
    value = getattr(places, name)
    for probe in ("_repr_svg_", "_ipython_canary_method_should_not_exist_", "__array__", "subjct"):
        assert not hasattr(value, probe)
        assert getattr(value, probe, 1) == 1
    if name != "client":
        assert copy.copy(value) == copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value
    assert pickle.loads(pickle.dumps(places.client)).base_url == places.client.base_url
    assert repr(copy.copy(places.client.sessions)) == repr(places.client.sessions)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("row", r"client\.sessions\.partial_update\(record, qc=\.\.\.\) does"),
        ("session", r"SessionRecord\.qc cannot be set.*client\.sessions\.partial_update\(record, qc=\.\.\.\) does"),
        ("weighing", "it would not change on the server.$"),
        ("part", "it would not change on the server.$"),
    ],
)
def test_setting_a_field_names_partial_update(places: Places, name: str, message: str) -> None:
    record = getattr(places, name)
    before = dict(record)
    with pytest.raises(FrozenRecordError, match=message) as caught:
        record.qc = "PASS"
    assert isinstance(caught.value, AttributeError | ValueError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(FrozenRecordError):
        del record.id
    with pytest.raises(TypeError):
        record["qc"] = "PASS"
    assert dict(record) == before
