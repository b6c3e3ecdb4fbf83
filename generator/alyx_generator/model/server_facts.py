"""Facts about a whole server that OpenAPI has no words for; overlays state them."""

from __future__ import annotations

from dataclasses import dataclass

from alyx_client.http.token_scheme import ALYX_TOKENS, TokenScheme
from alyx_client.schema.openapi import as_schema
from alyx_generator.source.openapi import Document


@dataclass(frozen=True)
class ServerFacts:
    """The facts about one server.

    Parameters
    ----------
    complete_responses
        Whether a response has every field that it declares, required or not.
    local_times
        Whether date-times are stored without a time zone, so that one with a zone would be shifted.
    default_page, largest_page
        Rows on a page of a list by default, and at most; None if unknown.
    django_filters
        Whether a filter called ``django`` takes lookups of Django.
    same_fields_in_patch
        Whether PATCH takes each field in the form that POST and PUT take, whatever its component declares.
    token_scheme
        The way in which the server takes tokens.
    """

    complete_responses: bool = False
    local_times: bool = False
    default_page: int | None = None
    largest_page: int | None = None
    django_filters: bool = False
    same_fields_in_patch: bool = False
    token_scheme: TokenScheme = ALYX_TOKENS


def read_facts(document: Document) -> ServerFacts:
    """Return the facts that a corrected document states.

    Parameters
    ----------
    document
        A document, in which overlays may have set ``x-server``.
    """
    stated = as_schema(document.get("x-server"))
    size = as_schema(stated.get("page-size"))
    return ServerFacts(
        complete_responses=stated.get("complete-responses") is True,
        local_times=stated.get("local-times") is True,
        default_page=_rows(size.get("default")),
        largest_page=_rows(size.get("maximum")),
        django_filters=stated.get("django-filters") is True,
        same_fields_in_patch=stated.get("same-fields-in-patch") is True,
    )


def _rows(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
