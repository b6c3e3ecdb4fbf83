"""Django's refusals of a query, read for what they say about a model or a field."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

NO_FIELD = "no_such_field"
"""A name that no model has as a field."""

NO_LOOKUP = "no_such_lookup"
"""A name that no field has as a lookup."""

ReplyKind = Literal["choices", "accepted", "lookup", "unusable", "other"]

_CHOICES = re.compile(r"Cannot resolve keyword '([^']*)' into field\. Choices are: ([\w, ]*)")
_LOOKUP = re.compile(r"Unsupported lookup '([^']*)' for (\w+) or join on the field not permitted")
# Of a relation to any record, by its type and its key.
_UNUSABLE = re.compile(r"Field '([^']*)' does not generate an automatic reverse relation")


@dataclass(frozen=True)
class Reply:
    """A server's reply to a condition that is followed by an unknown field.

    Parameters
    ----------
    kind
        ``accepted`` if the condition is valid; ``lookup`` if a field lacks the lookup; ``unusable`` if no condition can
        be on the field; ``choices`` if the model lacks the field; ``other`` if the reply says none of that.
    name
        The lookup that the field lacks, or the field that the model lacks; for ``other``, the reason.
    field_class
        The class of the field that lacks the lookup.
    choices
        The fields of the model behind the list; in replies about their absence only.
    """

    kind: ReplyKind
    name: str = ""
    field_class: str = ""
    choices: tuple[str, ...] = ()


def parse_reply(detail: str) -> Reply:
    """Return a reply for the reason that a server gives for an error.

    Parameters
    ----------
    detail
        The reason: Django's message, or in debug mode a traceback that ends in it.
    """
    if match := _CHOICES.search(detail):
        choices = tuple(sorted({name.strip() for name in match[2].split(",")} - {""}))
        return Reply("accepted" if match[1] == NO_FIELD else "choices", match[1], choices=choices)
    if match := _LOOKUP.search(detail):
        return Reply("lookup", match[1], match[2])
    if match := _UNUSABLE.search(detail):
        return Reply("unusable", match[1])
    return Reply("other")
