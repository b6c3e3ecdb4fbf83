"""Records are taken wherever their keys are: in paths, filters, lookups and bodies, typed and by name."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from alyx_client import (
    AlyxClient,
    AsyncAlyxClient,
    ForeignURLError,
    InvalidCallError,
    InvalidFieldError,
    InvalidKeyError,
    models,
)
from alyx_client import endpoints as generated
from alyx_client.models import Dataset, Note, Session, SessionSummary
from alyx_client.runtime import Reference, Resource
from alyx_client.runtime.action import Action
from alyx_client.testing import LocalAlyx
from tests.contract.endpoints import ENDPOINTS

Rows = Callable[[str], list[Any]]
FOREIGN = "https://other.example.org/sessions/0b12ba9e-01e3-4784-8c35-d7bb1bab414f"


@pytest.fixture(scope="module")
def local() -> Iterator[LocalAlyx]:
    with LocalAlyx() as local:
        yield local


@pytest.fixture
def client(local: LocalAlyx) -> Iterator[AlyxClient]:
    with AlyxClient(local.url, token=local.token(), cache_rest=None, silent=True) as client:
        yield client


@pytest.fixture
def session(client: AlyxClient) -> SessionSummary:
    return client.sessions.list(django={"users__isnull": False})[0]


def sent(local: LocalAlyx) -> dict[str, str]:
    return dict(parse_qsl(local.requests[-1].query))


@pytest.fixture(scope="module")
def rows(local: LocalAlyx) -> Rows:
    """Return the first rows of an endpoint, read once."""
    known: dict[str, list[Any]] = {}

    def read(endpoint: str) -> list[Any]:
        if endpoint not in known:
            with AlyxClient(local.url, token=local.token(), cache_rest=None, silent=True) as client:
                known[endpoint] = list(getattr(client, endpoint or "sessions").list(max_items=20))
        return known[endpoint]

    return read


def record_of(rows: Rows, reference: Reference) -> Any:
    """Return a row of the endpoint that a reference names, with a value in the field that it sends."""
    return next(row for row in rows(reference.endpoint) if getattr(row, reference.field, None) is not None)


LISTS = {name: one.listing for name, one in ENDPOINTS.items() if one.listing and one.listing.references}
RESOURCES = [
    resource
    for resource in (getattr(models, name) for name in models.__all__)
    if isinstance(resource, type) and issubclass(resource, Resource) and resource._references
]


def test_what_refers_to_records_is_known() -> None:
    assert sum(len(listing.references) for listing in LISTS.values()) > 100
    assert sum(len(resource._references) for resource in RESOURCES) > 50


@pytest.mark.parametrize("endpoint", LISTS)
def test_filters_take_records(client: AlyxClient, local: LocalAlyx, rows: Rows, endpoint: str) -> None:
    listing = partial(getattr(client, endpoint).list, max_items=1)
    for keyword, reference in LISTS[endpoint].references.items():
        record = record_of(rows, reference)
        key = getattr(record, reference.field)
        several = LISTS[endpoint].filters[keyword] in ("repeat", "comma", "id")
        listing(**{keyword: key})
        one = sent(local)
        listing(**{keyword: record})
        assert sent(local) == one
        if reference.field in record:
            listing(**{keyword: dict(record)})
            assert sent(local) == one
        if several:
            listing(**{keyword: [key]})
            one = sent(local)
            listing(**{keyword: iter([record])})
            assert sent(local) == one


@pytest.mark.parametrize("resource", RESOURCES)
def test_fields_take_records(rows: Rows, resource: type[Resource]) -> None:
    for name, reference in resource._references.items():
        record = record_of(rows, reference)
        key = getattr(record, reference.field)
        key = str(key) if isinstance(key, UUID) else key
        several = name in resource.list_fields()
        expected = resource.changes_to_wire({name: [key] if several else key})
        assert resource.changes_to_wire({name: [record] if several else record}) == expected


@pytest.mark.parametrize("endpoint", [name for name, one in ENDPOINTS.items() if one.lookup and one.listing])
def test_records_are_keys(client: AlyxClient, local: LocalAlyx, endpoint: str) -> None:
    rows = getattr(client, endpoint)
    row = rows.list(**({"django": {"session__isnull": False}} if endpoint == "insertions" else {}))[0]
    record = rows.read(row)
    path = local.requests[-1].path
    assert path == local.requests[-1].path
    by_name = endpoint.replace("_", "-") if endpoint.replace("_", "-") in client.rest_schemes.endpoints else endpoint
    for same in (lambda: rows.read(record), lambda: client.rest(by_name, "read", id=record)):
        same()
        assert local.requests[-1].path == path
    plain = client.rest(by_name, "list")[0]
    assert client.rest(by_name, "read", id=plain)


def test_records_are_keys_of_writes(client: AlyxClient, session: SessionSummary) -> None:
    subject, users = client.subjects.list()[0], client.users.list()[:2]
    made = client.sessions.create(Session(subject=subject, users=users, parent_session=session))
    assert (made.subject, made.parent_session) == (subject.nickname, session.url)
    assert sorted(made.users) == sorted(user.username for user in users)
    lab = client.labs.list()[0]
    assert client.sessions.partial_update(made, lab=lab, users=[users[0]]).lab == lab.name
    assert client.sessions.update(made, Session(subject=subject, narrative="new")).narrative == "new"
    assert client.sessions.json_field_update(made, "json", {"a": 1}) == {"a": 1}
    note = client.notes.create(Note(user=users[0], content_type="actions.session", object_id=made, text="x"))
    assert note.object_id == made.id
    client.sessions.delete(made)
    assert not client.sessions.list(id=made)


def test_records_are_keys_by_name(client: AlyxClient, local: LocalAlyx) -> None:
    session, subject = client.rest("sessions", "list")[0], client.rest("subjects", "list")[2]
    users = client.rest("users", "list")[:2]
    made = client.rest("sessions", "create", data={"subject": subject, "users": users, "parent_session": session})
    assert (made["subject"], made["parent_session"]) == (subject["nickname"], session["url"])
    client.rest("sessions", "list", id=[session, made], subject=subject, users=users)
    names = ",".join(user["username"] for user in users)
    assert sent(local) == {
        "subject": subject["nickname"],
        "users": names,
        "django": f"pk__in,['{session['id']}','{made['id']}']",
    }
    assert client.rest("sessions", "partial_update", id=made, data={"lab": client.labs.list()[0]})["lab"]
    assert client.json_field_update("sessions", made, "json", {"a": 1}) == {"a": 1}
    client.rest("sessions", "delete", id=made)


async def test_records_are_keys_of_the_asynchronous_client(local: LocalAlyx) -> None:
    async with AsyncAlyxClient(local.url, token=local.token(), cache_rest=None, silent=True) as client:
        row = (await client.sessions.list().all())[0]
        record = await client.sessions.read(row)
        await client.datasets.list(session=record).all()
        assert sent(local)["session"] == str(record.id)
        assert (await client.rest("sessions", "read", id=record))["id"] == str(record.id)
        with pytest.raises(InvalidKeyError, match="a record of sessions, not of subjects"):
            await client.subjects.read(record)  # type: ignore[arg-type]


def test_nested_records_are_keys(client: AlyxClient) -> None:
    dataset = client.datasets.list(exists=True)[0]
    assert client.files.read(dataset.file_records[0]).id == dataset.file_records[0].id
    trajectory = client.trajectories.list(django={"probe_insertion__session__isnull": False})[0]
    assert trajectory.session is not None
    assert client.sessions.read(trajectory.session).id == trajectory.session.id
    thirsty = client.water_restricted_subjects.list()[0]
    assert client.subjects.read(thirsty).nickname == thirsty.nickname
    assert client.water_requirement.read(thirsty).subject == thirsty.nickname


def test_lookups_take_records(client: AlyxClient, local: LocalAlyx, session: SessionSummary) -> None:
    subject = client.subjects.list(nickname="flowers")[0]
    lookups = {"subject": subject, "subject__nickname": subject, "~pk__in": [session], "lab": client.labs.list()[0]}
    with pytest.raises(InvalidKeyError, match="django: lab: this LabRecord has no id"):
        client.sessions.list(django=lookups)
    del lookups["lab"]
    client.sessions.list(django=lookups)
    assert sent(local)["django"] == (f"subject,{subject.id},subject__nickname,flowers,~pk__in,['{session.id}']")


WRONG: list[Callable[[AlyxClient, Any, Any], object]] = [
    lambda client, session, subject: client.sessions.read(subject),
    lambda client, session, subject: client.sessions.read(dict(subject)),
    lambda client, session, subject: client.sessions.delete(subject),
    lambda client, session, subject: client.sessions.partial_update(subject, qc="PASS"),
    lambda client, session, subject: client.sessions.json_field_update(subject, "json", {}),
    lambda client, session, subject: client.sessions.list(subject=session),
    lambda client, session, subject: client.sessions.list(id=[subject]),
    lambda client, session, subject: client.datasets.list(session=dict(subject)),
    lambda client, session, subject: Session(subject=session),
    lambda client, session, subject: Session(subject=subject, users=[session]),
    lambda client, session, subject: client.sessions.partial_update(session, subject=session),
    lambda client, session, subject: client.rest("sessions", "read", id=subject),
    lambda client, session, subject: client.rest("sessions", "list", subject=session),
    lambda client, session, subject: client.rest("sessions", "create", data={"subject": session}),
]


@pytest.mark.parametrize("call", WRONG, ids=[inspect.getsource(call).strip().partition(": ")[2] for call in WRONG])
def test_records_of_other_endpoints_are_refused(
    client: AlyxClient, local: LocalAlyx, session: SessionSummary, call: Callable[..., object]
) -> None:
    subject = client.subjects.list()[0]
    client.rest_schemes  # noqa: B018 - fetched once
    requests = len(local.requests)
    with pytest.raises((InvalidKeyError, InvalidFieldError), match=r"a record of \w+, not of \w+"):
        call(client, session, subject)
    assert len(local.requests) == requests


@pytest.mark.parametrize(
    "call",
    [
        lambda client, foreign: client.sessions.read(foreign),
        lambda client, foreign: client.sessions.read(dict(foreign)),
        lambda client, foreign: client.datasets.list(session=foreign),
        lambda client, foreign: client.sessions.list(id=[foreign]),
        lambda client, foreign: client.datasets.list(django={"session": foreign}),
        lambda client, foreign: client.datasets.create(Dataset(name="a.b.npy", dataset_type="a.b", session=foreign)),
        lambda client, foreign: client.sessions.partial_update(foreign.id, parent_session=foreign),
        lambda client, foreign: client.rest("sessions", "read", id=foreign),
        lambda client, foreign: client.rest("datasets", "list", session=dict(foreign)),
        lambda client, foreign: client.rest("datasets", "create", data={"session": foreign}),
    ],
)
def test_records_of_other_servers_are_refused(
    client: AlyxClient, local: LocalAlyx, session: SessionSummary, call: Callable[..., object]
) -> None:
    client.rest_schemes  # noqa: B018 - fetched once
    requests = len(local.requests)
    with pytest.raises(ForeignURLError, match=r"other\.example\.org.* is a record of another server than http://127"):
        call(client, session.model_copy(update={"url": FOREIGN}))
    assert len(local.requests) == requests


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda client, row: client.sessions.list(task_protocol=row), "pass the value of one of its fields"),
        (lambda client, row: client.rest("sessions", "list", datasets=row), "takes no record"),
        (lambda client, row: client.rest("sessions", "list", task_protocol=row), "takes no record"),
        (lambda client, row: client.sessions.read({"subject": "x"}), "this dictionary has no id"),
        (lambda client, row: client.sessions.read(row.model_copy(update={"id": None, "url": None})), "has no id"),
    ],
)
def test_records_without_the_field_are_refused(
    client: AlyxClient, session: SessionSummary, call: Callable[..., object], reason: str
) -> None:
    with pytest.raises((InvalidKeyError, InvalidCallError, TypeError), match=reason):
        call(client, session)


def test_the_url_of_a_website_is_no_record(client: AlyxClient) -> None:
    lab = client.labs.list()[0]
    assert client.labs.read({"name": lab.name, "url": "https://example.org/people/lab"}).name == lab.name


def test_resources_made_from_records_are_plain(client: AlyxClient, session: SessionSummary) -> None:
    subject = client.subjects.list()[0]
    made, plain = Session(subject=subject), Session(subject=subject.nickname)
    assert made == plain
    assert repr(made) == repr(plain)
    assert pickle.loads(pickle.dumps(made)) == plain
    made.subject = session.model_copy(update={}) and "other"
    assert made.to_wire() == {"subject": "other"}


def test_actions_name_the_record_of_another_endpoint() -> None:
    module = import_module(f"{generated.__name__}.water_requirement")
    action: Action[Any] = module._READ
    assert action.record == Reference("subjects", "nickname")
