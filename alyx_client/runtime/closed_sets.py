"""Closed sets of values: what filters and fields accept, and what the database holds in their place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from typing import cast

from alyx_client.errors import InvalidFieldError
from alyx_client.http.arguments import shown
from alyx_client.http.suggestions import nearest
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.runtime.coerce import query_value

__all__ = ["ClosedSet", "ClosedSets", "Column", "nearest_value", "not_in_set"]

Value = str | int
"""A member of a closed set."""

# Lookups that compare with one value, with each of several, and with the ends of a range.
_EQUALITIES = frozenset({"", "exact", "iexact"})
_COMPARISONS = frozenset({"gt", "gte", "lt", "lte"})
_TEXT_LOOKUPS = frozenset(
    {"iexact", "regex", "iregex"}
    | {prefix + name for prefix in ("", "i") for name in ("contains", "startswith", "endswith")}
)


@dataclass(frozen=True, slots=True)
class ClosedSet:
    """The values that a filter or a field accepts.

    Parameters
    ----------
    values
        The values as they are sent.
    stored
        What the database holds for each of them; the values themselves if empty.
    several
        Whether several values can be sent.
    """

    values: tuple[Value, ...]
    stored: tuple[Value, ...] = ()
    several: bool = False

    def value(self, member: object) -> Value | None:
        """Return a member as it is sent, whatever its case, also if it is what the database holds; None if none."""
        position = self._position(member)
        return None if position is None else self.values[position]

    def stored_value(self, member: object) -> Value | None:
        """Return what the database holds for a member; None if it is none."""
        position = self._position(member)
        return None if position is None else (self.stored or self.values)[position]

    def _position(self, member: object) -> int | None:
        # A bool is an int, and no value of such a set.
        if isinstance(member, bool) or not isinstance(member, str | int | float):
            return None
        for members in (self.values, self.stored):
            for position, one in enumerate(members):
                if one == member:
                    return position
        # URLs hold numbers as text. The server compares names without regard to case and surrounding space.
        try:
            text = str(int(member) if isinstance(member, float) and member.is_integer() else member).strip().casefold()
        except ValueError:  # Python prints no integers of more than 4,300 digits
            return None
        for members in (self.values, self.stored):
            for position, one in enumerate(members):
                if str(one).casefold() == text:
                    return position
        return None

    def __or__(self, other: ClosedSet) -> ClosedSet:
        """Return a set with the members of both."""
        more = tuple(value for value in other.values if self.value(value) is None)
        return ClosedSet(self.values + more, self.stored + more if self.stored else (), self.several or other.several)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the database whose values are from a closed set, which lookups of `django` compare with.

    Parameters
    ----------
    name
        Its name in lookups.
    members
        Its values.
    endpoints
        The endpoints whose records have it.
    relations
        The relations to such records, as other endpoints name them; empty if every column of this name is one.
    """

    name: str
    members: ClosedSet
    endpoints: tuple[str, ...]
    relations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClosedSets:
    """The closed sets of a server.

    Parameters
    ----------
    filters, fields
        The sets of filters and of fields that are sent, by endpoint and name.
    columns
        The columns of the database.
    json_fields
        Names of JSON fields, below which a name is a key of the field, and no column.
    """

    filters: Mapping[str, Mapping[str, ClosedSet]] = field(default_factory=dict[str, Mapping[str, ClosedSet]])
    fields: Mapping[str, Mapping[str, ClosedSet]] = field(default_factory=dict[str, Mapping[str, ClosedSet]])
    columns: tuple[Column, ...] = ()
    json_fields: tuple[str, ...] = ()

    def column(self, endpoint: str, lookup: str) -> tuple[ClosedSet, str] | None:
        """Return the set that a Django lookup compares with, and its kind, such as ``"in"``; None if there is none.

        Parameters
        ----------
        endpoint
            The endpoint.
        lookup
            The lookup, as in ``"~session__qc__gte"``.
        """
        parts = lookup.strip().removeprefix("~").split("__")
        # The last part is the column, or a lookup of the one before it.
        for position in range(len(parts) - 1, max(len(parts) - 3, -1), -1):
            relations = parts[:position]
            if any(name in self.json_fields for name in relations):
                continue
            for column in self.columns:
                if column.name == parts[position] and _leads_to(column, endpoint, relations):
                    return column.members, "__".join(parts[position + 1 :])
        return None

    def own_column(self, endpoint: str, name: str) -> bool:
        """Return whether an endpoint's records have a column of a closed set by this name."""
        return any(column.name == name and endpoint in column.endpoints for column in self.columns)

    def stored_value(self, endpoint: str, lookup: str, value: object) -> object:
        """Return the value of a Django lookup as the database holds it.

        Parameters
        ----------
        endpoint, lookup
            The endpoint, and the lookup.
        value
            Its value, or several; None and the values of other columns are returned unchanged.

        Raises
        ------
        InvalidFieldError
            The value, or one of them, is not in the column's set, or the lookup cannot compare with it.
        """
        column = self.column(endpoint, lookup)
        if column is None or value is None:
            return value
        members, kind = column
        label = f"{endpoint}: django: {lookup}"
        if kind in _TEXT_LOOKUPS and _is_numeric(members):
            _refuse_names(label, lookup, kind, value)
        if kind in _EQUALITIES:
            if _is_several(value):
                several = f"{lookup.removesuffix(f'__{kind}')}__in"
                raise _unusable(label, f"it takes one value, not several; {several!r} takes several")
            return _stored(label, members, query_value(value, f"django: {lookup}"))
        if kind in _COMPARISONS:
            return _stored(label, members, query_value(value, f"django: {lookup}"), is_bound=True)
        values = query_value(value, f"django: {lookup}") if kind in ("in", "range") else None
        if not isinstance(values, list):
            return value
        return [_stored(label, members, one, is_bound=kind == "range") for one in cast("list[object]", values)]


