"""The models whose fields conditions compare: a server's query model, and what its schema says of the same fields."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Mapping
from dataclasses import replace

from alyx_client.runtime.closed_sets import ClosedSet, ClosedSets
from alyx_client.runtime.query import Fields
from alyx_generator.model.closed_sets import closed_sets
from alyx_generator.model.ir import Api, ConditionField, ConditionModel, Endpoint, Filter, Finding
from alyx_generator.model.naming import argument_name
from alyx_generator.model.nouns import Noun, noun
from alyx_generator.source.query_model import QueryField, QueryModel

__all__ = ["with_conditions"]

WHERE = "where"
"""The keyword of lists that takes conditions."""

_KINDS = {
    "ArrayField": "ArrayField",
    "AutoField": "IntegerField",
    "BooleanField": "BooleanField",
    "DateField": "DateField",
    "DateTimeField": "DateTimeField",
    "DecimalField": "FloatField",
    "DurationField": "DurationField",
    "EmailField": "TextField",
    "FileField": "TextField",
    "FloatField": "FloatField",
    "ImageField": "TextField",
    "JSONField": "JSONField",
    "SlugField": "TextField",
    "TextField": "TextField",
    "TimeField": "TimeField",
    "URLField": "TextField",
    "UUIDField": "UUIDField",
}
# Classes of Django and of other packages are called after what they hold: PositiveSmallIntegerField, CharNullField.
_PARTS = {"Integer": "IntegerField", "AutoField": "IntegerField", "Char": "TextField", "Text": "TextField"}
_TO_MANY = frozenset({"GenericRelation", "ManyToManyField", "ManyToManyRel", "ManyToOneRel"})
_KEYS = {"IntegerField": "integer", "UUIDField": "uuid"}


def with_conditions(api: Api, query: QueryModel) -> Api:
    """Return what a server offers, with conditions on the rows of its lists.

    Parameters
    ----------
    api
        What the server offers.
    query
        Its query model.
    """
    endpoints = {endpoint.path.strip("/"): endpoint for endpoint in api.endpoints}
    models = {endpoints[path].name: name for path, name in query.endpoints.items() if path in endpoints}
    endpoint_of = _endpoints_of_models(api, models)
    sets = closed_sets(api)
    condition_models = tuple(
        _model(name, query, endpoint_of.get(name), api, sets) for name in sorted(_reachable(query, models.values()))
    )
    findings = [
        Finding(endpoint.name, "list", f"{WHERE}: a filter of this name takes the place of conditions")
        for endpoint in api.endpoints
        if endpoint.name in models and any(one.keyword == WHERE for one in _filters(endpoint))
    ]
    taken = {finding.endpoint for finding in findings}
    placed = tuple(
        _with_where(endpoint, models[endpoint.name]) if endpoint.name in models.keys() - taken else endpoint
        for endpoint in api.endpoints
    )
    return replace(api, endpoints=placed, findings=(*api.findings, *findings), condition_models=condition_models)


def fields_class(model: str) -> str:
    """Return the name of the class for a model's fields: ``Session`` gives ``SessionFields``."""
    return f"{model}Fields"


def _filters(endpoint: Endpoint) -> Iterable[Filter]:
    return (one for action in endpoint.actions if action.name == "list" for one in action.filters)


def _reachable(query: QueryModel, roots: Iterable[str]) -> set[str]:
    """Return the models that relations lead to from the lists' own."""
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [field.to for field in query.models[name].values() if field.to]
    return reached


def _endpoints_of_models(api: Api, models: Mapping[str, str]) -> dict[str, Endpoint]:
    """Return the endpoint that has the records of each model: that of its list, or the one that names records so."""
    read_as = {
        one.name: action.response.annotation for one in api.endpoints for action in one.actions if action.name == "read"
    }
    reading = [one for one in api.endpoints if one.name in read_as]
    named = {read_as[one.name].removesuffix("Record"): one for one in reading}
    return named | {models[one.name]: one for one in reversed(reading) if one.name in models}


def _with_where(endpoint: Endpoint, model: str) -> Endpoint:
    annotation = f"Condition[Literal[{model!r}]]"
    doc = f"Condition on the records: ``client.{endpoint.name}.fields``, compared. The order is the server's own."
    where = Filter(WHERE, WHERE, annotation, "django", doc)
    actions = tuple(
        replace(action, filters=(*action.filters, where))
        if action.name == "list" and any(one.style == "django" for one in action.filters)
        else action
        for action in endpoint.actions
    )
    return replace(endpoint, actions=actions, condition_model=model)


