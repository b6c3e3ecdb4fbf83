"""Findings: the locations where a schema is wrong, with the evidence and the corrections proposed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from alyx_generator.probe.corrections import CorrectionWriter
from alyx_generator.probe.describe import (
    describe_counts,
    describe_location,
    describe_mismatches,
    describe_schema,
    describe_shape,
)
from alyx_generator.probe.observations import Location, Observation, Observations
from alyx_generator.probe.working_document import WorkingDocument, schema_at
from alyx_generator.source.openapi import Document
from alyx_generator.source.overlay import Correction


@dataclass(frozen=True)
class Evidence:
    """The responses of one operation that contradict the schema of a field.

    Parameters
    ----------
    operation
        The operation, for instance ``/subjects list``.
    observed
        The values that contradict the schema, described, and the number of each.
    rows
        The number of values checked, or of records that should have had one.
    """

    operation: str
    observed: Mapping[str, int]
    rows: int


@dataclass(frozen=True)
class Finding:
    """A location of the schema that responses contradict.

    Parameters
    ----------
    field
        The field: ``SubjectList.alive``, or ``User.lab[]`` for the items of a list.
    declared
        The declaration, described.
    observed
        The values that contradict it, described.
    evidence
        The operations that returned them, and how many.
    corrections
        The corrections that make the schema right.
    """

    field: str
    declared: str
    observed: str
    evidence: tuple[Evidence, ...]
    corrections: tuple[Correction, ...]


def find(document: Document, by_operation: Mapping[str, Observations]) -> list[Finding]:
    """Return the findings of a probe.

    Parameters
    ----------
    document
        The document that was checked.
    by_operation
        The observations of each operation.
    """
    contradictions: dict[Location, dict[str, Observation]] = {}
    for operation, observations in by_operation.items():
        for location, observation in observations.items():
            if observation.contradicts:
                contradictions.setdefault(location, {})[operation] = observation
    retyped = {
        location
        for location, observations in contradictions.items()
        if any(observation.mismatches for observation in observations.values())
    }
    working = WorkingDocument(document)
    findings: list[Finding] = []
    for location in sorted(contradictions, key=_inner_first):
        total = _total(location, by_operation.values())
        new = list(_findings_at(location, contradictions[location], total, document, working))
        findings += new
        # If an enclosing schema is replaced, its correction must contain those of its parts.
        if any(location[:end] in retyped for end in range(len(location))):
            working.apply([correction for finding in new for correction in finding.corrections])
    return findings


def _inner_first(location: Location) -> tuple[str, int]:
    """Return a sort key: a location follows those inside it, since its correction includes theirs."""
    # "^" sorts after "." and "[".
    return f"{describe_location(location)}^", -len(location)


def _total(location: Location, by_operation: Iterable[Observations]) -> Observation:
    total = Observation()
    for observations in by_operation:
        if location in observations:
            total.merge(observations[location])
    return total


def _findings_at(
    location: Location,
    by_operation: Mapping[str, Observation],
    total: Observation,
    document: Document,
    working: WorkingDocument,
) -> Iterator[Finding]:
    writer = CorrectionWriter(working)
    of_fields: list[Correction] = []
    for name, shape in sorted(total.extra_fields.items()):
        evidence = [
            Evidence(operation, {describe_shape(own): own.count}, observation.checked)
            for operation, observation in by_operation.items()
            if (own := observation.extra_fields.get(name)) is not None
        ]
        of_fields.append(writer.extra_field(location, name, shape, total.checked))
        field = (*location, "properties", name)
        yield _finding(field, "nothing", describe_shape(shape), evidence, of_fields[-1:])
    if total.unnamed_fields:
        evidence = [
            Evidence(operation, {"other field": observation.unnamed_fields}, observation.checked)
            for operation, observation in by_operation.items()
            if observation.unnamed_fields
        ]
        of_fields.append(writer.other_fields(location))
        yield _finding(location, "no other fields", "other fields", evidence, of_fields[-1:])
    kinds = _correctable(location, total)
    if kinds:
        # The type of the whole object is corrected on top of its fields.
        working.apply(of_fields)
        evidence = [
            Evidence(operation, describe_mismatches(observation), observation.checked)
            for operation, observation in by_operation.items()
            if observation.mismatches
        ]
        declared = describe_schema(schema_at(document, location))
        observed = ", ".join(sorted(describe_mismatches(total)))
        yield _finding(location, declared, observed, evidence, list(writer.mismatches(location, kinds, total)))


def _correctable(location: Location, total: Observation) -> list[str]:
    """Return the kinds of mismatch to correct: undeclared items only if they are all of one plain type."""
    types = set(total.shape.types) - {"null"}
    is_plain = bool(types) and (
        types <= {"integer", "number"} or (len(types) == 1 and types.isdisjoint({"array", "object"}))
    )
    return [kind for kind in total.mismatches if kind != "undeclared" or location[-1] != "items" or is_plain]


def _finding(
    location: Location,
    declared: str,
    observed: str,
    evidence: Sequence[Evidence],
    corrections: Sequence[Correction],
) -> Finding:
    field = describe_location(location)
    counts = "; ".join(f"{describe_counts(item.observed, item.rows)} ({item.operation})" for item in evidence)
    description = f"{field}: declared {declared}; found {counts}."
    described = tuple(replace(correction, description=description) for correction in corrections)
    return Finding(field, declared, observed, tuple(evidence), described)
