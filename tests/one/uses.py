"""Kinds of use of ``ONE``: functions of an object of ONE, whose results do not depend on its client."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from importlib import import_module
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from alyx_client.testing import LocalAlyx

TAG = "2021_Q1_first_release"
PNG = (  # one black pixel
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000"
    "000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)


def prepare(local_alyx: LocalAlyx) -> None:
    """Give some datasets contents that can be loaded, as their records say."""
    numpy = import_module("numpy")
    for row in local_alyx.store.rows("dataset-types"):
        # ONE expects a text.
        local_alyx.store.update("dataset-types", row["id"], {"filename_pattern": row["filename_pattern"] or ""})
    for number, row in enumerate(local_alyx.store.rows("datasets")):
        if not row["name"].endswith(".npy"):
            local_alyx.store.update("datasets", row["id"], {"file_size": row["file_size"] or 10})
            continue
        buffer = io.BytesIO()
        numpy.save(buffer, numpy.arange(number, number + 5))
        content = buffer.getvalue()
        for file in local_alyx.store.related("files", "dataset", row["id"]):
            local_alyx.save_data(file["relative_path"], content)
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        local_alyx.store.update("datasets", row["id"], {"hash": digest, "file_size": len(content)})


def first(one: Any, **filters: Any) -> Any:
    """Return the first session that has a probe and its files."""
    return sorted(one.search(datasets="spikes.times.npy", query_type="remote", **filters), key=str)[0]


def probe(one: Any) -> dict[str, Any]:
    return sorted(one.alyx.rest("insertions", "list"), key=lambda row: str(row["id"]))[0]


def session_path(one: Any, name: str) -> Path:
    """Make files of a session that can be registered, and return its folder."""
    folder = Path(one.cache_dir, "cortexlab", "Subjects", name, "2023-05-04", "001")
    for file in ("alf/wheel.position.npy", "alf/probe00/spikes.times.npy"):
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"0123456789")
    return folder


def registration(one: Any) -> Any:
    return import_module("one.registration").RegistrationClient(one=one)


def written(one: Any) -> list[Any]:
    alyx, data = one.alyx, {"nickname": "made", "lab": "cortexlab", "responsible_user": "olivier"}
    made = alyx.rest("subjects", "create", data=data)
    changed = alyx.rest("subjects", "partial-update", id="made", data={"description": "one"})
    fields = {name: changed[name] for name in ("nickname", "lab", "responsible_user", "description", "sex")}
    updated = alyx.rest("subjects", "update", id="made", data=fields | {"description": "two"})
    deleted = alyx.rest("subjects", "delete", id="made")
    for record in (made, changed, updated):
        record.pop("id")
    return [made, changed, updated, deleted, alyx.get("/subjects?nickname=made", expires=True)]


def json_fields(one: Any) -> list[Any]:
    alyx, key = one.alyx, str(first(one))
    results = []
    for change in (
        lambda: alyx.json_field_write("sessions", key, "extended_qc", {"a": 1, "b": 2}),
        lambda: alyx.json_field_update("sessions", key, "extended_qc", {"c": 3}),
        lambda: alyx.json_field_remove_key("sessions", key, "extended_qc", "b"),
        lambda: alyx.json_field_remove_key("sessions", key, "extended_qc", "nothing"),
        lambda: alyx.json_field_update("sessions", key, "narrative", {"c": 3}),
        lambda: alyx.json_field_remove_key("sessions", key, "narrative", "c"),
        lambda: alyx.json_field_delete("sessions", key, "extended_qc"),
    ):
        alyx.clear_rest_cache()  # ONE's client would update the value from before the last write
        results.append(change())
    return results


def note_with_image(one: Any) -> dict[str, Any]:
    data = {"user": "admin", "content_type": "session", "object_id": str(first(one)), "text": "seen"}
    image = Path(one.cache_dir, "image.png")
    image.parent.mkdir(parents=True, exist_ok=True)
    image.write_bytes(bytes.fromhex(PNG))
    with image.open("rb") as file:
        note = one.alyx.rest("notes", "create", data=data, files={"image": file})
    return {name: note[name] for name in ("text", "content_type", "object_id")}


def registered_session(one: Any) -> list[Any]:
    client, path = registration(one), session_path(one, "flowers")
    session, records = client.register_session(str(path), procedures="Recording", end_time="2023-05-04T12:00:00")
    names = ("subject", "number", "procedures", "end_time", "users")
    return [{name: session[name] for name in names}, [record["name"] for record in records]]


def registered_files(one: Any) -> list[Any]:
    client, path = registration(one), session_path(one, "clover")
    created, eid = client.create_new_session("clover", path.parents[3].parent, date="2023-05-04")
    files = [file for file in path.rglob("*.npy") if file.is_file()]
    records = client.register_files(sorted(files), versions="1.0")
    found = sorted(one.list_datasets(eid, query_type="remote"))
    return [created.name, [(record["name"], record["collection"]) for record in records], found]


def water_and_weight(one: Any) -> list[Any]:
    client = registration(one)
    water = client.register_water_administration("flowers", 1.25)
    weight = client.register_weight("flowers", 25.5)
    return [water["water_administered"], water["user"], weight["weight"], weight["user"]]


def protected(one: Any) -> Any:
    client, path = registration(one), session_path(one, "flowers")
    client.register_session(str(path))
    return client.check_protected_files(sorted(path.rglob("*.npy")))


def refreshed_tables(one: Any) -> list[Any]:
    one.load_cache(clobber=True)
    tables = {name: len(one._cache[name]) for name in ("sessions", "datasets")}
    one.load_cache()
    return [tables, one.mode, sorted(path.name for path in Path(one.cache_dir).glob("*.pqt"))]


def tables_of_a_tag(one: Any) -> list[Any]:
    one.load_cache(tag=TAG)
    loaded = [len(one._cache.sessions), one.mode]
    one.load_cache(tag="no such tag")  # which the server lacks: the mode becomes remote
    return [*loaded, one.mode]


def local_search(one: Any) -> list[Any]:
    one.load_cache(clobber=True)
    eids = one.search(subject="flowers", query_type="local")
    return [eids, one.list_subjects(), one.list_datasets(eids[0], query_type="local")]


def offline(one: Any) -> list[Any]:
    one.load_cache(clobber=True)
    path = one.load_dataset(first(one), "spikes.times.npy", download_only=True)
    local = import_module("one.api").ONE(cache_dir=one.cache_dir, mode="local")
    loaded = local.load_dataset(local.path2eid(path), "spikes.times.npy", download_only=True)
    return [local.offline, loaded, local.search(subject="flowers")]


def saved_tables(one: Any) -> list[Any]:
    list(one.search(subject="flowers", query_type="remote"))
    one.save_cache(clobber=True)
    local = import_module("one.api").One(cache_dir=one.cache_dir)
    return [len(local._cache.sessions), local.list_subjects()]


def paged_search(one: Any) -> list[Any]:
    eids, details = one.search(limit=4, details=True, query_type="remote")
    return [len(eids), eids[-1], eids[3:6], details[5], list(eids), len(one._cache.sessions)]


def without_cache(one: Any) -> list[Any]:
    with import_module("one.webclient").no_cache(one.alyx) as alyx:
        return [alyx is one.alyx, one.search(subject="flowers", query_type="remote")]


def expiry(one: Any) -> list[Any]:
    one.alyx.default_expiry = timedelta(minutes=1)
    one.alyx.cache_mode = "*"
    rows = one.alyx.rest("labs", "list", expires=timedelta(hours=1))
    one.alyx.cache_mode = None
    one.alyx.clear_rest_cache()
    return [rows, one.alyx.default_expiry, one.alyx.cache_mode]


def logins(one: Any) -> list[Any]:
    alyx, states = one.alyx, []
    for change in (
        lambda: None,
        alyx.logout,
        lambda: alyx.authenticate("olivier", "olivier"),
        lambda: alyx.authenticate("admin", "admin", force=True),
    ):
        change()
        stored = import_module("one.params").get(client=alyx.base_url, silent=True)
        states.append([alyx.user, bool(alyx.is_logged_in), sorted(getattr(stored, "TOKEN", {}) or {})])
    headers = {name: value for name, value in alyx._headers.items() if name == "Authorization"}
    return [*states, headers["Authorization"] == f"Token {alyx._token['token']}"]


def downloads(one: Any) -> list[Any]:
    rows = one.alyx.rest("datasets", "list", name="spikes.times.npy", exists=True)
    rows = sorted((row for row in rows if row["file_records"][0]["exists"]), key=lambda row: str(row["url"]))[:3]
    urls = import_module("one.webclient").dataset_record_to_url(rows)
    folder = Path(one.cache_dir, "target")
    paths, digests = one.alyx.download_file(
        urls, target_dir=[str(folder / str(n)) for n in range(len(urls))], return_md5=True
    )
    single = one.alyx.download_file(urls[0], target_dir=folder, clobber=True)
    relative = one.alyx.rel_path2url("a/#2021-01-01#/b c.npy")
    return [paths, digests, single, single.read_bytes(), relative.removeprefix(one.alyx.base_url)]


def download_functions(one: Any) -> list[Any]:
    module = import_module("one.webclient")
    url = next(iter(module.dataset_record_to_url(one.alyx.rest("datasets", "list", name="spikes.times.npy"))))
    login = {"username": "local", "password": "alyx", "silent": True, "target_dir": Path(one.cache_dir, "files")}
    Path(one.cache_dir, "files").mkdir(parents=True)
    path, digest = module.http_download_file(url, return_md5=True, **login)
    return [path, digest, module.http_download_file_list([url], **login), module.http_download_file("")]


def paths_of_sessions(one: Any) -> list[Any]:
    eids = sorted(one.search(query_type="remote"), key=str)[:5]
    paths = one.eid2path(eids, query_type="remote")
    return [paths, one.path2eid(paths[0], query_type="remote"), one.path2eid(paths, query_type="remote")]


def paths_of_files(one: Any) -> list[Any]:
    eid = first(one)
    name = "alf/probe00/spikes.times.npy"
    path = one.eid2path(eid) / name
    url = one.path2url(path, query_type="remote")
    return [url.removeprefix(one.alyx.base_url), one.path2url(path, query_type="local")]


def references(one: Any) -> list[Any]:
    eid = first(one)
    reference = one.eid2ref(eid, as_dict=False)
    return [reference, one.ref2eid(reference), one.ref2path(reference), one.path2ref(one.eid2path(eid))]


def described(one: Any) -> list[Any]:
    return [
        one.describe_dataset("spikes.times"),
        len(one.describe_dataset()),
        one.describe_revision("2021-01-01", full=True),
        one.describe_revision("nothing"),
    ]


def types(one: Any) -> list[Any]:
    eid = first(one)
    return [
        one.type2datasets(eid, "spikes.times"),
        one.type2datasets(eid, ["spikes.times", "wheel.position"], details=True),
    ]


def identifiers(one: Any) -> list[Any]:
    eid = first(one)
    path = one.eid2path(eid)
    url = f"{one.alyx.base_url}/sessions/{eid}"
    return [one.to_eid(each) for each in (eid, str(eid), path, url, one.eid2ref(eid, as_dict=False))]


def loaded(one: Any) -> list[Any]:
    eid = first(one)
    return [
        one.load_dataset(eid, "spikes.times.npy", collection="alf/probe00"),
        one.load_dataset(eid, "alf/probe00/spikes.times.npy", download_only=True),
        one.load_datasets(eid, ["wheel.position.npy", "spikes.times.npy"], assert_present=False)[0],
        one.load_object(eid, "spikes", collection="alf/probe00", attribute=["times"]),
        one.load_collection(eid, "alf/probe00", attribute="times"),
        one.load_dataset_from_id(one.list_datasets(eid, filename="spikes.times.npy", details=True).index[0]),
    ]


def listed(one: Any) -> list[Any]:
    eid = first(one)
    return [
        sorted(one.list_datasets(eid, query_type="remote")),
        one.list_datasets(eid, details=True, query_type="remote"),
        one.list_datasets(eid, filename="*spikes*", collection="alf/probe0?", query_type="remote"),
        one.list_collections(eid, query_type="remote"),
        one.list_collections(eid, details=True, query_type="remote"),
        one.list_revisions(eid, query_type="remote"),
    ]


def details(one: Any) -> list[Any]:
    eids = sorted(one.search(subject="flowers", query_type="remote"), key=str)[:2]
    return [one.get_details(eids[0]), one.get_details(eids), one.get_details(eids[0], full=True)["url"]]


def searches(one: Any, *filters: Mapping[str, Any]) -> list[Any]:
    return [sorted(one.search(query_type="remote", **each), key=str) for each in filters]


DAYS = ["2020-01-03", "2020-01-08"]
USES: dict[str, Callable[[Any], object]] = {
    "search: all": lambda one: searches(one, {}),
    "search: subject": lambda one: searches(one, {"subject": "flowers"}, {"subject": ["flowers", "clover"]}),
    "search: nobody": lambda one: searches(one, {"subject": "nobody"}),
    "search: dates": lambda one: searches(
        one, {"date_range": DAYS}, {"date": "2020-01-03"}, {"date_range": [date(2020, 1, 3), None]}
    ),
    "search: labs": lambda one: searches(one, {"lab": "cortexlab"}, {"laboratory": "hillside"}, {"lab": ["hillside"]}),
    "search: number, protocol, project": lambda one: searches(
        one, {"number": 1}, {"task_protocol": "choice_world"}, {"projects": "practice"}, {"project": "brain_map"}
    ),
    "search: datasets": lambda one: searches(
        one,
        {"datasets": "spikes.times.npy"},
        {"datasets": ["spikes.times.npy", "spikes.clusters.npy"]},
        {"dataset_types": "wheel.position"},
        {"datasets": "trials.table.pqt", "dataset_qc_lte": "WARNING"},
    ),
    "search: django, users": lambda one: searches(
        one, {"django": "subject__nickname__icontains,flo"}, {"users": "amina"}, {"django": ["number__gte,2"]}
    ),
    "search: details": lambda one: one.search(subject="flowers", details=True, query_type="remote"),
    "search: pages": paged_search,
    "search: terms": lambda one: [sorted(one.search_terms("remote")), sorted(one.search_terms("local"))],
    "search: local": local_search,
    "search: insertions": lambda one: [
        sorted(one.search_insertions(subject="flowers", query_type="remote"), key=str),
        sorted(one.search_insertions(name="probe00", query_type="remote"), key=str),
        sorted(one.search_insertions(session=probe(one)["session"], details=True, query_type="remote")[0], key=str),
    ],
    "list": listed,
    "load": loaded,
    "describe": described,
    "details": details,
    "pid2eid, eid2pid": lambda one: [
        one.pid2eid(probe(one)["id"], query_type="remote"),
        one.eid2pid(probe(one)["session"], query_type="remote"),
        one.eid2pid(probe(one)["session"], query_type="remote", details=True)[:2],
        one.eid2pid(UUID(int=1), query_type="remote"),
    ],
    "eid2path, path2eid": paths_of_sessions,
    "path2url": paths_of_files,
    "references": references,
    "to_eid": identifiers,
    "types of datasets": types,
    "aggregates": lambda one: [one.list_aggregates("subjects"), one.list_aggregates("subjects", "flowers")],
    "downloads": downloads,
    "downloads without a client": download_functions,
    "cache tables": refreshed_tables,
    "cache tables of a tag": tables_of_a_tag,
    "cache tables: saved": saved_tables,
    "offline": offline,
    "REST: writing": written,
    "REST: JSON fields": json_fields,
    "REST: a note with an image": note_with_image,
    "REST: bypassing the cache": without_cache,
    "REST: expiry": expiry,
    "REST: nothing to do": lambda one: [
        one.alyx.rest(),
        one.alyx.rest("sessions"),
        one.alyx.rest("sessions", "read"),
        one.alyx.rest("sessions", "create"),
        one.alyx.rest("sessions", "list", id=str(first(one))),
        one.alyx.rest("sessions", "list", django=None, number=1),
    ],
    "logins": logins,
    "registration: session": registered_session,
    "registration: files": registered_files,
    "registration: water and weight": water_and_weight,
    "registration: protected files": protected,
}


def plain(value: object, folder: Path) -> object:
    """Return a result as plain Python, so that it can be compared; paths are relative to the client's folder."""
    if isinstance(value, PurePath):
        return f"<folder>/{value.relative_to(folder).as_posix()}" if value.is_relative_to(folder) else str(value)
    if hasattr(value, "to_dict"):
        frame: Any = value.reset_index() if hasattr(value, "reset_index") else value
        return plain(frame.to_dict("records") if hasattr(frame, "columns") else frame.to_dict(), folder)
    if hasattr(value, "tolist"):
        return plain(value.tolist(), folder)
    if isinstance(value, str):
        return value.replace(str(folder), "<folder>")
    if isinstance(value, Mapping) and not hasattr(value, "add_callback"):
        return {str(name): plain(item, folder) for name, item in value.items()}
    if isinstance(value, UUID | date | datetime | timedelta):
        return str(value)
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        items = [plain(item, folder) for item in value]
        return sorted(items, key=str) if isinstance(value, set | frozenset) else items
    return value
