"""What a generated client states about its server, and the calls by name that are made from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from alyx_client.config import Settings
from alyx_client.runtime.closed_sets import ClosedSets

if TYPE_CHECKING:
    from alyx_client.rest.calls import RestCalls

__all__ = ["ServerFacts"]


class ServerFacts:
    """The facts about the server; a part of the client, whose generated subclasses set them."""

    # The package that holds the surface of the schema that the client was generated from.
    _surface: ClassVar[str | None] = None
    # The fields that the server loses when a PATCH leaves them out, by endpoint; they are sent along.
    _preserved_fields: ClassVar[Mapping[str, Sequence[str]]] = {}
    # The lists that are sent as one text, joined by commas, by endpoint.
    _joined_fields: ClassVar[Mapping[str, Sequence[str]]] = {}
    # The values that filters, fields and lookups can have.
    _closed_sets: ClassVar[ClosedSets] = ClosedSets()
    # The fields that tell the rows of a list apart, by its path.
    _row_keys: ClassVar[Mapping[str, Sequence[str]]] = {}
    # Whether date-times may have a time zone; Alyx would shift them.
    _zones: ClassVar[bool] = False
    # The most rows of a list that the server sends at once.
    _longest_page: ClassVar[int | None] = None
    # The model of each list's rows, by endpoint.
    _models: ClassVar[Mapping[str, str]] = {}

    _settings: Settings
    _strict_filters: bool

    @cached_property
    def _calls(self) -> RestCalls:
        # Typed calls do without; importing it takes as long as an endpoint.
        from alyx_client.rest.calls import RestCalls

        return RestCalls(
            self._settings.base_url,
            strict_filters=self._strict_filters,
            preserved_fields=self._preserved_fields,
            joined_fields=self._joined_fields,
            closed_sets=self._closed_sets,
            row_keys=self._row_keys,
            package=self._surface,
            zones=self._zones,
            parallel_pages=int(self._settings.limits.parallel_pages),
            longest_page=self._longest_page,
            models=self._models,
        )
