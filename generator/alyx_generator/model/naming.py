"""Python names for a server's paths, components and fields."""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Collection, Iterable
from functools import cache

from alyx_client.client import AsyncBaseClient, BaseClient
from alyx_client.runtime.models import Resource
from alyx_client.runtime.records import Record
from alyx_client.schema.naming import class_name as class_name
from alyx_client.schema.naming import parameter_name as parameter_name
from alyx_client.schema.naming import plain_text
from alyx_client.schema.naming import resource_name as resource_name
from alyx_client.schema.naming import snake_case as snake_case
from alyx_generator.model.ir import Model

TIMEOUT = "timeout"
"""The keyword of every method for its time limit; a filter, a file, a key or a field of that name gives way."""

_LONGEST = 80  # characters of a module's name; most file systems allow 255 bytes
# `cached_property` would shadow the decorator in the client's class, and `getattr` the function in the package, whose
# attributes its modules become.
_RESERVED_MODULES = frozenset({"client", "models", "query_fields", "readme", "cached_property", "getattr"})
# Windows reserves these names, whatever the extension.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
# The names that generated modules import or define.
# fmt: off
_IMPORTED_CLASSES = frozenset({
    "Action", "AlyxClient", "Annotated", "Any", "AsyncAlyxClient", "AsyncBaseClient", "AsyncClient",
    "AsyncEndpoint", "AsyncJsonFields", "AsyncResults", "AttributeError", "BaseClient", "BaseModel", "BulkResults",
    "ByKey", "ClassVar", "Client", "ClosedSet", "ClosedSets", "Column", "Condition", "DateInput", "DateRange",
    "DateTimeInput", "DjangoFilter", "Endpoint", "Executor", "Field", "Iterable", "JsonFields", "ListAction",
    "Literal", "Mapping", "NotRequired", "Origin", "PageParser", "Record", "RecordOf", "RecordOr", "RecordsOr",
    "Reference", "Resource", "ResponseParser", "Results", "Sequence", "TYPE_CHECKING", "TypedDict", "UNSET", "UUID",
    "UUIDInput", "Unpack", "Upload", "WithIdInUrl",
})
# fmt: on
_ANNOTATIONS = frozenset({"str", "int", "float", "bool", "bytes", "list", "dict", "builtins", "Any", "UUID", "None"})
# Methods of records alone; in what is sent, these are names like any other.
_RECORD_METHODS = frozenset({"get", "items", "keys", "values"})
_DATES = frozenset({"date", "datetime"})
_DECORATORS = frozenset({"completes", "overload", "known_filters"})


def module_name(path: str, taken: Collection[str] = ()) -> str:
    """Return the endpoint's name on the client, which is its module's name too.

    Parameters
    ----------
    path
        The endpoint's path.
    taken
        Names of other endpoints. Names that Python or the client itself uses are avoided, too.
    """
    name = snake_case(path)[:_LONGEST].strip("_")
    if name[0].isdigit():
        name = f"endpoint_{name}"
    reserved = keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _RESERVED_MODULES | _DEVICES
    if reserved or name in client_attributes():
        name += "_"
    return unique(name, taken)


@cache
def client_attributes() -> frozenset[str]:
    """Return the client's own attributes, whose names no endpoint can have."""
    names: set[str] = set()
    for client in (BaseClient, AsyncBaseClient):
        names.update(dir(client))
        for base in client.__mro__:
            names.update(inspect.get_annotations(base))
    return frozenset(names)


def method_name(words: Iterable[str]) -> str:
    """Return the name of the method for an action on a record: ``/sessions/{id}/lock`` is ``lock``."""
    name = snake_case("/".join(words))
    if name[0].isdigit():
        name = f"action_{name}"
    # A method shadows a type or a decorator of the same name in the rest of its class.
    return f"{name}_" if keyword.iskeyword(name) or name in _ANNOTATIONS | _DATES | _DECORATORS else name


