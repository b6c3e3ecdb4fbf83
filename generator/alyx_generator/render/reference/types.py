"""Annotations of fields and filters in words that tables have room for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from alyx_generator.render.reference.markdown import code, link

__all__ = ["TypeText", "describe_type"]

_NAMES = {"DateInput": "date", "DateTimeInput": "datetime", "UUIDInput": "UUID", "DateRange": "(first, last)"}


@dataclass(frozen=True)
class TypeText:
    """A type in Markdown, and whether None is one of its values."""

    text: str
    null: bool = False


def describe_type(annotation: str, endpoint_page: str = "{}.md") -> TypeText:
    """Return an annotation of a generated field or parameter in words.

    Parameters
    ----------
    annotation
        The annotation, as it stands in the code.
    endpoint_page
        The path of the page of an endpoint, with ``{}`` for its name.
    """
    described = _Described(endpoint_page)
    described.read(ast.parse(annotation, mode="eval").body)
    return TypeText(described.text(), described.null)


class _Described:
    def __init__(self, endpoint_page: str) -> None:
        self.endpoint_page = endpoint_page
        self.names: list[str] = []
        self.limits: list[str] = []
        self.records: list[str] = []
        self.null = self.several = False

    def read(self, node: ast.expr) -> None:
        """Read one annotation, or one part of a union."""
        match node:
            case ast.BinOp(left=left, right=right):
                self.read(left)
                self.read(right)
            case ast.Constant(value=None):
                self.null = True
            case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[inner, *limits])):
                self.read(inner)
                self.limits += [one for limit in limits for one in _limits(limit)]
            case ast.Subscript(value=ast.Name(id="RecordOf"), slice=owner):
                self._add_record(owner)
            case ast.Subscript(value=ast.Name(id="RecordOr"), slice=ast.Tuple(elts=[key, owner])):
                self.read(key)
                self._add_record(owner)
            case ast.Subscript(value=ast.Name(id="RecordsOr"), slice=ast.Tuple(elts=[key, owner])):
                self._add(f"list[{_name(key)}]")
                self._add_record(owner)
            case ast.Subscript(value=ast.Name(id="Sequence")):
                self.several = True
            case ast.Subscript(value=ast.Name(id="Literal"), slice=values):
                items = values.elts if isinstance(values, ast.Tuple) else [values]
                for item in items:
                    self._add(_quoted(item))
            case ast.Subscript(value=ast.Name(id="Condition")):
                self._add("condition")
            case _:
                self._add(_name(node))

    def text(self) -> str:
        """Return the whole in Markdown."""
        names = [code(name) for name in self.names]
        records = [
            f"record of {link(owner, self.endpoint_page.format(owner))}" if owner else "record"
            for owner in self.records
        ]
        words = ", ".join([*names, *records])
        several = "; one or several" if self.several else ""
        limits = f"; {', '.join(self.limits)}" if self.limits else ""
        return f"{words}{several}{limits}"

    def _add(self, name: str) -> None:
        if name not in self.names:
            self.names.append(name)

    def _add_record(self, owner: ast.expr) -> None:
        match owner:
            case ast.Subscript(slice=ast.Constant(value=str(endpoint))):
                name = endpoint
            case _:
                name = ""
        if name not in self.records:
            self.records.append(name)


def _name(node: ast.expr) -> str:
    # `None` within a list stays: [1, None] is sent so.
    text = ast.unparse(node)
    return _NAMES.get(text, text)


def _quoted(node: ast.expr) -> str:
    value = node.value if isinstance(node, ast.Constant) else None
    return f'"{value}"' if isinstance(value, str) else ast.unparse(node)


def _limits(node: ast.expr) -> Iterator[str]:
    """Yield the constraints of a pydantic field in words."""
    words = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}", "max_length": "at most {} long"}
    words |= {"min_length": "at least {} long", "pattern": "matching {}", "multiple_of": "a multiple of {}"}
    for keyword in node.keywords if isinstance(node, ast.Call) else ():
        if keyword.arg in words and isinstance(keyword.value, ast.Constant):
            value = keyword.value.value
            # The limits of the database's integers tell a reader nothing.
            if value not in (2147483647, -2147483648, 32767, -32768):
                shown = f"{value:g}" if isinstance(value, int | float) else code(str(value))
                yield words[keyword.arg].format(shown)
