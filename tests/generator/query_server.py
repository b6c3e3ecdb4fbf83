"""Servers that refuse conditions as Django does, made from a query model."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from alyx_generator.probe.query.fields import is_relation
from alyx_generator.probe.query.lookups import LOOKUPS, kind_of
from alyx_generator.source.query_model import QueryField, QueryModel, parse_query_model

from ..faults import Received, json_response
from .inline import document, page, query, ref, returns


class RefusedError(Exception):
    """Django's refusal of a query."""


def query_model(endpoints: Mapping[str, str], **models: Mapping[str, Any]) -> QueryModel:
    """Return a query model; a field is its class, with the model that it leads to behind a colon."""
    fields = {
        name: {
            "fields": {
                key: {"class": text.partition(":")[0], "to": text.partition(":")[2]} for key, text in model.items()
            }
        }
        for name, model in models.items()
    }
    return parse_query_model({"endpoints": dict(endpoints), "models": fields})


def schema(paths: Iterable[str], names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the schema of a server whose lists have the filter."""
    filters = query({"name": "django", "schema": {"type": "string"}})
    records = {path: (names or {}).get(path, path.capitalize().removesuffix("s")) for path in paths}
    components: dict[str, Any] = {}
    for name in records.values():
        components[name] = {"type": "object", "properties": {"id": {"type": "string"}}}
        components[f"{name}Page"] = page(name)
    lists = {f"/{path}": {"get": {**filters, **returns(ref(f"{name}Page"))}} for path, name in records.items()}
    return {**document(lists, components), "x-server": {"django-filters": True}}


class QueryServer:
    """Responds to lists as an Alyx with the models of a query model does.

    Parameters
    ----------
    model
        The query model.
    annotations
        Names that exist on one list, by its path.
    refused
        Lookups that the server does not have.
    longest_target
        The length of the longest request that it takes.
    """

    def __init__(
        self,
        model: QueryModel,
        annotations: Mapping[str, Iterable[str]] | None = None,
        refused: Iterable[str] = (),
        longest_target: int = 4094,
    ) -> None:
        self._model = model
        self._annotations = {path: tuple(names) for path, names in (annotations or {}).items()}
        self._refused = frozenset(refused)
        self._longest_target = longest_target

    def __call__(self, request: Received, connection: socket.socket) -> bool:
        """Respond to a request."""
        if len(request.target) > self._longest_target:
            return json_response("Request Line is too large", status=400)(request, connection)
        path = request.path.strip("/")
        text = parse_qs(urlsplit(request.target).query)["django"][0]
        try:
            for condition in re.split(r",(?![^\[(]*[\])])", text)[::2]:
                self._check(path, condition)
        except RefusedError as refusal:
            return json_response({"status_code": 500, "detail": str(refusal)}, status=500)(request, connection)
        raise AssertionError(f"a query reached the database: {text}")

    def _check(self, path: str, condition: str) -> None:
        names = condition.split("__")
        fields, choices = self._fields(self._model.endpoints[path])
        for name in self._annotations.get(path, ()):
            fields[name] = QueryField("BooleanField")
            choices.add(name)
        if names[0] not in fields:
            listed = ", ".join(sorted(choices))
            raise RefusedError(f"Cannot resolve keyword '{names[0]}' into field. Choices are: {listed}")
        field = fields[names.pop(0)]
        while field.to and names and names[0] in (fields := self._fields(field.to)[0]):
            field = fields[names.pop(0)]
        if field.django_class == "GenericForeignKey":
            raise RefusedError(
                "Field 'content_object' does not generate an automatic reverse relation and therefore cannot"
            )
        self._check_lookups(field, names)

    def _check_lookups(self, field: QueryField, lookups: list[str]) -> None:
        kind = kind_of(field.django_class)
        if kind == "json" or not lookups:
            return
        if len(lookups) > 1 or lookups[0] not in LOOKUPS[kind] or lookups[0] in self._refused:
            # Of a many-to-many relation, Django names the key in the table between the models.
            django_class = field.django_class.replace("ManyToManyField", "ForeignKey")
            names = "__".join(lookups)
            raise RefusedError(f"Unsupported lookup '{names}' for {django_class} or join on the field not permitted.")

    def _fields(self, model: str) -> tuple[dict[str, QueryField], set[str]]:
        fields = dict(self._model.models[model])
        for name, field in self._model.models[model].items():
            if is_relation(field.django_class) and field.django_class.endswith(("ForeignKey", "OneToOneField")):
                fields[f"{name}_id"] = QueryField(field.django_class, field.to)
        return fields, set(fields)
