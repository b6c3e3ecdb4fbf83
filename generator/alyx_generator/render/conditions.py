"""Classes of fields for conditions, ready for the template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from alyx_generator.model.ir import ConditionField, ConditionModel
from alyx_generator.render.references import record_of

_KEYS = {"uuid": "UUID | str", "integer": "int", "text": "UUID | str | int"}


@dataclass(frozen=True)
class FieldSource:
    """A field, and the annotation that declares it."""

    name: str
    annotation: str
    description: str


@dataclass(frozen=True)
class FieldsSource:
    """The fields of a model, and the annotation of the keys that a relation to it is compared with."""

    name: str
    description: str
    endpoint: str
    key: str
    keys: str
    fields: tuple[FieldSource, ...]


def condition_classes(models: Iterable[ConditionModel]) -> Iterator[FieldsSource]:
    """Yield the classes for the fields of models.

    Parameters
    ----------
    models
        The models.
    """
    for model in models:
        key = _KEYS[model.key]
        yield FieldsSource(
            model.name,
            f"Fields of {model.noun.indefinite}.",
            model.endpoint,
            model.key,
            f"{key} | {record_of(model.endpoint)}" if model.endpoint else f"{key} | RecordOf[Any]",
            tuple(FieldSource(field.name, _annotation(field), field.description) for field in model.fields),
        )


def _annotation(field: ConditionField) -> str:
    if field.kind != "ChoiceField":
        return f"{field.kind}[M]"
    names = ", ".join(map(repr, field.values))
    # Numbers of the database are taken beside their names.
    return f"ChoiceField[M, Literal[{names}] | int]" if field.numbers else f"ChoiceField[M, Literal[{names}]]"
