"""The page of all errors and warnings, from their classes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from alyx_generator.render.reference.markdown import block, code, head, prose, table

from alyx_client import errors

_INTRODUCTION = """\
All errors derive from `AlyxError`, and most from the builtin error of the same meaning. [Errors](../guides/errors.md)
has what to do about each. Those that `alyx_client` has itself can be imported from there, and all of them from
`alyx_client.errors`.
"""


def error_classes() -> list[type[BaseException]]:
    """Return the classes of errors and warnings, each after its base."""
    return [*_tree(errors.AlyxError), *_tree(errors.AlyxWarning)]


def errors_page() -> str:
    """Return the page."""
    parts = [head("make docs"), "# Errors\n", _INTRODUCTION]
    for title, root in (("Errors", errors.AlyxError), ("Warnings", errors.AlyxWarning)):
        parts += [f"## The tree of {title.lower()}\n", block("\n".join(_lines(root, 0)), "text")]
    parts += ["## Causes\n", table(("class", "is also", "cause"), map(_row, error_classes()))]
    parts.append("## Classes\n")
    for one in error_classes():
        directive = f"```{{eval-rst}}\n.. autoexception:: alyx_client.errors.{one.__name__}\n```\n"
        parts += [f"### {one.__name__}\n", directive]
    return "\n".join(parts)


def _tree(root: type[BaseException]) -> Iterator[type[BaseException]]:
    yield root
    for one in _derived(root):
        yield from _tree(one)


def _derived(root: type[BaseException]) -> list[type[BaseException]]:
    own = (one for one in vars(errors).values() if inspect.isclass(one) and root in one.__bases__)
    return sorted(own, key=lambda one: one.__name__)


def _lines(root: type[BaseException], depth: int) -> Iterator[str]:
    yield "  " * depth + root.__name__
    for one in _derived(root):
        yield from _lines(one, depth + 1)


def _row(one: type[BaseException]) -> tuple[str, str, str]:
    builtins = [base.__name__ for base in one.__mro__[1:] if base.__module__ == "builtins"]
    shown = [name for name in builtins if name not in ("Exception", "BaseException", "object", "Warning")]
    cause = (inspect.getdoc(one) or "").partition("\n\n")[0]
    return code(one.__name__), ", ".join(map(code, shown)), prose(cause)
