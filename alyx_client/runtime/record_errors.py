"""Errors for fields that a record lacks, and for setting one."""

from __future__ import annotations

from collections.abc import Iterable

from alyx_client.errors import FrozenRecordError, ShortTraceback
from alyx_client.http.suggestions import did_you_mean, missing_attribute, nearest
from alyx_client.runtime.references import Origin, origin_of

__all__ = ["frozen_field", "missing_field", "missing_key", "only_read_hint"]


class _MissingFieldError(KeyError, ShortTraceback):
    """A field that a record lacks."""

    def __init__(self, name: object, hint: str = "") -> None:
        super().__init__(name)
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.args[0]!r}. {self.hint}" if self.hint else repr(self.args[0])


def missing_key(record: Iterable[object], name: object) -> KeyError:
    """Return the error for a key that a record lacks."""
    if name == "id" and hasattr(type(record), "id"):
        hint = "The server does not send it; the attribute 'id' reads it from the url."
    else:
        hint = _hint(record, name, map(str, record)) if isinstance(name, str) else ""
    return _MissingFieldError(name, hint)


def missing_field(record: object, name: str, names: Iterable[str]) -> AttributeError:
    """Return the error for an attribute that a record lacks.

    Parameters
    ----------
    record, name
        The record, and the attribute.
    names
        The attributes that it has.
    """
    return missing_attribute(record, name, _hint(record, name, names))


def _hint(record: object, name: str, names: Iterable[str]) -> str:
    """Return what to do about a field that a record lacks: take a name that is like it, or read the whole record."""
    origin = origin_of(record)
    only_read = origin.only_read if origin else ()
    similar = [name] if name in only_read else nearest(name, [*names, *only_read])
    question = "" if name in only_read else did_you_mean(similar)
    if origin is None or not similar or similar[0] not in only_read:
        return question
    read = f"client.{origin.endpoint}.read(record) has it; rows of a list do not."
    return f"{question} {read}".lstrip()


def only_read_hint(kind: object, name: object) -> str:
    """Return how a table gets a column that rows of a list lack; an empty text if ``read`` has none either.

    Parameters
    ----------
    kind
        The class of the rows.
    name
        The column.
    """
    origin: Origin | None = getattr(kind, "_origin", None)
    if origin is None or name not in origin.only_read:
        return ""
    return (
        f"client.{origin.endpoint}.read_many(rows) returns records that have it, and becomes a table, too; rows of a "
        "list do not."
    )


def frozen_field(record: object, name: str) -> FrozenRecordError:
    """Return the error for a field that was set, which names the call that changes it on the server."""
    origin = origin_of(record)
    text = f"{type(record).__name__}.{name} cannot be set: records are frozen, since it would not change on the server."
    if origin is not None and origin.can_change:
        text += f" client.{origin.endpoint}.partial_update(record, {name}=...) does, and returns the changed record."
    return FrozenRecordError(text)
