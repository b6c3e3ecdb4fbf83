"""Records that tests create and remove again, together with the records that they depend on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import cached_property
from typing import Any

import pytest

from alyx_client.errors import NotFoundError

from .endpoints import ENDPOINTS
from .package import AlyxClient, models, new_session

PREFIX = "alyx-client-test"


class Bench:
    """Creates records on a server, and removes all of them, the last one first.

    Parameters
    ----------
    client
        The client to create them with.
    """

    def __init__(self, client: AlyxClient) -> None:
        self.client = client
        self._undo: list[tuple[object, Callable[[], object]]] = []

    def create(self, endpoint: str, shape: Any, **files: Any) -> Any:
        result = getattr(self.client, endpoint).create(shape, **files)
        for record in result if isinstance(result, list) else [result]:
            self.keep(endpoint, ENDPOINTS[endpoint].key(record))
        return result

    def keep(self, endpoint: str, key: Any) -> None:
        """Remove a record in the end that was created in another way."""
        self.later((endpoint, key), lambda: getattr(self.client, endpoint).delete(key))

    def delete(self, endpoint: str, key: Any) -> None:
        getattr(self.client, endpoint).delete(key)
        self.done((endpoint, key))

    def later(self, name: object, undo: Callable[[], object]) -> None:
        """Run a function when the test ends, unless it is marked as done by then."""
        self._undo.append((name, undo))

    def done(self, name: object) -> None:
        self._undo = [entry for entry in self._undo if entry[0] != name]

    def clear(self) -> None:
        """Remove all records, even if one of them cannot be removed."""
        with ExitStack() as stack:
            for _, undo in self._undo:
                stack.callback(_undo_unless_removed, undo)
        self._undo = []

    @cached_property
    def lab(self) -> Any:
        return self.create("labs", models.Lab(name="alyx_client_test"))

    @cached_property
    def subject(self) -> Any:
        return self.create("subjects", models.Subject(nickname=f"{PREFIX}-mouse", lab=self.lab.name))

    @property
    def me(self) -> str:
        """The user name, which the server fills in as the responsible user."""
        return self.subject.responsible_user

    @cached_property
    def session(self) -> Any:
        start = datetime(2020, 1, 12, 10, 30)
        return self.create("sessions", new_session(subject=self.subject.nickname, start_time=start, number=1))

    @cached_property
    def dataset_type(self) -> Any:
        return self.create("dataset_types", models.DatasetType(name="alyxClientTest.times"))

    @cached_property
    def dataset(self) -> Any:
        return self.create(
            "datasets",
            models.Dataset(
                name="alyxClientTest.times.npy",
                dataset_type=self.dataset_type.name,
                data_format="npy",
                session=self.session.url,
                collection="alf",
            ),
        )

    @cached_property
    def repository(self) -> Any:
        return self.create("data_repository", models.DataRepository(name=f"{PREFIX}-repository", globus_path="/"))

    @cached_property
    def insertion(self) -> Any:
        return self.create("insertions", models.ProbeInsertion(name="probe00", session=self.session.id))

    @cached_property
    def chronic_insertion(self) -> Any:
        return self.create("chronic_insertions", models.ChronicInsertion(subject=self.subject.nickname, name="probe01"))

    @cached_property
    def trajectory(self) -> Any:
        return self.create(
            "trajectories",
            models.TrajectoryEstimate(
                probe_insertion=self.insertion.id, provenance="Planned", x=1, y=2.5, depth=3000, theta=15, phi=None
            ),
        )

    @cached_property
    def field_of_view(self) -> Any:
        return self.create(
            "fields_of_view", models.FOV(name="FOV_00", session=self.session.id, imaging_type="mesoscope")
        )


def first_row(endpoint: Any, *, where: Callable[[Any], object] = bool, **filters: Any) -> Any:
    """Return a row that the server has, the first one that fits; skip the test if there is none."""
    for row in endpoint.list(max_items=1, **filters):
        if where(row):
            return row
    for row in endpoint.list(**filters):
        if where(row):
            return row
    pytest.skip(f"the server has no records to read or change: client.{_name(endpoint)}.list() has no fitting rows")


def _name(endpoint: Any) -> str:
    return type(endpoint).__module__.rpartition(".")[2]


def _undo_unless_removed(undo: Callable[[], object]) -> None:
    with suppress(NotFoundError):  # it was removed together with another record
        undo()
