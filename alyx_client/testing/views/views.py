"""The actions of every endpoint: list, read, create, update, partial update, delete."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from alyx_client.testing.failures import Failure, PageNotFound, ServerFailure, UnreportedFailure, ValidationFailure
from alyx_client.testing.filters.query import ListQuery
from alyx_client.testing.filters.selection import select, sort
from alyx_client.testing.records.computed import make_serializer
from alyx_client.testing.records.editor import Editor
from alyx_client.testing.records.form_data import decode_form
from alyx_client.testing.records.hooks import check_note_target
from alyx_client.testing.records.json_values import is_list
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.serializer import View
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.records.tables import ENDPOINT_TABLES
from alyx_client.testing.records.validation import Validator
from alyx_client.testing.records.water import has_open_restriction
from alyx_client.testing.schema.document import Document, Endpoint, ObjectSchema, Operation
from alyx_client.testing.views.images import store_image
from alyx_client.testing.views.pagination import Page
from alyx_client.testing.views.requests import ApiRequest, ViewResult

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Views:
    """The endpoints of a schema document."""

    def __init__(self, store: Store, tables: Mapping[str, Table], document: Document) -> None:
        self.store = store
        self.tables = tables
        self.document = document

    def handle(self, endpoint: Endpoint, operation: Operation, request: ApiRequest) -> ViewResult:
        """Perform an operation, and return its status code and JSON value."""
        table = self._table(endpoint)
        # Alyx declares the route of a single water type with the view of the list.
        if operation.name == "list" or (endpoint.name == "water-type" and operation.name == "read"):
            return 200, self._list(endpoint, table, request)
        if operation.name == "create":
            return 201, self._create(endpoint, operation, table, request)
        record = self._find(table, request)
        if operation.name == "read":
            return 200, self._serialize(endpoint, operation, record, request, "detail")
        if operation.name == "delete":
            Editor(self.store, self.tables, request.user).delete(table.name, record["id"])
            return 204, None
        updated = self._update(endpoint, operation, table, record, request)
        return 200, self._serialize(endpoint, operation, updated, request, "detail")

    def _table(self, endpoint: Endpoint) -> Table:
        return self.tables[ENDPOINT_TABLES.get(endpoint.name, endpoint.name)]

    def _list(self, endpoint: Endpoint, table: Table, request: ApiRequest) -> Record:
        operation = endpoint.operations["list"]
        rows = self.store.rows(table.name)
        # The queryset of this view, not a filter.
        if endpoint.name == "water-restricted-subjects":
            rows = [row for row in rows if has_open_restriction(self.store, row)]
        rows = select(ListQuery(self.store, self.tables, table.name, request.query), operation.filters, rows)
        rows = sort(self.store, self.tables, table, rows)
        count = len(rows)
        if endpoint.name == "imaging-stack":
            # Alyx orders stacks by their slices, and so repeats a stack for each; the count has no repetitions.
            rows = [row for row in rows for _ in self.store.related("fields-of-view", "stack", row["id"]) or [row]]
        page = Page.of(request)
        rows = rows[page.offset : page.offset + page.limit]
        schema = self._response_schema(endpoint, operation, "list")
        serializer = make_serializer(self.store, self.tables, request.base_url)
        return {
            "count": count,
            "next": page.next_url(count),
            "previous": page.previous_url(),
            "results": [serializer.serialize(table.name, row, schema, "list") for row in rows],
        }

    def _serialize(
        self, endpoint: Endpoint, operation: Operation, record: Record, request: ApiRequest, view: View
    ) -> Record:
        serializer = make_serializer(self.store, self.tables, request.base_url)
        schema = self._response_schema(endpoint, operation, view)
        return serializer.serialize(self._table(endpoint).name, record, schema, view)

    def _response_schema(self, endpoint: Endpoint, operation: Operation, view: View) -> ObjectSchema:
        schema = operation.response or operation.request
        if schema is None:
            schema = ObjectSchema.of(*self._table(endpoint).columns)
        if endpoint.name == "sessions" and view == "list" and "url" not in schema.fields:
            # Two serializers of Alyx have the same name, so the schema has only one of them: that without a hyperlink.
            return ObjectSchema(schema.name, {**schema.fields, **ObjectSchema.of("url").fields})
        return schema

    def _find(self, table: Table, request: ApiRequest) -> Record:
        value = next(iter(request.path_parameters.values()))
        if "\0" in value:
            # The database refuses it, and DRF takes that for a record that does not exist.
            raise Failure(404, {"detail": "Not found."})
        if table.lookup_field != "id":
            record = self.store.find(table.name, table.lookup_field, value)
        # Django's path converters: a malformed key matches no route at all.
        elif table.has_integer_key:
            if not value.isdigit():
                raise PageNotFound
            record = self.store.get(table.name, int(value))
        else:
            if not _UUID.fullmatch(value):
                raise PageNotFound
            record = self.store.get(table.name, value)
        if record is None:
            raise Failure(404, {"detail": f"No {table.model} matches the given query."})
        return record

    def _create(
        self, endpoint: Endpoint, operation: Operation, table: Table, request: ApiRequest
    ) -> Record | list[Record]:
        if table.name == "trajectories" and is_list(request.body):
            raise ServerFailure("'list' object has no attribute 'get'")
        if table.name == "channels" and is_list(request.body):
            return self._create_channels(endpoint, operation, request.body, request)
        values = self._validated(endpoint, operation, table, request, current=None)
        editor = Editor(self.store, self.tables, request.user)
        if table.name == "notes":
            values = store_image(self.store, values, request)
        if table.name == "projects" and "users" not in values:
            # Alyx creates the project, and then fails on its own default for the users.
            editor.create(table.name, values)
            raise ServerFailure("'LabMember' object is not iterable")
        record = editor.create(table.name, values)
        return self._serialize(endpoint, operation, record, request, "create")

    def _create_channels(
        self, endpoint: Endpoint, operation: Operation, items: Sequence[object], request: ApiRequest
    ) -> list[Record]:
        schema = operation.request or ObjectSchema.of()
        validator = Validator(self.store, self.tables, "channels")
        try:
            channels = [validator.validate(schema, item, partial=False) for item in items]
        except ValidationFailure:
            # The errors of a bulk creation are a list, which Alyx's exception handler takes for a dictionary.
            raise UnreportedFailure from None
        editor = Editor(self.store, self.tables, request.user)
        records = [editor.create("channels", values) for values in channels]
        return [self._serialize(endpoint, operation, record, request, "create") for record in records]

    def _update(
        self, endpoint: Endpoint, operation: Operation, table: Table, record: Record, request: ApiRequest
    ) -> Record:
        values = self._validated(endpoint, operation, table, request, current=record)
        if table.name == "notes":
            # The serializer of notes reads both without asking whether they were sent.
            for name in ("content_type", "object_id"):
                if name not in values:
                    raise ServerFailure(f"'{name}'")
            check_note_target(self.store, self.tables, values)
            values = store_image(self.store, values, request)
        return Editor(self.store, self.tables, request.user).update(table.name, record["id"], values)

    def _validated(
        self, endpoint: Endpoint, operation: Operation, table: Table, request: ApiRequest, *, current: Record | None
    ) -> Record:
        schema = self._request_schema(endpoint, operation)
        body = request.body if request.form is None else decode_form(schema, table, request.form)
        validator = Validator(self.store, self.tables, table.name)
        partial = operation.name == "partial_update"
        # Two steps, as in DRF: validators of several fields run only if every single field is valid.
        values = validator.validate(schema, body, partial=partial, current=current)
        if current is None:
            record = Editor(self.store, self.tables, request.user).complete(table.name, values)
            validator.validate_together(record, record)
        else:
            validator.validate_together({**current, **values}, values, current)
        return values

    def _request_schema(self, endpoint: Endpoint, operation: Operation) -> ObjectSchema:
        if operation.name == "partial_update":
            # The schema of an update says what may be null or blank; that of a partial one often does not.
            update = endpoint.operations.get("update")
            if update is not None and update.request is not None:
                return update.request
        return operation.request or operation.response or ObjectSchema.of()
