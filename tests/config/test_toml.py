"""Writing and editing TOML."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from pathlib import Path

import pytest

from alyx_client.config import find_settings
from alyx_client.config.save import write_server
from alyx_client.config.toml_edit import replace_list
from alyx_client.config.toml_write import write_document, write_value
from alyx_client.errors import AlyxWarning
from tests.config.stored_settings import HOSTILE, URL, write_toml


@pytest.mark.parametrize("text", HOSTILE)
def test_text_and_names_are_parsed_as_they_were_written(text: str) -> None:
    document = {text: text, "table": {text: {text: [text, True, False, 3]}}, "list": [{"a": text}, {"b": text}]}
    assert tomllib.loads(write_document(document)) == document


def test_every_type_is_parsed_as_it_was_written() -> None:
    document = {
        "x": 1.5,
        "big": 1e300,
        "n": -3,
        "day": date(2020, 1, 2),
        "time": datetime(2020, 1, 2, 3, 4, 5),
        "empty": {},
        "none": [],
        "nested": [[1, 2], ["a"]],
        "mixed": [{"a": {"b": 1}}, 2],
    }
    assert tomllib.loads(write_document(document)) == document


def test_every_control_character_is_parsed_as_it_was_written() -> None:
    text = "".join(chr(code) for code in [*range(0x20), 0x7F, *range(0x80, 0xA0), 0x1F42D])
    assert tomllib.loads(f"x = {write_value(text)}") == {"x": text}


def test_value_of_several_lines_is_not_torn(isolated_settings: Path) -> None:
    write_toml(f'[servers."{URL}"]\nusername = """\nold"""\n')
    with pytest.warns(AlyxWarning, match="rewritten"):
        write_server(URL, {"username": "new"}, default=False)
    assert find_settings(URL).username == "new"


def test_list_is_replaced_without_the_text_around_it() -> None:
    text = '[a]\nx = 1\n[[a.l]]\nurl = "1"\n\n# about b\n[b]\ny = 2\n[[a.l]]\nurl = "2"\n'
    changed = replace_list(text, ("a", "l"), [{"url": "3", "username": None}])
    assert tomllib.loads(changed) == {"a": {"x": 1, "l": [{"url": "3"}]}, "b": {"y": 2}}
    assert "# about b\n[b]" in changed
