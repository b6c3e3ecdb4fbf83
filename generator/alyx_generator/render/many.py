"""Methods for many records, ready for the templates: one for each action on one record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from alyx_generator.model.ir import Endpoint, EndpointAction, Lookup, Model
from alyx_generator.model.naming import changes_name
from alyx_generator.model.nouns import Noun
from alyx_generator.render.method_docs import sections
from alyx_generator.render.methods import Parameter, lookup_annotation, response_type, takes_changes

__all__ = ["ManyMethod", "build_many"]

_OPTIONS = {
    "max_workers": "int | None = None",
    "executor": "Executor | None = None",
    "on_error": 'Literal["raise", "return"] = "raise"',
    "silent": "bool | None = None",
    "timeout": "float | None = None",
}
_DOCUMENTED_OPTIONS = (
    ("max_workers", "How many requests are under way at a time; by default ``max_requests`` of the client."),
    ("executor", "A `concurrent.futures.Executor` that does the work: a pool of processes, or that of a cluster."),
    ("on_error", "``'raise'`` one error at the end; or ``'return'``: failures are in ``failures`` of the result only."),
    ("silent, timeout", "Show no progress; and the time limit for each record, in seconds. By default as the client."),
)
_ERRORS = (
    ("BulkError", "Some failed; ``results`` has the others, and ``failures.inputs`` is what to try again."),
    ("InvalidKeyError, InvalidFieldError", "An item of the input is wrong; nothing was sent."),
)


@dataclass(frozen=True)
class ManyMethod:
    """One method for many records of an endpoint class, ready to be written.

    `returns` is the type of one record of the result.
    """

    name: str
    parameter: Parameter
    options: Mapping[str, str]
    returns: str
    call: str
    doc: str


def build_many(endpoint: Endpoint, models: Mapping[str, Model]) -> list[ManyMethod]:
    """Return the methods for many records of an endpoint.

    Parameters
    ----------
    endpoint
        The endpoint.
    models
        All models, by name.
    """
    names = {action.name for action in endpoint.actions}
    return [
        _many_method(action, parameter, endpoint, models)
        for action in endpoint.actions
        if f"{action.name}_many" not in names
        # Keys of several levels, and required query parameters, would have to be passed for each record.
        and not action.parents
        and not any(one.required for one in action.filters)
        for parameter in _parameter(action, endpoint.noun)
    ]


def _parameter(action: EndpointAction, noun: Noun) -> Iterator[Parameter]:
    """Yield the parameter for the records, if an action is one on a record."""
    key = lookup_annotation(action.lookup) if action.lookup and not action.lookup.optional else ""
    body = " | ".join(action.bodies) if action.bodies and action.single else ""
    if action.name == "create" and body and not action.lookup:
        yield Parameter("items", f"Iterable[{body}]", f"The {noun.plural} to create.")
    elif action.name in ("read", "delete") and key:
        yield Parameter("keys", f"Iterable[{key}]", f"Keys or URLs of the {noun.plural}, or the records themselves.")
    elif action.name == "update" and key and body:
        annotation = f"ByKey[{key}, {body}]"
        yield Parameter("items", annotation, f"The new contents of the {noun.plural} by key; or pairs of these.")
    elif action.name == "partial_update" and key and takes_changes(action):
        changes = changes_name(action.body)
        annotation = f"ByKey[{key}, {changes}]"
        doc = "Fields to change by key, as dictionaries of the keywords of `partial_update`; or pairs of these."
        yield Parameter("items", annotation, doc)


def _many_method(
    action: EndpointAction, parameter: Parameter, endpoint: Endpoint, models: Mapping[str, Model]
) -> ManyMethod:
    returns = response_type(action)
    arguments = [f"_{action.name.upper()}", parameter.name]
    if action.name == "read" and _rows_are_records(action, endpoint, models):
        arguments.append("rows=_LIST")
    if action.name == "partial_update" and action.preserved_fields:
        arguments.append("current=_READ")
    if action.name == "create" and action.many and action.encoding == "json":
        arguments.append("batches=True")
    arguments += [f"{option}={option}" for option in _OPTIONS]
    return ManyMethod(
        f"{action.name}_many",
        parameter,
        _OPTIONS,
        returns,
        f"self._many({', '.join(arguments)})",
        _doc(action, parameter, returns, endpoint.noun, in_batches="batches=True" in arguments),
    )


def _rows_are_records(read: EndpointAction, endpoint: Endpoint, models: Mapping[str, Model]) -> bool:
    """Return whether the endpoint's list can be asked for records by their keys, and its rows are those records."""
    rows = next((action for action in endpoint.actions if action.name == "list" and action.paged), None)
    model = models.get(read.response.annotation)
    if rows is None or model is None or read.lookup is None or read.response.kind != "record":
        return False
    is_record = rows.response.annotation == read.response.annotation
    return is_record and _can_ask_for_keys(rows) and _has_key_in_rows(read, read.lookup, model)


def _can_ask_for_keys(rows: EndpointAction) -> bool:
    styles = {one.style for one in rows.filters}
    return {"id", "django"} <= styles and not rows.parents and not any(one.required for one in rows.filters)


def _has_key_in_rows(read: EndpointAction, key: Lookup, model: Model) -> bool:
    is_field = key.name in {field.name for field in model.fields} or (key.name == "id" and model.id_in_url)
    is_lookup = key.kind == "text" or (key.kind != "path" and key.name in ("id", "pk"))
    return is_field and is_lookup and read.path.rstrip("/").endswith("}")


def _doc(action: EndpointAction, parameter: Parameter, returns: str, noun: Noun, *, in_batches: bool) -> str:
    verb = {"read": "Retrieve", "create": "Create", "update": "Replace", "delete": "Delete"}.get(action.name)
    summary = f"{verb or 'Change fields of'} many {noun.plural}, several at a time."
    text = "They are sent in lists; if the server fails on one of these, all of its records are uncertain."
    result = f"The {noun.plural}, in the order of the input."
    result = "None for each record that was deleted." if returns == "None" else result
    sections_of = (
        ("Parameters", [(parameter.name, parameter.doc), *_DOCUMENTED_OPTIONS]),
        ("Returns", [(f"BulkResults[{returns}]", result)]),
        ("Raises", _ERRORS),
    )
    return "\n".join([summary, *(["", text] if in_batches else []), *sections(sections_of)])
