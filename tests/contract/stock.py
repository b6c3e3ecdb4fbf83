"""Records that a live server lacks, made for the time of the tests, and proof that nothing is left of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from alyx_client.errors import ServerError

from .bench import Bench
from .endpoints import ENDPOINTS, LISTED
from .package import AlyxClient, models, new_session

NAME = "alyx-client-stock"
UNLISTABLE: dict[str, str] = {}  # lists on which the server itself fails, and its words
ROWS = 4  # so that a list in pages of three has more than one
_DAY = datetime(2020, 2, 1, 10, 30)


class Stock(Bench):
    """The records that others belong to, under names that no test uses."""

    @cached_property
    def lab(self) -> Any:
        return self.create("labs", models.Lab(name="alyx_client_stock"))

    @cached_property
    def subject(self) -> Any:
        return self.create("subjects", models.Subject(nickname=NAME, lab=self.lab.name))

    @cached_property
    def session(self) -> Any:
        return self.create("sessions", new_session(subject=self.subject.nickname, start_time=_DAY, number=1))

    @cached_property
    def dataset_type(self) -> Any:
        return self.create("dataset_types", models.DatasetType(name="alyxClientStock.times"))

    @cached_property
    def dataset(self) -> Any:
        return self.create("datasets", _dataset(self, 0))

    @cached_property
    def repository(self) -> Any:
        # The filter `exists` of datasets selects nothing as long as there is no repository of this kind.
        shape = models.DataRepository(name=NAME, globus_path="/", globus_is_personal=False)
        return self.create("data_repository", shape)

    def fill(self) -> None:
        """Create rows of every kind of which the server has fewer than `ROWS`."""
        self.repository  # noqa: B018
        for name, make in MAKERS.items():
            if name in ENDPOINTS and name not in UNLISTABLE:
                for place in range(len(getattr(self.client, name).list(max_items=ROWS)), ROWS):
                    self.create(name, make(self, place))
        if "downloads" in ENDPOINTS and not getattr(self.client.downloads.list(max_items=1), "total", 0):
            # Removed together with its dataset.
            self.client.new_download.create(models.NewDownload(datasets=[self.dataset.id]))


def _dataset(stock: Bench, place: int) -> Any:
    return models.Dataset(
        name="alyxClientStock.times.npy",
        dataset_type=stock.dataset_type.name,
        data_format="npy",
        session=stock.session.url,
        collection=f"alf/{place}",
    )


def _file(stock: Bench, place: int) -> Any:
    return models.File(
        dataset=stock.dataset.url,
        data_repository=stock.repository.name,
        relative_path=f"{stock.subject.nickname}/2020-02-01/001/alf/{place}/alyxClientStock.times.npy",
    )


def _location(stock: Bench, place: int) -> Any:
    view = stock.create("fields_of_view", _view(stock, 10 + place))
    return models.FOVLocation(
        field_of_view=view.id,
        provenance="L",
        coordinate_system="IBL-Allen",
        x=[1, 2, 3, 4],
        y=[1, 2, 3, 4],
        z=[0, 0, 0, 0],
        n_xyz=[512, 512, 1],
    )


def _view(stock: Bench, place: int) -> Any:
    return models.FOV(name=f"FOV_{place:02}", session=stock.session.id, imaging_type="mesoscope")


def _trajectory(stock: Bench, place: int) -> Any:
    insertion = stock.create("insertions", models.ProbeInsertion(name=f"probe2{place}", session=stock.session.id))
    return models.TrajectoryEstimate(
        probe_insertion=insertion.id,
        provenance="Planned",
        x=place,
        y=2.5,
        depth=3000,
        theta=15,
        phi=180,
    )


MAKERS: dict[str, Callable[[Bench, int], Any]] = {
    "labs": lambda s, n: models.Lab(name=f"alyx_client_stock_{n}"),
    "users": lambda s, n: models.User(username=f"{NAME}-{n}", subjects_responsible=[], allowed_users=[]),
    "projects": lambda s, n: models.Project(name=f"{NAME}-{n}", users=[]),
    "tags": lambda s, n: models.Tag(name=f"{NAME}-{n}"),
    "revisions": lambda s, n: models.Revision(name=f"{NAME}-{n}"),
    "data_formats": lambda s, n: models.DataFormat(name=f"{NAME}-{n}", file_extension=f".stock{n}"),
    "data_repository_type": lambda s, n: models.DataRepositoryType(name=f"{NAME}-{n}"),
    "data_repository": lambda s, n: models.DataRepository(name=f"{NAME}-{n}", globus_path="/"),
    "dataset_types": lambda s, n: models.DatasetType(name=f"alyxClientStock.kind{n}"),
    "subjects": lambda s, n: models.Subject(nickname=f"{NAME}-{n}", lab=s.lab.name, birth_date=date(2019, 8, 1)),
    "weighings": lambda s, n: models.Weighing(subject=s.subject.nickname, weight=20 + n, date_time=_days(n)),
    "water_administrations": lambda s, n: models.WaterAdministration(
        subject=s.subject.nickname, water_administered=n, date_time=_days(n)
    ),
    "sessions": lambda s, n: new_session(subject=s.subject.nickname, start_time=_days(n + 1), number=1),
    "notes": lambda s, n: models.Note(
        user=s.me, content_type="subjects.subject", object_id=s.subject.id, text=f"note {n}"
    ),
    "tasks": lambda s, n: models.Task(name=f"{NAME}-{n}", executable="x", session=s.session.id, status="Waiting"),
    "datasets": lambda s, n: _dataset(s, n + 1),
    "files": _file,
    "data_notices": lambda s, n: models.DataNotice(name=f"{NAME}-{n}", datasets=[str(s.dataset.id)]),
    "chronic_insertions": lambda s, n: models.ChronicInsertion(subject=s.subject.nickname, name=f"probe0{n}"),
    "insertions": lambda s, n: models.ProbeInsertion(name=f"probe1{n}", session=s.session.id),
    "trajectories": _trajectory,
    "channels": lambda s, n: models.Channel(trajectory_estimate=s.trajectory.id, axial=n),
    "fields_of_view": _view,
    "fov_location": _location,
}


def _days(place: int) -> datetime:
    return _DAY + timedelta(days=place)


def counts(client: AlyxClient) -> dict[str, int]:
    """Return the number of rows of every list, except those that the server fails to return."""
    result: dict[str, int] = {}
    for name in LISTED:
        try:
            result[name] = getattr(client, name).list(page_size=1).total
        except ServerError as error:
            UNLISTABLE[name] = error.detail or "it did not say why"
    return result


@contextmanager
def stocked(client: AlyxClient, *, may_write: bool) -> Iterator[None]:
    """Fill the server, and check in the end that every list is as long as before.

    Raises
    ------
    AssertionError
        Rows are left or missing.
    """
    before = counts(client)
    stock = Stock(client)
    try:
        if may_write:
            stock.fill()
        yield
    finally:
        stock.clear()
    after = counts(client)
    changed = {name: (before.get(name), after.get(name)) for name in LISTED if after.get(name) != before.get(name)}
    assert not changed, f"rows left or missing, unless others wrote meanwhile (before, after): {changed}"
