"""``alyx describe`` says what to type in a shell, though its texts come from docstrings."""

from __future__ import annotations

import re

import pytest

from alyx_client.cli.advice import description_for_the_shell
from alyx_client.cli.catalogue import SHIPPED, Catalogue

from .conftest import Run

# Words for callers of Python, and filters by their names there.
PYTHON = re.compile(
    r"`|\bclient\.|(?<!--)\bdjango\b|\bmapping|\bdictionar|\bNone\b|\bkeyword|\bopen (binary )?file|; for a list, the"
    r"|[;,] (True|False)\b|\buse [a-z]+_\w+"
)


def test_descriptions_hold_in_a_shell(run: Run) -> None:
    catalogue = Catalogue(SHIPPED)
    for name, source in catalogue.endpoints.items():
        shown, _, columns = run("describe", name).out.partition("\nColumns:\n")
        text = " ".join(f"{shown} {columns}".split())
        found = PYTHON.search(text)
        assert not found, f"{name}: {found and text[max(found.start() - 60, 0) : found.end() + 20]}"
        for action in source.methods:
            options = source.options_of(action)
            for one in options.values():
                words = set(re.findall(r"\w+", one.description)) & {other for other in options if "_" in other}
                assert not words, f"{name} --{one.name}: {one.description}"


HINTS = {
    "Any other condition: field names and lookups with their values, as a mapping or in the server's own "
    "comma-separated form.": "FIELD__LOOKUP,VALUE",
    "End time; exact match. For a range, use django.": "For a range, use --where or --django.",
    "The whole log. For a part of it, use django log__icontains.": "use --django log__icontains,VALUE.",
    "Exclude such sessions with django n_trials__gt 0.": "with --django n_trials__gt,0.",
    "Data. An update replaces it; ``client.a_b.json_field_update`` sets single keys and leaves the others unchanged.": (
        "An update replaces it."
    ),
    "An alias of subject.": "An alias of --subject.",
    "To filter by name, use subject.": "use --subject.",
    "The subject of dataset_qc_lte, not of data_qc.": "The subject of --dataset-qc-lte, not of data_qc.",
    "True if so; False by default.": "True if so; false by default.",
    "To register files, use register_file.": "use alyx create register-file.",
}


@pytest.mark.parametrize("text", HINTS)
def test_hints(text: str) -> None:
    assert HINTS[text] in description_for_the_shell(text, ("subject", "dataset_qc_lte"))


SHOWN = {
    "sessions": [r"--qc NOT_SET\|\S+ \.\.\.$", r"^  --date-range DATE,DATE  ", r"\(\.\.\. may be repeated\):$"],
    "notes": [r"^  --image FILE ", r"^  alyx update notes ID --replace ", r"\(\* required to create\):$"],
    "water-requirement": [r"^Options of get:$", r"^  --start-date DATE "],
    "surgeries": [r"^Fields of update \(\.\.\. may be repeated, \* required to replace\):$"],
    "brain-regions": [r"^Fields of update:$"],
}


@pytest.mark.parametrize("endpoint", SHOWN)
def test_options(run: Run, endpoint: str) -> None:
    text = run("describe", endpoint).out
    for pattern in SHOWN[endpoint]:
        assert re.search(pattern, text, re.MULTILINE), pattern
