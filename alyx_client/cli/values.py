"""Texts of the command line as the values of filters and fields, by the types that generated methods declare."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from alyx_client.cli.endpoint_source import Parameter
from alyx_client.cli.names import option, python_name
from alyx_client.cli.terminal import GLOBAL_OPTIONS
from alyx_client.cli.usage_error import UsageError
from alyx_client.config.tables import is_list
from alyx_client.http.suggestions import did_you_mean, nearest
from alyx_client.lazy_dataclasses import dataclass

__all__ = ["ValueType", "coerce_options", "parse_options"]

_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_LISTS = frozenset(("Sequence", "list", "List", "Iterable", "RecordsOr"))
_TEXTS = frozenset(("str", "RecordOr", "RecordsOr", "DjangoFilter", "UUIDInput"))
_DATES = frozenset(("date", "DateInput", "DateRange"))
_DATE_TIMES = frozenset(("datetime", "DateTimeInput", "ZonedDateTimeInput"))
_JSON = frozenset(("Any", "dict", "Dict", "Mapping", "object"))


@dataclass(frozen=True, slots=True)
class ValueType:
    """The values that an annotation allows, as far as a text can be told to be one.

    Parameters
    ----------
    names
        The names of its types: ``"str"``, ``"date"``, …
    values
        The values of its literals.
    has_list
        Whether several values are allowed.
    is_list
        Whether a single value is sent as a list, too.
    """

    names: frozenset[str]
    values: tuple[object, ...] = ()
    has_list: bool = False
    is_list: bool = False

    @classmethod
    def of(cls, annotation: str) -> ValueType:
        """Read an annotation.

        Parameters
        ----------
        annotation
            The source of a type.
        """
        members = list(_members(ast.parse(annotation, mode="eval").body))
        lists = [inner for is_list, inner in members if is_list]
        names: set[str] = set()
        values: list[object] = []
        for _, inner in members:
            if isinstance(inner, ast.Subscript) and _name(inner.value) == "Literal":
                options = inner.slice.elts if isinstance(inner.slice, ast.Tuple) else [inner.slice]
                values += [one.value for one in options if isinstance(one, ast.Constant)]
            else:
                names.add(_name(inner))
        plain = [inner for is_list, inner in members if not is_list and _name(inner) != "None"]
        has_list = bool(lists) or "DateRange" in names
        return cls(frozenset(names), tuple(dict.fromkeys(values)), has_list, bool(lists) and not plain)

    def coerce(self, texts: Sequence[str], label: str) -> Any:
        """Return the value of an option.

        Parameters
        ----------
        texts
            What was passed, several texts if the option was repeated.
        label
            The option, for errors.

        Raises
        ------
        UsageError
            A text is none of the type's values.
        """
        if "DateRange" in self.names and len(texts) == 1 and "," in texts[0]:
            texts = texts[0].split(",")
        if len(texts) > 1 and not self.has_list:
            raise UsageError(f"{label} takes one value")
        values = [self._value(text, label) for text in texts]
        if "DateRange" in self.names:
            return values[0] if len(values) == 1 else tuple(values)
        # JSON is written as one text, and is perhaps a list itself.
        if self.is_list and len(values) == 1 and is_list(values[0]):
            return values[0]
        return values if self.is_list or len(values) > 1 else values[0]

    @property
    def can_repeat(self) -> bool:
        """Whether the option may be repeated for several values; ranges of dates are written as one."""
        return self.has_list and "DateRange" not in self.names

    def shown(self) -> str:
        """Return the placeholder of the value in help."""
        if self.values:
            number = ["N"] if "int" in self.names else []
            return "|".join([*number, *(str(value) for value in self.values if value != "")])
        if "Upload" in self.names:
            return "FILE"
        for names, text in ((("bool",), "true|false"), (("int",), "N"), (("float",), "NUMBER")):
            if self.names & set(names):
                return text
        if "DateRange" in self.names:
            return "DATE,DATE"
        if self.names & _DATE_TIMES:
            return "DATE-TIME"
        if self.names & _DATES:
            return "DATE"
        if self.names & _TEXTS:
            return "TEXT"
        return "UUID" if "UUID" in self.names else "JSON"

    def choices(self) -> list[str]:
        """Return the values that completion can offer."""
        # PowerShell takes no empty one, and other shells show nothing of it.
        values = [str(value) for value in self.values if value != ""]
        return values or (["true", "false"] if "bool" in self.names else [])

    def _value(self, text: str, label: str) -> Any:
        for value in self.values:
            if str(value) == text:
                return value
        is_text = bool(self.names & _TEXTS)
        if self.values and not is_text:
            matches = did_you_mean(nearest(text, map(str, self.values)))
            there = ", ".join(repr(str(value)) for value in self.values)
            raise UsageError(f"{label} takes one of {there}, not {text!r}. {matches}".rstrip(" ."))
        if "bool" in self.names:
            if text.lower() not in _TRUTH:
                raise UsageError(f"{label} takes true or false, not {text!r}")
            return _TRUTH[text.lower()]
        for name, kind, words in (("int", int, "a whole number"), ("float", float, "a number")):
            if name in self.names:
                try:
                    return kind(text)
                except ValueError:
                    if not is_text and "float" not in self.names:
                        raise UsageError(f"{label} takes {words}, not {text!r}") from None
        return self._dated(text, label, is_text)

    def _dated(self, text: str, label: str, is_text: bool) -> Any:
        try:
            if self.names & _DATE_TIMES:
                datetime.fromisoformat(text)
                return text
            if self.names & _DATES:
                date.fromisoformat(text)
                return text
            if "UUID" in self.names and not is_text:
                return UUID(text)
        except ValueError:
            words = "a UUID" if "UUID" in self.names else "a date, as in 2026-01-31"
            raise UsageError(f"{label} takes {words}, not {text!r}") from None
        if "float" in self.names:
            raise UsageError(f"{label} takes a number, not {text!r}")
        return text if is_text or not self._takes_json() else _json_or_text(text, label)

    def _takes_json(self) -> bool:
        return bool(self.names & _JSON) or not self.names & (_TEXTS | _DATES | _DATE_TIMES)


def parse_options(words: Sequence[str], known: Mapping[str, Parameter], kind: str) -> dict[str, list[str]]:
    """Return the texts of each option, ``--name value`` or ``--name=value``; repeated ones have several.

    Parameters
    ----------
    words
        The command line's words that are no options of the command itself.
    known
        The filters or fields by their names in Python.
    kind
        What they are, for errors: ``"filter"``.

    Raises
    ------
    UsageError
        There is no such option, or it has no value.
    """
    texts: dict[str, list[str]] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--") or word == "--":
            raise UsageError(f"unexpected argument {word!r}; a {kind} is written as --name value")
        spelled, equals, value = word[2:].partition("=")
        name = _known_name(python_name(spelled), known)
        if name is None and f"--{spelled}" in GLOBAL_OPTIONS:
            raise UsageError(f"write --{spelled} before the command: alyx --{spelled} …")
        if name is None:
            matches = [f"--{one}" for one in nearest(option(spelled), [option(one) for one in known])]
            hint = did_you_mean(matches) or f"See alyx describe for the {kind}s."
            raise UsageError(f"there is no {kind} --{spelled}. {hint}")
        if not equals:
            try:
                value = next(rest)
            except StopIteration:
                raise UsageError(f"--{spelled} takes a value") from None
        texts.setdefault(name, []).append(value)
    return texts


def coerce_options(words: Sequence[str], known: Mapping[str, Parameter], kind: str) -> dict[str, Any]:
    """Return the values of options by their names in Python; parameters and errors as for `parse_options`."""
    return {
        name: ValueType.of(known[name].annotation).coerce(texts, f"--{option(name)}")
        for name, texts in parse_options(words, known, kind).items()
    }


def _known_name(name: str, known: Mapping[str, Parameter]) -> str | None:
    # Names that are keywords of Python have an underscore at their end, and those that the command has an option of may
    # be written with one.
    return next((one for one in (name, f"{name}_", name.rstrip("_")) if one in known), None)


def _members(node: ast.expr) -> Iterator[tuple[bool, ast.expr]]:
    """Yield the members of a union, and whether each is the type of a list's items."""
    if isinstance(node, ast.BinOp):
        yield from _members(node.left)
        yield from _members(node.right)
    elif isinstance(node, ast.Subscript) and _name(node.value) == "Annotated" and isinstance(node.slice, ast.Tuple):
        yield from _members(node.slice.elts[0])
    elif isinstance(node, ast.Subscript) and _name(node.value) in _LISTS:
        if _name(node.value) == "RecordsOr":
            yield True, ast.Name("str")
        else:
            yield from ((True, inner) for _, inner in _members(node.slice))
    elif isinstance(node, ast.Subscript) and _name(node.value) == "RecordOr" and isinstance(node.slice, ast.Tuple):
        yield from _members(node.slice.elts[0])
    elif not (isinstance(node, ast.Subscript) and _name(node.value) == "RecordOf"):
        yield False, node


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    if isinstance(node, ast.Constant):
        return str(node.value)
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)


def _json_or_text(text: str, label: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        if text.lstrip().startswith(("{", "[")):
            # A shell has taken the quotes away.
            raise UsageError(f"{label} is not JSON: {error}; put single quotes around it") from None
        return text
