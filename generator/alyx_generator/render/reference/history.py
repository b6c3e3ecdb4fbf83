"""The versions of Alyx that a part of a server's schema, or of its query model, is in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alyx_generator.model.ir import Api
from alyx_generator.source.query_model import QueryModel

OR_EARLIER = "≤\u00a0"
"""What stands before the oldest version that is known, with a space at which no line breaks."""

Part = tuple[str, ...]
"""An endpoint; with an action, a filter of it, or a field of a model."""


@dataclass(frozen=True)
class History:
    """What the known versions of Alyx have.

    Parameters
    ----------
    versions
        The parts of each version, the oldest version first.
    """

    versions: Mapping[str, frozenset[Part]]

    def since(self, part: Part) -> str:
        """Return the version since which Alyx has a part: ``≤`` of the oldest one; empty if the newest has none."""
        newest_first = [*self.versions][::-1]
        present = [name for name in newest_first if part in self.versions[name]]
        # A part that was gone in between is new since it came back.
        unbroken = [name for name, other in zip(newest_first, present, strict=False) if name == other]
        if not unbroken:
            return ""
        return f"{OR_EARLIER}{unbroken[-1]}" if len(unbroken) == len(newest_first) else unbroken[-1]

    def earliest(self, parts: Sequence[Part]) -> str:
        """Return the earliest version of several parts, as `since` does."""
        versions = ["", *[*self.versions][::-1]]
        return max((self.since(part) for part in parts), key=lambda one: versions.index(one.removeprefix(OR_EARLIER)))


def history(apis: Mapping[str, Api], query_models: Mapping[str, QueryModel]) -> tuple[History, History]:
    """Return what versions of Alyx have: in their schemas, and in their query models.

    Parameters
    ----------
    apis
        What the schema of each version describes.
    query_models
        The query model of each version.
    """
    return (
        History({version: frozenset(_parts(apis[version])) for version in sorted(apis, key=_numbers)}),
        History({version: frozenset(_fields(query_models[version])) for version in sorted(query_models, key=_numbers)}),
    )


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _parts(api: Api) -> Iterator[Part]:
    for endpoint in api.endpoints:
        yield (endpoint.name,)
        for action in endpoint.actions:
            yield (endpoint.name, "action", action.name)
            for one in action.filters:
                yield (endpoint.name, "filter", action.name, one.keyword)
        for model in endpoint.models:
            for field in model.fields:
                yield ("field", model.name, field.name)


def _fields(model: QueryModel) -> Iterator[Part]:
    for name, fields in model.models.items():
        yield (name,)
        for field in fields:
            yield (name, field)
