from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alyx_generator.source.overlay import Correction, OverlayError, correct, read_corrections, read_overlay

DOCUMENT = {
    "paths": {"/a": {"get": {"parameters": [{"name": "x"}, {"name": "y"}]}}},
    "components": {"schemas": {"A": {}}},
}


def test_update_merges_objects_and_appends_to_arrays() -> None:
    update = {"A": {"type": "object"}, "B": {"enum": [1]}}
    once = correct(DOCUMENT, (Correction("$.components.schemas", "seen", update),)).document
    twice = correct(once, (Correction("$.components.schemas.B", "seen", {"enum": [2]}),)).document
    assert twice["components"]["schemas"] == {"A": {"type": "object"}, "B": {"enum": [1, 2]}}


def test_update_of_an_array_by_one_value_appends_it() -> None:
    correction = Correction("$.paths['/a'].get.parameters", "seen", {"name": "z"})
    parameters = correct(DOCUMENT, (correction,)).document["paths"]["/a"]["get"]["parameters"]
    assert [parameter["name"] for parameter in parameters] == ["x", "y", "z"]


def test_document_itself_is_not_changed() -> None:
    correct(DOCUMENT, (Correction("$.components.schemas.A", "seen", {"type": "object"}),))
    assert DOCUMENT["components"]["schemas"]["A"] == {}


def test_remove_takes_every_match() -> None:
    corrected = correct(DOCUMENT, (Correction("$.paths['/a'].get.parameters[*]", "seen", remove=True),))
    assert corrected.document["paths"]["/a"]["get"]["parameters"] == []


def test_target_that_selects_nothing_is_an_error_that_names_it() -> None:
    with pytest.raises(OverlayError, match=r"\$\.components\.schemas\.C"):
        correct(DOCUMENT, (Correction("$.components.schemas.C", "seen", {}),))


def test_target_that_selects_nothing_in_a_foreign_schema_is_reported() -> None:
    corrected = correct(DOCUMENT, (Correction("$.components.schemas.C", "seen", {}),), strict=False)
    assert [correction.target for correction in corrected.missed] == ["$.components.schemas.C"]
    assert corrected.applied == 0


@pytest.mark.parametrize(
    ("target", "update"), [("$.paths['/a'].get.parameters[0].name", {"a": 1}), ("$.components.schemas.A", "text")]
)
def test_update_that_does_not_fit_is_an_error_and_in_a_foreign_schema_reported(target: str, update: Any) -> None:
    correction = Correction(target, "seen", update)
    with pytest.raises(OverlayError, match="plain value"):
        correct(DOCUMENT, (correction,))
    corrected = correct(DOCUMENT, (correction,), strict=False)
    assert (corrected.document, corrected.missed) == (DOCUMENT, (correction,))


@pytest.mark.parametrize(
    ("when", "unless", "applies"),
    [
        ((), (), True),
        (("$.paths['/a']",), (), True),
        (("$.paths['/a']", "$.paths['/b']"), (), False),
        ((), ("$.paths['/b']",), True),
        ((), ("$.paths['/b']", "$.paths['/a']"), False),
        (("$.components.schemas.B",), (), False),  # which only an earlier correction adds
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_conditions_are_about_the_document_before_corrections(
    when: tuple[str, ...], unless: tuple[str, ...], applies: bool, strict: bool
) -> None:
    earlier = Correction("$.components.schemas", "seen", {"B": {}})
    conditional = Correction("$.components.schemas.A", "seen", {"type": "object"}, when=when, unless=unless)
    corrected = correct(DOCUMENT, (earlier, conditional), strict=strict)
    assert ("type" in corrected.document["components"]["schemas"]["A"]) == applies
    assert (corrected.applied, corrected.missed) == (1 + applies, ())


def test_conditions_are_read_one_or_several(tmp_path: Path) -> None:
    file = tmp_path / "o.yaml"
    file.write_text(
        "overlay: 1.0.0\nactions:\n- target: $.a\n  description: seen\n  remove: true\n"
        "  x-when: $.b\n  x-unless: [$.c, $.d]"
    )
    (correction,) = read_overlay(file)
    assert (correction.when, correction.unless) == (("$.b",), ("$.c", "$.d"))


def test_overlays_are_applied_in_their_order(tmp_path: Path) -> None:
    files = []
    for name, action in {
        "adds": "target: $.components.schemas\n  update: {B: {enum: [1]}}",
        "appends": "target: $.components.schemas.B\n  update: {enum: [2], type: integer}",
        "removes": "target: $.components.schemas.B.type\n  remove: true",
    }.items():
        files.append(tmp_path / f"{name}.yaml")
        files[-1].write_text(f"overlay: 1.0.0\nactions:\n- description: seen\n  {action}")
    corrected = correct(DOCUMENT, read_corrections(files))
    assert corrected.document["components"]["schemas"] == {"A": {}, "B": {"enum": [1, 2]}}
    assert corrected.applied == 3


# Each line stands nine times in the next one: 9 to the power of 12 values.
BOMB = "overlay: 1.0.0\na0: &a0 [x]\n" + "\n".join(
    f"a{line}: &a{line} [{', '.join([f'*a{line - 1}'] * 9)}]" for line in range(1, 13)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("actions: []", "not an OpenAPI Overlay"),
        ("overlay: 1.0.0\nactions: [{target: $.a, update: {}}]", "description"),
        ("overlay: 1.0.0\nactions: [{target: $.a, description: seen}]", "either update or remove"),
        (
            "overlay: 1.0.0\nactions: [{target: $.a, description: seen, update: {}, remove: true}]",
            "either update or remove",
        ),
        ("overlay: 1.0.0\nactions: [{target: '$[', description: seen, remove: true}]", "not a JSONPath"),
        ("overlay: 1.0.0\nactions: [{target: $.a, description: seen, updates: {}}]", "unknown key updates"),
        ("overlay: 1.0.0\nactions: [{target: $.a, description: seen, remove: true, x-when: '$['}]", "not a JSONPath"),
        ("overlay: 1.0.0\nactions: [{target: $.a, description: seen, remove: true, x-unless: 5}]", "a JSONPath, or"),
        ("overlay: 1.0.0\nactions: [text]", "an action is an object"),
        ("overlay: 1.0.0\nactions: {target: $.a}", "actions is a list"),
        ("overlay: 2.0.0\nactions: []", "not an OpenAPI Overlay 1.0"),
        ("overlay: 1.0.0\nactions: [{description: seen, remove: true}]", "target and description"),
        ("overlay: 1.0.0\nactions: [{target: $.a, description: ' ', remove: true}]", "target and description"),
        ("overlay: 1.0.0\nactions: [{target: ' $', description: seen, remove: true}]", "the whole schema"),
        ("overlay: 1.0.0\nactions: [{target: $.a, description: seen, remove: 'true'}]", "without quotes"),
        ("overlay: 1.0.0\nactions: [{target: $.a, description: seen, update: {1: a}}]", "what JSON lacks"),
        (
            "overlay: 1.0.0\nactions: [{target: $.a, description: seen, update: {}}, {target: $.a, description: seen}]",
            r"^o\.yaml, action 2: ",
        ),
        ("overlay: 1.0.0\nactions: &a [*a]", "line 2 contains itself"),
        (f"overlay: 1.0.0\nactions: {'[' * 5000}{']' * 5000}", "nest"),
        (BOMB, "values"),
    ],
)
def test_malformed_overlay_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "o.yaml"
    file.write_text(text)
    with pytest.raises(OverlayError, match=message):
        read_overlay(file)
