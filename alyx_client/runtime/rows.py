"""Rows of lists: validated as dictionaries, and made records when they are looked at.

pydantic validates a page into dictionaries in about half the time that it takes to make an object of each row, and of
each record nested in it. Types are checked for every row; an object is made only for a row that is used, around a
copy of the dictionary, which becomes its ``__dict__``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard, TypeVar, cast, overload

from pydantic import BaseModel, GetCoreSchemaHandler, TypeAdapter
from pydantic_core import core_schema

from alyx_client.runtime.collector import COLLECTOR_PAUSE
from alyx_client.runtime.records import Record

__all__ = [
    "Make",
    "Misfit",
    "RowSchema",
    "Rows",
    "declared_type",
    "fields_of",
    "is_model",
    "make_records",
    "strict_adapter",
]

T = TypeVar("T")
Make = Callable[[Any], Any]
CoreSchema = Any
"""A core schema of pydantic: a dictionary of one of fifty kinds."""
# Faster than object.__setattr__, which looks the names up.
_new = object.__new__
_set_fields: Callable[[Record, dict[str, Any]], None] = vars(BaseModel)["__dict__"].__set__
_set = object.__setattr__


def fields_of(row: object) -> Mapping[str, object]:
    """Return the fields of a row, whether a record was made of it or not."""
    return cast("Mapping[str, object]", row if isinstance(row, dict) else getattr(row, "__dict__", {}))


class Misfit:
    """A row that is not of the declared type, as the server sent it."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


class RowSchema:
    """Annotation of a row's type: validated as a dictionary, if it is a record, and a `Misfit` if it does not fit.

    Called with a row, it returns the record.

    Parameters
    ----------
    row
        The declared type of a row.
    """

    def __init__(self, row: Any) -> None:
        self._row = row
        self.make: Make | None = None
        """Makes the record of a dictionary; None if rows are no records. It is known when the schema was built."""

    @property
    def declared(self) -> Any:
        """The declared type of a row."""
        return self._row

    def __call__(self, row: Any) -> Any:
        """Return the record of a row; the row itself if it is one."""
        return row if self.make is None else self.make(row)

    def many(self, rows: list[Any]) -> list[Any]:
        """Return the records of rows; the rows if they are no records."""
        if isinstance(self.make, _Maker):
            return self.make.many(rows)
        return rows if self.make is None else [self.make(row) for row in rows]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema, self.make = _converted(handler.generate_schema(self._row), handler, ())
        # A row that does not fit costs a second reading of itself, and not of its page.
        misfit = core_schema.with_info_plain_validator_function(_note_misfit)
        return core_schema.union_schema([schema, misfit], mode="left_to_right")


class Rows(Sequence[T]):
    """Rows, each of which is made a record when it is looked at, and is the same object from then on.

    Parameters
    ----------
    rows
        The rows; records take the places of their dictionaries.
    make
        Makes the record of a dictionary; None if rows stay as they are.
    """

    __slots__ = ("_make", "_rows")

    def __init__(self, rows: list[Any], make: Make | None) -> None:
        self._rows = rows
        self._make = make

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            with COLLECTOR_PAUSE:
                return [self[position] for position in range(*index.indices(len(self._rows)))]
        row: Any = self._rows[index]
        if self._make is not None and type(row) is dict:
            row = self._rows[index] = self._make(row)
        return cast("T", row)


def declared_type(make: Make | None) -> Any:
    """Return the declared type of the rows that records are made of; None if it is not known."""
    return make.declared if isinstance(make, RowSchema) else None


def make_records(rows: list[Any], make: Make | None) -> list[Any]:
    """Return the records of the rows of a page; the rows themselves if they stay as they are.

    For rows that are all going to be looked at: making them one by one takes much longer, as the collector runs.
    """
    if make is None:
        return rows
    with COLLECTOR_PAUSE:
        return make.many(rows) if isinstance(make, RowSchema) else [make(row) for row in rows]


def strict_adapter(kind: Any) -> TypeAdapter[Any]:
    """Return pydantic's reader of a type, without coercion."""
    # A record is strict by its own configuration, and pydantic refuses a second one.
    return TypeAdapter(kind, config=None if is_model(kind) else {"strict": True})


