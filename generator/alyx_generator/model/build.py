"""From a corrected OpenAPI document to an `Api`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from alyx_generator.model import naming
from alyx_generator.model.action_names import name_actions
from alyx_generator.model.descriptions import described, used_models
from alyx_generator.model.docs import Docs
from alyx_generator.model.endpoints import EndpointBuilder
from alyx_generator.model.hoist import Components
from alyx_generator.model.ir import Api, Endpoint, Finding, Model
from alyx_generator.model.logins import read_logins
from alyx_generator.model.models import ModelBuilder
from alyx_generator.model.operations import Groups, endpoint_of, group_operations
from alyx_generator.model.ownership import without_cycles
from alyx_generator.model.payloads import is_collection, read_payloads
from alyx_generator.model.references import with_references
from alyx_generator.model.unsupported import unsupported_requirements
from alyx_generator.source.openapi import Document
from alyx_generator.source.repair import Repair


def build_api(document: Document, docs: Docs | None = None) -> Api:
    """Return the endpoints, actions and models of a corrected OpenAPI document.

    Parameters
    ----------
    document
        An OpenAPI 3 document.
    docs
        Descriptions of endpoints, filters and fields; by default the document's own only.
    """
    # Corrections can break a document as well as servers can, so it is repaired here and not when it is fetched.
    repair = Repair(document)
    document = repair.document
    docs = docs or Docs()
    components = Components(document["components"]["schemas"])
    groups, findings = _read_operations(document, components)
    findings += _about_repairs(repair)
    token_scheme, about_logins = read_logins(document, groups)
    findings += about_logins
    models = ModelBuilder(document, components, docs)
    # All names are settled before the first nested model needs one.
    for name, operations in groups.items():
        models.name_models(name, operations)
    endpoints: list[Endpoint] = []
    for name, operations in groups.items():
        # Every operation of an endpoint may have become a finding.
        if operations:
            builder = EndpointBuilder(name, components, docs, models)
            endpoints.append(builder.build(operations))
            findings += builder.findings
    placed = without_cycles(models.built(), {endpoint.name: used_models(endpoint) for endpoint in endpoints})
    api = _assembled(endpoints, described(placed, endpoints), [*findings, *models.findings])
    return replace(api, facts=replace(models.facts, token_scheme=token_scheme))


def _read_operations(document: Document, components: Components) -> tuple[Groups, list[Finding]]:
    """Return the operations that become methods, by endpoint, with their payloads read and their names."""
    groups, findings = group_operations(document["paths"], lambda operation: is_collection(operation, components))
    # Names depend on payloads: a GET without a key is `list` only if it returns several records.
    named: Groups = {}
    for endpoint, operations in groups.items():
        read = [read_payloads(endpoint, operation, components) for operation in operations]
        named[endpoint], unnamed = name_actions(endpoint, [operation for operation, _ in read])
        findings += [*(finding for _, about_payloads in read for finding in about_payloads), *unnamed]
    return named, [*findings, *unsupported_requirements(document, named)]


def _about_repairs(repair: Repair) -> Iterator[Finding]:
    for (path, method), reason in repair.lost.items():
        yield Finding(endpoint_of(path), f"{method.upper()} {path}", f"no method: {reason}")
    for location, reason in repair.problems:
        match location:
            case ("paths", str(path), str(method), *inner):
                where = " > ".join(map(str, inner))
                yield Finding(endpoint_of(path), f"{method.upper()} {path}", f"{where} {reason}")
            case _:
                yield Finding("schema", "", f"{' > '.join(map(str, location))} {reason}")


def _assembled(endpoints: Sequence[Endpoint], models: Sequence[Model], findings: Iterable[Finding]) -> Api:
    """Return the endpoints with their models and the names of their classes."""
    by_endpoint: dict[str, list[Model]] = {}
    for model in models:
        by_endpoint.setdefault(model.endpoint, []).append(model)
    class_names = _class_names([endpoint.name for endpoint in endpoints], [model.name for model in models])
    placed = tuple(
        replace(
            endpoint,
            class_name=class_names[endpoint.name],
            models=tuple(by_endpoint.get(endpoint.name, ())),
        )
        for endpoint in endpoints
    )
    placed = with_references(placed)
    return Api(placed, tuple(findings), sum(len(endpoint.actions) for endpoint in placed))


def _class_names(endpoints: Iterable[str], models: Collection[str]) -> dict[str, str]:
    # The class of an endpoint gives way to a model, whose name users write far more often.
    taken = {*models, *map(naming.changes_name, models)}
    names: dict[str, str] = {}
    for endpoint in endpoints:
        name = names[endpoint] = naming.endpoint_class_name(endpoint, taken)
        taken |= {name, f"Async{name}"}
    return names
