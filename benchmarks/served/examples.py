"""Valid values of a schema, made without chance: the same schema gives the same values.

A `Style` says which values to choose; `STYLES` together have every optional field present and absent, null wherever it
is allowed, lists that are empty, and texts, numbers and dates at their bounds. Values of enumerations and alternatives
are taken in turn.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from .document import Document, Schema, allows_null, types_of

_DEEP = 5  # levels below which only required fields are present
_DEEPEST = 12  # levels at which a schema without end is given up
_MOST_TURNS = 40  # values of one enumeration that are tried


class NoExampleError(ValueError):
    """A schema has no value that is found here, such as one that contains itself without end."""


@dataclass(frozen=True)
class Style:
    """The choice among the values of a schema.

    Parameters
    ----------
    name
        The name in reports.
    optional
        Whether optional fields are present.
    nulls
        Where null is chosen: nowhere, in place of plain values and lists, or wherever it is allowed.
    items
        The length of lists, within their bounds.
    bound
        Which of the values: a common one, or one at the lower or the upper bound.
    extra
        Whether objects have a field that is not declared.
    turn
        The number of the enumeration's value, and of the alternative.
    row
        The number of the item in its list, which common values differ by: rows are told apart by their keys.
    """

    name: str
    optional: bool = True
    nulls: Literal["nowhere", "inside", "everywhere"] = "nowhere"
    items: int = 2
    bound: Literal["common", "least", "greatest"] = "common"
    extra: bool = False
    turn: int = 0
    row: int = 0


STYLES = (
    Style("all fields"),
    Style("required fields", optional=False, items=1),
    Style("nulls inside", nulls="inside"),
    Style("nulls", nulls="everywhere"),
    Style("empty lists", items=0),
    Style("least values", bound="least", items=1),
    Style("greatest values", bound="greatest", items=1),
)
RESPONSE_STYLES = (*STYLES, Style("fields not declared", extra=True, items=1))

# Values by format: a common one, the least and the greatest. Each is one that Django REST framework or the RFC of the
# format writes.
_TEXTS: Mapping[str, tuple[str, str, str]] = {
    "uuid": (
        "8b1d1f4e-5b0e-4b8e-9f0a-0d9c7d5d3a11",
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF",
    ),
    "date": ("2020-01-02", "0001-01-01", "9999-12-31"),
    "date-time": ("2020-01-02T03:04:05Z", "2020-02-29T00:00:00.000001Z", "2020-12-31T23:59:59.999999+05:30"),
    "time": ("03:04:05", "00:00:00", "23:59:59.999999"),
    "duration": ("P1DT2H", "00:00:00", "3 04:05:06.000007"),
    "uri": ("https://example.org/x?y=1", "http://a", "https://example.org/%E2%82%AC"),
    "url": ("https://example.org/x?y=1", "http://a", "https://example.org/%E2%82%AC"),
    "uri-reference": ("/x/y", "", "../x"),
    "email": ("a@example.org", "a@b.co", "first.last+tag@mail.example.org"),
    "ipv4": ("192.0.2.1", "0.0.0.0", "255.255.255.255"),
    "ipv6": ("2001:db8::1", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    "hostname": ("example.org", "a", "xn--bcher-kva.example"),
    "decimal": ("1.10", "-1", "12.50"),
    "byte": ("aGk=", "", "aGVsbG8gd29ybGQ="),
    "binary": ("https://example.org/file.bin", "https://example.org/a", "https://example.org/b"),
    "json": ('{"a": 1}', "{}", "[1, 2]"),
}
_WORDS = ("some text", "a", "Zoë & söhne = 100 % ✓")
_ANYTHING: tuple[Any, ...] = ({"any": [1, None]}, "text", 1.5)
_BOUNDS = ("common", "least", "greatest")


class Examples:
    """Examples of one document's schemas.

    Parameters
    ----------
    document
        The document.
    left_out
        Fields with this keyword are left out: ``writeOnly`` of responses, ``readOnly`` of requests.
    """

    def __init__(self, document: Document, left_out: Literal["writeOnly", "readOnly"]) -> None:
        self._document = document
        self._left_out = left_out

    def all_of(self, schema: Any, styles: tuple[Style, ...]) -> Iterator[tuple[str, Any]]:
        """Yield different examples in all styles, named, and one for each further value of an enumeration."""
        seen: set[str] = set()
        turns = min(self.turns(schema), _MOST_TURNS)
        for style in (*styles, *(Style(f"value {turn}", turn=turn, items=1) for turn in range(1, turns))):
            value = self.example(schema, style)
            text = json.dumps(value, sort_keys=True)
            if text not in seen:
                seen.add(text)
                yield style.name, value

    def turns(self, schema: Any, depth: int = 0) -> int:
        """Return how many turns show each value of each enumeration, and each alternative."""
        node = self._merged(schema)
        if depth > _DEEP:
            return 1
        inner = [*(node.get("properties") or {}).values(), *filter(None, (node.get("items"),))]
        alternatives = _alternatives(node)
        counts = [len(node.get("enum") or ()), len(alternatives)]
        return max(1, *counts, *(self.turns(part, depth + 1) for part in (*inner, *alternatives)))

    def example(self, schema: Any, style: Style, depth: int = 0) -> Any:
        """Return one example.

        Raises
        ------
        NoExampleError
            None is found.
        """
        if depth > _DEEPEST:
            raise NoExampleError("the schema contains itself without end")
        if schema is False:
            raise NoExampleError("nothing is valid")
        node = self._merged(schema)
        if "const" in node:
            return node["const"]
        kinds = types_of(node)
        if self._is_null(node, kinds, style, depth):
            return None
        if values := node.get("enum"):
            others = [value for value in values if value is not None] or values
            return others[style.turn % len(others)]
        if options := _alternatives(node):
            return self._alternative(node, options, style, depth)
        if not kinds:
            return None if node.get("type") == "null" else _ANYTHING[_BOUNDS.index(style.bound)]
        return self._plain(node, kinds[style.turn % len(kinds)], style, depth)

    def _is_null(self, node: Schema, kinds: list[str], style: Style, depth: int) -> bool:
        if style.nulls == "nowhere" or not allows_null(node):
            return False
        # Null in place of an object hides the nulls inside it.
        return (style.nulls == "everywhere" and depth > 0) or ("object" not in kinds and not _alternatives(node))

    def _alternative(self, node: Schema, options: list[Any], style: Style, depth: int) -> Any:
        if style.nulls != "everywhere" or depth == 0:
            options = [one for one in options if not _is_null_only(self._merged(one))] or options
        else:
            options = sorted(options, key=lambda one: not _is_null_only(self._merged(one)))
        rest = {key: value for key, value in node.items() if key not in ("oneOf", "anyOf", "discriminator")}
        order = [options[(style.turn + shift) % len(options)] for shift in range(len(options))]
        for number, option in enumerate(order):
            whole = {"allOf": [rest, option]} if types_of(rest) or "properties" in rest else option
            try:
                # The turn counts the alternatives here, and the values inside each of them after all were seen.
                value = self.example(whole, replace(style, turn=style.turn // len(options)), depth + 1)
            except NoExampleError:
                if number == len(order) - 1:
                    raise
                continue
            return self._discriminated(node, option, value)
        raise NoExampleError("there is no alternative")

    def _discriminated(self, node: Schema, option: Any, value: Any) -> Any:
        """Return the value with the field that tells alternatives apart, as its mapping says."""
        discriminator = node.get("discriminator") or {}
        name = discriminator.get("propertyName")
        reference = option.get("$ref") if isinstance(option, Mapping) else None
        if not name or not reference or not isinstance(value, dict):
            return value
        names = [key for key, target in (discriminator.get("mapping") or {}).items() if target == reference]
        declared = self._merged((self._merged(option).get("properties") or {}).get(name))
        if not names and ("enum" in declared or "const" in declared):
            return value
        return {**value, name: names[0] if names else reference.rpartition("/")[2]}

    def _plain(self, node: Schema, kind: str, style: Style, depth: int) -> Any:
        if kind == "object":
            return self._object(node, style, depth)
        if kind == "array":
            return self._array(node, style, depth)
        if kind in ("integer", "number"):
            return _number(node, kind, style)
        if kind == "boolean":
            return style.bound != "least"
        return _text(node, style)

    def _object(self, node: Schema, style: Style, depth: int) -> dict[str, Any]:
        required = node.get("required") if isinstance(node.get("required"), list) else []
        result: dict[str, Any] = {}
        for name, schema in (node.get("properties") or {}).items():
            declared = self._merged(schema)
            if declared.get(self._left_out):
                continue
            if name in required:
                result[name] = self.example(schema, style, depth + 1)
            elif style.optional and depth < _DEEP:
                # An optional field that leads back to its own object is left out at the latest there.
                try:
                    result[name] = self.example(schema, style, depth + 1)
                except NoExampleError:
                    continue
        extra = node.get("additionalProperties")
        if isinstance(extra, Mapping) and extra and style.optional and depth < _DEEP:
            result["a key"] = self.example(extra, style, depth + 1)
        elif style.extra and (extra is None or extra is True or extra == {}):
            result["not_declared"] = {"a": [1]}
        return result

    def _array(self, node: Schema, style: Style, depth: int) -> list[Any]:
        least = int(node.get("minItems") or 0)
        length = max(least, min(style.items, int(node.get("maxItems", style.items))))
        if not length:
            return []
        items = node.get("items", {})
        try:
            styles = [replace(style, turn=style.turn + n, row=n) for n in range(length)]
            values = [self.example(items, one, depth + 1) for one in styles]
        except NoExampleError:
            if least:
                raise
            return []
        if node.get("uniqueItems"):
            values = [json.loads(text) for text in dict.fromkeys(json.dumps(value) for value in values)]
        return values

    def _merged(self, schema: Any) -> dict[str, Any]:
        return merged(self._document, schema)


def merged(document: Document, schema: Any, depth: int = 0) -> dict[str, Any]:
    """Return a schema with its references followed and its ``allOf`` merged: what all parts allow."""
    node = document.followed(schema)
    if not isinstance(node, Mapping) or depth > _DEEPEST:
        return {}
    if not isinstance(node.get("allOf"), list):
        return dict(node)
    result: dict[str, Any] = {}
    own = {key: value for key, value in node.items() if key != "allOf"}
    for part in (*(merged(document, part, depth + 1) for part in node["allOf"]), own):
        for key, value in part.items():
            if key == "properties":
                result[key] = {**result.get(key, {}), **value}
            elif key == "required" and isinstance(value, list):
                result[key] = [*result.get(key, []), *value]
            elif key == "enum" and key in result:
                result[key] = [one for one in result[key] if one in value] or value
            else:
                result[key] = value
    return result


def _alternatives(node: Schema) -> list[Any]:
    for key in ("oneOf", "anyOf"):
        if isinstance(node.get(key), list) and node[key]:
            return list(node[key])
    return []


def _is_null_only(node: Schema) -> bool:
    return node.get("type") == "null" or node.get("enum") == [None] or ("const" in node and node["const"] is None)


def _number(node: Schema, kind: str, style: Style) -> int | float:
    least, greatest = node.get("minimum"), node.get("maximum")
    whole = kind == "integer"
    # Exclusive bounds are booleans in OpenAPI 3.0, and numbers in 3.1.
    step = 1 if whole else 0.5
    if isinstance(below := node.get("exclusiveMinimum"), bool | int | float) and below is not False:
        least = (least if below is True else below) + step
    if isinstance(above := node.get("exclusiveMaximum"), bool | int | float) and above is not False:
        greatest = (greatest if above is True else above) - step
    wide = 2**31 - 1 if node.get("format") == "int32" else 2**53 - 1
    lower = least if least is not None else -wide if whole else -1e12
    upper = greatest if greatest is not None else max(wide if whole else 1e12, lower)
    common = (7 if whole else 1.5) + style.row
    value = {"least": lower, "greatest": upper}.get(style.bound, min(max(common, lower), upper))
    if multiple := node.get("multipleOf"):
        value = math.ceil(lower / multiple) * multiple if style.bound != "greatest" else upper // multiple * multiple
    return int(value) if whole else value


def _text(node: Schema, style: Style) -> str:
    place = _BOUNDS.index(style.bound)
    shortest = int(node.get("minLength") or 0)
    longest = int(node["maxLength"]) if isinstance(node.get("maxLength"), int) else None
    if isinstance(node.get("pattern"), str):
        return _matching(node["pattern"], shortest, longest)
    form = str(node.get("format", ""))
    if form in _TEXTS:
        text = _TEXTS[form][place]
        if style.row and form in ("uuid", "uri", "url"):
            text = f"{text[:-1]}{(style.row + 4) % 10}"
        return text if longest is None or len(text) <= longest else _TEXTS[form][1]
    text = {"least": "", "greatest": _WORDS[2] * 20}.get(style.bound, _WORDS[place])
    text = text[: longest if longest is not None else 400]
    # At the end of what is left of it, so that short keys differ, too.
    text = f"{text[: -len(str(style.row))]}{style.row}" if style.row and text else text
    return text + "x" * (shortest - len(text))


@cache
def _matching(pattern: str, shortest: int, longest: int | None) -> str:
    """Return a text that matches a pattern, whose dialect is that of JavaScript."""
    usual = ("a", "abc", "1", "12", "a1", "A", "en", "0.1", "2020-01-02", "000000000", "https://example.org/")
    for text in usual:
        if shortest <= len(text) <= (longest or 100) and re.search(pattern, text):
            return text
    try:
        strategy = st.from_regex(re.compile(pattern.replace("\\Z", "$"), re.ASCII))
        quiet = settings(
            derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
        )
        return find(strategy, lambda text: shortest <= len(text.strip()) <= (longest or 200), settings=quiet)
    except (HypothesisException, re.error) as error:
        raise NoExampleError(f"no text is found for the pattern {pattern}") from error
