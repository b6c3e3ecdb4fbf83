"""Query models: the fields that a server's ``django`` filter reaches, by model, with their Django classes."""

from __future__ import annotations

import json
import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alyx_client.schema.openapi import as_schema


class UnreadableQueryModelError(ValueError):
    """A file is not a query model."""


@dataclass(frozen=True)
class QueryField:
    """A field of a model.

    Parameters
    ----------
    django_class
        The name of its class in Django: ``DateTimeField``. Both sides of a many-to-many relation are
        ``ManyToManyField``: the server does not tell them apart.
    to
        For relations, the name of the model that it leads to.
    """

    django_class: str
    to: str = ""


@dataclass(frozen=True)
class QueryModel:
    """The models behind a server's lists, and those that their relations lead to.

    Parameters
    ----------
    endpoints
        The name of the model behind each list that has the filter, by the list's path without its first slash.
    models
        The fields of each model by name.
    """

    endpoints: Mapping[str, str]
    models: Mapping[str, Mapping[str, QueryField]]

    @property
    def fields(self) -> int:
        """The number of fields of all models."""
        return sum(map(len, self.models.values()))


def query_model_text(model: QueryModel) -> str:
    """Return a query model as JSON, sorted, with a line for each field."""
    endpoints = [f"  {json.dumps(path)}: {json.dumps(name)}" for path, name in sorted(model.endpoints.items())]
    models = [f"  {json.dumps(name)}: {_model(fields)}" for name, fields in sorted(model.models.items())]
    return f'{{\n "endpoints": {_object(endpoints, " ")},\n "models": {_object(models, " ")}\n}}\n'


def _model(fields: Mapping[str, QueryField]) -> str:
    lines = [f"   {json.dumps(name)}: {_field(field)}" for name, field in sorted(fields.items())]
    return f'{{"fields": {_object(lines)}}}'


def _object(members: list[str], indent: str = "  ") -> str:
    return "{\n" + ",\n".join(members) + f"\n{indent}}}" if members else "{}"


def _field(field: QueryField) -> str:
    return json.dumps({"class": field.django_class, "to": field.to} if field.to else field.django_class)


def is_query_model(document: Mapping[str, Any]) -> bool:
    """Return whether decoded JSON is a query model, and not a schema."""
    return {"endpoints", "models"} <= document.keys()


def read_query_model(file: Path) -> QueryModel:
    """Read a query model from a file.

    Parameters
    ----------
    file
        The file, as ``alyx-generate probe --query-model`` writes it.

    Raises
    ------
    UnreadableQueryModelError
        It is not a query model, or a relation leads to a model that it lacks.
    OSError
        It cannot be read.
    """
    try:
        return parse_query_model(json.loads(file.read_bytes()))
    except (ValueError, RecursionError) as error:
        raise UnreadableQueryModelError(f"{file} is not a query model: {error}") from None


def parse_query_model(content: Any) -> QueryModel:
    """Return the query model in decoded JSON.

    Raises
    ------
    ValueError
        It is not a query model; the message says why.
    """
    document = as_schema(content)
    if not isinstance(document.get("models"), Mapping) or not isinstance(document.get("endpoints"), Mapping):
        raise ValueError("it has no endpoints or no models")
    models = {
        name: {key: _read_field(name, key, field) for key, field in as_schema(as_schema(model).get("fields")).items()}
        for name, model in as_schema(document["models"]).items()
    }
    for name in models:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"{name!r} cannot be the name of a model")
    endpoints = as_schema(document["endpoints"])
    for path, name in endpoints.items():
        if name not in models:
            raise ValueError(f"the model of {path} is missing")
    for name, fields in models.items():
        for key, field in fields.items():
            if field.to and field.to not in models:
                raise ValueError(f"{name}.{key} leads to {field.to}, which is missing")
    return QueryModel({path: str(name) for path, name in endpoints.items()}, models)


def _read_field(model: str, name: str, content: Any) -> QueryField:
    members = {"class": content} if isinstance(content, str) else as_schema(content)
    django_class, to = members.get("class"), members.get("to", "")
    if not isinstance(django_class, str) or not django_class.isidentifier() or not isinstance(to, str):
        raise ValueError(f"{model}.{name} has no class")
    return QueryField(django_class, to)
