"""Computed fields of subjects, users and notes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from urllib.parse import quote

from alyx_client.testing.records.serializer import ComputedField, Serializer, View, nested_schema
from alyx_client.testing.records.store import Record
from alyx_client.testing.records.water import WaterControl
from alyx_client.testing.schema.document import FieldSchema

_WEIGHING = ("subject", "date_time", "weight", "user", "url")
_WATER_ADMINISTRATION = (
    *("subject", "date_time", "water_administered", "water_type", "user", "url", "session"),
    "adlib",
)
_ZYGOSITIES = ("-/-", "+/-", "+/+", "+")


def _alive(_serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> bool:
    return record["death_date"] is None or record["death_date"] > date.today().isoformat()


def _age_weeks(_serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> int:
    if record["birth_date"] is None:
        return 0
    end = date.fromisoformat(record["death_date"]) if record["death_date"] else date.today()
    return (end - date.fromisoformat(record["birth_date"])).days // 7


def _water(quantity: Callable[[WaterControl], object]) -> ComputedField:
    def compute(serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> object:
        return quantity(WaterControl(serializer.store, record))

    return compute


def _session_projects(serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> list[str]:
    sessions = serializer.store.related("sessions", "subject", record["id"])
    # The projects of the subject's sessions, not those of the subject.
    keys = {key for session in sessions for key in session["projects"]}
    return [project["name"] for project in serializer.store.rows("projects") if project["id"] in keys]


def _genotype(serializer: Serializer, record: Record, _field: FieldSchema, view: View) -> list[object]:
    genotype: list[object] = []
    for zygosity in serializer.store.related("zygosities", "subject", record["id"]):
        allele = serializer.store.get("alleles", zygosity["allele"])
        name = allele["nickname"] if allele else ""
        number = zygosity["zygosity"]
        # The two serializers differ: objects for one subject, text in a list of subjects.
        genotype.append({"allele": name, "zygosity": number} if view == "detail" else f"{name} {_ZYGOSITIES[number]}")
    return genotype


def _by_date(table: str, *fallback: str) -> ComputedField:
    """Nest the records of a subject, the earliest first."""

    def compute(serializer: Serializer, record: Record, field: FieldSchema, _view: View) -> list[Record]:
        rows = serializer.store.related(table, "subject", record["id"])
        rows.sort(key=lambda row: row["date_time"] or "")
        return serializer.serialize_nested(table, rows, nested_schema(field, *fallback))

    return compute


def _image(serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> str | None:
    return f"{serializer.base_url}/uploaded/{quote(record['image'])}" if record["image"] else None


def _subjects_responsible(serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> list[str]:
    return [row["nickname"] for row in serializer.store.related("subjects", "responsible_user", record["id"])]


def _labs(_serializer: Serializer, record: Record, _field: FieldSchema, _view: View) -> list[str]:
    # A many-to-many relation in Alyx; nothing here follows it in the other direction.
    return list(record["labs"])


SUBJECT_FIELDS: dict[tuple[str, str], ComputedField] = {
    ("subjects", "alive"): _alive,
    ("subjects", "age_weeks"): _age_weeks,
    ("subjects", "reference_weight"): _water(lambda water: water.reference_weight()),
    ("subjects", "last_water_restriction"): _water(lambda water: water.last_water_restriction()),
    ("subjects", "expected_water"): _water(lambda water: water.expected_water()),
    ("subjects", "remaining_water"): _water(lambda water: water.remaining_water()),
    ("subjects", "reference_weight_pct"): _water(lambda water: water.reference_weight_pct),
    ("subjects", "zscore_weight_pct"): _water(lambda water: water.zscore_weight_pct),
    ("subjects", "session_projects"): _session_projects,
    ("subjects", "genotype"): _genotype,
    ("subjects", "weighings"): _by_date("weighings", *_WEIGHING),
    ("subjects", "water_administrations"): _by_date("water-administrations", *_WATER_ADMINISTRATION),
    ("users", "subjects_responsible"): _subjects_responsible,
    ("users", "lab"): _labs,
    ("notes", "image"): _image,
}
