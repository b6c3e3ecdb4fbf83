from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from alyx_client.errors import (
    AuthenticationError,
    BadRequestError,
    MethodNotAllowedError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
)
from alyx_client.http.message import Request

from .bench import PREFIX, Bench
from .package import AlyxClient, models, new_session
from .targets import Target

NOBODY = UUID(int=1)


def test_login_returns_token(target: Target) -> None:
    if target.username is None or target.password is None:
        pytest.skip("there is only a token for this server")
    with AlyxClient(target.url, target.username, target.password, silent=True) as client:
        assert client.labs.list(max_items=1)


def test_wrong_password_is_an_error(target: Target) -> None:
    with (
        AlyxClient(target.url, "alyx-client-test-nobody", "wrong", silent=True) as client,
        pytest.raises(AuthenticationError) as refusal,
    ):
        client.labs.list()
    assert refusal.value.status_code == 400
    assert refusal.value.detail == "Unable to log in with provided credentials."
    assert "wrong" not in str(refusal.value)


def test_stale_token_is_an_error(target: Target) -> None:
    with (
        AlyxClient(target.url, token="0" * 40, silent=True) as client,
        pytest.raises(AuthenticationError, match="Log in again") as refusal,
    ):
        client.labs.list()
    assert (refusal.value.status_code, refusal.value.detail) == (403, "Invalid token.")


def test_missing_token_is_an_error(client: AlyxClient) -> None:
    with pytest.raises(AuthenticationError) as refusal:
        client.send(Request("GET", "/labs", authenticate=False))
    assert refusal.value.detail == "Authentication credentials were not provided."


def test_missing_related_record_is_named(client: AlyxClient, writable: None) -> None:
    with pytest.raises(BadRequestError) as refusal:
        client.sessions.create(new_session(subject="alyx-client-test-no-such", projects=["alyx-client-test-none"]))
    assert refusal.value.fields.keys() == {"subject", "projects"}
    assert "subject" in str(refusal.value)


def test_url_of_missing_record_is_an_error(client: AlyxClient, bench: Bench) -> None:
    with pytest.raises(BadRequestError) as refusal:
        client.datasets.create(
            models.Dataset(
                name="a.npy", dataset_type=bench.dataset_type.name, session=f"{client.base_url}/sessions/{NOBODY}"
            )
        )
    assert refusal.value.fields == {"session": ["Invalid hyperlink - Object does not exist."]}


def test_name_in_use_is_an_error(client: AlyxClient, bench: Bench) -> None:
    bench.create("tags", models.Tag(name=f"{PREFIX}-tag"))
    with pytest.raises(BadRequestError) as refusal:
        client.tags.create(models.Tag(name=f"{PREFIX}-tag"))
    assert refusal.value.fields == {"name": ["tag with this name already exists."]}


def test_fields_that_must_be_unique_together_are_an_error(client: AlyxClient, bench: Bench) -> None:
    with pytest.raises(BadRequestError) as refusal:
        client.insertions.create(models.ProbeInsertion(name=bench.insertion.name, session=bench.session.id))
    assert refusal.value.fields == {"non_field_errors": ["The fields name, session must make a unique set."]}


def test_missing_record_is_an_error(client: AlyxClient) -> None:
    with pytest.raises(NotFoundError, match=str(NOBODY)) as refusal:
        client.sessions.read(NOBODY)
    assert refusal.value.status_code == 404
    assert refusal.value.body is not None


def test_missing_path_is_an_error(client: AlyxClient) -> None:
    with pytest.raises(NotFoundError) as refusal:
        client.send(Request("GET", "/alyx-client-test"))
    assert refusal.value.body is None  # a page, not JSON
    assert "<" not in str(refusal.value)


def test_unsupported_method_is_an_error(client: AlyxClient, writable: None) -> None:
    with pytest.raises(MethodNotAllowedError) as refusal:
        client.send(Request("DELETE", "/sessions"))
    assert refusal.value.detail == 'Method "DELETE" not allowed.'


def test_unknown_name_in_django_is_named_in_server_error(client: AlyxClient) -> None:
    with pytest.raises(ServerError, match="django") as refusal:
        client.sessions.list(django={"nonsense": "x"})
    assert refusal.value.status_code == 500
    assert "nonsense" in (refusal.value.detail or "")


def test_odd_number_of_parts_in_django_is_a_server_error(client: AlyxClient) -> None:
    with pytest.raises(ServerError):
        client.sessions.list(extra_params={"django": "subject__nickname"})


def test_invalid_channel_among_several_is_an_error(client: AlyxClient, bench: Bench) -> None:
    """Alyx sends an error page, which says 500, with status 200, and stores nothing."""
    parent = bench.trajectory.id
    with pytest.raises(ServerError, match="did not say why") as refusal:
        client.channels.create(
            [models.Channel(trajectory_estimate=parent, axial=1), models.Channel(trajectory_estimate=NOBODY)]
        )
    assert refusal.value.status_code == 500
    assert len(client.channels.list(trajectory_estimate=parent)) == 0


@pytest.mark.parametrize("call", ["create", "partial_update", "update", "delete"])
def test_user_who_may_only_read_is_refused(call: str, client: AlyxClient, target: Target) -> None:
    if target.may_write:
        pytest.skip("the user of these tests may write")
    tag = models.Tag(name=f"{PREFIX}-tag")
    calls: dict[str, Callable[[], object]] = {
        "create": lambda: client.tags.create(tag),
        "partial_update": lambda: client.tags.partial_update(tag.name, public=True),
        "update": lambda: client.tags.update(tag.name, tag),
        "delete": lambda: client.tags.delete(tag.name),
    }
    with pytest.raises(PermissionDeniedError) as refusal:
        calls[call]()
    assert refusal.value.status_code == 403
    assert refusal.value.detail == "You do not have permission to perform this action."
