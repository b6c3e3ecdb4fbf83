"""Django's documented lookups by class of field, and a check that a server accepts them.

From "QuerySet API reference: Field lookups" (docs.djangoproject.com/en/5.2/ref/models/querysets/#field-lookups),
"Making queries: Querying JSONField" (…/topics/db/queries/#querying-jsonfield) and "PostgreSQL specific model fields:
Querying ArrayField" (…/ref/contrib/postgres/fields/#querying-arrayfield).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from alyx_generator.probe.query.fields import StudiedModel, is_relation
from alyx_generator.probe.query.inquiry import Inquiry
from alyx_generator.source.query_model import QueryField

_ORDER = ("exact", "in", "gt", "gte", "lt", "lte", "range", "isnull")
_TEXT = ("iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "regex", "iregex")
_DAY = ("year", "iso_year", "month", "day", "week", "week_day", "iso_week_day", "quarter")
_CLOCK = ("hour", "minute", "second")

LOOKUPS: Mapping[str, tuple[str, ...]] = {
    "text": (*_ORDER, *_TEXT),
    "number": _ORDER,
    "boolean": ("exact", "in", "isnull"),
    "uuid": ("exact", "in", "isnull"),
    "date": (*_ORDER, *_DAY),
    "time": (*_ORDER, *_CLOCK),
    "datetime": (*_ORDER, "date", "time", *_DAY, *_CLOCK),
    "json": ("isnull", "contains", "contained_by", "has_key", "has_keys", "has_any_keys"),
    "array": ("exact", "isnull", "contains", "contained_by", "overlap", "len"),
    "relation": ("exact", "in", "isnull"),
}
"""The documented lookups of each kind of field."""

_KINDS = {
    "datetime": ("DateTimeField",),
    "date": ("DateField",),
    "time": ("TimeField",),
    "number": ("IntegerField", "AutoField", "FloatField", "DecimalField"),
    "boolean": ("BooleanField",),
    "uuid": ("UUIDField",),
    "json": ("JSONField",),
    "array": ("ArrayField",),
    "text": (
        "CharField",
        "TextField",
        "EmailField",
        "URLField",
        "SlugField",
        "CharNullField",
        "FileField",
        "ImageField",
    ),
}
# A day, the key of a record and so on: values that such a field has.
_VALUES = {
    "text": "'a'",
    "number": "1",
    "boolean": "True",
    "uuid": "'00000000-0000-0000-0000-000000000000'",
    "date": "'2020-01-01'",
    "time": "'10:00'",
    "datetime": "'2020-01-01'",
    "array": "[1]",
}
_LOOKUP_VALUES = {
    **dict.fromkeys((*_DAY, *_CLOCK, "len"), "1"),
    "date": "2020-01-01",
    "time": "10:00",
    "isnull": "True",
    "has_key": "a",
    **dict.fromkeys(("has_keys", "has_any_keys"), "['a']"),
}


def kind_of(django_class: str) -> str:
    """Return the kind of fields of a class; empty for a class that is not Django's own."""
    if is_relation(django_class):
        return "relation"
    return next((kind for kind, ends in _KINDS.items() if django_class.endswith(ends)), "")


def refused_lookups(inquiry: Inquiry, models: Iterable[StudiedModel]) -> dict[str, tuple[str, ...]]:
    """Check the documented lookups on one field of each class, and return those that the server refuses, by class.

    Parameters
    ----------
    inquiry
        Asks the server.
    models
        The models.
    """
    ordered = sorted(models, key=lambda model: (len(model.path), model.name))
    by_name = {model.name: model for model in ordered}
    refused: dict[str, tuple[str, ...]] = {}
    for model in ordered:
        for name, field in sorted(model.fields.items()):
            if field.django_class not in refused:
                value = _value(field, by_name)
                refused[field.django_class] = tuple(_refused(inquiry, model, name, kind_of(field.django_class), value))
    return {django_class: lookups for django_class, lookups in sorted(refused.items()) if lookups}


def _value(field: QueryField, models: Mapping[str, StudiedModel]) -> str:
    """Return a value that a field may have, as a Python literal; a relation has the keys of its model."""
    kind = kind_of(field.django_class)
    if kind == "relation":
        key = models[field.to].fields.get("id") if field.to in models else None
        kind = kind_of(key.django_class) if key else ""
    return _VALUES.get(kind, "1")


def _refused(inquiry: Inquiry, model: StudiedModel, name: str, kind: str, value: str) -> Iterable[str]:
    """Yield the lookups that a field refuses of those that are documented for its kind."""
    left = list(LOOKUPS.get(kind, ()))
    while left:
        conditions = (f"{'__'.join((*model.path, name, lookup))},{_text(lookup, value, kind)}" for lookup in left)
        reply = inquiry.conditions(model.endpoint, ",".join(conditions))
        if reply.kind == "accepted":
            return
        if reply.name not in left:
            # Refused for another reason than the lookup: nothing is known of any of them.
            return
        # Django stops at the first one.
        yield reply.name
        left = left[left.index(reply.name) + 1 :]


def _text(lookup: str, value: str, kind: str) -> str:
    """Return a value for a lookup, in the filter's language."""
    if lookup == "in":
        return f"[{value}]"
    if lookup == "range":
        return f"[{value},{value}]"
    if kind == "json" and lookup in ("contains", "contained_by"):
        return "a"
    return _LOOKUP_VALUES.get(lookup, value.strip("'"))
