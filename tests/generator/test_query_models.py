"""Query models: files, Django's messages, and the models that relations lead to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from alyx_generator.probe.query.replies import Reply, parse_reply
from alyx_generator.probe.query.targets import Candidate, FirstMissing, find_target, name_score
from alyx_generator.source.query_model import UnreadableQueryModelError, query_model_text, read_query_model

from .query_server import query_model

CHOICES = "Cannot resolve keyword 'no_such_field' into field. Choices are: id, lab, lab_id"
LOOKUP = "Unsupported lookup 'zz' for DateTimeField or join on the field not permitted."


@pytest.mark.parametrize(
    ("detail", "reply"),
    [
        (CHOICES, Reply("accepted", "no_such_field", choices=("id", "lab", "lab_id"))),
        (CHOICES.replace("no_such", "other"), Reply("choices", "other_field", choices=("id", "lab", "lab_id"))),
        (LOOKUP, Reply("lookup", "zz", "DateTimeField")),
        (f"{LOOKUP[:-1]}, perhaps you meant gt?", Reply("lookup", "zz", "DateTimeField")),
        (
            f'Traceback (most recent call last):\n  File "a.py"\nFieldError: {LOOKUP}\n',
            Reply("lookup", "zz", "DateTimeField"),
        ),
        ("Field 'it' does not generate an automatic reverse relation and …", Reply("unusable", "it")),
        ("Field 'number' expected a number but got 'a'.", Reply("other")),
        ("", Reply("other")),
    ],
)
def test_messages_of_django_are_read(detail: str, reply: Reply) -> None:
    assert parse_reply(detail) == reply


def test_file_has_a_line_for_each_field(tmp_path: Path) -> None:
    model = query_model({"sessions": "Session"}, Session={"number": "IntegerField", "lab": "ForeignKey:Lab"}, Lab={})
    file = tmp_path / "query.json"
    file.write_text(query_model_text(model))
    assert file.read_text() == (
        '{\n "endpoints": {\n  "sessions": "Session"\n },\n "models": {\n  "Lab": {"fields": {}},\n'
        '  "Session": {"fields": {\n   "lab": {"class": "ForeignKey", "to": "Lab"},\n   "number": "IntegerField"\n'
        "  }}\n }\n}\n"
    )
    assert read_query_model(file) == model


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not a query model"),
        ("[]", "no endpoints or no models"),
        ({"endpoints": {}, "models": []}, "no endpoints or no models"),
        ({"endpoints": {"labs": "Lab"}, "models": {}}, "the model of labs is missing"),
        ({"endpoints": {}, "models": {"Lab": {"fields": {"a": {"to": "Lab"}}}}}, "Lab.a has no class"),
        ({"endpoints": {}, "models": {"Lab": {"fields": {"a": "1 Field"}}}}, "Lab.a has no class"),
        (
            {"endpoints": {}, "models": {"Lab": {"fields": {"a": {"class": "ForeignKey", "to": "B"}}}}},
            "Lab.a leads to B, which is missing",
        ),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: Any, reason: str) -> None:
    file = tmp_path / "query.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(UnreadableQueryModelError, match=reason):
        read_query_model(file)


def ask_for(*names: str) -> FirstMissing:
    """Return the replies of a model that has some names."""

    def first_missing(asked: list[str]) -> str | None:
        return next((name for name in asked if name not in names), None)

    return first_missing


def candidate(name: str, *fields: str, **more: Any) -> Candidate:
    return Candidate(name, frozenset(fields), **more)


def test_models_of_the_same_fields_are_told_apart_by_the_relation() -> None:
    candidates = [candidate("Source", "id", "line", "name"), candidate("Strain", "id", "line", "name")]
    for relation, name in (("source", "Source"), ("strain", "Strain")):
        scores = {one.name: name_score(relation, one.name) for one in candidates}
        found = find_target(candidates, scores, ask_for("id", "line", "name"))
        assert found is not None
        assert found.name == name


def test_model_with_more_fields_is_another() -> None:
    candidates = [candidate("Line", "id", "name", "line"), candidate("Allele", "id", "name", "line", "zygosity")]
    found = find_target(candidates, {"Line": 4}, ask_for("id", "name", "line", "zygosity"))
    assert found is not None
    assert found.name == "Allele"


def test_common_names_do_not_tell_a_model() -> None:
    assert find_target([candidate("Stack", "id", "name")], {}, ask_for("id", "name")) is None


def test_nothing_is_found_among_models_that_lack_each_name() -> None:
    assert find_target([candidate("A", "a"), candidate("B", "b"), candidate("C", "c")], {}, ask_for("d")) is None


def test_annotations_of_a_list_do_not_hide_its_model() -> None:
    dataset = candidate("Dataset", *(f"field{n}" for n in range(24)), "public", doubtful=True)
    found = find_target([dataset, candidate("Tag", "public", "hash")], {}, ask_for(*(f"field{n}" for n in range(24))))
    assert found is dataset
    assert dataset.missing == {"public"}


def test_models_of_which_some_names_are_known_end_the_search() -> None:
    unnamed = [candidate(name, "id", "name", lacks=frozenset({"json"})) for name in ("A", "B", "C")]
    assert find_target([*unnamed, candidate("D", "id", "d")], {}, ask_for("id", "name")) is None


@pytest.mark.parametrize(
    ("relation", "model"),
    [
        ("subject", "Subject"),
        ("actions_sessions", "Session"),
        ("created_by", "User"),
        ("mother1", "Mother"),
        ("field_of_view", "FOV"),
        ("model", "ProbeModel"),
        ("chronicrecording", "ChronicRecording"),
        ("data_dataset_session_related", "Dataset"),
    ],
)
def test_relation_is_named_after_its_model(relation: str, model: str) -> None:
    assert name_score(relation, model) > name_score(relation, "Weighing") == 0
