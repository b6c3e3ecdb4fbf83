"""Conditions of typed queries, as values: what a list's rows must satisfy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast

from alyx_client.runtime.django_filter import django_filter
from alyx_client.runtime.references import refuse_foreign_records

__all__ = ["Comparison", "Condition", "lookups_of"]

M = TypeVar("M", bound=str)

_TRUTH = (
    "a condition is neither true nor false before the server has seen it: write (a) & (b) for 'and', ~(a) for 'not', "
    "and (low <= field) & (field <= high), or field.range(low, high), for 'low <= field <= high'"
)
_NO_OR = (
    "Alyx's filter cannot express 'or'. For values of one field, use .in_([...]); otherwise list each condition by "
    "itself, and join the rows"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One lookup, as in ``start_time__date >= 2020-01-01``.

    Parameters
    ----------
    lookup
        Django's lookup: ``"start_time__date__gte"``.
    value
        The value to compare with; a tuple if there are several.
    python
        The comparison as it is written in Python.
    is_excluded
        Whether the rows that match are left out.
    urls
        URLs of the records that were passed as values; they must be of the client's server.
    """

    lookup: str
    value: object
    python: str
    is_excluded: bool = False
    urls: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The lookup as it is sent, with ``~`` if it excludes."""
        return f"~{self.lookup}" if self.is_excluded else self.lookup

    @property
    def sent_value(self) -> object:
        """The value as `django_filter` takes it."""
        return list(self.values) if isinstance(self.value, tuple) else self.value

    @property
    def values(self) -> tuple[object, ...]:
        """The values to compare with, of which most comparisons have one."""
        value = self.value
        return cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)

    def __str__(self) -> str:
        return f"{'~' if self.is_excluded else ''}({self.python})"


@dataclass(frozen=True, slots=True, repr=False)
class Condition(Generic[M]):
    """A condition on the rows of a list, for ``list(where=...)``.

    Conditions come from comparing fields, as in ``client.sessions.fields.number > 1``. ``&`` joins them, and ``~``
    excludes the rows that match one comparison, so that rows in which the field is null remain. They can be compared,
    hashed and pickled. Alyx applies each comparison by itself: of two comparisons with fields of records of which there
    are several, such as a subject's weighings, each may be met by another one of them.

    Parameters
    ----------
    model
        The model whose rows it is about.
    comparisons
        What all must hold.
    """

    model: M
    comparisons: tuple[Comparison, ...]

    def __and__(self, other: Condition[M]) -> Condition[M]:
        if not isinstance(cast("object", other), Condition):
            return NotImplemented
        if other.model != self.model:
            raise ValueError(
                f"a condition on {self.model} cannot be joined with one on {other.model}: {self} & {other}"
            )
        joined = (*self.comparisons, *(one for one in other.comparisons if one not in self.comparisons))
        _refuse_repeated(joined)
        return Condition(self.model, joined)

    def __invert__(self) -> Condition[M]:
        if len(self.comparisons) != 1:
            raise ValueError(
                f"~ takes one comparison, since Alyx excludes the rows that match any of several, not all of them. "
                f"Write ~(a) & ~(b) if neither may match; this is {self}"
            )
        (comparison,) = self.comparisons
        return Condition(self.model, (replace(comparison, is_excluded=not comparison.is_excluded),))

    def __bool__(self) -> NoReturn:
        raise TypeError(_TRUTH)

    if not TYPE_CHECKING:  # a type checker refuses these by itself

        def __or__(self, other: object) -> NoReturn:
            raise TypeError(_NO_OR)

        __ror__ = __xor__ = __rxor__ = __or__

        def __rand__(self, other: object) -> Any:
            # Comparing with a value of a wrong type may be Python's own comparison, which is False.
            return NotImplemented

    def __str__(self) -> str:
        return " & ".join(map(str, self.comparisons))

    def __repr__(self) -> str:
        return f"<Condition on {self.model}: {self}; sent as {self._sent()}>"

    def _sent(self) -> str:
        texts = django_filter(self.lookups())
        if not texts:
            return "nothing, since no row can match"
        more = f" and {len(texts) - 1} more" if len(texts) > 1 else ""
        return f"django={texts[0]}{more}"

    def lookups(self) -> dict[str, object]:
        """Return the comparisons as Django lookups, as ``django=`` takes them."""
        return {one.name: one.sent_value for one in self.comparisons}


def lookups_of(where: object, model: str, endpoint: str, base_url: str) -> Mapping[str, object]:
    """Return the Django lookups of the argument ``where``.

    Parameters
    ----------
    where
        The argument.
    model
        The model of the endpoint's rows; empty if it is unknown.
    endpoint, base_url
        The endpoint and the server.

    Raises
    ------
    TypeError
        It is no condition.
    ValueError
        It is a condition on another model.
    ForeignURLError
        A record in it is of another server.
    """
    fields = f"client.{endpoint}.fields"
    if not isinstance(where, Condition):
        hint = ""
        if isinstance(where, bool):
            hint = "; one of its comparisons is with a value that the field cannot have, so that Python made it"
        raise TypeError(f"{endpoint}: where takes a condition on {fields}, not a {type(where).__name__}{hint}")
    where = cast("Condition[str]", where)
    if model and where.model != model:
        raise ValueError(f"{endpoint}: where takes a condition on {fields}; this one is on {where.model}: {where}")
    refuse_foreign_records({f"where: {one.python}": one.urls for one in where.comparisons}, base_url)
    return where.lookups()


def _refuse_repeated(comparisons: tuple[Comparison, ...]) -> None:
    """Refuse two comparisons of the same kind with one field: the server has one place for both."""
    by_name: dict[str, Comparison] = {}
    for one in comparisons:
        other = by_name.setdefault(one.name, one)
        if other is not one:
            raise ValueError(f"Alyx takes one comparison of a kind with a field: {other} & {one}. {_instead(one)}")


def _instead(one: Comparison) -> str:
    kind = one.lookup.rpartition("__")[2]
    if kind in ("gt", "gte", "lt", "lte"):
        return "Leave out the one that follows from the other."
    if one.is_excluded and kind not in ("isnull", "range", "in"):
        return "To exclude several values, write ~field.in_([...])."
    if kind == "in":
        return "Pass the values that are in both lists, or for ~ those that are in either."
    return "Both can only hold of different related records; list one condition, and select rows by the other."
