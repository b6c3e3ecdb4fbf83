"""Single fields of a model, by Django's class of field: the comparisons that each offers, and the values they take."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast
from uuid import UUID

from alyx_client.http.arguments import require_text, shown
from alyx_client.http.suggestions import missing_attribute, suggest
from alyx_client.runtime.coerce import is_list, query_value
from alyx_client.runtime.django_filter import django_filter, not_text_reason
from alyx_client.runtime.query.condition import Comparison, Condition

__all__ = [
    "ArrayField",
    "BooleanField",
    "ChoiceField",
    "Field",
    "FloatField",
    "IntegerField",
    "Ordered",
    "OtherField",
    "TextField",
    "TextLookups",
    "UUIDField",
]

M = TypeVar("M", bound=str)
V = TypeVar("V")


_PATTERN_HINT = (
    "A comma outside brackets is written as \\u002c, and a digit, such as the first of a number, as \\u0031; what "
    "begins and ends with a bracket has {1} behind it."
)


class Field(Generic[M, V]):
    """A field of a model, which can be compared with values; each comparison is a `Condition`.

    Parameters
    ----------
    model
        The model whose rows are compared.
    path
        The field in Django's form: ``"subject__nickname"``.
    python
        The field as it is written in Python: ``"subject.nickname"``.
    """

    __slots__ = ("_model", "_path", "_python")
    _accepts: ClassVar[str] = "a value"
    # NumPy would compare the items of an array one by one.
    __array_ufunc__: ClassVar[None] = None

    def __init__(self, model: M, path: str, python: str) -> None:
        self._model = model
        self._path = path
        self._python = python

    def __eq__(self, other: V) -> Condition[M]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._compare("", other, "==")

    def __ne__(self, other: V) -> Condition[M]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return ~self._compare("", other, "==")

    def __hash__(self) -> int:
        return hash((type(self), self._model, self._path))

    def eq(self, value: V) -> Condition[M]:
        """Select the rows in which the field is equal to a value, as ``==`` does."""
        return self._compare("", value, "==")

    def ne(self, value: V) -> Condition[M]:
        """Select the rows in which the field is not equal to a value, or null, as ``!=`` does."""
        return ~self._compare("", value, "==")

    def in_(self, values: Iterable[V]) -> Condition[M]:
        """Select the rows in which the field has one of several values.

        Parameters
        ----------
        values
            The values: a list, an array, a column of pandas. Long lists are sent in several requests.
        """
        place = f"{self._python}.in_()"
        items = self._items(values, place)
        plain, urls = self._checked(items, place)
        shown_values = ", ".join(map(repr, plain))
        return self._condition("in", tuple(plain), f"{self._python}.in_([{shown_values}])", urls)

    def is_null(self, value: bool = True) -> Condition[M]:
        """Select the rows in which the field is null, or those in which it is not.

        Parameters
        ----------
        value
            False for the rows that have a value.
        """
        if not isinstance(cast("object", value), bool):
            raise TypeError(f"{self._python}.is_null() takes True or False, not {shown(value)}")
        return self._condition("isnull", value, f"{self._python}.is_null({'' if value else 'False'})")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._python or 'fields'} of {self._model}>"

    if not TYPE_CHECKING:  # a type checker finds these mistakes by itself

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise missing_attribute(self, name)
            raise missing_attribute(self, name, suggest(name, (one for one in dir(self) if not one.startswith("_"))))

        # Without these, a field in a boolean context would count as true, and `in` would compare without end.
        def __bool__(self) -> bool:
            raise TypeError(f"{self._python} is a field, not a value; compare it, as in field == value")

        __iter__ = None
        __contains__ = None

        def __and__(self, other: object) -> Any:
            # `&` binds closer than comparisons, so that `a > 1 & b == 2` joins 1 with b.
            raise TypeError(f"{self._python}: put each comparison into parentheses, as in (a > 1) & (b == 2)")

        __rand__ = __and__

    def _compare(self, lookup: str, value: object, operator: str) -> Condition[M]:
        place = f"{self._python} {operator}" if operator[0] in "=<>" else f"{self._python}{operator}()"
        plain, urls = self._checked([value], place)
        text = f"{place} {plain[0]!r}" if operator[0] in "=<>" else f"{place[:-1]}{plain[0]!r})"
        return self._condition(lookup, plain[0], text, urls)

    def _condition(self, lookup: str, value: object, python: str, urls: tuple[str, ...] = ()) -> Condition[M]:
        # In a list, text that looks like a number, or that has a comma, stays text.
        if not lookup and isinstance(value, str) and (reason := not_text_reason(value)):
            if any(bracket in value for bracket in "[]()"):
                raise ValueError(f"{python} cannot be sent: {reason}. Write {_pattern('exact', value)}.")
            lookup, value = "in", (value,)
        path = f"{self._path}__{lookup}" if lookup else self._path
        comparison = Comparison(path, value, python, urls=urls)
        for text in comparison.values:
            if isinstance(text, str):
                require_text(self._python, text)
        # Encoded here, so that a value that cannot be sent is refused where the comparison is written.
        django_filter({path: comparison.sent_value})
        return Condition(self._model, (comparison,))

    def _items(self, values: object, place: str) -> list[object]:
        if not is_list(values):
            raise TypeError(f"{place} takes a list of values, not {shown(values)}")
        plain = query_value(cast("object", values), place)
        return cast("list[object]", plain) if isinstance(plain, list) else [plain]

    def _checked(self, values: list[object], place: str) -> tuple[list[object], tuple[str, ...]]:
        """Return the values as they are sent, and the URLs of the records among them."""
        return [self._plain(query_value(value, place), place) for value in values], ()

    def _plain(self, value: object, place: str) -> object:
        """Return a value as it is sent; errors if the field cannot have it."""
        raise NotImplementedError

    def _refuse(self, value: object, place: str, hint: str = "") -> TypeError:
        if value is None:
            hint = hint or f"write {self._python}.is_null() for the rows without a value"
        return TypeError(f"{place} takes {self._accepts}, not {shown(value)}{'; ' if hint else ''}{hint}")


class Ordered(Field[M, V]):
    """A field whose values have an order."""

    __slots__ = ()

    def __lt__(self, other: V) -> Condition[M]:
        return self._compare("lt", other, "<")

    def __le__(self, other: V) -> Condition[M]:
        return self._compare("lte", other, "<=")

    def __gt__(self, other: V) -> Condition[M]:
        return self._compare("gt", other, ">")

    def __ge__(self, other: V) -> Condition[M]:
        return self._compare("gte", other, ">=")

    def range(self, first: V, last: V) -> Condition[M]:
        """Select the rows in which the field is between two values, both included."""
        place = f"{self._python}.range()"
        plain, urls = self._checked([first, last], place)
        return self._condition("range", tuple(plain), f"{place[:-1]}{plain[0]!r}, {plain[1]!r})", urls)


class TextLookups(Field[M, V]):
    """Comparisons of text."""

    __slots__ = ()

    def icontains(self, text: str) -> Condition[M]:
        """Select the rows in which the text contains another, in upper or lower case."""
        return self._text("icontains", text)

    def startswith(self, text: str) -> Condition[M]:
        """Select the rows in which the text begins with another; upper and lower case differ."""
        return self._text("startswith", text)

    def istartswith(self, text: str) -> Condition[M]:
        """Select the rows in which the text begins with another, in upper or lower case."""
        return self._text("istartswith", text)

    def endswith(self, text: str) -> Condition[M]:
        """Select the rows in which the text ends with another; upper and lower case differ."""
        return self._text("endswith", text)

    def iendswith(self, text: str) -> Condition[M]:
        """Select the rows in which the text ends with another, in upper or lower case."""
        return self._text("iendswith", text)

    def iexact(self, text: str) -> Condition[M]:
        """Select the rows in which the text is equal to another, in upper or lower case."""
        return self._text("iexact", text)

    def regex(self, pattern: str) -> Condition[M]:
        """Select the rows in which a regular expression, in the syntax of PostgreSQL, matches a part of the text."""
        return self._text("regex", pattern)

    def iregex(self, pattern: str) -> Condition[M]:
        """Select the rows in which a regular expression matches, in upper or lower case."""
        return self._text("iregex", pattern)

    def _text(self, lookup: str, value: object) -> Condition[M]:
        place = f"{self._python}.{lookup}()"
        plain = query_value(value, place)
        if not isinstance(plain, str):
            raise TypeError(f"{place} takes text, not {shown(value)}")
        if reason := not_text_reason(plain):
            hint = _PATTERN_HINT if lookup.endswith("regex") else f"Write {_pattern(lookup, plain)}."
            raise ValueError(f"{place}: {plain!r} cannot be sent: {reason}. {hint}")
        return self._condition(lookup, plain, f"{place[:-1]}{plain!r})")


class TextField(Ordered[M, str], TextLookups[M, str]):
    """A field of text; ``<`` and ``>`` order it as the server's database does."""

    __slots__ = ()
    _accepts = "text"

    def contains(self, text: str) -> Condition[M]:
        """Select the rows in which the text contains another; upper and lower case differ."""
        return self._text("contains", text)

    def _plain(self, value: object, place: str) -> object:
        if not isinstance(value, str):
            raise self._refuse(value, place)
        return value


