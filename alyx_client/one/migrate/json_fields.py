"""Plans the typed call for a call that changes a JSON field: ``x.json_field_update("sessions", …)``."""

from __future__ import annotations

import libcst as cst

from alyx_client.http.suggestions import suggest
from alyx_client.one.migrate.calls import ByNameCall
from alyx_client.one.migrate.kinds import NOTHING, PLAIN
from alyx_client.one.migrate.literals import text_of
from alyx_client.one.migrate.reasons import LeftError, Reason
from alyx_client.one.migrate.typed import Part, TypedCall

__all__ = ["plan_json_field_call"]

# The methods that have a default field, which the typed ones do not have.
_WITH_DEFAULT = frozenset({"json_field_update", "json_field_remove_key"})
_DEFAULT = "json"


def plan_json_field_call(call: ByNameCall) -> TypedCall:
    """Return the typed call that means the same as a call for a JSON field.

    Parameters
    ----------
    call
        The call by name.

    Raises
    ------
    LeftError
        No typed call is known to mean the same.
    """
    if call.filters.keys() - {"timeout"}:
        raise LeftError(Reason.ARGUMENT, f"{call.action}({', '.join(call.filters)})")
    if "uuid" not in call.arguments:
        raise LeftError(Reason.MISSING, f"{call.action}: uuid")
    _check_field(call, _field_name(call))
    parts = [Part(call.arguments["uuid"], keyword=call.keyword("uuid"))]
    if "field_name" not in call.arguments:
        quote = _quote(call.node)
        keyword = "field_name" if parts[0].keyword else ""
        parts.append(Part(None, text=f"{quote}{_DEFAULT}{quote}", keyword=keyword))
    for parameter in ("field_name", "data", "key"):
        if parameter in call.arguments:
            # A keyword must not be followed by a positional argument.
            keyword = parameter if parts[-1].keyword else call.keyword(parameter)
            parts.append(Part(call.arguments[parameter], keyword=keyword))
    parts += [Part(index, keyword=keyword) for keyword, index in call.filters.items()]
    return TypedCall(call, tuple(parts), NOTHING if call.action == "json_field_delete" else PLAIN)


def _field_name(call: ByNameCall) -> str:
    """Return the name of the JSON field, which is the default if the call does not state it."""
    value = call.value("field_name")
    if value is None:
        if call.action not in _WITH_DEFAULT:
            raise LeftError(Reason.MISSING, f"{call.action}: field_name")
        return _DEFAULT
    name = text_of(value)
    if name is None:
        raise LeftError(Reason.NOT_LITERAL, f"{call.action}: field_name")
    return name


def _check_field(call: ByNameCall, field: str) -> None:
    fields = sorted(call.endpoint.json_fields)
    if field not in fields:
        hint = suggest(field, fields) if fields else "It has no JSON fields."
        raise LeftError(Reason.FIELD, f"{call.endpoint.name} has no JSON field {field!r}. {hint}")


def _quote(node: cst.Call) -> str:
    """Return the quotation mark that the code uses."""
    texts = [argument.value for argument in node.args if isinstance(argument.value, cst.SimpleString)]
    return texts[0].quote if texts and len(texts[0].quote) == 1 else '"'
