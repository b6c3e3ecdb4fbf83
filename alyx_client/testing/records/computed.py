"""Fields that Alyx computes when it answers: nested records, sums over other tables, texts made of others."""

from __future__ import annotations

import html
import re
from datetime import date
from typing import Any
from urllib.parse import quote

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.filters.named_filters import on_server
from alyx_client.testing.records.serialise import Computed, Renderer, View, nested_shape
from alyx_client.testing.records.store import Record
from alyx_client.testing.records.water import WaterControl
from alyx_client.testing.schema.document import FieldSchema

_NEVER_ANSWERED = {"datasets": frozenset({"subject", "date", "number"})}
_ONLY_IN_LISTS = {"datasets": frozenset({"protected", "public"})}

_SESSION_INFO = ("subject", "start_time", "number", "lab", "id", "projects", "task_protocol")
_WEIGHING = ("subject", "date_time", "weight", "user", "url")
_WATER = ("subject", "date_time", "water_administered", "water_type", "user", "url", "session", "adlib")
_FILE_RECORD = ("id", "data_repository", "data_repository_path", "relative_path", "data_url", "exists")
_SESSION_DATASET = (
    *("id", "name", "dataset_type", "data_url", "url", "file_size", "hash", "version", "collection"),
    *("revision", "default_revision", "qc"),
)
_INSERTION_DATASET = (*_SESSION_DATASET[:9], "qc")
_INSERTION = (
    *("id", "session", "model", "session_info", "name", "json", "serial", "auto_datetime", "chronic_insertion"),
    "datasets",
)
_CHRONIC_PROBE = ("id", "name", "model", "serial", "session_info")
_FOV = ("id", "imaging_type", "location", "name", "json", "session", "stack", "datasets")
_LOCATION = (
    *("id", "brain_region", "coordinate_system", "provenance", "x", "y", "z", "n_xyz"),
    *("default_provenance", "auto_datetime"),
)
_NOTE = ("id", "user", "date_time", "content_type", "object_id", "text", "image", "json")
_ZYGOSITIES = ("-/-", "+/-", "+/+", "+")


def left_out(table: str, view: View) -> frozenset[str]:
    """Return the fields of a table that an answer does not have, though the schema declares them."""
    never = _NEVER_ANSWERED.get(table, frozenset[str]())
    return never if view == "list" else never | _ONLY_IN_LISTS.get(table, frozenset[str]())


# Subjects


