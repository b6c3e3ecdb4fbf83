"""YAML, read as JSON: without aliases that grow or lead back to themselves, dates, or keys that are no text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

import yaml

DUMP: Callable[..., str] = cast("Any", yaml).dump
"""``yaml.dump``, whose stubs leave types out in some versions."""

_MAX_DEPTH = 400
_MAX_NODES = 5_000_000  # with every alias written out; the largest schemas known have 400,000
_TAG = "tag:yaml.org,2002:"
# OpenAPI (section 4.2) allows what JSON can express only: days, `on`, `no` and 12:30 stay text.
_SCALARS = (
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?$", "-+0123456789"),
    ("null", r"(?:null|Null|NULL|~|)$", ["n", "N", "~", ""]),
    ("merge", r"<<$", "<"),
)


class UnreadableYAMLError(ValueError):
    """A text is not YAML, or not what JSON can express in a reasonable size."""


# libyaml's parser, where PyYAML was built with it, is ten times as fast.
_Loader: Any = type("_Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {"yaml_implicit_resolvers": {}})
for _name, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(_pattern), list(_first))


def load_yaml(text: str, *, text_keys: bool = True) -> Any:
    """Return the value of a YAML text, as JSON would hold it.

    Parameters
    ----------
    text
        One YAML document.
    text_keys
        Whether numbers that stand as keys, such as the status 200, are read as text.

    Raises
    ------
    UnreadableYAMLError
        It is not YAML, or nests or repeats itself without a bound.
    """
    try:
        _refuse_depth(text)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _refuse_growth(node)
            return _plain(loader.construct_document(node), text_keys)
        finally:
            loader.dispose()
    except RecursionError:  # pragma: no cover - other version of a library
        raise UnreadableYAMLError("it is nested too deeply") from None
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise UnreadableYAMLError(str(error)) from None


def dump_yaml(value: object) -> str:
    """Return a value of JSON as YAML, with its keys in their order and its innermost parts on one line."""
    return DUMP(value, Dumper=yaml.SafeDumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)


def _refuse_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise UnreadableYAMLError(f"it is nested more than {_MAX_DEPTH} levels deep")


def _refuse_growth(root: yaml.Node) -> None:
    """Check that no alias leads back to itself, and that the whole is small when all aliases are written out."""
    sizes: dict[int, int] = {}
    entered: set[int] = set()
    waiting: list[tuple[yaml.Node, bool]] = [(root, False)]
    while waiting:
        node, is_done = waiting.pop()
        identity = id(node)
        if is_done:
            entered.discard(identity)
            sizes[identity] = 1 + sum(sizes[id(inner)] for inner in _inner(node))
            if sizes[identity] > _MAX_NODES:
                raise UnreadableYAMLError(f"with its aliases written out, it has more than {_MAX_NODES:,} values")
        elif identity in entered:
            raise UnreadableYAMLError(f"the alias in line {node.start_mark.line + 1} contains itself")
        elif identity not in sizes:
            entered.add(identity)
            waiting.append((node, True))
            waiting += [(inner, False) for inner in _inner(node)]


def _inner(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [inner for pair in cast("list[tuple[yaml.Node, yaml.Node]]", node.value) for inner in pair]
    return cast("list[yaml.Node]", node.value) if isinstance(node, yaml.SequenceNode) else []


def _plain(value: Any, text_keys: bool) -> Any:
    if isinstance(value, dict):
        pairs = cast("dict[object, object]", value).items()
        return {_key(key) if text_keys else key: _plain(item, text_keys) for key, item in pairs}
    if isinstance(value, list):
        return [_plain(item, text_keys) for item in cast("list[object]", value)]
    if value is None or isinstance(value, str | int | float):
        return value
    raise UnreadableYAMLError(f"it contains what JSON lacks: {type(value).__name__}")


def _key(key: object) -> str:
    if isinstance(key, bool) or key is None:
        return {True: "true", False: "false", None: "null"}[key]
    return str(key)
