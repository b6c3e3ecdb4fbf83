"""Subjects, their water, weight and surgeries."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from ..bench import Bench, first_row
from ..package import AlyxClient, models
from .helpers import (
    created,
    keys,
)

DIGITS = "90210437"


def test_16_subjects_by_nickname_string(client: AlyxClient, bench: Bench) -> None:
    lab = bench.lab.name
    subject = created(bench, "subjects", {"nickname": DIGITS, "lab": lab, "birth_date": "2019-08-01", "sex": "F"})
    assert client.rest("subjects", "read", id=DIGITS)["id"] == subject["id"]
    assert client.rest("subjects", "read", DIGITS)["birth_date"] == "2019-08-01"
    assert client.rest("subjects", "read", int(DIGITS))["nickname"] == DIGITS

    rows = client.rest("subjects", "list", lab=lab, alive=True, water_restricted=False, stock=False)
    assert {row["nickname"] for row in rows} == {DIGITS, bench.subject.nickname}
    client.rest("subjects", "partial_update", id=DIGITS, data={"death_date": "2020-01-01"})
    assert keys(client.rest("subjects", "list", lab=lab, alive=True, stock=False)) == [str(bench.subject.id)]
    assert keys(client.rest("subjects", "list", lab=lab, alive=False, stock=False)) == [subject["id"]]
    assert client.rest("subjects", "list", lab=lab, water_restricted=True, stock=False) == []


def test_16_subjects_by_nickname_typed(client: AlyxClient, bench: Bench) -> None:
    lab = bench.lab.name
    subject = bench.create("subjects", models.Subject(nickname=DIGITS, lab=lab, birth_date=date(2019, 8, 1), sex="F"))
    read = client.subjects.read(DIGITS)
    assert (read.id, read.birth_date) == (subject.id, date(2019, 8, 1))

    rows = client.subjects.list(lab=lab, alive=True, water_restricted=False, stock=False)
    assert {row.nickname for row in rows} == {DIGITS, bench.subject.nickname}
    client.subjects.partial_update(DIGITS, death_date=date(2020, 1, 1))
    assert keys(client.subjects.list(lab=lab, alive=True, stock=False)) == [str(bench.subject.id)]
    assert keys(client.subjects.list(lab=lab, alive=False, stock=False)) == [str(subject.id)]
    assert len(client.subjects.list(lab=lab, water_restricted=True, stock=False)) == 0


def _surgery(client: AlyxClient) -> tuple[Any, str]:
    """Return a surgery that the server has, and the name of one of its procedures in other letters."""
    surgery = first_row(client.surgeries, django={"procedures__isnull": False})
    names = {row.id: row.name for row in client.procedures.list()}
    return surgery, names[surgery.procedures[0]].upper()


def test_19_water_weight_and_surgeries_string(client: AlyxClient, bench: Bench) -> None:
    mouse = {"subject": bench.subject.nickname, "date_time": "2020-01-12T09:00:00"}
    water = created(bench, "water-administrations", {**mouse, "water_administered": 1.25, "water_type": "Water"})
    weight = created(bench, "weighings", {**mouse, "weight": 20.5})
    assert (water["water_administered"], water["water_type"], water["date_time"]) == (1.25, "Water", mouse["date_time"])
    assert (weight["weight"], weight["subject"]) == (20.5, mouse["subject"])
    rows = client.rest("weighings", "list", nickname=mouse["subject"])
    assert [row["weight"] for row in rows] == [20.5]

    surgery, procedure = _surgery(client)
    rows = client.rest("surgeries", "list", subject=surgery.subject, procedure=procedure)
    assert str(surgery.id) in keys(rows)
    assert {row["subject"] for row in rows} == {surgery.subject}
    assert client.rest("surgeries", "list", subject=surgery.subject, procedure="alyx client test") == []


def test_19_water_weight_and_surgeries_typed(client: AlyxClient, bench: Bench) -> None:
    mouse: dict[str, Any] = {"subject": bench.subject.nickname, "date_time": datetime(2020, 1, 12, 9)}
    water = bench.create(
        "water_administrations", models.WaterAdministration(**mouse, water_administered=1.25, water_type="Water")
    )
    weight = bench.create("weighings", models.Weighing(**mouse, weight=20.5))
    assert (water.water_administered, water.water_type, water.date_time) == (1.25, "Water", mouse["date_time"])
    assert [(row.weight, row.id) for row in client.weighings.list(nickname=mouse["subject"])] == [(20.5, weight.id)]

    surgery, procedure = _surgery(client)
    rows = client.surgeries.list(subject=surgery.subject, procedure=procedure)
    assert surgery.id in {row.id for row in rows}
    assert {row.subject for row in rows} == {surgery.subject}
    assert len(client.surgeries.list(subject=surgery.subject, procedure="alyx client test")) == 0
