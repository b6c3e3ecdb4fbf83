"""What a probe reads of a server: which lists, which records, and where the keys of the records come from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit

from alyx_client.schema.openapi import as_schema
from alyx_client.schema.routes import is_endpoint
from alyx_generator.probe.observations import Place
from alyx_generator.source.openapi import component_of, merged, resolved

Keys = dict[str, str]
_FILE = re.compile(r"\.\w{2,5}/?$")
_COMMON_KEYS = frozenset({"id", "pk", "name", "slug"})


@dataclass(frozen=True)
class Read:
    """One GET of the schema.

    Parameters
    ----------
    path
        Its path, with keys in braces.
    schema, place
        What it is declared to answer, and where that stands; None where nothing is declared.
    paged
        Whether it answers pages, which ``limit`` and ``offset`` choose.
    keys
        The keys in its path.
    source
        The path of the list whose rows have the last key; empty where there is none.
    skipped
        Why it is not read; empty if it is.
    """

    path: str
    schema: Mapping[str, Any] | None
    place: Place
    paged: bool = False
    keys: tuple[str, ...] = ()
    source: str = ""
    skipped: str = ""

    @property
    def name(self) -> str:
        """What it is called in reports: ``/subjects list``."""
        return f"{self.path} {'list' if self.paged else 'read'}"

    def address(self, keys: Keys) -> str:
        """Return its path for a record."""
        return re.sub(r"\{([^{}]+)\}", lambda match: quote(keys[match[1]], safe=""), self.path)

    def key_of(self, row: Any, within: Keys) -> Keys | None:
        """Return the keys by which a row of the source is read; None where it does not say."""
        if not isinstance(row, Mapping):
            return None
        fields = cast("Mapping[str, Any]", row)
        last = self.keys[-1]
        for value in (fields.get(last), _tail(fields.get("url")), fields.get("id")):
            usable = isinstance(value, str | int) and not isinstance(value, bool) and _is_text(value)
            if usable and str(value) not in ("", ".", ".."):
                return {**within, last: str(value)}
        return None


def reads(document: Mapping[str, Any]) -> list[Read]:
    """Return every GET of a corrected document, lists before the records that are found by them."""
    components = as_schema(as_schema(document.get("components")).get("schemas"))
    paths = as_schema(document.get("paths"))
    plain: dict[str, Read] = {}
    for path in sorted(paths):
        operation = as_schema(paths[path]).get("get")
        if isinstance(operation, Mapping) and is_endpoint(path):
            spec = cast("Mapping[str, Any]", operation)
            plain[path] = _read(path, as_schema(paths[path]), spec, components)
    found = [_with_source(each, plain, components) for each in plain.values()]
    order: list[Read] = []
    while found:
        placed = {each.path for each in order}
        ready = [each for each in found if not each.source or each.source in placed or each.source == each.path]
        # A record follows its list at once, so that a probe that stops has few lists half done.
        first = next((each for each in ready if each.source), None) or next(iter(ready), found[0])
        order.append(first)
        found.remove(first)
    return order


def _read(path: str, item: Mapping[str, Any], spec: Mapping[str, Any], components: Mapping[str, Any]) -> Read:
    keys = tuple(re.findall(r"\{([^{}]+)\}", path))
    schema, place = _answer(path, spec)
    page = resolved(schema, components)
    fields = as_schema(page.get("properties"))
    paged = "count" in fields and as_schema(fields.get("results")).get("type") == "array"
    return Read(path, schema, place, paged, keys, skipped=_reason(path, item, spec))


def _reason(path: str, item: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    if spec.get("x-alyx-skip"):
        return "the corrections leave it out"
    if as_schema(spec.get("requestBody")).get("required"):
        return "it needs a body"
    if _FILE.search(path):
        return "it is a file"
    given = [*_list(item.get("parameters")), *_list(spec.get("parameters"))]
    needed = [
        as_schema(each) for each in given if as_schema(each).get("required") and as_schema(each).get("in") != "path"
    ]
    return f"it needs {', '.join(str(each.get('name')) for each in needed)}" if needed else ""


def _answer(path: str, spec: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, Place]:
    responses = as_schema(spec.get("responses"))
    status = next((str(each) for each in responses if str(each).startswith("2")), None)
    if status is None:
        return None, ("paths", path, "get")
    place: Place = ("paths", path, "get", "responses", status)
    content = as_schema(as_schema(responses[status]).get("content"))
    media = next((each for each in content if "json" in each or each == "*/*"), None)
    if media is None:
        return ({} if content else None), place
    schema = as_schema(content[media]).get("schema")
    return (as_schema(schema) if schema else None), (*place, "content", media, "schema")


def _with_source(read: Read, plain: Mapping[str, Read], components: Mapping[str, Any]) -> Read:
    if read.skipped or not read.keys:
        return read
    last = f"/{{{read.keys[-1]}}}"
    before = read.path[: read.path.rindex(last)]
    own = next((path for path in (before, f"{before}/") if path in plain and not plain[path].skipped), "")
    if not own and len(read.keys) == 1 and read.keys[0] not in _COMMON_KEYS:
        own = next((path for path, each in plain.items() if _has(each, read.keys[0], components)), "")
    skipped = "" if own else "no list has its keys"
    return Read(read.path, read.schema, read.place, read.paged, read.keys, own, skipped)


def _has(read: Read, key: str, components: Mapping[str, Any]) -> bool:
    if read.keys or read.skipped or read.schema is None:
        return False
    whole = resolved(read.schema, components)
    rows = as_schema(as_schema(whole.get("properties")).get("results")) if read.paged else whole
    row = as_schema(rows.get("items"))
    name = component_of(row)
    declared = as_schema(components.get(name)) if name is not None else row
    return key in as_schema(merged(declared, components).get("properties"))


def _is_text(value: str | int) -> bool:
    """Tell whether a key can stand in an address: JSON can hold half a character, and no address can."""
    return not any("\ud800" <= letter <= "\udfff" for letter in str(value))


def _tail(url: Any) -> str | None:
    """Return the last segment of a record's address."""
    if not isinstance(url, str):
        return None
    try:
        return unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2])
    except ValueError:
        return None


def _list(value: Any) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list) else ()
