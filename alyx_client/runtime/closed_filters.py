"""Filters whose values are from closed sets: checked, and sent as the server compares them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import cast

from alyx_client.errors import InvalidFieldError
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.closed_sets import ClosedSet, ClosedSets, not_in_set
from alyx_client.runtime.coerce import entries, query_value
from alyx_client.runtime.django_filter import DjangoFilter, Lookups, Repeated, split_parts

__all__ = ["ClosedFilters"]

# What the server reads as something other than text, a number or a list.
_CONSTANTS = frozenset({"none", "true", "false"})


@dataclass(frozen=True, slots=True)
class ClosedFilters:
    """The closed sets of one endpoint's filters.

    Parameters
    ----------
    endpoint
        The endpoint's name on the client.
    sets
        The closed sets of the server.
    declared
        Sets that the server itself declares, by filter; their values are accepted, too.
    """

    endpoint: str = ""
    sets: ClosedSets = field(default_factory=ClosedSets)
    declared: Mapping[str, ClosedSet] = field(default_factory=dict[str, ClosedSet])

    def apply(self, filters: Mapping[str, object], styles: Mapping[str, str]) -> dict[str, object]:
        """Return filters with the values that the server expects.

        Names are sent as the server writes them, and numbers that the database holds by their names. Several values of
        a filter that takes one are a Django lookup, and lookups compare with what the database holds.

        Parameters
        ----------
        filters
            Values by the server's names.
        styles
            The style in which each filter is sent.

        Raises
        ------
        InvalidFieldError
            A value is not in the filter's set; the message names those that are.
        """
        own = self.sets.filters.get(self.endpoint, {})
        result: dict[str, object] = {}
        for name, value in filters.items():
            members = own.get(name)
            if name in self.declared:
                members = members | self.declared[name] if members else self.declared[name]
            if styles[name] == "django":
                result[name] = self._lookups(cast("DjangoFilter", value))
            elif members is None:
                result[name] = value
            else:
                result[name] = self._named(name, value, members, styles)
        return result

    def _named(self, name: str, value: object, members: ClosedSet, styles: Mapping[str, str]) -> object:
        plain = query_value(value, name)
        if isinstance(plain, str) and "," in plain and members.value(plain) is None:
            # Several values as one text, as in a URL.
            plain = plain.split(",")
        if not isinstance(plain, list):
            return self._member(name, plain, members)
        values = [self._member(name, one, members) for one in cast("list[object]", plain)]
        if members.several or (not values and isinstance(value, Repeated)):
            # The parameters of a URL stay as they were written.
            return type(value)(map(str, values)) if isinstance(value, Repeated) else values
        if len(values) == 1:
            return values[0]
        lookup = f"{name}__in"
        if "django" in styles and self.sets.own_column(self.endpoint, name):
            return Lookups({lookup: self.sets.stored_value(self.endpoint, lookup, values)})
        raise InvalidFieldError(f"{self.endpoint}: {name} takes one value, not several", fields={name: ["one value"]})

    def _member(self, name: str, value: object, members: ClosedSet) -> object:
        member = members.value(value)
        if member is None:
            hint = f"extra_params={{{name!r}: …}} sends anything."
            raise not_in_set(f"{self.endpoint}: {name}", value, members.values, hint)
        return member

    def _lookups(self, spec: DjangoFilter) -> DjangoFilter:
        stored_value, endpoint = self.sets.stored_value, self.endpoint
        if not self.sets.columns:
            return spec
        if isinstance(spec, str):
            return ",".join(self._parts(spec))
        if not isinstance(cast("object", spec), Mapping):
            return spec
        return {
            lookup: stored_value(endpoint, lookup, value) if isinstance(cast("object", lookup), str) else value
            for lookup, value in entries(spec, "django")
        }

    def _parts(self, text: str) -> Iterator[str]:
        """Yield the parts of a text in the mini-language, values as the database holds them."""
        parts = split_parts(text)
        for place in range(0, len(parts), 2):
            lookup, value = parts[place], parts[place + 1 : place + 2]
            yield lookup
            yield from (self._text_value(lookup, one) for one in value)

    def _text_value(self, lookup: str, text: str) -> str:
        column = self.sets.column(self.endpoint, lookup)
        if column is None or text.lower() in _CONSTANTS:
            return text
        is_several = column[1] in ("in", "range")
        value: object = _several(text) if is_several else _number(text)
        stored = self.sets.stored_value(self.endpoint, lookup, value)
        if stored == value:
            return text
        return f"[{','.join(map(repr, cast('list[object]', stored)))}]" if is_several else str(stored)


def _number(text: str) -> object:
    # The server reads these as a float.
    return float(text) if text.replace(".", "", 1).isdecimal() else text


def _several(text: str) -> list[object]:
    """Return a list in the mini-language; without quotes, names are taken as they are."""
    inner = text.strip()
    if inner.startswith(("(", "[")) and inner.endswith((")", "]")):
        try:
            value: object = ast.literal_eval(inner)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = None
        if isinstance(value, list | tuple):
            return list(cast("list[object]", value))
        inner = inner[1:-1]
    return [one.strip().strip("'\"") for one in inner.split(",") if one.strip()]
