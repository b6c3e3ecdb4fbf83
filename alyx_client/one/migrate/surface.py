"""The endpoints, actions, filters and fields of a generated package: the only place that looks them up."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from importlib import import_module
from types import ModuleType, NoneType
from typing import Any, Unpack, cast, get_args, get_origin, get_type_hints

from alyx_client.client import BaseClient
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.one.migrate.kinds import NOTHING, Kind, kind_of
from alyx_client.runtime import Action, JsonFields, ListAction, Resource
from alyx_client.runtime.query import Condition
from alyx_client.schema.naming import parameter_name
from alyx_client.schema.routes import ACTIONS

__all__ = ["Body", "Endpoint", "Filter", "Operation", "Surface", "read_surface"]

OWN_PACKAGE = "alyx_client"
_Action = Action[Any] | ListAction[Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of a list, or a field of a record to send.

    Parameters
    ----------
    keyword
        Its name in Python.
    annotation
        The type of its values.
    style
        The style in which a filter is sent; empty for a field.
    required
        Whether a record to send must have it.
    """

    keyword: str
    annotation: object
    style: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """The fields that an action sends.

    Parameters
    ----------
    model
        The name of the resource's class; empty if the fields are keywords of the method.
    fields
        The fields, by the server's names.
    read_only
        The names of fields that the server's records have and that cannot be sent.
    takes_list
        Whether several records can be sent at once.
    """

    model: str
    fields: Mapping[str, Filter]
    read_only: frozenset[str]
    takes_list: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """An action of an endpoint.

    Parameters
    ----------
    result
        The kind of value that a call returns.
    filters
        The filters of a list, by the server's names.
    body
        The fields that are sent; None if there are none.
    key
        The type of the record's key; None if the action does not concern a single record.
    """

    result: Kind
    filters: Mapping[str, Filter]
    body: Body | None
    key: object | None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint.

    Parameters
    ----------
    name
        Its name in calls by name: ``"data-repository"``.
    attribute
        Its name on the client: ``"data_repository"``.
    operations
        Its actions.
    json_fields
        The JSON fields that have methods of their own.
    """

    name: str
    attribute: str
    operations: Mapping[str, Operation]
    json_fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class Surface:
    """The typed calls of a package.

    Parameters
    ----------
    models
        The module of the resources.
    endpoints
        The endpoints, by their names in calls by name.
    """

    models: str
    endpoints: Mapping[str, Endpoint]


@cache
def read_surface(package: str = OWN_PACKAGE) -> Surface:
    """Return the endpoints of a generated package.

    Parameters
    ----------
    package
        The package's name.

    Raises
    ------
    ImportError
        There is no such package, or it is not a generated one.
    """
    root = f"{OWN_PACKAGE}.endpoints" if package == OWN_PACKAGE else package
    client = _client_class(import_module(f"{root}.client"))
    endpoints: dict[str, Endpoint] = {}
    for attribute, value in vars(client).items():
        if isinstance(value, cached_property):
            hint: str = cast("Any", value).func.__annotations__["return"]
            endpoint = _read_endpoint(import_module(f"{root}.{attribute}"), attribute, hint)
            endpoints[endpoint.name] = endpoint
    return Surface(f"{package}.models", endpoints)


def _client_class(module: ModuleType) -> type[BaseClient]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, BaseClient) and value is not BaseClient:
            return value
    raise ImportError(f"{module.__name__} is not a module of a generated package: it has no client")


def _read_endpoint(module: ModuleType, attribute: str, class_name: str) -> Endpoint:
    endpoint = getattr(module, class_name)
    constants = cast("list[_Action]", [item for item in vars(module).values() if isinstance(item, Action | ListAction)])
    actions = {("list" if isinstance(value, ListAction) else value.name): value for value in constants}
    name = constants[0].path.strip("/").split("/")[0] if actions else attribute
    operations: dict[str, Operation] = {}
    for action in ACTIONS:
        method = getattr(endpoint, action, None)
        # Paths with several keys, or below a key, are not those of calls by name.
        if method is not None and action in actions and _is_plain(actions[action].path, name):
            operations[action] = _read_operation(actions[action], method)
    return Endpoint(name, attribute, operations, _json_fields(endpoint))


def _is_plain(path: str, name: str) -> bool:
    first, _, rest = path.strip("/").partition("/")
    return first == name and (not rest or (rest.startswith("{") and "/" not in rest))


def _read_operation(action: _Action, method: Any) -> Operation:
    # Generated modules import these for type checkers alone.
    hints = get_type_hints(method, localns={"Condition": Condition}, include_extras=True)
    annotation = hints.pop("return")
    result = NOTHING if annotation is NoneType else kind_of(annotation)
    if isinstance(action, ListAction):
        keywords = {name: parameter_name(name) for name in action.filters}
        filters = {
            name: Filter(keyword, hints[keyword], action.filters[name])
            for name, keyword in keywords.items()
            if keyword in hints
        }
        return Operation(result, filters, None, None)
    # The key is the first parameter.
    key = next(iter(hints.values())) if action.lookup is not None else None
    return Operation(result, {}, _read_body(action, hints, result), key)


def _read_body(action: Action[Any], hints: Mapping[str, object], result: Kind) -> Body | None:
    model = action.model
    if model is None:
        return None
    read_only = frozenset(result.fields) - _server_names(model)
    if action.name == "partial_update":
        # ``**changes: Unpack[SessionChanges]``
        (changes,) = (get_args(hint)[0] for hint in hints.values() if get_origin(hint) is Unpack)
        return Body("", _change_fields(model, changes), read_only)
    takes_list = any(get_origin(part) is not None for hint in hints.values() for part in _models_in(hint, model))
    return Body(model.__name__, _resource_fields(model), read_only, takes_list)


def _change_fields(model: type[Resource], changes: type) -> dict[str, Filter]:
    """Return the fields of a resource that can be changed, as keywords."""
    types = get_type_hints(changes, include_extras=True)
    names = {field.alias or name: name for name, field in model.model_fields.items()}
    return {name: Filter(keyword, types[keyword]) for name, keyword in names.items() if keyword in types}


def _resource_fields(model: type[Resource]) -> dict[str, Filter]:
    """Return the fields of a resource, as parameters of its class."""
    types = get_type_hints(model, include_extras=True)
    return {
        field.alias or name: Filter(name, types[name], required=field.is_required())
        for name, field in model.model_fields.items()
    }


def _models_in(hint: object, model: type[Resource]) -> list[object]:
    """Return the parts of a union that are a resource or a sequence of it."""
    parts = [hint, *get_args(hint)]
    return [part for part in parts if part is model or (get_origin(part) and get_args(part) == (model,))]


def _server_names(model: type[Resource]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items())


def _json_fields(endpoint: type) -> frozenset[str]:
    for base in getattr(endpoint, "__orig_bases__", ()):
        if get_origin(base) is JsonFields:
            return frozenset(get_args(get_args(base)[1]))
    return frozenset()
