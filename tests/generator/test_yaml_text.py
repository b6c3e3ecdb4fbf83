"""YAML as schemas use it, and what it has beyond JSON."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from alyx_generator.source.yaml_text import UnreadableYAMLError, load_yaml

READ: dict[str, tuple[str, Any]] = {
    "nothing": ("", None),
    "a comment": ("# nothing", None),
    "keys of other types": ("{200: a, true: b, null: c, 1.5: d}", {"200": "a", "true": "b", "null": "c", "1.5": "d"}),
    "a status": ("responses: {200: {description: ok}}", {"responses": {"200": {"description": "ok"}}}),
}
# Each list holds the one before it ten times.
_GROWING = "a: &a [" + "1," * 10 + "]\n"
_GROWING += "".join(f"{name}: &{name} [{f'*{former},' * 10}]\n" for former, name in itertools.pairwise("abcdefghi"))
REFUSED = {
    "nested": ("[" * 900, "nested more than"),
    "repeated": (_GROWING, "values"),
    "within itself": ("&a [*a]", "contains itself"),
    "set": ("!!set {a, b}", "what JSON lacks: set"),
}


@pytest.mark.parametrize(("text", "value"), READ.values(), ids=READ)
def test_keys_are_text(text: str, value: Any) -> None:
    assert load_yaml(text, text_keys=True) == value


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_bound_or_no_form_in_json_is_refused(text: str, message: str) -> None:
    with pytest.raises(UnreadableYAMLError, match=message):
        load_yaml(text, text_keys=True)
