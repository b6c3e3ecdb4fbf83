"""Reasons why a call by name is left as it is."""

from __future__ import annotations

from enum import Enum

__all__ = ["LeftError", "Reason"]


class Reason(Enum):
    """A reason why a call is left as it is."""

    NOT_LITERAL = "the endpoint or the action is not literal"
    NO_ACTION = "without an action, it prints what there is"
    PATH = "the endpoint is a path or has a query"
    OWN_CLASS = "it is a call of self, in a client class"
    AWAITED = "it is awaited"
    UNPACKED = "its arguments are unpacked with * or **"
    ENDPOINT = "there is no such endpoint"
    ACTION = "the endpoint has no such action"
    FILTER = "the endpoint has no such filter"
    FIELD = "the record has no such field"
    READ_ONLY = "the server ignores a field that is read-only"
    CHOICE = "the filter or the field has no such value"
    ARGUMENT = "the action takes no such argument"
    MISSING = "an argument or a field is missing"
    DATA = "the data is not written out as a dictionary"
    FILES = "it uploads files"
    CACHE_TIME = "expires= has no typed counterpart"
    PAGE = "offset= has no typed counterpart"
    NO_CACHE = "no_cache= is where no block can be put around it"
    VALUE = "a value has a type that typed calls refuse"
    COMMENT = "a comment would be lost"
    ESCAPES = "the result is passed on, so that not all of its uses can be seen"
    CHANGED = "the result is changed, and typed records cannot be"
    LIST_ONLY = "the result is used as only a list can be"
    DIFFERS = "a field that is used has another type in typed records"
    FIELD_NAME = "a field of the result has a name that is not literal"

    @property
    def is_mistake(self) -> bool:
        """Whether the call does not do what it says, whatever client it uses."""
        return self in _MISTAKES


_MISTAKES = frozenset({Reason.ENDPOINT, Reason.ACTION, Reason.FILTER, Reason.FIELD, Reason.CHOICE})


class LeftError(Exception):
    """A call that is left as it is.

    Parameters
    ----------
    reason
        The reason.
    detail
        The name, argument or use that it is about.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
