"""Calls for many records on a local Alyx: what they send, and what they return."""

from __future__ import annotations

import pickle
from typing import Any
from uuid import UUID, uuid4

import numpy
import pandas
import pytest

from alyx_client import AlyxClient, BulkError, BulkResults, NotFoundError
from alyx_client.models import Channel, ChannelRecord, Note, SessionRecord, Subject, Weighing
from alyx_client.testing import LocalAlyx
from tests.bulk.conftest import Many

LOGIN = {"token": None, "username": "olivier", "password": "olivier"}


def sent(alyx: LocalAlyx, method: str = "GET") -> list[str]:
    """Return the paths that were requested, without logins."""
    return [one.path for one in alyx.requests if one.method == method and one.path != "/auth-token"]


def test_records_are_read_in_the_order_of_the_input(alyx: LocalAlyx, client: AlyxClient, many: Many) -> None:
    rows = client.sessions.list()[:20]
    keys = [row.id for row in rows][::-1]
    alyx.requests.clear()
    records = many(alyx.url, "sessions.read_many", keys, _settings=LOGIN)
    assert isinstance(records, BulkResults)
    assert [record.id for record in records] == keys == records.keys
    assert all(isinstance(record, SessionRecord) for record in records)
    # The rows of the list are of another shape.
    assert sorted(sent(alyx)) == sorted(f"/sessions/{key}" for key in keys)
    assert records.items()[3] == (keys[3], records[3])
    assert not records.failures
    records.raise_failures()
    assert pickle.loads(pickle.dumps(records)) == records == list(records)


def test_list_is_asked_where_its_rows_are_the_records(alyx: LocalAlyx, client: AlyxClient, many: Many) -> None:
    keys = [row.id for row in client.files.list()][:101]
    assert len(keys) == 101
    expected = [client.files.read(key) for key in keys[:3]]
    alyx.requests.clear()
    records = many(alyx.url, "files.read_many", [*keys, str(keys[0]).upper()], _settings=LOGIN)
    assert [record.id for record in records] == [*keys, keys[0]]
    assert records[:3] == expected
    assert sent(alyx) == ["/files"] * 3


def test_records_with_names_are_listed_by_name(alyx: LocalAlyx, client: AlyxClient, many: Many) -> None:
    names = [row.name for row in client.labs.list()]
    alyx.requests.clear()
    assert [lab.name for lab in many(alyx.url, "labs.read_many", names, _settings=LOGIN)] == names
    assert sent(alyx) == ["/labs"]
    with pytest.raises(BulkError) as caught:
        many(alyx.url, "labs.read_many", [*names, "no[lab]"], _settings=LOGIN)
    assert caught.value.failures.keys == ["no[lab]"]
    assert isinstance(caught.value.failures[0].error, NotFoundError)


def test_missing_records_are_failures(alyx: LocalAlyx, client: AlyxClient, many: Many) -> None:
    keys: list[Any] = [row.id for row in client.weighings.list()[:3]]
    gone = uuid4()
    keys.insert(1, gone)
    with pytest.raises(BulkError, match=r"weighings.read_many\(\): 1 of 4 records failed") as caught:
        many(alyx.url, "weighings.read_many", keys, _settings=LOGIN)
    error = caught.value
    assert str(gone) in str(error)
    assert [record.id for record in error.results] == [keys[0], keys[2], keys[3]]
    (failure,) = error.failures
    assert (failure.index, failure.key, failure.input, failure.may_have_acted) == (1, gone, gone, False)
    assert isinstance(failure.error, NotFoundError)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.results, again.failures.keys) == (str(error), error.results, [gone])
    returned = many(alyx.url, "weighings.read_many", keys, _settings=LOGIN, on_error="return")
    assert (len(returned), returned.keys, returned.failures.keys) == (3, [keys[0], *keys[2:]], [gone])
    assert "1 failed" in repr(returned)
    assert "NotFoundError" in repr(returned.failures)
    assert isinstance(returned.failures.errors[0], NotFoundError)


def test_nothing_is_sent_for_nothing(many: Many) -> None:
    # No server listens there.
    for method in ("read_many", "create_many", "update_many", "partial_update_many", "delete_many"):
        assert many("http://127.0.0.1:1", f"subjects.{method}", []) == []
        assert many("http://127.0.0.1:1", f"subjects.{method}", iter(())) == []


def test_keys_are_any_collection_of_keys_urls_and_records(alyx: LocalAlyx, client: AlyxClient) -> None:
    rows = client.weighings.list()[:4]
    expected = [row.id for row in rows]
    texts = [str(key) for key in expected]
    for keys in (
        iter(expected),
        tuple(texts),
        (row for row in rows),
        client.weighings.list(id=expected),
        pandas.Series(texts),
        pandas.Series(texts, index=list("abcd")),
        pandas.Series(expected),
        numpy.array(texts),
        [f"{alyx.url}/weighings/{key}" for key in texts],
        dict.fromkeys(texts).keys(),
        client.weighings.read_many(texts),
    ):
        assert sorted(record.id for record in client.weighings.read_many(keys)) == sorted(expected)


