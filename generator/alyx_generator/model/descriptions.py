"""Descriptions of models that neither the schema nor ``docs.toml`` describes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from alyx_generator.model.ir import Endpoint, Model
from alyx_generator.model.nouns import Noun, listed, noun, with_article, words_of
from alyx_generator.model.ownership import references

Uses = Mapping[str, Sequence[tuple[str, str]]]

_PURPOSES = {"create": "create", "update": "replace", "partial_update": "change"}
_MOST_CONTAINERS = 3
_SUFFIXES = ("Record", "Summary", "Created", "Updated", "Update", "Replacement")


def described(models: Iterable[Model], endpoints: Sequence[Endpoint]) -> list[Model]:
    """Return the models, each with a description.

    Parameters
    ----------
    models
        All models.
    endpoints
        The endpoints whose actions send and return them.
    """
    models = list(models)
    nouns = {endpoint.name: endpoint.noun for endpoint in endpoints}
    sent, returned = _uses(endpoints)
    containers: dict[str, list[str]] = {}
    for model in models:
        for name in dict.fromkeys(references([field.schema for field in model.fields])):
            if name != model.name:
                containers.setdefault(name, []).append(model.name)
    return [
        model
        if model.description
        else replace(model, description=_describe(model, sent, returned, containers.get(model.name, []), nouns))
        for model in models
    ]


def used_models(endpoint: Endpoint) -> set[str]:
    """Return the names of the models that an endpoint's methods send and return."""
    return {name for action in endpoint.actions for name in (*_names_in(action.response.annotation), *action.bodies)}


def _uses(endpoints: Iterable[Endpoint]) -> tuple[Uses, Uses]:
    """Return the endpoint and the name of each action that sends a model, and of each that returns it."""
    sent: dict[str, list[tuple[str, str]]] = {}
    returned: dict[str, list[tuple[str, str]]] = {}
    for endpoint in endpoints:
        for action in endpoint.actions:
            for name in action.bodies:
                sent.setdefault(name, []).append((endpoint.name, action.name))
            for name in _names_in(action.response.annotation):
                returned.setdefault(name, []).append((endpoint.name, action.name))
    return sent, returned


def _names_in(annotation: str) -> list[str]:
    return re.findall(r"\w+", annotation)


def _describe(model: Model, sent: Uses, returned: Uses, containers: Sequence[str], nouns: Mapping[str, Noun]) -> str:
    uses = (sent if model.kind == "request" else returned).get(model.name, ())
    if not uses:
        return _describe_nested(model, containers, nouns)
    endpoint = next((endpoint for endpoint, _ in uses if endpoint == model.endpoint), uses[0][0])
    record = _capitalised(nouns[endpoint].indefinite)
    actions = [action for name, action in uses if name == endpoint]
    if model.kind == "request":
        return _describe_body(record, actions)
    others = {name for name, where in returned.items() if endpoint in dict(where)} - {model.name}
    # Without another model of the endpoint there is nothing to distinguish it from.
    return f"{record}, as returned by {_quoted(actions)}." if others else f"{record}."


def _describe_body(record: str, actions: Sequence[str]) -> str:
    purposes = [_PURPOSES[action] for action in actions if action in _PURPOSES]
    # A partial update takes the fields as keywords; the model only checks them.
    purposes = [purpose for purpose in purposes if purpose != "change"] or purposes
    return f"{record} to {listed(purposes, 'or')}." if purposes else f"The body of {_quoted(actions)}."


def _describe_nested(model: Model, containers: Sequence[str], nouns: Mapping[str, Noun]) -> str:
    resource = nouns[model.endpoint]
    own = model.name
    for container in containers:
        prefix = re.sub(f"({'|'.join(_SUFFIXES)})$", "", container)
        # drf-spectacular often prefixes nested serialisers with their owner: SessionDatasets.
        if own.startswith(prefix) and own != prefix:
            own = own.removeprefix(prefix)
            break
    words = noun(words_of(own) or "part").singular
    nested = f", nested in {_listed_models(sorted(containers))}" if containers else ""
    owner = "" if words == resource.singular else f" of {resource.indefinite}"
    return f"{_capitalised(with_article(words))}{owner}{nested}."


def _listed_models(names: Sequence[str]) -> str:
    if len(names) <= _MOST_CONTAINERS:
        return _quoted(names)
    return listed([*(f"`{name}`" for name in names[: _MOST_CONTAINERS - 1]), "other models"])


def _quoted(names: Sequence[str]) -> str:
    return listed([f"`{name}`" for name in names])


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
