"""Source of the references between records: annotations, and the values that the runtime reads."""

from __future__ import annotations

import re

from alyx_client.runtime.references import Origin, Reference


def record_of(endpoint: str) -> str:
    """Return the annotation of a record of an endpoint; of any endpoint if the name is empty."""
    return f"RecordOf[Literal[{endpoint!r}]]" if endpoint else "RecordOf[Any]"


def taking_records(annotation: str, endpoint: str) -> str:
    """Return the annotation of a field of a body that takes records in place of keys.

    Parameters
    ----------
    annotation
        The annotation without records: ``str``, ``UUIDInput | None``, ``list[str]``.
    endpoint
        The endpoint of the records.
    """
    owner = f"Literal[{endpoint!r}]" if endpoint else "Any"
    if match := re.search(r"list\[([^\[\]]*)\]", annotation):
        return annotation.replace(match[0], f"RecordsOr[{match[1]}, {owner}]", 1)
    return re.sub(r"\b(str|int|UUIDInput)\b", rf"RecordOr[\1, {owner}]", annotation, count=1)


def filter_taking_records(annotation: str, endpoint: str) -> str:
    """Return the annotation of a filter that takes records in place of keys; the parameters are those of a field."""
    single, sequence, _ = annotation.partition(" | Sequence[")
    one = f"{single} | {record_of(endpoint)}"
    return f"{one} | Sequence[{one}]" if sequence else one


def origin_source(origin: Origin) -> str:
    """Return the expression for an origin."""
    arguments = [repr(origin.endpoint), repr(origin.key)]
    if origin.only_read:
        arguments.append(f"only_read={origin.only_read!r}")
    if origin.can_change:
        arguments.append("can_change=True")
    return f"Origin({', '.join(arguments)})"


def reference_source(reference: Reference) -> str:
    """Return the expression for a reference."""
    return f"Reference({reference.endpoint!r}, {reference.field!r})"
