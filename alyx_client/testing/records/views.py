"""What each endpoint does: list, read, create, update, partial update, delete."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode

from alyx_client.testing.failures import Failure, PageNotFound, ServerFailure, UnreportedFailure, ValidationFailure
from alyx_client.testing.filters.named_filters import water_restricted
from alyx_client.testing.filters.query import Query
from alyx_client.testing.filters.selection import select, sort
from alyx_client.testing.records.changes import Editor
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.serialise import Renderer, View
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.records.tables import VIEWS
from alyx_client.testing.records.validation import Validator, decode_form
from alyx_client.testing.schema.document import Document, Endpoint, ObjectSchema, Operation

PAGE_SIZE = 250
MOST_ROWS = 1000
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Upload:
    """A file that came in a form."""

    filename: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class ApiRequest:
    """One request, as far as an endpoint needs it.

    Attributes
    ----------
    form
        The fields of a form, several values each; None where the body was JSON.
    """

    method: str
    path: str
    base_url: str
    user: Record | None
    query: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    body: Any = None
    form: Mapping[str, list[Any]] | None = None
    keys: Mapping[str, str] = field(default_factory=dict[str, str])

    def fields(self) -> Mapping[str, Any]:
        """Return the names and values of the body, be it JSON or a form."""
        if self.form is not None:
            return {name: values[-1] for name, values in self.form.items()}
        return self.body if isinstance(self.body, dict) else {}  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


class Views:
    """The endpoints of a schema document over a store."""

    def __init__(self, store: Store, tables: Mapping[str, Table], document: Document) -> None:
        self.store = store
        self.tables = tables
        self.document = document

    def answer(self, endpoint: Endpoint, action: Operation, call: ApiRequest) -> tuple[int, Any]:
        """Carry out an action.

        Returns
        -------
        tuple
            The status code and the JSON value to answer; None for no body.
        """
        table = self.tables[VIEWS.get(endpoint.name, endpoint.name)]
        if action.name == "list" or (endpoint.name == "water-type" and action.name == "read"):
            return 200, self._list(endpoint, table, call)
        if action.name == "create":
            return 201, self._create(action, table, call)
        record = self._find(table, call)
        if action.name == "read":
            return 200, self._show(endpoint, action, table, record, call, "detail")
        if action.name == "delete":
            Editor(self.store, self.tables, call.user).delete(table.table, record["id"])
            return 204, None
        changed = self._change(action, table, record, call)
        return 200, self._show(endpoint, action, table, changed, call, "detail")

    def _list(self, endpoint: Endpoint, table: Table, call: ApiRequest) -> dict[str, Any]:
        action = endpoint.operations["list"]
        rows = self.store.rows(table.table)
        if endpoint.name == "water-restricted-subjects":
            rows = [row for row in rows if water_restricted(self.store, row)]
        rows = select(Query(self.store, self.tables, table.table, call.query), action.filters, rows)
        rows = sort(self.store, self.tables, table, rows)
        count = len(rows)
        if endpoint.name == "imaging-stack":
            # Alyx orders stacks by their slices, and so repeats a stack for each; the count leaves repetitions out.
            rows = [row for row in rows for _ in self.store.related("fields-of-view", "stack", row["id"]) or [row]]
        limit = min(_number(call.query, "limit", least=1) or PAGE_SIZE, MOST_ROWS)
        offset = _number(call.query, "offset", least=0) or 0
        shape = self._answer_shape(endpoint, action, "list")
        renderer = Renderer(self.store, self.tables, call.base_url)
        return {
            "count": count,
            "next": _page_link(call, limit, offset + limit) if offset + limit < count else None,
            "previous": _page_link(call, limit, offset - limit) if offset > 0 else None,
            "results": [renderer.render(table.table, row, shape, "list") for row in rows[offset : offset + limit]],
        }

    def _show(
        self, endpoint: Endpoint, action: Operation, table: Table, record: Record, call: ApiRequest, view: View
    ) -> dict[str, Any]:
        renderer = Renderer(self.store, self.tables, call.base_url)
        return renderer.render(table.table, record, self._answer_shape(endpoint, action, view), view)

    def _answer_shape(self, endpoint: Endpoint, action: Operation, view: View) -> ObjectSchema:
        shape = action.response or action.request
        if shape is None:
            shape = ObjectSchema.of(*self.tables[VIEWS.get(endpoint.name, endpoint.name)].columns)
        if endpoint.name == "sessions" and view == "list" and "url" not in shape.fields:
            # Two shapes share the name of this one in Alyx's schema, and the other has no hyperlink.
            return ObjectSchema(shape.name, {**shape.fields, **ObjectSchema.of("url").fields})
        return shape

    def _find(self, table: Table, call: ApiRequest) -> Record:
        value = next(iter(call.keys.values()))
        key: str | int = value
        if table.key == "id":
            if table.integer_key:
                if not value.isdigit():
                    raise PageNotFound
                key = int(value)
            elif not _UUID.fullmatch(value):
                raise PageNotFound
        found = self.store.get(table.table, key) if table.key == "id" else self.store.find(table.table, table.key, key)
        if found is None:
            raise Failure(404, {"detail": f"No {table.model} matches the given query."})
        return found

    def _create(self, action: Operation, table: Table, call: ApiRequest) -> Any:
        endpoint = self.document.endpoints[action.path.strip("/").split("/")[0]]
        if table.table == "channels" and isinstance(call.body, list):
            return self._create_several(endpoint, action, table, call)
        values = self._checked(action, table, call, partial=False, current=None)
        editor = Editor(self.store, self.tables, call.user)
        if table.table == "notes":
            values = self._keep_image(values, call)
        if table.table == "projects" and "users" not in values:
            # Alyx makes the project and only then trips over its own default.
            editor.create(table.table, values)
            raise ServerFailure("'LabMember' object is not iterable")
        made = editor.create(table.table, values)
        return self._show(endpoint, action, table, made, call, "create")

    def _create_several(self, endpoint: Endpoint, action: Operation, table: Table, call: ApiRequest) -> list[Any]:
        shape = action.request or ObjectSchema.of()
        validator = Validator(self.store, self.tables, table.table, call.base_url)
        try:
            several = [validator.check(shape, item, partial=False) for item in call.body]
        except ValidationFailure:
            raise UnreportedFailure from None
        editor = Editor(self.store, self.tables, call.user)
        made = [editor.create(table.table, values) for values in several]
        return [self._show(endpoint, action, table, record, call, "create") for record in made]

    def _change(self, action: Operation, table: Table, record: Record, call: ApiRequest) -> Record:
        values = self._checked(action, table, call, partial=action.name == "partial_update", current=record)
        if table.table == "notes":
            for name in ("content_type", "object_id"):
                if name not in values:
                    raise ServerFailure(f"'{name}'")
            values = self._keep_image(values, call)
        return Editor(self.store, self.tables, call.user).update(table.table, record["id"], values)

    def _checked(
        self, action: Operation, table: Table, call: ApiRequest, *, partial: bool, current: Record | None
    ) -> dict[str, Any]:
        shape = self._request_shape(action)
        body = call.body if call.form is None else decode_form(shape, table, call.form)
        validator = Validator(self.store, self.tables, table.table, call.base_url)
        values = validator.check(shape, body, partial=partial, current=current)
        editor = Editor(self.store, self.tables, call.user)
        whole = {**current, **values} if current is not None else editor.complete(table.table, values)
        validator.check_together(whole, whole if current is None else values, current)
        return values

    def _request_shape(self, action: Operation) -> ObjectSchema:
        if action.name == "partial_update":
            # The shape of a whole update says what may be null or blank; that of a partial one often does not.
            name = action.path.strip("/").split("/")[0]
            whole = self.document.endpoints[name].operations.get("update")
            if whole is not None and whole.request is not None:
                return whole.request
        return action.request or action.response or ObjectSchema.of()

    def _keep_image(self, values: dict[str, Any], call: ApiRequest) -> dict[str, Any]:
        image = values.get("image")
        if not isinstance(image, Upload):
            return values
        width = (call.form or {}).get("width", [None])[-1]
        if width not in (None, "", "orig") and not re.fullmatch(r"\d+", str(width)):
            raise ServerFailure(f"invalid literal for int() with base 10: {width!r}")
        name = PurePosixPath(image.filename.replace(" ", "_"))
        stem = re.sub(r"[^\w.-]", "", name.stem) or "image"
        owner = values.get("object_id", uuid.uuid4())
        path = f"{datetime.now():%Y/%m/%d}/{stem}.{owner}{name.suffix}"
        if self.store.read_file(path) is not None:
            path = f"{datetime.now():%Y/%m/%d}/{stem}.{owner}_{uuid.uuid4().hex[:7]}{name.suffix}"
        self.store.save_file(path, image.content)
        return {**values, "image": path}


def _number(query: Mapping[str, Sequence[str]], name: str, *, least: int) -> int | None:
    text = query[name][-1] if query.get(name) else ""
    return int(text) if re.fullmatch(r"\d+", text) and int(text) >= least else None


def _page_link(call: ApiRequest, limit: int, offset: int) -> str:
    parameters = {name: list(values) for name, values in call.query.items()}
    parameters["limit"] = [str(limit)]
    parameters.pop("offset", None)
    if offset > 0:
        parameters["offset"] = [str(offset)]
    return f"{call.base_url}{call.path}?{urlencode(sorted(parameters.items()), doseq=True)}"
