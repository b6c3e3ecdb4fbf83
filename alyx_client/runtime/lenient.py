"""Lenient reading of responses that differ from their declaration.

The fields that fit become objects of the declared types. The others keep the value that the server sent, and each
difference is recorded once: a difference never breaks a call, and is never hidden.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError

from alyx_client.http.json_body import as_object, is_array, is_object, unexpected
from alyx_client.http.message import Response
from alyx_client.runtime.drift import Drift, DriftLog
from alyx_client.runtime.models import fields_of
from alyx_client.runtime.references import key_of_url
from alyx_client.runtime.rows import is_model, strict_adapter

__all__ = ["LenientReader", "describe", "json_type"]


class LenientReader:
    """Reads a decoded response field by field, and keeps the values that do not fit.

    Parameters
    ----------
    endpoint
        The endpoint's name, for messages.
    log
        The log of differences.
    response
        The response, for errors.
    """

    def __init__(self, endpoint: str, log: DriftLog, response: Response) -> None:
        self._endpoint = endpoint
        self._log = log
        self._response = response

    def read(self, kind: object, value: object) -> Any:
        """Read a whole response.

        Parameters
        ----------
        kind
            The declared type.
        value
            The decoded body.

        Raises
        ------
        UnexpectedAnswerError
            The body is not even a list, or an object, where one is declared.
        SchemaDriftError
            A field differs and the log is strict.
        """
        is_list = get_origin(kind) is list
        if (is_list and not is_array(value)) or (is_model(kind) and not is_object(value)):
            raise unexpected(self._response, self._endpoint, "a list" if is_list else "a record")
        return self._read(kind, value, "")

    def read_row(self, kind: object, value: object) -> Any:
        """Read a row of a list, which may be anything."""
        return self._read(kind, value, "")

    def _read(self, kind: object, value: object, path: str) -> Any:
        try:
            # JSON again: in strict mode, pydantic takes dates and UUIDs as text from JSON alone.
            return _cached_adapter(kind).validate_json(json.dumps(value))
        except ValidationError:
            pass
        inner = _alternative(kind, value)
        if inner is None:
            self._log.add(Drift(self._endpoint, path or "answer", describe(kind), json_type(value)))
            return value
        if isinstance(value, list):
            item_kind = get_args(inner)[0]
            items = cast("Sequence[object]", value)
            return [self._read(item_kind, item, f"{path}[]" if path else "") for item in items]
        return self._read_record(inner, as_object(value), path)

    def _read_record(self, model: type[BaseModel], value: Mapping[str, object], path: str) -> BaseModel:
        declared = fields_of(model)
        fields: dict[str, Any] = {}
        extra = dict(value)
        for name, field in declared.items():
            wire_name = field.alias or name
            extra.pop(wire_name, None)
            field_path = f"{path}.{wire_name}" if path else wire_name
            kind = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            if wire_name in value:
                fields[name] = self._read(kind, value[wire_name], field_path)
            elif field.is_required():
                self._log.add(Drift(self._endpoint, field_path, describe(kind), "missing"))
                fields[name] = None
            else:
                fields[name] = field.get_default(call_default_factory=True)
        # Servers of 2022 send sessions whose key stands in their URL alone.
        if "id" in fields and fields["id"] is None and declared["id"].annotation is UUID:
            fields["id"] = _uuid_at_end(value.get("url"))
        # Not as keywords of model_construct(): the server may call a field "cls" or "_fields_set".
        record = model.model_construct(_fields_set=set(fields) & set(value) | set(extra))
        vars(record).update(fields)
        if record.model_extra is not None:
            record.model_extra.update(extra)
        return record


def _uuid_at_end(url: object) -> UUID | None:
    try:
        return UUID(key_of_url(url)) if isinstance(url, str) else None
    except ValueError:
        return None


_adapters: dict[Any, TypeAdapter[Any]] = {}


def _cached_adapter(kind: object) -> TypeAdapter[Any]:
    try:
        if kind not in _adapters:
            _adapters[kind] = strict_adapter(kind)
        return _adapters[kind]
    except TypeError:  # an unhashable annotation
        return strict_adapter(kind)


def _alternatives(kind: object) -> tuple[Any, ...] | None:
    """Return the members of a union; None for other types."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else None


def _without_metadata(kind: object) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _alternative(kind: object, value: object) -> Any:
    """Return the record or list type among the alternatives of a type that has a value's outer form."""
    kind = _without_metadata(kind)
    for option in _alternatives(kind) or (kind,):
        if isinstance(value, list) and get_origin(option) is list:
            return option
        if isinstance(value, dict) and is_model(option):
            return option
    return None


def describe(kind: object) -> str:
    """Return a type as people write it: without modules and metadata."""
    kind = _without_metadata(kind)
    if alternatives := _alternatives(kind):
        return " | ".join(map(describe, alternatives))
    if kind is None or kind is NoneType:
        return "None"
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else re.sub(r"\b\w+\.(?=\w)", "", str(kind))


# In this order, since bool is a kind of int.
_JSON_TYPES = {dict: "an object", list: "a list", str: "text", bool: "a boolean", int: "an integer", float: "a number"}


def json_type(value: object) -> str:
    """Return the JSON type of a decoded value, for messages."""
    return "null" if value is None else next(name for kind, name in _JSON_TYPES.items() if isinstance(value, kind))
