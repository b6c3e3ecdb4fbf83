"""Conditions on JSON fields, and on the values in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from alyx_client.http.arguments import require_text, shown
from alyx_client.runtime.coerce import query_value
from alyx_client.runtime.query.condition import Condition
from alyx_client.runtime.query.fields import Field, Ordered, TextLookups

__all__ = ["JSONField", "JSONValue"]

M = TypeVar("M", bound=str)
Scalar = str | int | float | bool | None

# At the end of a path, Django reads these as lookups; with another one behind them they are keys.
_LOOKUPS = frozenset(
    (
        *("exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"),
        *("regex", "iregex", "gt", "gte", "lt", "lte", "in", "range", "isnull", "contained_by", "has_key"),
        *("has_keys", "has_any_keys"),
    )
)


_SYNTAX = frozenset(",[]()~")


class _Json(Field[M, Scalar]):
    """What a JSON field and a value in it have in common."""

    __slots__ = ()
    _accepts = "text, a number, True, False or None"

    def __getitem__(self, key: str | int) -> JSONValue[M]:
        """Return the value of a key of an object, or at a position of an array, counted from 0."""
        place = f"{self._python}[{key!r}]"
        if isinstance(key, bool) or not isinstance(cast("object", key), str | int):
            raise TypeError(f"{place}: the key of an object is text, and a position in an array a number")
        if isinstance(key, str) and (
            not key or "__" in key or key != key.strip() or any(one in key for one in ",[]()~")
        ):
            raise ValueError(f"{place}: Alyx's filter cannot express this key; read the records, and select among them")
        if isinstance(key, str):
            require_text(place, key)
        # Django takes digits for a position in an array.
        if isinstance(key, str) and key.lstrip("-").isdigit():
            raise ValueError(f"{place}: the server would take {key!r} for a position in an array")
        # Below the first level, Django takes these for lookups wherever they are.
        if key in _LOOKUPS and isinstance(self, JSONValue):
            raise ValueError(f"{place}: the server would take {key!r} for a lookup; read the records, and select by it")
        return JSONValue(self._model, f"{self._path}__{key}", place)

    def in_(self, values: Iterable[Scalar]) -> Condition[M]:
        """Select the rows in which the value is one of several.

        Parameters
        ----------
        values
            The values; None is not among them, since nothing is equal to null in a list.
        """
        items = self._items(values, f"{self._python}.in_()")
        if None in items:
            raise TypeError(f"{self._python}.in_() takes no None, which the server would not find; write == None")
        return super().in_(cast("list[Scalar]", items))

    def has_key(self, key: str) -> Condition[M]:
        """Select the rows in which the value is an object that has a key, whatever its value."""
        return self._condition("has_key", self._key(key, "has_key"), f"{self._python}.has_key({key!r})")

    def has_keys(self, keys: Iterable[str]) -> Condition[M]:
        """Select the rows in which the value is an object that has all of several keys."""
        return self._keys("has_keys", keys)

    def has_any_keys(self, keys: Iterable[str]) -> Condition[M]:
        """Select the rows in which the value is an object that has at least one of several keys."""
        return self._keys("has_any_keys", keys)

    def contains(self, value: Scalar) -> Condition[M]:
        """Select the rows in which the value is an array that contains a value, or is equal to it."""
        return self._compare("contains", value, ".contains")

    if not TYPE_CHECKING:  # a type checker cannot tell the operators' values apart

        def _compare(self, lookup: str, value: object, operator: str) -> Any:
            if value is None and lookup:
                place = f"{self._python} {operator}" if operator[0] in "<>" else f"{self._python}{operator}()"
                raise TypeError(f"{place} takes no None, which the server can only look for with ==")
            return super()._compare(lookup, value, operator)

    def _plain(self, value: object, place: str) -> object:
        if value is not None and not isinstance(value, str | int | float):
            raise self._refuse(value, place)
        return value

    def _keys(self, lookup: str, keys: Iterable[str]) -> Condition[M]:
        names = tuple(self._key(key, lookup) for key in self._items(keys, f"{self._python}.{lookup}()"))
        if not names:
            raise ValueError(f"{self._python}.{lookup}() takes at least one key")
        return self._condition(lookup, names, f"{self._python}.{lookup}({list(names)!r})")

    def _key(self, key: object, lookup: str) -> str:
        plain = query_value(key, lookup)
        if not isinstance(plain, str):
            raise TypeError(f"{self._python}.{lookup}() takes keys, which are text, not {shown(key)}")
        return plain

    def _condition(self, lookup: str, value: object, python: str, urls: tuple[str, ...] = ()) -> Condition[M]:
        is_ambiguous = not lookup and self._path.rpartition("__")[2] in _LOOKUPS
        return super()._condition("exact" if is_ambiguous else lookup, value, python, urls)


class JSONField(_Json[M]):
    """A JSON field, whose keys are not known to the server's schema: ``json["qc"]["spikes"] >= 0.5``."""

    __slots__ = ()

    if not TYPE_CHECKING:  # the mini-language has no objects, and a whole field is rarely anything else

        def _compare(self, lookup: str, value: object, operator: str) -> Any:
            if operator == "==":
                raise TypeError(f"{self._python} is an object; compare one of its values, as in {self._python}['key']")
            return super()._compare(lookup, value, operator)


class JSONValue(_Json[M], Ordered[M, Scalar], TextLookups[M, Scalar]):
    """A value in a JSON field.

    ``is_null()`` selects the rows that lack the key, and ``== None`` those that have null there. ``~`` and ``!=`` leave
    out the rows whose value lacks the key as well, and keep those in which the whole field is null. ``<`` and ``>``
    order values as PostgreSQL does: null, text, numbers, booleans, arrays and objects, in this order, so that
    ``>= 0.5`` also selects True.
    """

    __slots__ = ()

    def range(self, first: Scalar, last: Scalar) -> Condition[M]:
        """Select the rows in which the value is between two values, both included; neither can be None."""
        if first is None or last is None:
            raise TypeError(f"{self._python}.range() takes no None, which the server can only look for with ==")
        return super().range(first, last)