def _model(name: str, query: QueryModel, endpoint: Endpoint | None, api: Api, sets: ClosedSets) -> ConditionModel:
    descriptions = _descriptions(endpoint, api) if endpoint else {}
    columns = {column.name: column.members for column in sets.columns if endpoint and endpoint.name in column.endpoints}
    fields = tuple(
        _field(key, field, descriptions.get(key, ""), query, api, columns.get(key))
        for key, field in sorted(query.models[name].items())
        if key.isidentifier() and not key.startswith("_")
    )
    return ConditionModel(
        name, _noun_of(name, query, api), fields, endpoint.name if endpoint else "", _key_kind(name, query)
    )


def _key_kind(model: str, query: QueryModel) -> str:
    """Return the kind of a model's primary key."""
    fields = query.models[model]
    if "id" in fields:
        return _KEYS.get(_kind(fields["id"].django_class), "text")
    # The key of a model that extends another one is the relation to it.
    parents = [field.to for name, field in fields.items() if name.endswith("_ptr") and field.to]
    return _key_kind(parents[0], query) if parents else "text"


def _kind(django_class: str) -> str:
    if django_class in _KINDS:
        return _KINDS[django_class]
    return next((kind for part, kind in _PARTS.items() if part in django_class), "OtherField")


def condition_kind(field: QueryField) -> str:
    """Return the class of conditions on a field; for relations, whether they lead to several records."""
    return str(field.django_class in _TO_MANY) if field.to else _kind(field.django_class)


def _field(
    name: str, field: QueryField, description: str, query: QueryModel, api: Api, members: ClosedSet | None
) -> ConditionField:
    python = f"{name}_" if keyword.iskeyword(name) or (hasattr(Fields, name) and not name.startswith("_")) else name
    described = f"{description.rstrip('.')}. " if description else ""
    if field.to:
        to_many = field.django_class in _TO_MANY
        target = _noun_of(field.to, query, api)
        leads = f"any number of {target.plural}" if to_many else target.indefinite
        example = _example(field.to, query)
        return ConditionField(
            python,
            fields_class(field.to),
            f"{described}Relation to {leads}: ``{python}.{example}``.",
            field.to,
            to_many,
        )
    kind = "ChoiceField" if members else _kind(field.django_class)
    values = _values(members) if members else ()
    numbers = members is not None and bool(members.stored) and all(isinstance(one, int) for one in members.stored)
    return ConditionField(python, kind, described + _how(python, kind, values), values=values, numbers=numbers)


def _values(members: ClosedSet) -> tuple[str | int, ...]:
    values = members.values
    # A text that may be blank selects the records without a value.
    is_text = all(isinstance(value, str) for value in (*values, *members.stored))
    return (*values, "") if is_text and "" not in values else values


def _noun_of(model: str, query: QueryModel, api: Api) -> Noun:
    paths = [path for path, name in query.endpoints.items() if name == model]
    nouns = [endpoint.noun for endpoint in api.endpoints if endpoint.path.strip("/") in paths]
    return nouns[0] if nouns else noun(argument_name(model).replace("_", " "))


def _example(model: str, query: QueryModel) -> str:
    """Return a comparison of one of a model's fields."""
    fields = query.models[model]
    for name in ("nickname", "username", "name", "id"):
        if name in fields:
            return "is_null()" if name == "id" else f'{name} == "x"'
    return "is_null()"


def _how(name: str, kind: str, values: tuple[str | int, ...]) -> str:
    """Return the class of a field in words, and a comparison with it."""
    shown = values[-2] if len(values) > 1 else values[0] if values else ""
    return {
        "ArrayField": f'Array: ``{name}.contains(["x"])``.',
        "BooleanField": f"True or false: ``{name}.is_true()``.",
        "ChoiceField": f"One of {', '.join(map(_quoted, values))}: ``{name} == {_quoted(shown)}``.",
        "DateField": f"Date: ``{name} >= date(2020, 1, 31)``.",
        "DateTimeField": f"Date and time: ``{name}.date >= date(2020, 1, 31)``.",
        "DurationField": f"Duration: ``{name} > timedelta(minutes=30)``.",
        "FloatField": f"Number: ``{name} >= 0.5``.",
        "IntegerField": f"Whole number: ``{name} >= 1``.",
        "JSONField": f'JSON: ``{name}["key"] == "x"``.',
        "TextField": f'Text: ``{name}.icontains("x")``.',
        "TimeField": f"Time of day: ``{name} < time(12)``.",
        "UUIDField": f"UUID: ``{name}.in_([...])``.",
    }.get(kind, f'Other: ``{name} == "x"``.')


def _quoted(value: str | int) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _descriptions(endpoint: Endpoint, api: Api) -> dict[str, str]:
    """Return what the schema says of the fields of an endpoint's records, by name."""
    descriptions: dict[str, str] = {}
    for action in endpoint.actions:
        model = api.models.get(action.response.annotation)
        if action.name in ("read", "list") and model is not None:
            descriptions |= {field.name: field.description for field in model.fields if field.description}
    return descriptions
