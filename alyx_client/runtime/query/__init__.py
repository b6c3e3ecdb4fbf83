"""Typed conditions for lists: the fields of a server's models, and what is compared with them.

`Fields` and the classes of single fields are named in generated code, where one class per model declares its fields as
annotations. Comparing a field makes a `Condition`, which ``list(where=...)`` sends as Django lookups. The server's
mini-language knows conjunctions and the exclusion of single comparisons; whatever else Python can write is refused.
"""

from __future__ import annotations

from alyx_client.runtime.query.condition import Condition
from alyx_client.runtime.query.dates import DateField, DateTimeField, DurationField, TimeField
from alyx_client.runtime.query.fields import (
    ArrayField,
    BooleanField,
    ChoiceField,
    Field,
    FloatField,
    IntegerField,
    OtherField,
    TextField,
    UUIDField,
)
from alyx_client.runtime.query.json import JSONField, JSONValue
from alyx_client.runtime.query.models import Fields

__all__ = [
    "ArrayField",
    "BooleanField",
    "ChoiceField",
    "Condition",
    "DateField",
    "DateTimeField",
    "DurationField",
    "Field",
    "Fields",
    "FloatField",
    "IntegerField",
    "JSONField",
    "JSONValue",
    "OtherField",
    "TextField",
    "TimeField",
    "UUIDField",
]
