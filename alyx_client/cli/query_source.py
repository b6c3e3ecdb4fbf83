"""Fields of ``--where`` by the source of a generated package, for completion."""

from __future__ import annotations

import re
from collections.abc import Mapping

from alyx_client.cli.endpoint_source import EndpointSource, Parameter

__all__ = ["query_fields"]


def query_fields(endpoint: EndpointSource, path: str) -> Mapping[str, str]:
    """Return the names of the fields that a condition can compare, with their descriptions.

    Parameters
    ----------
    endpoint
        The endpoint.
    path
        The relations that lead to the record, with dots between them: ``"subject.lab"``; empty for the endpoint's own.
    """
    sibling = endpoint.query_class
    if sibling is None:
        return {}
    module, name = sibling
    file = endpoint.file.parent / f"{module}.py"
    source = EndpointSource(endpoint.name, name, file, "")
    fields: Mapping[str, Parameter] = source.columns_of(name)
    for relation in filter(None, path.split(".")):
        match = re.match(r"\w+", fields[relation].annotation) if relation in fields else None
        if match is None or not source.has_class(match[0]):
            return {}
        fields = source.columns_of(match[0])
    return {name: one.description.split("``")[0].strip(" :") for name, one in fields.items()}
