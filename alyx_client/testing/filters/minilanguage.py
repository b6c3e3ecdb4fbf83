"""Alyx's mini-language for filters: ``field,value,field,value``, without any escaping."""

from __future__ import annotations

import ast

from alyx_client.testing.failures import ServerFailure


def parse_pairs(text: str, prefix: str = "") -> dict[str, object]:
    """Read ``field,value,field,value`` into names and coerced values.

    Raises
    ------
    ServerFailure
        The number of words is odd, a field is repeated, or a list is not a Python literal.
    """
    words = _split(text)
    pairs: dict[str, object] = {}
    for name, word in zip(words[::2], words[1::2], strict=False):
        if prefix + name in pairs:
            raise ServerFailure(f'Duplicated fields in "{text}"')
        pairs[prefix + name] = _coerce(word)
    # Alyx reaches the missing value last, after it has complained about all the others.
    if len(words) % 2:
        raise ServerFailure("list index out of range")
    return pairs


def _split(text: str) -> list[str]:
    """Split at commas outside of brackets; the brackets of Alyx do not nest."""
    words = [""]
    closing = ""
    for character in text:
        if character == "," and not closing:
            words.append("")
            continue
        if character in "[(":
            closing = "]" if character == "[" else ")"
        elif character == closing:
            closing = ""
        words[-1] += character
    return words


def _coerce(word: str) -> object:
    if word == "None":
        return None
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    # Alyx's own test for a number: negative numbers and exponents stay text.
    if word.replace(".", "", 1).isdigit():
        return float(word)
    if word[:1] in ("(", "[") and word[-1:] in (")", "]"):
        return _literal(word)
    return word


def _literal(text: str) -> object:
    # Alyx evaluates the list as Python code; this server must not.
    try:
        tree = compile(text, "<string>", "eval", ast.PyCF_ONLY_AST)
    except SyntaxError as error:
        raise ServerFailure(str(error)) from None
    try:
        return ast.literal_eval(tree)
    except ValueError:
        names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
        raise ServerFailure(f"name '{names[0]}' is not defined" if names else f"malformed list {text}") from None
