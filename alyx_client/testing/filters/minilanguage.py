"""Alyx's mini-language for filters: ``field,value,field,value``, without any escaping."""

from __future__ import annotations

import ast

from alyx_client.testing.failures import ServerFailure


def parse_pairs(text: str, prefix: str = "") -> dict[str, object]:
    """Read Alyx's mini-language ``field,value,field,value`` into names and coerced values.

    Raises
    ------
    ServerFailure
        An odd count, a field given twice, or a list that is not a Python literal.
    """
    words = _split(text)
    found: dict[str, object] = {}
    if len(words) % 2:
        words = words[:-1]
        odd = True
    else:
        odd = False
    for name, word in zip(words[::2], words[1::2], strict=True):
        if prefix + name in found:
            raise ServerFailure(f'Duplicated fields in "{text}"')
        found[prefix + name] = _coerce(word)
    if odd:
        raise ServerFailure("list index out of range")
    return found


def _split(text: str) -> list[str]:
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
    if word.replace(".", "", 1).isdigit():
        return float(word)
    if word[:1] in ("(", "[") and word[-1:] in (")", "]"):
        return _literal(word)
    return word


def _literal(text: str) -> object:
    try:
        tree = compile(text, "<string>", "eval", ast.PyCF_ONLY_AST)
    except SyntaxError as error:
        raise ServerFailure(str(error)) from None
    try:
        return ast.literal_eval(tree)
    except ValueError:
        names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
        raise ServerFailure(f"name '{names[0]}' is not defined" if names else f"malformed list {text}") from None
