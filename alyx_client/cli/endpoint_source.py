"""Actions, filters and fields of an endpoint, read from the source of its module."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from alyx_client.cli.advice import description_for_the_shell
from alyx_client.cli.names import option
from alyx_client.cli.usage_error import UsageError
from alyx_client.lazy_dataclasses import dataclass

__all__ = ["ACTIONS", "EndpointSource", "MethodSource", "Parameter"]

# Parameters of every list that are no filters; `where` has an option of its own.
NO_FILTERS = frozenset(("self", "where", "page_size", "max_items", "extra_params", "timeout"))
# The methods that the command's actions call, and its own names for them.
ACTIONS = {
    "list": "list",
    "read": "get",
    "create": "create",
    "partial_update": "update",
    "update": "update --replace",
    "delete": "delete",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A filter or a field.

    Parameters
    ----------
    name
        Its name in Python.
    annotation
        Its type, as source.
    description
        Its description.
    is_required
        Whether it has no default.
    is_keyword
        Whether the method takes it by keyword only, as all filters.
    """

    name: str
    annotation: str
    description: str = ""
    is_required: bool = False
    is_keyword: bool = False


@dataclass(frozen=True, slots=True)
class MethodSource:
    """A method of an endpoint.

    Parameters
    ----------
    name
        Its name.
    summary
        The first line of its docstring.
    parameters
        Its parameters by name.
    changes
        The class of its further keywords; empty if there are none.
    """

    name: str
    summary: str
    parameters: Mapping[str, Parameter]
    changes: str = ""

    @property
    def filters(self) -> Mapping[str, Parameter]:
        """The filters of a list, or the query parameters of another action."""
        return {name: one for name, one in self.parameters.items() if one.is_keyword and name not in NO_FILTERS}

    @property
    def key(self) -> Parameter | None:
        """The lookup key, if the method takes one."""
        if self.name in ("list", "create"):
            return None
        # Bodies are of a generated class; keys are texts, numbers and UUIDs.
        positional = [one for one in self.parameters.values() if not one.is_keyword]
        return next((one for one in positional if re.match(r"(str|int|UUID|float)\b", one.annotation)), None)


