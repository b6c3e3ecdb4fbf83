"""Classes of fields for conditions, from a query model and a schema."""

from __future__ import annotations

import json

import pytest
from alyx_generator.model.build import build_api
from alyx_generator.model.conditions import with_conditions
from alyx_generator.model.ir import Api, ConditionField, ConditionModel
from alyx_generator.render.modules import Package, render
from alyx_generator.source.paths import SHIPPED, data_folder
from alyx_generator.source.query_model import QueryField, QueryModel, parse_query_model

ENDPOINTS = {"labs": "Lab", "sessions": "Session"}


@pytest.fixture(scope="module")
def api() -> Api:
    document = json.loads((data_folder("schemas") / "corrected" / f"{SHIPPED}.json").read_bytes())
    return build_api(document, None)


def models(api: Api, fields: dict[str, QueryField], **others: dict[str, QueryField]) -> dict[str, ConditionModel]:
    lab = {"id": QueryField("UUIDField"), "name": QueryField("CharField")}
    query = QueryModel({"labs": "Lab", "sessions": "Session"}, {"Lab": lab, "Session": fields, **others})
    return {model.name: model for model in with_conditions(api, query).condition_models}


def field(api: Api, name: str, of: QueryField, **others: dict[str, QueryField]) -> ConditionField:
    return models(api, {name: of}, **others)["Session"].fields[0]


@pytest.mark.parametrize(
    ("django_class", "kind"),
    [
        ("CharField", "TextField"),
        ("CharNullField", "TextField"),
        ("EmailField", "TextField"),
        ("ImageField", "TextField"),
        ("AutoField", "IntegerField"),
        ("BigAutoField", "IntegerField"),
        ("PositiveSmallIntegerField", "IntegerField"),
        ("DecimalField", "FloatField"),
        ("BooleanField", "BooleanField"),
        ("DateTimeField", "DateTimeField"),
        ("DurationField", "DurationField"),
        ("ArrayField", "ArrayField"),
        ("UUIDField", "UUIDField"),
        ("BinaryField", "OtherField"),
    ],
)
def test_kinds(api: Api, django_class: str, kind: str) -> None:
    assert field(api, "some", QueryField(django_class)).kind == kind


def test_closed_sets_of_the_schema_are_choices(api: Api) -> None:
    choice = field(api, "qc", QueryField("IntegerField"))
    assert choice.kind == "ChoiceField"
    assert choice.values == ("NOT_SET", "PASS", "WARNING", "FAIL", "CRITICAL")
    assert choice.numbers


def test_relations_lead_to_models_that_no_endpoint_lists(api: Api) -> None:
    line = {"id": QueryField("AutoField"), "name": QueryField("CharField")}
    relation = field(api, "line", QueryField("ForeignKey", "BreedingLine"), BreedingLine=line)
    assert (relation.kind, relation.model, relation.to_many) == ("BreedingLineFields", "BreedingLine", False)
    assert relation.description == 'Relation to a breeding line: ``line.name == "x"``.'
    assert field(api, "lines", QueryField("ManyToOneRel", "BreedingLine"), BreedingLine=line).to_many
    named = models(api, {"line": QueryField("ForeignKey", "BreedingLine")}, BreedingLine=line)
    assert (named["BreedingLine"].endpoint, named["BreedingLine"].key) == ("", "integer")
    assert (named["Session"].endpoint, named["Lab"].key) == ("sessions", "uuid")


def test_models_that_nothing_leads_to_are_left_out(api: Api) -> None:
    assert "Secret" not in models(api, {"id": QueryField("UUIDField")}, Secret={"id": QueryField("UUIDField")})


def test_the_key_of_a_model_that_extends_another_is_its_key(api: Api) -> None:
    child = {"parent_ptr": QueryField("OneToOneField", "Lab")}
    assert models(api, {"child": QueryField("ForeignKey", "Child")}, Child=child)["Child"].key == "uuid"


@pytest.mark.parametrize(("name", "python"), [("class", "class_"), ("eq", "eq_"), ("json", "json")])
def test_names_that_python_or_comparisons_need(api: Api, name: str, python: str) -> None:
    assert field(api, name, QueryField("TextField")).name == python


@pytest.mark.parametrize("name", ["_secret", "not a name", ""])
def test_names_that_no_attribute_can_have_are_left_out(api: Api, name: str) -> None:
    assert not models(api, {name: QueryField("TextField")})["Session"].fields


def test_without_a_query_model_there_are_no_conditions(api: Api) -> None:
    files = render(api, Package())
    assert "query_fields.py" not in files
    assert not any("Condition" in text for text in files.values())


def test_lists_take_conditions_if_they_take_lookups(api: Api) -> None:
    fields = {"id": QueryField("UUIDField")}
    query = QueryModel({"sessions": "Session", "no-such-list": "Session"}, {"Session": fields})
    files = render(with_conditions(api, query), Package())
    assert "where: Condition[Literal['Session']] | None = None" in files["sessions.py"]
    assert "where" not in files["labs.py"]
    assert "class SessionFields(Fields[M, UUID | str | RecordOf[Literal['sessions']]]):" in files["query_fields.py"]


def test_the_shipped_query_model_reaches_every_model(api: Api) -> None:
    content = json.loads((data_folder("schemas") / f"{SHIPPED}.query.json").read_bytes())
    query = parse_query_model(content)
    placed = with_conditions(api, query)
    assert {model.name for model in placed.condition_models} == set(query.models)
    assert sum(len(model.fields) for model in placed.condition_models) == query.fields
    assert placed.findings == api.findings
