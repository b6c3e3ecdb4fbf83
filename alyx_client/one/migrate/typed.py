"""The typed call for a call by name: which arguments it takes, and how it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from alyx_client.http.suggestions import suggest
from alyx_client.one.migrate.calls import ByNameCall
from alyx_client.one.migrate.context import Context
from alyx_client.one.migrate.data import fields_of, has_comments, records_of
from alyx_client.one.migrate.kinds import NOTHING, PLAIN, Kind
from alyx_client.one.migrate.literals import accepts, choices_of, text_of, type_of
from alyx_client.one.migrate.reasons import LeftError, Reason
from alyx_client.one.migrate.surface import Body, Filter
from alyx_client.one.migrate.variables import dictionary_of

__all__ = ["Part", "TypedCall", "plan_call"]

_WRITES = frozenset({"create", "update", "partial_update", "delete"})


@dataclass(frozen=True, slots=True)
class Part:
    """An argument of the typed call.

    Parameters
    ----------
    index
        The position of the argument of the call by name that it is made from; None for one that is added.
    form
        ``same``: the value as it is. ``tuple``: a list display as a tuple. ``model``, ``models``: a dictionary, or a
        list of them, as resources. ``fields``: a dictionary as keywords. ``variable``: a variable that holds a
        dictionary, which becomes a resource.
    keyword
        The keyword; empty if it is positional.
    names
        The keywords of the fields, by the server's names.
    text
        The argument that is added, as source code.
    """

    index: int | None
    form: Literal["same", "tuple", "model", "models", "fields", "variable"] = "same"
    keyword: str = ""
    names: Mapping[str, str] | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class TypedCall:
    """A typed call.

    Parameters
    ----------
    call
        The call by name.
    parts
        The arguments.
    result
        What the typed call returns.
    model
        The name of the resource that it needs; empty if none.
    no_cache
        Whether the cache is to be bypassed.
    source
        The dictionary that is assigned to the variable that holds the data, if there is one.
    """

    call: ByNameCall
    parts: tuple[Part, ...]
    result: Kind
    model: str = ""
    no_cache: bool = False
    source: cst.Dict | None = None

    @property
    def method(self) -> str:
        """The method, below the client."""
        return f"{self.call.endpoint.attribute}.{self.call.action}"


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
        There is none.
    """
    if call.action.startswith("json_field_"):
        typed = _json_field_call(call)
    else:
        typed = _list_call(call) if call.action == "list" else _record_call(call, context)
    _check_comments(call.node, typed.parts)
    return typed


def _json_field_call(call: ByNameCall) -> TypedCall:
    name, endpoint = call.action, call.endpoint
    if call.filters.keys() - {"timeout"}:
        raise LeftError(Reason.ARGUMENT, f"{name}({', '.join(call.filters)})")
    if "uuid" not in call.arguments:
        raise LeftError(Reason.MISSING, f"{name}: uuid")
    node = call.value("field_name")
    # The default of a call by name, except of the methods that require it.
    field = "json" if node is None and name in ("json_field_update", "json_field_remove_key") else None
    field = field or (text_of(node) if node is not None else None)
    if field is None:
        raise LeftError(Reason.NOT_LITERAL if node is not None else Reason.MISSING, f"{name}: field_name")
    if field not in endpoint.json_fields:
        fields = sorted(endpoint.json_fields)
        hint = suggest(field, fields) if fields else "It has no JSON fields."
        raise LeftError(Reason.FIELD, f"{endpoint.name} has no JSON field {field!r}. {hint}")
    parts = [Part(call.arguments["uuid"], keyword=_keyword(call, "uuid"))]
    if node is None:
        quote = _quote(call.node)
        parts.append(Part(None, text=f"{quote}json{quote}", keyword="field_name" if parts[0].keyword else ""))
    for parameter in ("field_name", "data", "key"):
        if parameter in call.arguments:
            # After a keyword, none is positional.
            keyword = parameter if parts[-1].keyword else _keyword(call, parameter)
            parts.append(Part(call.arguments[parameter], keyword=keyword))
    parts += [Part(index, keyword=keyword) for keyword, index in call.filters.items()]
    return TypedCall(call, tuple(parts), NOTHING if name == "json_field_delete" else PLAIN)


def _quote(node: cst.Call) -> str:
    """Return the quotation mark that the code uses."""
    texts = [argument.value for argument in node.args if isinstance(argument.value, cst.SimpleString)]
    return texts[0].quote if texts and len(texts[0].quote) == 1 else '"'


def _keyword(call: ByNameCall, parameter: str) -> str:
    keyword = call.node.args[call.arguments[parameter]].keyword
    return keyword.value if keyword is not None else ""