class EndpointSource:
    """The source of an endpoint's module.

    Parameters
    ----------
    name
        The endpoint's attribute on the client.
    class_name
        Its class.
    file
        The module.
    description
        The endpoint's description.
    """

    def __init__(self, name: str, class_name: str, file: Path, description: str) -> None:
        self.name = name
        self.description = description
        self.file = file
        self._class_name = class_name

    @cached_property
    def _classes(self) -> Mapping[str, ast.ClassDef]:
        tree = ast.parse(self.file.read_text(encoding="utf-8"))
        return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}

    @cached_property
    def methods(self) -> Mapping[str, MethodSource]:
        """The methods by name, without those for many records."""
        node = self._classes.get(self._class_name)
        functions = [one for one in node.body if isinstance(one, ast.FunctionDef)] if node else []
        return {one.name: _method(one) for one in functions if one.name in ACTIONS}

    def method(self, name: str) -> MethodSource:
        """Return a method.

        Raises
        ------
        UsageError
            The endpoint has none of this name.
        """
        try:
            return self.methods[name]
        except KeyError:
            there = ", ".join(ACTIONS[one] for one in self.methods)
            raise UsageError(f"{option(self.name)} has no action {ACTIONS[name]!r}; it has {there or 'none'}") from None

    @property
    def query_class(self) -> tuple[str, str] | None:
        """The module beside this one, and the class in it, of the fields that conditions compare."""
        node = self._classes.get(self._class_name)
        for function in node.body if node else ():
            if isinstance(function, ast.FunctionDef) and function.name == "fields":
                for one in function.body:
                    if isinstance(one, ast.ImportFrom) and one.level == 1:
                        return str(one.module), one.names[0].name
        return None

    def has_class(self, name: str) -> bool:
        """Return whether the module has a class."""
        return name in self._classes

    def options_of(self, action: str) -> Mapping[str, Parameter]:
        """Return the options of an action: its filters, the fields that it sends, and its further parameters.

        Raises
        ------
        UsageError
            The endpoint has no such action.
        """
        further = self.method(action).filters
        known = {**self.fields_of(action), **further}
        return _for_the_shell(known, known)

    def summary_of(self, action: str) -> str:
        """Return the description of an action in one line."""
        return description_for_the_shell(self.method(action).summary, self.options_of(action))

    def fields_of(self, action: str) -> Mapping[str, Parameter]:
        """Return the fields that an action sends: those of its resource, or the keywords of ``partial_update``."""
        method = self.methods.get(action)
        if method is None:
            return {}
        if method.changes:
            described = self.fields_of("create") or self.fields_of("update")
            is_known = method.changes in self._classes
            changes = self.columns_of(method.changes) if is_known else dict[str, Parameter]()
            return {name: described.get(name, one) for name, one in changes.items()}
        body = self.body_of(action)
        return self.columns_of(body) if body else {}

    def body_of(self, action: str) -> str:
        """Return the class of the resource that an action sends; empty if there is none."""
        # The keyword `where` of lists names a class, too.
        bodies = [one for one in self.methods[action].parameters.values() if not one.is_keyword]
        return next((name for one in bodies for name in _classes_in(one.annotation, self._classes)), "")

    @cached_property
    def columns(self) -> Mapping[str, Parameter]:
        """The fields of the rows of a list, or of the record that is read."""
        return self._returned("list", "read")

    @cached_property
    def record_columns(self) -> Mapping[str, Parameter]:
        """The fields of the record that is read."""
        return self._returned("read")

    def _returned(self, *actions: str) -> Mapping[str, Parameter]:
        """Return the fields of what the first of some actions returns."""
        node = self._classes.get(self._class_name)
        for function in node.body if node else ():
            if isinstance(function, ast.FunctionDef) and function.name in actions and function.returns:
                classes = _classes_in(ast.unparse(function.returns), self._classes)
                if classes:
                    return _for_the_shell(self.columns_of(classes[0]), ())
        return {}

    def columns_of(self, class_name: str) -> Mapping[str, Parameter]:
        """Return the annotated fields of a class, with those of its bases in the module."""
        node = self._classes[class_name]
        fields: dict[str, Parameter] = {}
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in self._classes:
                fields |= self.columns_of(base.id)
        for one, following in zip(node.body, [*node.body[1:], None], strict=True):
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.target.id[0] != "_":
                text = _text(following)
                name = one.target.id
                fields[name] = Parameter(name, ast.unparse(one.annotation), text, one.value is None)
        return fields


def _method(node: ast.FunctionDef) -> MethodSource:
    text = ast.get_docstring(node) or ""
    descriptions = _descriptions(text)
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    parameters = {
        one.arg: Parameter(
            one.arg,
            ast.unparse(one.annotation) if one.annotation else "",
            descriptions.get(one.arg, ""),
            is_keyword=one in node.args.kwonlyargs,
        )
        for one in named
        if one.arg != "self"
    }
    more = node.args.kwarg
    changes = ast.unparse(more.annotation) if more and more.annotation else ""
    changes = changes.removeprefix("Unpack[").removesuffix("]")
    return MethodSource(node.name, text.partition("\n")[0], parameters, changes)


def _descriptions(docstring: str) -> dict[str, str]:
    """Return the descriptions of the parameters in a NumPy docstring."""
    section = docstring.partition("Parameters\n----------\n")[2]
    section = re.split(r"\n\n\w+\n-+\n", section)[0]
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if line and not line[0].isspace():
            names = [name.strip() for name in line.split(",")]
        else:
            for name in names:
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found


def _for_the_shell(parameters: Mapping[str, Parameter], options: Collection[str]) -> Mapping[str, Parameter]:
    return {
        name: replace(one, description=description_for_the_shell(one.description, options))
        for name, one in parameters.items()
    }


def _classes_in(annotation: str, classes: Mapping[str, ast.ClassDef]) -> list[str]:
    return [name for name in re.findall(r"\w+", annotation) if name in classes]


def _text(node: ast.stmt | None) -> str:
    match node:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return " ".join(text.split())
        case _:
            return ""
