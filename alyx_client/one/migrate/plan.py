"""Plans the typed call for a call by name: its arguments are checked, and take the form that typed calls require."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType

import libcst as cst

from alyx_client.http.suggestions import suggest
from alyx_client.one.migrate.calls import ByNameCall
from alyx_client.one.migrate.context import Context
from alyx_client.one.migrate.data import fields_of, has_comments, records_of
from alyx_client.one.migrate.json_fields import plan_json_field_call
from alyx_client.one.migrate.literals import accepts, choices_of, text_of, type_of
from alyx_client.one.migrate.reasons import LeftError, Reason
from alyx_client.one.migrate.surface import Body, Filter, Operation
from alyx_client.one.migrate.typed import Form, Part, TypedCall
from alyx_client.one.migrate.variables import dictionary_of

__all__ = ["plan_call"]

_WRITES = frozenset({"create", "update", "partial_update", "delete"})


def plan_call(call: ByNameCall, context: Context) -> TypedCall:
    """Return the typed call that means the same as a call by name.

    Parameters
    ----------
    call
        The call by name.
    context
        Its surroundings.

    Raises
    ------
    LeftError
        No typed call is known to mean the same.
    """
    if call.action.startswith("json_field_"):
        typed = plan_json_field_call(call)
    elif call.action == "list":
        typed = _list_call(call)
    else:
        typed = _record_call(call, context)
    _check_comments(call.node, typed.parts)
    return typed


def _list_call(call: ByNameCall) -> TypedCall:
    operation = call.endpoint.operations["list"]
    for parameter in ("data", "files"):
        if parameter in call.arguments:
            raise LeftError(Reason.ARGUMENT, f"{call.endpoint.name}: list takes no {parameter}=")
    parts: list[Part] = []
    named = dict(call.filters)
    if "id" in call.arguments:
        # "rest('weighings', 'list', '?nickname=x')": text for the path, not a key.
        if not call.keyword("id"):
            raise LeftError(Reason.ARGUMENT, f"{call.endpoint.name}: list takes no positional argument")
        named["id"] = call.arguments["id"]
    for name, index in sorted(named.items(), key=lambda item: item[1]):
        parts.append(_filter_part(call, name, index, operation.filters))
    return TypedCall(call, tuple(parts), operation.result, no_cache=_no_cache(call))


def _filter_part(call: ByNameCall, name: str, index: int, filters: Mapping[str, Filter]) -> Part:
    value, endpoint = call.node.args[index].value, call.endpoint.name
    if name in ("timeout", "extra_params"):
        return Part(index, keyword=name)
    if name == "limit":
        if type_of(value) not in (None, int):
            raise LeftError(Reason.VALUE, f"{endpoint}: limit")
        return Part(index, keyword="page_size")
    if name in ("expires", "clobber"):
        raise LeftError(Reason.CACHE_TIME, f"{endpoint}: {name}")
    if name == "offset":
        raise LeftError(Reason.PAGE, f"{endpoint}: {name}")
    if name not in filters:
        hint = suggest(name, filters) if filters else "It has no filters."
        raise LeftError(Reason.FILTER, f"{endpoint} has no filter {name!r}. {hint}")
    known = filters[name]
    if known.style == "range":
        return _range_part(call, known.keyword, index)
    _check_value(f"{endpoint}: {name}", value, known)
    return Part(index, keyword=known.keyword)


def _check_value(name: str, value: cst.BaseExpression, known: Filter) -> None:
    if accepts(known.annotation, value):
        return
    text, choices = text_of(value), choices_of(known.annotation)
    if text is not None and choices:
        raise LeftError(Reason.CHOICE, f"{name} has no value {text!r}. {suggest(text, choices)}")
    raise LeftError(Reason.VALUE, name)


def _range_part(call: ByNameCall, keyword: str, index: int) -> Part:
    value = call.node.args[index].value
    text = text_of(value)
    is_pair = isinstance(value, cst.List | cst.Tuple) and len(value.elements) == 2
    if type_of(value) in (None, type(None)) or is_pair or (text is not None and text.count(",") == 1):
        return Part(index, "tuple" if isinstance(value, cst.List) else "same", keyword)
    raise LeftError(Reason.VALUE, f"{call.endpoint.name}: {keyword} takes two days")


def _record_call(call: ByNameCall, context: Context) -> TypedCall:
    operation, name = call.endpoint.operations[call.action], f"{call.endpoint.name}: {call.action}"
    _check_arguments(call, name, operation)
    body, result = operation.body, operation.result
    parts: list[Part] = []
    model, source = "", None
    if body is not None:
        part, source = _body_part(call, name, body, context)
        parts.append(part)
        model = body.model
        if body.takes_list:
            result = result.several if part.form == "models" else result.item
    if operation.key is not None:
        parts.insert(0, _key_part(call, name, operation.key))
    parts += [Part(index, keyword=keyword) for keyword, index in call.filters.items()]
    no_cache = call.action not in _WRITES and _no_cache(call)
    return TypedCall(call, tuple(parts), result, model, no_cache, source)


def _check_arguments(call: ByNameCall, name: str, operation: Operation) -> None:
    """Refuse arguments that an action does not take, and the lack of those that it requires."""
    files = call.value("files")
    if files is not None and type_of(files) is not NoneType:
        raise LeftError(Reason.FILES, name)
    _check_keywords(call, name)
    for parameter, is_required in (("id", operation.key is not None), ("data", operation.body is not None)):
        is_present = parameter in call.arguments
        if is_present and not is_required:
            raise LeftError(Reason.ARGUMENT, f"{name} takes no {parameter}")
        if is_required and not is_present:
            raise LeftError(Reason.MISSING, f"{name}: {parameter}")


def _check_keywords(call: ByNameCall, name: str) -> None:
    unknown = next((keyword for keyword in call.filters if keyword != "timeout"), None)
    if unknown == "expires":
        raise LeftError(Reason.CACHE_TIME, f"{name}: expires")
    if unknown is not None:
        raise LeftError(Reason.ARGUMENT, f"{name} takes no argument {unknown!r}")


def _key_part(call: ByNameCall, name: str, key: object) -> Part:
    index = call.arguments["id"]
    value = call.node.args[index].value
    text = text_of(value)
    # In calls by name, a key may be the path of the record.
    if not accepts(key, value) or (text is not None and (not text or text.startswith("/"))):
        raise LeftError(Reason.VALUE, f"{name}: id")
    return Part(index)


def _body_part(call: ByNameCall, name: str, body: Body, context: Context) -> tuple[Part, cst.Dict | None]:
    """Return the argument for the data, and the dictionary that is assigned to its variable, if it is in one."""
    index = call.arguments["data"]
    value = call.node.args[index].value
    source = dictionary_of(value, context) if isinstance(value, cst.Name) and body.model else None
    records = records_of(value) if body.takes_list else None
    names: dict[str, str] = {}
    for record in [source or value] if records is None else records:
        names |= _field_names(name, record, body)
    form = _form(body, source, records)
    # The method's own parameter would take such a field away from the record.
    if form == "fields" and "timeout" in names:
        raise LeftError(Reason.ARGUMENT, f"{name}: timeout")
    return Part(index, form, names=names), source


def _form(body: Body, source: cst.Dict | None, records: list[cst.BaseExpression] | None) -> Form:
    if not body.model:
        return "fields"
    if source is not None:
        return "variable"
    return "model" if records is None else "models"


def _field_names(name: str, record: cst.BaseExpression, body: Body) -> dict[str, str]:
    """Return the keywords of a record's fields, by the server's names.

    Raises
    ------
    LeftError
        The record is not written out, or has no fields, or one that is refused.
    """
    fields = fields_of(record)
    if fields is None:
        raise LeftError(Reason.DATA, f"{name}: data")
    if not fields:
        raise LeftError(Reason.MISSING, f"{name}: data")
    _check_fields(name, fields, body)
    return {field: body.fields[field].keyword for field in fields}


def _check_fields(name: str, fields: Mapping[str, cst.BaseExpression], body: Body) -> None:
    """Refuse fields that a record does not have, the lack of required ones, and values of wrong types."""
    for field, value in fields.items():
        if field in body.read_only:
            raise LeftError(Reason.READ_ONLY, f"{name}: {field}")
        if field not in body.fields:
            raise LeftError(Reason.FIELD, f"{name} has no field {field!r}. {suggest(field, body.fields)}")
        _check_value(f"{name}: {field}", value, body.fields[field])
    missing = [field for field, known in body.fields.items() if known.required and field not in fields]
    if missing:
        raise LeftError(Reason.MISSING, f"{name}: {', '.join(missing)}")


def _no_cache(call: ByNameCall) -> bool:
    value = call.value("no_cache")
    if value is None:
        return False
    if isinstance(value, cst.Name) and value.value in ("True", "False"):
        return value.value == "True"
    raise LeftError(Reason.NO_CACHE, f"{call.endpoint.name}: no_cache is not literal")


def _check_comments(node: cst.Call, parts: Sequence[Part]) -> None:
    """Refuse comments beside arguments that are left out, and beside commas that are replaced."""
    indexes = [part.index for part in parts]
    before_fields = {indexes[at - 1] for at, part in enumerate(parts) if at and part.form == "fields"}
    # What follows the last argument of the call by name is to follow the last one of the typed call.
    before_end = set(indexes[-1:]) - {len(node.args) - 1}
    for index, argument in enumerate(node.args):
        lost: cst.CSTNode | cst.MaybeSentinel | None = None
        if index not in indexes:
            lost = argument
        elif index in before_fields | before_end:
            lost = argument.comma
        if isinstance(lost, cst.CSTNode) and has_comments(lost):
            raise LeftError(Reason.COMMENT, f"argument {index + 1}")
