"""Names: from a server's paths and components to Python's."""

from __future__ import annotations

import inspect
import keyword
import re
from collections.abc import Collection, Iterable
from functools import cache

from alyx_client.client import AsyncBaseClient, BaseClient
from alyx_client.runtime.models import Record, Resource
from alyx_client.schema.naming import class_name as class_name
from alyx_client.schema.naming import parameter_name as parameter_name
from alyx_client.schema.naming import plain_text
from alyx_client.schema.naming import resource_name as resource_name
from alyx_client.schema.naming import snake_case as snake_case
from alyx_generator.model.ir import Shape

_LONGEST = 80  # characters of a module's name; file systems take some 200
# Decorators, too: an attribute of that name would take their place in the class.
_RESERVED_MODULES = frozenset({"client", "models", "readme", "cached_property"})
# No file on Windows can be called so, whatever its extension.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
_IMPORTED_CLASSES = frozenset(
    {"Action", "Annotated", "Any", "AsyncEndpoint", "AsyncJsonFields", "AsyncResults", "AttributeError"}
    | {"BaseModel", "JsonFields"}
    | {"DateInput", "DateRange", "DateTimeInput", "DjangoFilter", "Endpoint", "Field", "ListAction", "Literal"}
    | {
        "Mapping",
        "PageParser",
        "Record",
        "Resource",
        "ResponseParser",
        "Results",
        "Sequence",
        "TypedDict",
        "UNSET",
        "UUID",
    }
    | {"UNSET", "UUID", "UUIDInput", "Unpack", "Upload", "WithIdInUrl", "NotRequired", "TYPE_CHECKING"}
    | {"AlyxClient", "AsyncAlyxClient", "AsyncBaseClient", "AsyncClient", "BaseClient", "Client"}
)
_ANNOTATIONS = frozenset({"str", "int", "float", "bool", "bytes", "list", "dict", "builtins", "Any", "UUID", "None"})
_DATES = frozenset({"date", "datetime"})
_DECORATORS = frozenset({"overload", "known_filters"})


def module_name(path: str, taken: Collection[str] = ()) -> str:
    """Return the endpoint's name on the client, which is its module's name too.

    Parameters
    ----------
    path
        The endpoint's path.
    taken
        Names of other endpoints; those of Python and of the client's own attributes are never given.
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
    """Return what a client has besides its endpoints, whose names no endpoint can have."""
    names: set[str] = set()
    for client in (BaseClient, AsyncBaseClient):
        names.update(dir(client))
        for base in client.__mro__:
            names.update(inspect.get_annotations(base))
    return frozenset(names)


def method_name(words: Iterable[str]) -> str:
    """Return the name of the method for what a path does to a record: ``/sessions/{id}/lock`` is ``lock``."""
    name = snake_case("/".join(words))
    if name[0].isdigit():
        name = f"action_{name}"
    # A method hides what has its name from the annotations and decorators of the others.
    return f"{name}_" if keyword.iskeyword(name) or name in _ANNOTATIONS | _DATES | _DECORATORS else name


def shape_name(name: str) -> str:
    """Return a class's name that hides none of those that a generated module imports."""
    return f"{name}Shape" if name in _IMPORTED_CLASSES else name


def endpoint_class_name(endpoint: str, taken: Collection[str]) -> str:
    """Return the name of an endpoint's class.

    Parameters
    ----------
    endpoint
        The endpoint's name on the client.
    taken
        Names of shapes, and of other endpoints' classes.
    """
    name = class_name(endpoint)
    # Some endpoints are named in the singular, as what they hold.
    while {name, f"Async{name}"} & ({*taken} | _IMPORTED_CLASSES):
        name += "Endpoint"
    return name


def changes_name(shape: str) -> str:
    """Return the name of a shape's keywords for ``partial_update``: ``Subject`` gives ``SubjectChanges``."""
    return f"{shape.removesuffix('Update') or shape}Changes"


def attribute_names(shape: Shape) -> dict[str, str]:
    """Return the attribute of each field of a shape, by the server's name.

    ``json`` is one only where anything may be in it, since pydantic has such a method; and no attribute is called as a
    shape that the fields are made of, which it would hide.
    """
    reserved = set(re.findall(r"#/\$defs/(\w+)", repr([each.schema for each in shape.fields])))
    if any(each.name == "json" and each.schema for each in shape.fields):
        reserved.add("json")
    return field_names((each.name for each in shape.fields), reserved)


def upload_names(uploads: Iterable[str], keys: Iterable[str]) -> dict[str, str]:
    """Return the keyword of each file that a method sends, by the server's name.

    Parameters
    ----------
    uploads
        The server's names.
    keys
        The method's parameters for the keys in its path.
    """
    names: dict[str, str] = {}
    for name in uploads:
        names[name] = unique(parameter_name(name), {"self", *keys, *names.values()})
    return names


def field_names(names: Iterable[str], reserved: Collection[str] = ()) -> dict[str, str]:
    """Return the attribute of each field of a shape, by the server's name.

    Parameters
    ----------
    names
        The server's names; those that Python or pydantic use for something else get an underscore.
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
    """Return the name, with underscores where it is taken."""
    while name in taken:
        name += "_"
    return name


def _is_plain(name: str) -> bool:
    return bool(re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_]*", name)) and not _is_reserved_field(name)


def _is_reserved_field(name: str) -> bool:
    return keyword.iskeyword(name) or name in _shape_attributes() | _ANNOTATIONS | _IMPORTED_CLASSES


@cache
def _shape_attributes() -> frozenset[str]:
    # pydantic's own old method `json` gives way: it is what Alyx calls a field.
    return frozenset({*dir(Record), *dir(Resource)} - {"json"})


def _field_name(name: str) -> str:
    text = re.sub(r"\W+", "_", plain_text(name)).strip("_") or "field"
    if text[0].isdigit():
        text = f"field_{text}"
    return f"{text}_" if _is_reserved_field(text) else text