class IntegerField(Ordered[M, int]):
    """A field of whole numbers."""

    __slots__ = ()
    _accepts = "a whole number"

    def _plain(self, value: object, place: str) -> object:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._refuse(value, place)
        return value


class FloatField(Ordered[M, float]):
    """A field of numbers."""

    __slots__ = ()
    _accepts = "a number"

    def _plain(self, value: object, place: str) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise self._refuse(value, place)
        return value


class ChoiceField(Ordered[M, V]):
    """A field with a closed set of values; where the database holds numbers, these are taken too, and order them."""

    __slots__ = ()
    _accepts = "one of its values"

    def _plain(self, value: object, place: str) -> object:
        # The set is that of the client, which checks the value before it is sent.
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self._refuse(value, place)
        return value


class BooleanField(Field[M, bool]):
    """A field that is true or false."""

    __slots__ = ()
    _accepts = "True or False"

    def is_true(self) -> Condition[M]:
        """Select the rows in which the field is true."""
        return self._compare("", True, "==")

    def is_false(self) -> Condition[M]:
        """Select the rows in which the field is false."""
        return self._compare("", False, "==")

    def _plain(self, value: object, place: str) -> object:
        if not isinstance(value, bool):
            raise self._refuse(value, place)
        return value


class UUIDField(Ordered[M, UUID | str]):
    """A field of UUIDs."""

    __slots__ = ()
    _accepts = "a UUID"

    def _plain(self, value: object, place: str) -> object:
        return uuid_value(value) or self._raise(value, place)

    def _raise(self, value: object, place: str) -> str:
        raise self._refuse(value, place)