def test_subjects_are_created_changed_and_deleted(alyx: LocalAlyx, client: AlyxClient, many: Many) -> None:
    names = [f"many-{many.is_async}-{number}" for number in range(12)]
    subjects = [Subject(nickname=name, lab="cortexlab") for name in names]
    assert [one.nickname for one in many(alyx.url, "subjects.create_many", subjects, _settings=LOGIN)] == names
    changed = many(alyx.url, "subjects.partial_update_many", {name: {"sex": "F"} for name in names}, _settings=LOGIN)
    assert [(one.nickname, one.sex) for one in changed] == [(name, "F") for name in names]
    # Records are not hashable, so that they come in pairs.
    pairs = [(one, Subject(nickname=one.nickname, lab="cortexlab", description="x")) for one in changed]
    replaced = many(alyx.url, "subjects.update_many", pairs, _settings=LOGIN)
    assert {one.description for one in replaced} == {"x"}
    deleted = many(alyx.url, "subjects.delete_many", iter(replaced), _settings=LOGIN)
    assert (list(deleted), len(deleted.keys)) == ([None] * 12, 12)
    assert not set(names) & {row.nickname for row in client.subjects.list()}


def test_column_of_pandas_is_changes_by_key(client: AlyxClient) -> None:
    names = ["series-1", "series-2"]
    client.subjects.create_many(Subject(nickname=name, lab="cortexlab") for name in names)
    column = pandas.Series([{"sex": "F"}, {"sex": "M"}], index=names)
    assert [one.sex for one in client.subjects.partial_update_many(column)] == ["F", "M"]
    client.subjects.delete_many(names)


def test_fields_that_the_server_would_lose_are_sent_along(alyx: LocalAlyx, client: AlyxClient, many: Many) -> None:
    keys = [one.id for one in client.trajectories.list() if one.probe_insertion][:2]
    before = [client.trajectories.read(key).probe_insertion for key in keys]
    changed = many(alyx.url, "trajectories.partial_update_many", {key: {"x": 5.0} for key in keys}, _settings=LOGIN)
    assert [(one.x, one.probe_insertion) for one in changed] == [(5.0, insertion) for insertion in before]


def test_channels_are_created_in_lists(alyx: LocalAlyx, client: AlyxClient, many: Many) -> None:
    key = client.trajectories.list()[0].id
    alyx.requests.clear()
    channels = [Channel(trajectory_estimate=key, axial=float(number)) for number in range(250)]
    made = many(alyx.url, "channels.create_many", channels, _settings=LOGIN, max_workers=2)
    assert [one.axial for one in made] == [float(number) for number in range(250)]
    assert all(isinstance(one, ChannelRecord) for one in made)
    assert sent(alyx, "POST") == ["/channels"] * 3
    alyx.requests.clear()
    client.channels.delete_many(made)
    assert len(sent(alyx, "DELETE")) == 250
    assert client.channels.create_many([]) == []


def test_list_of_channels_that_fails_leaves_all_of_its_records_uncertain(client: AlyxClient) -> None:
    key = client.trajectories.list()[0].id
    channels = [Channel(trajectory_estimate=key), Channel(trajectory_estimate=uuid4())]
    with pytest.raises(BulkError, match="of which the server may have carried out 2") as caught:
        client.channels.create_many(channels, max_workers=1)
    assert caught.value.failures.uncertain.inputs == channels
    assert list(caught.value.failures.certain) == []


def test_rejected_records_do_not_stop_the_others(alyx: LocalAlyx, client: AlyxClient, many: Many) -> None:
    subject = client.subjects.list()[0].nickname
    weighings = [Weighing(subject=name, weight=20.0) for name in (subject, "nobody", subject)]
    with pytest.raises(BulkError) as caught:
        many(alyx.url, "weighings.create_many", weighings, _settings=LOGIN)
    (failure,) = caught.value.failures
    assert (failure.index, failure.key, failure.input) == (1, None, weighings[1])
    assert "subject" in getattr(failure.error, "fields", {})
    assert not failure.may_have_acted
    assert len(caught.value.results) == 2
    client.weighings.delete_many(caught.value.results)


def test_responses_are_cached_as_those_of_other_reads(alyx: LocalAlyx, tmp_path: Any, many: Many) -> None:
    with AlyxClient(alyx.url, "olivier", "olivier", cache_dir=tmp_path) as client:
        keys = [row.id for row in client.sessions.list()[:3]]
        alyx.requests.clear()
        client.sessions.read_many(keys)
        assert client.sessions.read_many(keys) == [client.sessions.read(key) for key in keys]
        assert len(sent(alyx)) == 3
        with client.cache_disabled():
            client.sessions.read_many(keys)
        assert len(sent(alyx)) == 6


def test_notes_and_uuids(client: AlyxClient) -> None:
    subject = client.subjects.list()[0]
    notes = [Note(user="olivier", content_type="subjects.subject", object_id=subject.id, text=str(n)) for n in range(3)]
    made = client.notes.create_many(notes)
    assert [one.text for one in client.notes.read_many(made)] == ["0", "1", "2"]
    assert all(isinstance(key, UUID) for key in [one.id for one in made])
    client.notes.delete_many(made)