def is_model(kind: object) -> TypeGuard[type[BaseModel]]:
    """Return whether a type is a record, or another model of pydantic."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _note_misfit(value: object, info: core_schema.ValidationInfo[list[Misfit]]) -> Misfit:
    misfit = Misfit(value)
    info.context.append(misfit)
    return misfit


class _Maker:
    """Makes the records of one model around dictionaries that pydantic has validated.

    Parameters
    ----------
    model
        The model.
    attributes
        The names of its attributes, by those of the dictionary. They are those of its schema: a model that refers to
        one defined below it has no aliases yet.
    nested
        Makes the value of a field of the dictionary, for fields that hold records.
    is_required
        Whether no field may be missing.
    """

    def __init__(
        self,
        model: type[Record],
        attributes: Mapping[str, str],
        nested: Sequence[tuple[str, Make]],
        *,
        is_required: bool,
    ) -> None:
        self._model = model
        self._nested = nested
        self._attributes = attributes
        self._has_same_names = all(name == wire for wire, name in attributes.items())
        # A row that was validated has all required fields, so that counting tells whether it has others.
        self._is_counted = is_required and self._has_same_names

    def __call__(self, fields: Any) -> Any:
        return self.many([fields])[0]

    def many(self, rows: list[Any]) -> list[Any]:
        """Return the records of rows; those that another thread made meanwhile as they are."""
        model, is_counted, count, nested = self._model, self._is_counted, len(self._attributes), self._nested
        records: list[Any] = []
        for row in rows:
            record = row
            if type(row) is dict:
                # Not in place, nor shared with the record, whose user may change it: rows without a key are known by
                # comparing them, as they came, with those of the next page; other records are made of the same row.
                fields = cast("dict[str, Any]", row).copy()
                for name, convert in nested:
                    value = fields.get(name)
                    if value is not None:
                        fields[name] = convert(value)
                if len(fields) == count if is_counted else self._is_whole(fields):
                    record = _new(model)
                    _set_fields(record, fields)  # `Record` makes what else a model has when it is read
                else:
                    record = self._unlike(fields)
            records.append(record)
        return records

    def _is_whole(self, fields: dict[str, Any]) -> bool:
        return self._has_same_names and fields.keys() == self._attributes.keys()

    def _unlike(self, fields: dict[str, Any]) -> Record:
        """Return the record of a row that has other fields, or fields by other names, than its declared type."""
        defaults = self._model.model_fields
        known = {
            name: fields[wire] if wire in fields else defaults[name].get_default(call_default_factory=True)
            for wire, name in self._attributes.items()
        }
        extra = {name: value for name, value in fields.items() if name not in self._attributes}
        record = _new(self._model)
        _set_fields(record, known)
        _set(record, "__pydantic_extra__", extra)
        _set(
            record,
            "__pydantic_fields_set__",
            {*extra, *(name for wire, name in self._attributes.items() if wire in fields)},
        )
        return record


def _converted(
    schema: CoreSchema, handler: GetCoreSchemaHandler, outer: tuple[type[BaseModel], ...]
) -> tuple[CoreSchema, Make | None]:
    """Return a schema with dictionaries in place of records, and what makes the records; None if there are none."""
    inner: Any = handler.resolve_ref_schema(schema) if schema["type"] == "definition-ref" else schema
    if inner["type"] == "model":
        made = _record_as_dict(inner, handler, outer)
        return (schema, None) if made is None else made
    if inner["type"] == "nullable":
        converted, make = _converted(inner["schema"], handler, outer)
        return ({**inner, "schema": converted}, make) if make else (schema, None)
    if inner["type"] == "list":
        converted, make = _converted(inner["items_schema"], handler, outer)
        return ({**inner, "items_schema": converted}, _of_list(make)) if make else (schema, None)
    return (_without_literals(inner), None) if inner is schema else (schema, None)


def _record_as_dict(
    schema: Any, handler: GetCoreSchemaHandler, outer: tuple[type[BaseModel], ...]
) -> tuple[CoreSchema, Make] | None:
    """Return the schema of a record's dictionary; None if the record has to be made by pydantic."""
    model, fields = schema["cls"], schema["schema"]
    # A record within itself has no finite schema without references.
    if not issubclass(model, Record) or model in outer or fields["type"] != "model-fields":
        return None
    nested: list[tuple[str, Make]] = []
    attributes: dict[str, str] = {}
    entries: dict[str, core_schema.TypedDictField] = {}
    for name, entry in fields["fields"].items():
        wire = entry.get("validation_alias", name)
        if not isinstance(wire, str):
            return None
        field = entry["schema"]
        is_required = field["type"] != "default"
        converted, make = _converted(field if is_required else field["schema"], handler, (*outer, model))
        if make is not None:
            nested.append((wire, make))
        attributes[wire] = name
        entries[wire] = core_schema.typed_dict_field(converted, required=is_required)
    as_dict = core_schema.typed_dict_schema(entries, extra_behavior="allow", config=schema["config"])
    return as_dict, _Maker(
        model, attributes, nested, is_required=all(entry.get("required") for entry in entries.values())
    )


def _of_list(make: Make) -> Make:
    if isinstance(make, _Maker):
        return make.many
    return lambda values: [None if value is None else make(value) for value in values]


def _without_literals(schema: Any) -> CoreSchema:
    """Return ``str`` for an open set of words: any text fits, so that the words need not be looked up."""
    if schema["type"] == "union":
        kinds = [choice["type"] for choice in schema["choices"]]
        if kinds == ["literal", "str"] and all(isinstance(word, str) for word in schema["choices"][0]["expected"]):
            return schema["choices"][1]
    return schema