def _list_call(call: ByNameCall) -> TypedCall:
    operation = call.endpoint.operations["list"]
    for parameter in ("data", "files"):
        if parameter in call.arguments:
            raise LeftError(Reason.ARGUMENT, f"{call.endpoint.name}: list takes no {parameter}=")
    parts: list[Part] = []
    named = dict(call.filters)
    if "id" in call.arguments:
        # "rest('weighings', 'list', '?nickname=x')": text for the path, not a key.
        if not _keyword(call, "id"):
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
    if "files" in call.arguments and type_of(call.node.args[call.arguments["files"]].value) is not type(None):
        raise LeftError(Reason.FILES, name)
    unknown = [keyword for keyword in call.filters if keyword != "timeout"]
    if unknown:
        if unknown[0] == "expires":
            raise LeftError(Reason.CACHE_TIME, f"{name}: expires")
        raise LeftError(Reason.ARGUMENT, f"{name} takes no argument {unknown[0]!r}")
    parts: list[Part] = []
    if operation.key is None and "id" in call.arguments:
        raise LeftError(Reason.ARGUMENT, f"{name} takes no id")
    if operation.key is not None and "id" not in call.arguments:
        raise LeftError(Reason.MISSING, f"{name}: id")
    body, model, source = operation.body, "", None
    result = operation.result
    if body is not None:
        part, source = _body_part(call, name, body, context)
        parts.append(part)
        model = body.model
        if body.takes_list:
            result = result.several if part.form == "models" else result.item
        # The method's own parameters would take such a field away from the record.
        if part.form == "fields" and "timeout" in (part.names or {}):
            raise LeftError(Reason.ARGUMENT, f"{name}: timeout")
    elif "data" in call.arguments:
        raise LeftError(Reason.ARGUMENT, f"{name} takes no data")
    if operation.key is not None:
        parts.insert(0, _key_part(call, name, operation.key))
    parts += [Part(index, keyword=keyword) for keyword, index in call.filters.items()]
    no_cache = call.action not in _WRITES and _no_cache(call)
    return TypedCall(call, tuple(parts), result, model, no_cache, source)


def _key_part(call: ByNameCall, name: str, key: object) -> Part:
    index = call.arguments["id"]
    value = call.node.args[index].value
    text = text_of(value)
    # In calls by name, a key may be the path of the record.
    if not accepts(key, value) or (text is not None and (not text or text.startswith("/"))):
        raise LeftError(Reason.VALUE, f"{name}: id")
    return Part(index)


def _body_part(call: ByNameCall, name: str, body: Body, context: Context) -> tuple[Part, cst.Dict | None]:
    index = call.arguments.get("data")
    if index is None:
        raise LeftError(Reason.MISSING, f"{name}: data")
    value = call.node.args[index].value
    source = dictionary_of(value, context) if isinstance(value, cst.Name) and body.model else None
    records = records_of(value) if body.takes_list else None
    names: dict[str, str] = {}
    for record in [source or value] if records is None else records:
        fields = fields_of(record)
        if not fields:
            raise LeftError(Reason.DATA if fields is None else Reason.MISSING, f"{name}: data")
        names |= _check_fields(name, fields, body)
    if source is not None:
        return Part(index, "variable", names=names), source
    if not body.model:
        return Part(index, "fields", names=names), None
    return Part(index, "model" if records is None else "models", names=names), None


def _check_fields(name: str, fields: Mapping[str, cst.BaseExpression], body: Body) -> dict[str, str]:
    """Return the keywords of fields.

    Raises
    ------
    LeftError
        The record has no such field, a required one is missing, or a value is of a wrong type.
    """
    for field, value in fields.items():
        if field in body.read_only:
            raise LeftError(Reason.READ_ONLY, f"{name}: {field}")
        if field not in body.fields:
            raise LeftError(Reason.FIELD, f"{name} has no field {field!r}. {suggest(field, body.fields)}")
        _check_value(f"{name}: {field}", value, body.fields[field])
    missing = [field for field, known in body.fields.items() if known.required and field not in fields]
    if missing:
        raise LeftError(Reason.MISSING, f"{name}: {', '.join(missing)}")
    return {field: body.fields[field].keyword for field in fields}


def _no_cache(call: ByNameCall) -> bool:
    value = call.value("no_cache")
    if value is None:
        return False
    if isinstance(value, cst.Name) and value.value in ("True", "False"):
        return value.value == "True"
    raise LeftError(Reason.NO_CACHE, f"{call.endpoint.name}: no_cache is not literal")


def _check_comments(node: cst.Call, parts: Sequence[Part]) -> None:
    """Refuse comments beside arguments that are left out, and beside commas that are replaced."""
    kept = [part.index for part in parts]
    for index, argument in enumerate(node.args):
        is_moved = index in kept and index < len(node.args) - 1 and kept[-1] == index
        before_fields = any(part.form == "fields" and kept[at - 1] == index for at, part in enumerate(parts) if at)
        if index not in kept and has_comments(argument):
            raise LeftError(Reason.COMMENT, f"argument {index + 1}")
        if (is_moved or before_fields) and isinstance(argument.comma, cst.Comma) and has_comments(argument.comma):
            raise LeftError(Reason.COMMENT, f"argument {index + 1}")