def model_name(name: str) -> str:
    """Return a class name that shadows none of those that a generated module imports."""
    return f"{name}Model" if name in _IMPORTED_CLASSES else name


def endpoint_class_name(endpoint: str, taken: Collection[str]) -> str:
    """Return the name of an endpoint's class.

    Parameters
    ----------
    endpoint
        The endpoint's name on the client.
    taken
        Names of models, and of other endpoints' classes.
    """
    name = class_name(endpoint)
    # Some endpoints are named in the singular, as their model is.
    while {name, f"Async{name}"} & ({*taken} | _IMPORTED_CLASSES):
        name += "Endpoint"
    return name


def changes_name(model: str) -> str:
    """Return the name of the ``TypedDict`` for ``partial_update``: ``Subject`` gives ``SubjectChanges``."""
    return f"{model.removesuffix('Update') or model}Changes"


def argument_name(model: str) -> str:
    """Return the name of a method's parameter for a model: ``ProbeInsertion`` gives ``probe_insertion``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", model)
    return parameter_name(words.lower())


def attribute_names(model: Model) -> dict[str, str]:
    """Return the attribute of each field of a model, by the server's name.

    ``json`` is available only to a field that holds any JSON, since pydantic has a method of that name. No attribute is
    named like a model that the fields refer to, which it would shadow.
    """
    reserved = set(re.findall(r"#/\$defs/(\w+)", repr([field.schema for field in model.fields])))
    if any(field.name == "json" and field.schema for field in model.fields):
        reserved.add("json")
    # The fields to change are keywords of `partial_update`, beside its own.
    if model.kind == "request":
        reserved.add(TIMEOUT)
    else:
        reserved |= _RECORD_METHODS
    return field_names((field.name for field in model.fields), reserved)


def upload_names(uploads: Iterable[str], keys: Iterable[str]) -> dict[str, str]:
    """Return the keyword for each file that a method sends, by the server's name.

    Parameters
    ----------
    uploads
        The server's names.
    keys
        The method's parameters for the keys in its path.
    """
    names: dict[str, str] = {}
    for name in uploads:
        names[name] = unique(parameter_name(name), {"self", "changes", TIMEOUT, *keys, *names.values()})
    return names


def field_names(names: Iterable[str], reserved: Collection[str] = ()) -> dict[str, str]:
    """Return the attribute of each field of a model, by the server's name.

    Parameters
    ----------
    names
        The server's names; those that Python or pydantic reserve get an underscore.
    reserved
        Further names that no attribute can have.
    """
    ordered = sorted(names)
    fields = {name: name for name in ordered if _is_plain(name) and name not in reserved}
    taken = {*fields.values(), *reserved}
    for name in ordered:
        if name not in fields:
            fields[name] = unique(_field_name(name), taken)
            taken.add(fields[name])
    return fields


def unique(name: str, taken: Collection[str]) -> str:
    """Return the name, with underscores appended while it is taken."""
    while name in taken:
        name += "_"
    return name


def _is_plain(name: str) -> bool:
    return bool(re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]*", name)) and not _is_reserved_field(name)


def _is_reserved_field(name: str) -> bool:
    return keyword.iskeyword(name) or name in _model_attributes() | _ANNOTATIONS | _IMPORTED_CLASSES


@cache
def _model_attributes() -> frozenset[str]:
    # `json` is a deprecated method of pydantic and the name of a field of Alyx; the field wins.
    # Not `dir`, which leaves out what completion is not to offer.
    names = (name for model in (Record, Resource) for name in type.__dir__(model))
    return frozenset({*names} - {"json"} - _RECORD_METHODS)


def _field_name(name: str) -> str:
    text = re.sub(r"\W+", "_", plain_text(name)).strip("_") or "field"
    if text[0].isdigit():
        text = f"field_{text}"
    return f"{text}_" if _is_reserved_field(text) else text
