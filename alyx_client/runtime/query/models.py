"""The fields of a model, among them relations to other models.

Generated code has one class per model, whose annotations are read when a field is first used::

    class SessionFields(Fields[M, UUID | str | RecordOf[Literal["sessions"]]]):
        _endpoint = "sessions"

        start_time: DateTimeField[M]
        subject: SubjectFields[M]

``SessionFields("Session", "", "")``, of the type ``SessionFields[Literal["Session"]]``, are the fields of the rows of a
list. Names that are keywords, or methods of `Fields`, have an underscore at their end.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from alyx_client.http.suggestions import missing_attribute, suggest
from alyx_client.runtime.coerce import is_from_library, is_list, query_value, several
from alyx_client.runtime.query.condition import Condition
from alyx_client.runtime.query.fields import Field, uuid_value
from alyx_client.runtime.references import Reference, is_record, key_of_record, origin_of, urls_of_records

__all__ = ["Fields"]

M = TypeVar("M", bound=str)
V = TypeVar("V")


class Fields(Field[M, V]):
    """The fields of a model; below another model, a relation to it.

    Generated classes declare the fields as annotations. A relation is itself compared with records or their primary
    keys. Relations to several records, such as ``projects``, select the rows for which one of the related records
    matches, and ``~`` those for which none does. Each comparison may be met by another related record.
    """

    __slots__ = ()
    _endpoint: ClassVar[str] = ""
    """The endpoint whose records the model's are; empty if there is none."""
    _key: ClassVar[str] = "uuid"
    """The kind of the primary key: ``"uuid"``, ``"integer"`` or ``"text"``."""
    _accepts = "a record or its primary key"

    if not TYPE_CHECKING:  # the annotations are what a type checker knows

        def __getattr__(self, name: str) -> Any:
            annotation = None if name.startswith("_") else _annotations(type(self)).get(name)
            if annotation is None:
                hint = "" if name.startswith("_") else suggest(name, _annotations(type(self)))
                raise missing_attribute(self, name, hint)
            kind = getattr(sys.modules[type(self).__module__], annotation.partition("[")[0])
            # Names that Python or the comparisons need are declared with an underscore at their end.
            django = name.rstrip("_")
            path, python = (f"{self._path}__{django}", f"{self._python}.{name}") if self._path else (django, name)
            return kind(self._model, path, python)

    def __dir__(self) -> Iterable[str]:
        names = _annotations(type(self))
        # Nothing is compared with the model itself.
        return [*names, *(super().__dir__() if self._path else ())]

    def _condition(self, lookup: str, value: object, python: str, urls: tuple[str, ...] = ()) -> Any:
        if not self._path:
            raise TypeError(f"these are all fields of {self._model}; compare one of them")
        return super()._condition(lookup, value, python, urls)

    def _items(self, values: object, place: str) -> list[object]:
        if is_record(values):
            raise TypeError(f"{place} takes a list of records or keys")
        if not is_list(values) or is_from_library(values):
            return super()._items(values, place)
        items = several(values, place)
        return items if any(map(is_record, items)) else super()._items(items, place)

    def _compare(self, lookup: str, value: object, operator: str) -> Any:
        key = self._key_field([value])
        return super()._compare(lookup, value, operator) if key is None else self._by_key(key, [value], operator)

    def in_(self, values: Iterable[V]) -> Condition[M]:
        """Select the rows that are related to one of several records.

        Parameters
        ----------
        values
            The records, or their primary keys. Long lists are sent in several requests.
        """
        items = self._items(values, f"{self._python}.in_()")
        key = self._key_field(items)
        return super().in_(cast("list[V]", items)) if key is None else self._by_key(key, items, "in")

    def _key_field(self, values: list[object]) -> str | None:
        """Return the field to compare with records that have no primary key, such as labs; None if they have one."""
        origins = [origin_of(value) for value in values if is_record(value)]
        if not origins or len(origins) < len(values):
            return None
        names = {origin.key for origin in origins if origin is not None and origin.endpoint == self._endpoint}
        has_ids = any(getattr(value, "id", None) is not None for value in values)
        (name,) = names if len(names) == 1 else ("id",)
        return None if has_ids or name not in _annotations(type(self)) or name == "id" else name

    def _by_key(self, name: str, records: list[object], operator: str) -> Condition[M]:
        """Return the condition that a relation's field has the value that records have in it."""
        field: Field[M, Any] = getattr(self, name)
        values = [cast("Mapping[str, object]", record)[name] for record in records]
        condition = field.in_(values) if operator == "in" else field.eq(values[0])
        urls = urls_of_records(records, Reference(self._endpoint, name))
        return Condition(condition.model, tuple(replace(one, urls=tuple(urls)) for one in condition.comparisons))

    def _checked(self, values: list[object], place: str) -> tuple[list[object], tuple[str, ...]]:
        urls = urls_of_records([value for value in values if is_record(value)], Reference(self._endpoint, "id"))
        return [self._key_of(value, place) for value in values], tuple(urls)

    def _key_of(self, value: object, place: str) -> object:
        if is_record(value):
            value = key_of_record(value, Reference(self._endpoint, "id"), place)
        value = query_value(value, place)
        key: object = value
        if self._key == "uuid":
            key = uuid_value(value)
        elif self._key == "integer":
            key = value if isinstance(value, int) and not isinstance(value, bool) else None
        if key is None:
            hint = f"for another field of it, write {self._python}.name == …" if isinstance(value, str) else ""
            raise self._refuse(value, place, hint)
        return key


def _annotations(kind: type[Fields[Any, Any]]) -> dict[str, str]:
    """Return the fields that a generated class declares, and the classes of fields they are of, as text."""
    names: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, Fields) and base is not Fields:
            names |= {name: text for name, text in base.__annotations__.items() if not name.startswith("_")}
    return names