class ArrayField(Field[M, list[str] | list[int] | list[float]]):
    """A field of arrays."""

    __slots__ = ()
    _accepts = "a list"

    def contains(self, values: Iterable[str | float]) -> Condition[M]:
        """Select the rows in which the array has all of several values."""
        return self._with_items("contains", values)

    def overlap(self, values: Iterable[str | float]) -> Condition[M]:
        """Select the rows in which the array has at least one of several values."""
        return self._with_items("overlap", values)

    @property
    def length(self) -> IntegerField[M]:
        """The number of values; 0 if there are none."""
        return IntegerField(self._model, f"{self._path}__len", f"{self._python}.length")

    def _with_items(self, lookup: str, values: object) -> Condition[M]:
        items = self._items(values, f"{self._python}.{lookup}()")
        return self._condition(lookup, tuple(items), f"{self._python}.{lookup}({items!r})")

    def _plain(self, value: object, place: str) -> object:
        if not isinstance(value, list):
            raise self._refuse(value, place)
        return tuple(cast("list[object]", value))


class OtherField(Field[M, str]):
    """A field of a class that has no comparisons of its own; it is compared with its text."""

    __slots__ = ()
    _accepts = "text"

    def _plain(self, value: object, place: str) -> object:
        if not isinstance(value, str):
            raise self._refuse(value, place)
        return value


def uuid_value(value: object) -> str | None:
    """Return a UUID as the server writes it; None if the value is none."""
    if isinstance(value, UUID):
        return str(value)
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _pattern(lookup: str, text: str) -> str:
    """Return the call that finds a text by a regular expression, whose escapes the mini-language does not know."""
    kept = text.rstrip()
    escaped = "".join(one if one.isalnum() or one in "_- " else _escape(one) for one in kept)
    escaped += "".join(map(_escape, text[len(kept) :]))
    # What reads as a number or as True does not with an escape in it.
    escaped = f"{_escape(text[0])}{escaped[1:]}" if not_text_reason(escaped) else escaped
    begins, ends = lookup.endswith(("startswith", "exact")), lookup.endswith(("endswith", "exact"))
    pattern = rf"\A{escaped}" if begins else escaped
    pattern = rf"{pattern}\Z" if ends else pattern
    return f".{'iregex' if lookup.startswith('i') else 'regex'}({pattern!r})"


def _escape(character: str) -> str:
    code = ord(character)
    return rf"\u{code:04x}" if code < 0x10000 else rf"\U{code:08x}"