def _alive(_renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> bool:
    return record["death_date"] is None or record["death_date"] > date.today().isoformat()


def _age_weeks(_renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> int:
    if record["birth_date"] is None:
        return 0
    end = date.fromisoformat(record["death_date"]) if record["death_date"] else date.today()
    return (end - date.fromisoformat(record["birth_date"])).days // 7


def _water(name: str) -> Computed:
    def compute(renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> Any:
        return getattr(WaterControl(renderer.store, record), name)()

    return compute


def _session_projects(renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> list[str]:
    keys = {
        key for session in renderer.store.related("sessions", "subject", record["id"]) for key in session["projects"]
    }
    return [project["name"] for project in renderer.store.rows("projects") if project["id"] in keys]


def _genotype(renderer: Renderer, record: Record, _field: FieldSchema, view: View) -> list[Any]:
    shown: list[Any] = []
    for zygosity in renderer.store.related("zygosities", "subject", record["id"]):
        allele = renderer.store.get("alleles", zygosity["allele"])
        name = allele["nickname"] if allele else ""
        number = zygosity["zygosity"]
        shown.append({"allele": name, "zygosity": number} if view == "detail" else f"{name} {_ZYGOSITIES[number]}")
    return shown


def _nested(table: str, link: str, *fallback: str) -> Computed:
    """Show the records of another table that point here."""

    def compute(renderer: Renderer, record: Record, field: FieldSchema, _view: View) -> list[Any]:
        shape = nested_shape(field, *fallback)
        return renderer.render_all(table, renderer.store.related(table, link, record["id"]), shape)

    return compute


def _by_date(table: str, *fallback: str) -> Computed:
    def compute(renderer: Renderer, record: Record, field: FieldSchema, _view: View) -> list[Any]:
        rows = sorted(renderer.store.related(table, "subject", record["id"]), key=lambda row: row["date_time"] or "")
        return renderer.render_all(table, rows, nested_shape(field, *fallback))

    return compute


# Sessions and what is recorded in them


def _session_info(link: str) -> Computed:
    def compute(renderer: Renderer, record: Record, field: FieldSchema, _view: View) -> dict[str, Any] | None:
        key: Any = record.get(link)
        if link == "probe_insertion":
            insertion = renderer.store.get("insertions", key)
            key = insertion["session"] if insertion else None
        session = renderer.store.get("sessions", key)
        if session is None:
            return None
        shape = nested_shape(field, *_SESSION_INFO)
        shown = renderer.render("sessions", session, shape, "list")
        # The list of sessions has a hyperlink, and may share its component with this; what is nested has none.
        shown.pop("url", None)
        return shown

    return compute


def _session_datasets(renderer: Renderer, record: Record, field: FieldSchema, _view: View) -> list[Any]:
    rows = [row for row in renderer.store.related("datasets", "session", record["id"]) if _shown(renderer, row)]
    shown = renderer.render_all("datasets", rows, nested_shape(field, *_SESSION_DATASET))
    for answer, row in zip(shown, rows, strict=True):
        answer["revision"] = row["revision"] or ""
    return shown


def _insertion_datasets(renderer: Renderer, record: Record, field: FieldSchema, view: View) -> list[Any]:
    if view != "detail":
        return list(record["datasets"])
    if record["session"] is None:
        raise ServerFailure("'NoneType' object has no attribute 'data_dataset_session_related'")
    rows = [
        row
        for row in renderer.store.related("datasets", "session", record["session"])
        if record["name"].lower() in row["collection"].lower() and _shown(renderer, row)
    ]
    shown = renderer.render_all("datasets", rows, nested_shape(field, *_INSERTION_DATASET))
    for answer, row in zip(shown, rows, strict=True):
        answer["qc"] = row["qc"]
    return shown


def _shown(renderer: Renderer, dataset: Record) -> bool:
    """Nested lists have only the datasets that a server holds, if there is any server."""
    servers = renderer.store.related("data-repository", "globus_is_personal", False)
    return not servers or on_server(renderer.store, dataset)


def _session_notes(renderer: Renderer, record: Record, field: FieldSchema, _view: View) -> list[Any]:
    rows = renderer.store.related("notes", "object_id", record["id"])
    return renderer.render_all("notes", rows, nested_shape(field, *_NOTE))


def _chronic_probes(renderer: Renderer, record: Record, field: FieldSchema, _view: View) -> list[Any]:
    rows = renderer.store.related("insertions", "chronic_insertion", record["id"])
    shown = renderer.render_all("insertions", rows, nested_shape(field, *_CHRONIC_PROBE))
    for answer, row in zip(shown, rows, strict=True):
        model = renderer.store.get("probe-models", row["model"])
        answer["model"] = model["name"] if model else None
    return shown


def _probe_name(renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> str | None:
    for link, table in (("probe_insertion", "insertions"), ("chronic_insertion", "chronic-insertions")):
        insertion = renderer.store.get(table, record.get(link))
        if insertion is not None:
            return str(insertion["name"])
    return None


def _related_descriptions(renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> list[Any]:
    store = renderer.store
    above: list[Record] = []
    region = store.get("brain-regions", record["parent"])
    while region is not None:
        above.insert(0, region)
        region = store.get("brain-regions", region["parent"])
    below: list[tuple[Record, int]] = []
    waiting = [(child, len(above) + 1) for child in store.related("brain-regions", "parent", record["id"])]
    while waiting:
        child, level = waiting.pop(0)
        below.append((child, level))
        waiting = [(one, level + 1) for one in store.related("brain-regions", "parent", child["id"])] + waiting
    return [
        {"id": one["id"], "name": one["name"], "description": one["description"], "level": level}
        for one, level in [(one, level) for level, one in enumerate(above)] + below
        if one["description"] is not None
    ]


# Data


def _experiment_number(renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> int | None:
    session = renderer.store.get("sessions", record["session"])
    return session["number"] if session else None


def _revision(renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> str:
    revision = renderer.store.get("revisions", record["revision"])
    return revision["name"] if revision else ""


def _tagged(name: str) -> Computed:
    """Count the tags that protect a dataset, or make it public: a number, where one expects yes or no."""

    def compute(renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> int:
        tags = (renderer.store.get("tags", key) for key in record["tags"])
        return sum(1 for tag in tags if tag is not None and tag[name])

    return compute


def with_identifier(path: str, identifier: str) -> str:
    """Put a dataset's identifier before a path's extension, as files are named on a public server."""
    stem, dot, extension = path.rpartition(".")
    return f"{stem}.{identifier}.{extension}" if dot and "/" not in extension else f"{path}.{identifier}"


def _file_url(renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> str | None:
    repository = renderer.store.get("data-repository", record["data_repository"])
    if repository is None or not repository["data_url"]:
        return None
    path = record["relative_path"]
    if not repository["globus_is_personal"]:
        path = with_identifier(path, record["dataset"])
    root = renderer.resolve(repository["data_url"]) or ""
    return f"{root.rstrip('/')}/{quote(path)}"


def _repository_path(renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> str:
    repository = renderer.store.get("data-repository", record["data_repository"])
    return repository["globus_path"] if repository else ""


def _dataset_url(renderer: Renderer, record: Record, field: FieldSchema, view: View) -> str | None:
    found: list[tuple[bool, str | None]] = []
    for one in renderer.store.related("files", "dataset", record["id"]):
        repository = renderer.store.get("data-repository", one["data_repository"])
        if one["exists"] and repository is not None and repository["data_url"] is not None:
            found.append((bool(repository["globus_is_personal"]), _file_url(renderer, one, field, view)))
    return min(found, key=lambda pair: pair[0])[1] if found else None


def _data_url(renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> str | None:
    return renderer.resolve(record["data_url"])


def _description_html(_renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> str:
    text = html.escape(record["description"] or "", quote=False)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    return "\n".join(f"<p>{paragraph}</p>" for paragraph in text.split("\n\n") if paragraph)


# People and notes


def _image(renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> str | None:
    return f"{renderer.base_url}/uploaded/{quote(record['image'])}" if record["image"] else None


def _subjects_responsible(renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> list[str]:
    return [row["nickname"] for row in renderer.store.related("subjects", "responsible_user", record["id"])]


def _labs(_renderer: Renderer, record: Record, _field: FieldSchema, _view: View) -> list[str]:
    return list(record["labs"])


COMPUTED: dict[tuple[str, str], Computed] = {
    ("subjects", "alive"): _alive,
    ("subjects", "age_weeks"): _age_weeks,
    ("subjects", "reference_weight"): _water("reference_weight"),
    ("subjects", "last_water_restriction"): _water("last_water_restriction"),
    ("subjects", "expected_water"): _water("expected_water"),
    ("subjects", "remaining_water"): _water("remaining_water"),
    ("subjects", "reference_weight_pct"): _water("reference_weight_pct"),
    ("subjects", "zscore_weight_pct"): _water("zscore_weight_pct"),
    ("subjects", "session_projects"): _session_projects,
    ("subjects", "genotype"): _genotype,
    ("subjects", "weighings"): _by_date("weighings", *_WEIGHING),
    ("subjects", "water_administrations"): _by_date("water-administrations", *_WATER),
    ("sessions", "wateradmin_session_related"): _nested(
        "water-administrations", "session", "id", "name", "water_type", "water_administered"
    ),
    ("sessions", "data_dataset_session_related"): _session_datasets,
    ("sessions", "probe_insertion"): _nested("insertions", "session", *_INSERTION),
    ("sessions", "field_of_view"): _nested("fields-of-view", "session", *_FOV),
    ("sessions", "notes"): _session_notes,
    ("insertions", "session_info"): _session_info("session"),
    ("insertions", "datasets"): _insertion_datasets,
    ("chronic-insertions", "probe_insertion"): _chronic_probes,
    ("trajectories", "session"): _session_info("probe_insertion"),
    ("trajectories", "probe_name"): _probe_name,
    ("brain-regions", "related_descriptions"): _related_descriptions,
    ("datasets", "experiment_number"): _experiment_number,
    ("datasets", "file_records"): _nested("files", "dataset", *_FILE_RECORD),
    ("datasets", "revision"): _revision,
    ("datasets", "protected"): _tagged("protected"),
    ("datasets", "public"): _tagged("public"),
    ("datasets", "data_url"): _dataset_url,
    ("datasets", "default_revision"): lambda _renderer, record, _field, _view: str(record["default_dataset"]),
    ("files", "data_url"): _file_url,
    ("files", "data_repository_path"): _repository_path,
    ("data-repository", "data_url"): _data_url,
    ("data-notices", "description_html"): _description_html,
    ("fields-of-view", "location"): _nested("fov-location", "field_of_view", *_LOCATION),
    ("imaging-stack", "slices"): _nested("fields-of-view", "stack", *_FOV),
    ("notes", "image"): _image,
    ("users", "subjects_responsible"): _subjects_responsible,
    ("users", "lab"): _labs,
}
