"""Examples of the actions of an endpoint, which run one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from alyx_generator.model.docs import Docs
from alyx_generator.model.ir import Endpoint, EndpointAction, Lookup, Model, ModelField
from alyx_generator.model.naming import attribute_names
from alyx_generator.render.methods import takes_changes
from alyx_generator.render.reference.values import field_example, filter_example, variable_name

__all__ = ["examples"]

_TELLING = ("subject", "lab", "nickname", "dataset_type", "project")
# Fields that may be changed without touching what else refers to the record.
_HARMLESS = ("description", "narrative", "text", "json", "priority", "depth", "version")


def examples(endpoint: Endpoint, models: Mapping[str, Model], docs: Docs) -> dict[str, str]:
    """Return an example of each action, as code that follows those before it.

    Parameters
    ----------
    endpoint
        The endpoint.
    models
        All models, by name.
    docs
        Descriptions and values.
    """
    writer = _Examples(endpoint, models, docs)
    return {
        action.name: docs.example(endpoint.name, action.name).strip() or writer.write(action)
        for action in endpoint.actions
    }


class _Examples:
    def __init__(self, endpoint: Endpoint, models: Mapping[str, Model], docs: Docs) -> None:
        self.endpoint = endpoint
        self.models = models
        self.docs = docs
        self.record = variable_name(endpoint.noun.singular)
        self.has_list = any(action.name == "list" and action.paged for action in endpoint.actions)

    def write(self, action: EndpointAction) -> str:
        """Return the example of an action."""
        if action.paged:
            rows = variable_name(self.endpoint.noun.plural)
            shown = [*self._required(action), *self._telling(action), "max_items=10"]
            return f"{rows} = {self._call(action, [*self._parents(action), *shown])}"
        arguments = [*self._parents(action), *self._key(action), *self._body(action), *self._required(action)]
        call = self._call(action, arguments)
        listed = action.name == "read" and self._is_listed(action.lookup)
        first = f"{self.record} = client.{self.endpoint.name}.list(max_items=1)[0]\n" if listed else ""
        returns = action.response.kind == "record" and action.name in ("create", "read")
        return f"{first}{self.record} = {call}" if returns else f"{first}{call}"

    def _call(self, action: EndpointAction, arguments: Iterable[str]) -> str:
        return f"client.{self.endpoint.name}.{action.name}({', '.join(arguments)})"

    def _parents(self, action: EndpointAction) -> Iterator[str]:
        for key in action.parents:
            yield repr(self._key_value(key))

    def _key(self, action: EndpointAction) -> Iterator[str]:
        key = action.lookup
        if key is None or key.optional:
            return
        # Records are taken in place of their keys.
        is_record = key.own and (self._is_listed(key) or action.name != "read")
        yield self.record if is_record else repr(self._key_value(key))

    def _is_listed(self, key: Lookup | None) -> bool:
        """Return whether an example first lists a record to read; names that readers know are written."""
        if key is None or not key.own or not self.has_list:
            return False
        return self.docs.example_value(self.endpoint.name, key.name) is None

    def _key_value(self, key: Lookup) -> object:
        stated = self.docs.example_value(self.endpoint.name, key.name, key.reference)
        generic = {"integer": 1, "uuid": "13e51bc5-56d4-5adc-b8c6-acdfe5797ab3"}.get(key.kind, "example")
        return generic if stated is None else stated

    def _required(self, action: EndpointAction) -> Iterator[str]:
        for one in action.filters:
            if one.required:
                yield filter_example(one, self.endpoint.name, self.docs, None)

    def _telling(self, action: EndpointAction) -> Iterator[str]:
        """Yield a filter that readers use first, if its value is known."""
        by_name = {one.name: one for one in action.filters if not one.required}
        known = (by_name[name] for name in _TELLING if name in by_name)
        for one in known:
            if self.docs.example_value(self.endpoint.name, one.name, one.reference) is not None:
                yield filter_example(one, self.endpoint.name, self.docs, None)
                return

    def _body(self, action: EndpointAction) -> Iterator[str]:
        if not action.body:
            return
        model = self.models[action.body]
        if takes_changes(action):
            yield from (self._field(field, model) for field in self._changed(model, action))
            return
        # A record keeps its key: what refers to it would lose it.
        key = action.lookup.name if action.lookup and action.name == "update" else ""
        fields = [
            f"{attribute_names(model)[field.name]}={self.record}.{key}"
            if field.name == key
            else self._field(field, model)
            for field in self._sent(model)
        ]
        record = f"models.{model.name}({', '.join(fields)})"
        yield record if action.single else f"[{record}]"

    def _sent(self, model: Model) -> Sequence[ModelField]:
        """Return the required fields of a model, and those that have a value of the endpoint's own."""
        name = self.endpoint.name
        fields = [one for one in model.fields if one.required or self.docs.has_new_value(name, one.name)]
        return fields or model.fields[:1]

    def _changed(self, model: Model, action: EndpointAction) -> Iterator[ModelField]:
        by_name = {field.name: field for field in model.fields}
        for name in _HARMLESS:
            if name in by_name:
                yield by_name[name]
                return
        key = action.lookup.name if action.lookup else ""
        plain = [field for field in model.fields if field.name != key and not field.reference]
        yield (plain or list(model.fields))[0]

    def _field(self, field: ModelField, model: Model) -> str:
        return f"{attribute_names(model)[field.name]}={field_example(field, self.endpoint.name, self.docs)}"
