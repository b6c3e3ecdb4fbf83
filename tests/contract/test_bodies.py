"""Values in bodies that older versions of Alyx, or parts of the current one, read in their own way."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from alyx_client.errors import InvalidFieldError

from .bench import PREFIX, Bench
from .package import AlyxClient, models


def test_numbers_of_pixels_may_be_unknown(client: AlyxClient, bench: Bench) -> None:
    location = bench.create(
        "fov_location",
        models.FOVLocation(
            field_of_view=bench.field_of_view.id,
            coordinate_system="IBL-Allen",
            provenance="E",
            n_xyz=[512, None, 1],
            x=[1, 2, 3, None],
            y=[1, 2, 3, 4],
            z=[1, 2, 3, 4],
        ),
    )
    assert client.fov_location.read(location.id).n_xyz == [512, None, 1]
    assert client.fov_location.partial_update(location.id, n_xyz=[None, 2, 1]).n_xyz == [None, 2, 1]
    rows = client.fov_location.list(field_of_view=bench.field_of_view.id)
    assert [row.n_xyz for row in rows] == [[None, 2, 1]]


@pytest.mark.skipif(not hasattr(AlyxClient, "data_notices"), reason="older servers have no notices")
def test_datasets_of_a_notice_are_keys_or_records(client: AlyxClient, bench: Bench) -> None:
    dataset = bench.dataset
    for number, key in enumerate((dataset.id, str(dataset.id), dataset)):
        notice = bench.create("data_notices", models.DataNotice(name=f"{PREFIX} {number}", datasets=[key]))
        assert notice.datasets == [dataset.id]
    with pytest.raises(InvalidFieldError, match="datasets: input should be a valid UUID"):
        models.DataNotice(name=PREFIX, datasets=["flowers"])


TIMES: dict[str, Any] = {
    "surgery": lambda client: client.surgeries.partial_update("0" * 32, start_time=None),
    "weighing": lambda _: models.Weighing(subject="a", weight=1, date_time=None),  # type: ignore[arg-type]
    "water": lambda client: client.water_administrations.partial_update("0" * 32, date_time=None),
}


@pytest.mark.parametrize("case", TIMES)
def test_times_that_break_the_subject_if_they_are_null_are_refused(case: str, client: AlyxClient) -> None:
    if case == "surgery" and type(None) in get_args(models.Surgery.model_fields["start_time"].annotation):
        pytest.skip("servers before 3.3 do not use this time")
    with pytest.raises(InvalidFieldError, match="_time: "):
        TIMES[case](client)


@pytest.mark.parametrize("labs", ["list", "tuple", "text", "record"])
def test_files_are_registered_for_the_repositories_of_labs(labs: str, client: AlyxClient, bench: Bench) -> None:
    lab = bench.lab
    client.labs.partial_update(lab.name, repositories=[bench.repository.name])
    ways: dict[str, Any] = {"list": [lab.name], "tuple": (lab.name, lab.name), "text": lab.name, "record": [lab]}
    start = bench.session.start_time
    path = f"{bench.subject.nickname}/{start:%Y-%m-%d}/001/alf"
    assert bench.dataset_type.name
    for field in ("labs", "projects"):
        fields: dict[str, Any] = {field: ways[labs]}
        (registered,) = client.register_file.create(
            models.RegisterFile(path=path, filenames=["alyxClientTest.times.npy"], **fields)
        )
        bench.later(registered.id, lambda key=registered.id: client.datasets.delete(key))
        assert {record.data_repository for record in registered.file_records} == {bench.repository.name}


def test_no_lab_has_a_comma_in_its_name() -> None:
    with pytest.raises(InvalidFieldError, match="labs: 'a,b' cannot be one of several names"):
        models.RegisterFile(path="a", filenames=["b"], labs=["a,b"])