def _leads_to(column: Column, endpoint: str, relations: list[str]) -> bool:
    if not relations:
        return endpoint in column.endpoints
    return not column.relations or relations[-1] in column.relations


def _stored(label: str, members: ClosedSet, value: object, *, is_bound: bool = False) -> object:
    if value is None or isinstance(value, list):
        return cast("object", value)
    # A bound need not be a value itself, and the order of names is that of their numbers.
    if is_bound and (not _is_numeric(members) or (isinstance(value, int | float) and not isinstance(value, bool))):
        return value
    stored = members.stored_value(value)
    # Django has fields that may be blank, and the empty text selects the records without a value.
    if stored is None and value == "" and not _is_numeric(members):
        return value
    if stored is None:
        hint = "extra_params={'django': '…'} sends anything."
        raise not_in_set(label, value, members.values, hint)
    return stored


def _refuse_names(label: str, lookup: str, kind: str, value: object) -> None:
    """Refuse to look for a name in the text of numbers: the server finds nothing there, or fails."""
    # A letter behind a backslash stands for digits in a pattern.
    if kind == "iexact" or any(character.isalpha() for character in re.sub(r"\\.", "", str(value))):
        plain = lookup.removesuffix(f"__{kind}")
        raise _unusable(
            label, f"the database has numbers there, and no names; {plain!r} and {plain + '__in'!r} take names"
        )


def _is_several(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)


def _unusable(label: str, reason: str) -> InvalidFieldError:
    return InvalidFieldError(f"{label}: {reason}.", fields={label.rpartition(": ")[2]: [reason]})


def _is_numeric(members: ClosedSet) -> bool:
    return all(isinstance(one, int) for one in members.stored or members.values)


def not_in_set(label: str, value: object, values: Iterable[object], hint: str = "") -> InvalidFieldError:
    """Return the error for a value that is not in a closed set.

    Parameters
    ----------
    label
        The filter or field.
    value
        The value.
    values
        The values of the set.
    hint
        The way to send it nevertheless.
    """
    values = list(values)
    meant = nearest_value(value, values)
    reason = f"{shown(value)} is not one of its values"
    suggestion = "" if meant is None else f"Did you mean {meant!r}? "
    message = f"{label}: {reason}. {suggestion}They are: {', '.join(map(repr, values))}."
    return InvalidFieldError(f"{message} {hint}".rstrip(), fields={label.rpartition(": ")[2]: [reason]})


def nearest_value(value: object, values: Iterable[object]) -> object:
    """Return the value of a set that a misspelled one is nearest to; None if none is near."""
    by_text = {str(one).casefold(): one for one in values if one not in (None, "")}
    text = str(value).strip().casefold() if isinstance(value, str) else ""
    similar = nearest(text, by_text, count=1, cutoff=0.65, parts=False)
    # A letter stands for a word, as in "male".
    similar = similar or [other for other in by_text if text and (text.startswith(other) or other.startswith(text))][:1]
    return by_text[similar[0]] if similar else None
