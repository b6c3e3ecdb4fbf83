"""The classes of a model's fields, from what the server says when they are asked for an unknown lookup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from alyx_generator.probe.query.inquiry import Inquiry
from alyx_generator.probe.query.replies import NO_LOOKUP, Reply
from alyx_generator.source.query_model import QueryField

# Typed conditions on these would serve nobody but a thief.
_CREDENTIALS = frozenset({"password", "auth_token"})
_TO_ONE = ("ForeignKey", "OneToOneField")
_RELATIONS = (*_TO_ONE, "ManyToManyField", "Rel", "Relation")


@dataclass
class StudiedModel:
    """A model, and what is known of it so far.

    Parameters
    ----------
    name
        Its name in the query model.
    endpoint
        The list by which it is asked.
    path
        The relations that lead to it from the model behind that list.
    fields
        Its fields by name.
    lacks
        Names that it does not have; None if it has no others than its fields.
    doubtful
        Whether some of its fields may be annotations of the list.
    """

    name: str
    endpoint: str
    path: tuple[str, ...] = ()
    fields: dict[str, QueryField] = field(default_factory=dict[str, QueryField])
    lacks: frozenset[str] | None = None
    doubtful: bool = False


def is_relation(django_class: str) -> bool:
    """Return whether a class is one of relations: ``ForeignKey``, ``ManyToOneRel``, ``TreeForeignKey``."""
    return django_class.endswith(_RELATIONS)


def is_reverse(django_class: str) -> bool:
    """Return whether a class is one of relations that another model declares."""
    return django_class.endswith(("Rel", "Relation"))


def listed_fields(inquiry: Inquiry, endpoint: str, names: Iterable[str]) -> Iterator[tuple[str, QueryField]]:
    """Yield the fields of the model behind a list.

    Parameters
    ----------
    inquiry
        Asks the server.
    endpoint
        The list.
    names
        The names of all fields, as the server gives them: those of keys are among them.
    """
    waiting = set(names) - _CREDENTIALS
    for name in sorted(waiting):
        key = f"{name}_id"
        # A foreign key is there by its name and by that of its column.
        if key in waiting:
            reply = inquiry.field_class(endpoint, (key,))
            if reply.kind == "lookup" and reply.field_class.endswith(_TO_ONE):
                waiting -= {name, key}
                yield name, QueryField(reply.field_class)
    for name in sorted(waiting):
        django_class = _class(inquiry.field_class(endpoint, (name,)))
        if django_class:
            # Of a many-to-many relation, Django names the foreign key in the table between the models.
            yield name, QueryField("ManyToManyField" if django_class.endswith("ForeignKey") else django_class)


def nested_fields(inquiry: Inquiry, model: StudiedModel, names: Iterable[str]) -> Iterator[tuple[str, QueryField]]:
    """Yield those fields of a model that it has, of some names.

    Parameters
    ----------
    inquiry
        Asks the server.
    model
        The model, which no list has.
    names
        The names.
    """
    classes = {name: _class(inquiry.field_class(model.endpoint, (*model.path, name))) for name in sorted(names)}
    foreign = [name for name, django_class in classes.items() if django_class.endswith("ForeignKey")]
    while foreign:
        # A foreign key is there by the name of its column too.
        missing = inquiry.first_missing(model.endpoint, model.path, [f"{name}_id" for name in foreign])
        if missing is None:
            break
        name = missing.removesuffix("_id")
        classes[name] = "ManyToManyField"
        foreign = foreign[foreign.index(name) + 1 :]
    yield from ((name, QueryField(django_class)) for name, django_class in classes.items() if django_class)


def _class(reply: Reply) -> str:
    """Return the class of the field that was asked for; empty if there is no such field, or if it has no lookups."""
    if reply.kind == "accepted":
        return "JSONField"
    # Of an unknown name, Django says that the relation before it lacks the lookup `name__no_such_lookup`.
    return reply.field_class if reply.kind == "lookup" and reply.name == NO_LOOKUP else ""
