"""Learning a query model: the models behind the lists, and those that their relations lead to."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from heapq import heappop, heappush

from alyx_client.schema.naming import class_name, singular_of
from alyx_client.schema.openapi import as_list
from alyx_generator.probe.query.fields import (
    StudiedModel,
    is_relation,
    is_reverse,
    listed_fields,
    nested_fields,
)
from alyx_generator.probe.query.inquiry import Inquiry
from alyx_generator.probe.query.lookups import refused_lookups
from alyx_generator.probe.query.targets import COMMON_NAMES, Candidate, find_target, name_score
from alyx_generator.source.paths import data_folder
from alyx_generator.source.query_model import QueryModel

_MAX_DEPTH = 3


@dataclass(frozen=True)
class Learnt:
    """A query model, and what could not be learnt.

    Parameters
    ----------
    model
        The query model.
    skipped
        Lists whose models the server does not name the fields of, with the reason.
    unnamed
        Models of which only some names were tried, since no list has them and Alyx is not known to.
    annotations
        Names that are left out, since they exist on one list and not as fields of its model.
    refused
        Documented lookups that the server refuses, by the class of the field.
    """

    model: QueryModel
    skipped: Mapping[str, str]
    unnamed: tuple[str, ...]
    annotations: tuple[str, ...]
    refused: Mapping[str, tuple[str, ...]]


@cache
def known_names() -> Mapping[str, frozenset[str]]:
    """Return the names of the fields of Alyx's models, by model."""
    text = (data_folder("schemas") / "query-names.toml").read_text(encoding="utf-8")
    return {model: frozenset(map(str, as_list(names))) for model, names in tomllib.loads(text).items()}


def learn(inquiry: Inquiry, endpoints: Mapping[str, str], on_field: Callable[[int, int], None] | None = None) -> Learnt:
    """Learn a server's query model.

    Parameters
    ----------
    inquiry
        Asks the server.
    endpoints
        The name for the model behind each list, by the list's path.
    on_field
        Called with the number of relations that are followed, and of all that are known.
    """
    learner = _Learner(inquiry, on_field or (lambda done, total: None))
    skipped = learner.read_lists(endpoints)
    learner.follow_relations()
    refused = refused_lookups(inquiry, learner.models.values())
    models = {model.name: model.fields for model in learner.models.values()}
    unnamed = tuple(sorted(model.name for model in learner.models.values() if model.lacks is not None))
    return Learnt(QueryModel(learner.endpoints, models), skipped, unnamed, tuple(sorted(learner.annotations)), refused)


@dataclass(order=True)
class _Relation:
    """A relation to follow: those that a model declares come first, since they tell where their reverses lead."""

    depth: int
    reverse: bool
    model: str
    name: str


@dataclass
class _Learner:
    inquiry: Inquiry
    on_field: Callable[[int, int], None]
    models: dict[str, StudiedModel] = field(default_factory=dict[str, StudiedModel])
    endpoints: dict[str, str] = field(default_factory=dict[str, str])
    waiting: list[_Relation] = field(default_factory=list[_Relation])
    annotations: list[str] = field(default_factory=list[str])
    targets: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    followed: int = 0

    def read_lists(self, endpoints: Mapping[str, str]) -> dict[str, str]:
        """Read the models behind the lists, and return those lists that name no fields, with the reason."""
        skipped: dict[str, str] = {}
        by_choices: dict[tuple[str, ...], str] = {}
        for endpoint, wanted in sorted(endpoints.items()):
            reply = self.inquiry.choices(endpoint)
            if not reply.choices:
                skipped[endpoint] = reply.name
                continue
            if reply.choices not in by_choices:
                by_choices[reply.choices] = self._free_name(wanted, class_name(endpoint))
                model = StudiedModel(by_choices[reply.choices], endpoint, doubtful=True)
                model.fields.update(listed_fields(self.inquiry, endpoint, reply.choices))
                self._add(model)
            self.endpoints[endpoint] = by_choices[reply.choices]
        return skipped

    def follow_relations(self) -> None:
        """Find out where each relation leads; a relation to a model that cannot be learnt is left out."""
        while self.waiting:
            relation = heappop(self.waiting)
            self.on_field(self.followed, self.followed + len(self.waiting) + 1)
            self.followed += 1
            source = self.models[relation.model]
            target = self._target(source, relation.name)
            if target:
                self.targets.setdefault(relation.name, set()).add(target)
                source.fields[relation.name] = replace(source.fields[relation.name], to=target)
            else:
                del source.fields[relation.name]

    def _target(self, source: StudiedModel, name: str) -> str:
        path = (*source.path, name)
        candidates = [*self._candidates()]
        found = find_target(
            candidates,
            {
                model.name: name_score(name, model.name) + self._likelihood(source, name, model.name)
                for model in candidates
            },
            lambda names: self.inquiry.first_missing(source.endpoint, path, names),
        )
        if found is not None and found.is_known:
            self._settle(found)
            return found.name
        if len(path) > _MAX_DEPTH:
            return ""
        wanted = found.name if found else class_name("_".join(map(singular_of, name.split("_"))))
        model = StudiedModel(self._free_name(wanted, f"{source.name}{wanted}"), source.endpoint, path)
        names = (
            found.fields - found.missing
            if found
            else COMMON_NAMES | {source.name.lower()} | known_names().get(wanted, frozenset())
        )
        model.fields.update(nested_fields(self.inquiry, model, names))
        if not found:
            model.lacks = names - {*model.fields}
        self._add(model)
        return model.name

    def _settle(self, found: Candidate) -> None:
        """Drop the annotations of a list, which a relation to its model tells from the model's fields."""
        model = self.models[found.name]
        model.doubtful = False
        for name in found.missing:
            del model.fields[name]
            self.annotations.append(f"{model.name}.{name}")

    def _candidates(self) -> Iterable[Candidate]:
        for model in self.models.values():
            yield Candidate(model.name, frozenset(model.fields), model.lacks, doubtful=model.doubtful)
        for name, names in known_names().items():
            if name not in self.models:
                yield Candidate(name, names, is_known=False, doubtful=True)

    def _likelihood(self, source: StudiedModel, name: str, model: str) -> int:
        """Return how much speaks for a model besides its name."""
        if model not in self.models:
            return 0
        # Relations of one name mostly lead to one model, and a reverse relation leads to where a relation comes from.
        same_name = 2 * (model in self.targets.get(name, ()))
        if not is_reverse(source.fields[name].django_class):
            return same_name
        return same_name + any(field.to == source.name for field in self.models[model].fields.values())

    def _add(self, model: StudiedModel) -> None:
        self.models[model.name] = model
        for name, one in model.fields.items():
            if is_relation(one.django_class):
                heappush(self.waiting, _Relation(len(model.path), is_reverse(one.django_class), model.name, name))

    def _free_name(self, *wanted: str) -> str:
        name = next((name for name in wanted if name not in self.models), wanted[-1])
        number = 2
        while name in self.models:
            name, number = f"{wanted[-1]}{number}", number + 1
        return name
