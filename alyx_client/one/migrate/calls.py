"""Calls by name in source code: ``x.rest("sessions", "list", …)`` and ``x.json_field_update("sessions", …)``."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from alyx_client.http.suggestions import suggest
from alyx_client.lazy_dataclasses import dataclass
from alyx_client.one.migrate.literals import text_of
from alyx_client.one.migrate.reasons import LeftError, Reason
from alyx_client.one.migrate.surface import Endpoint, Surface
from alyx_client.schema.routes import ACTIONS

__all__ = ["ByNameCall", "is_by_name", "parse_call"]

_REST = ("url", "action", "id", "data", "files", "no_cache")
_JSON_FIELDS = {
    "json_field_write": ("endpoint", "uuid", "field_name", "data"),
    "json_field_update": ("endpoint", "uuid", "field_name", "data"),
    "json_field_remove_key": ("endpoint", "uuid", "field_name", "key"),
    "json_field_delete": ("endpoint", "uuid", "field_name"),
}


@dataclass(frozen=True, slots=True)
class ByNameCall:
    """A call by name whose endpoint and action are literal.

    Parameters
    ----------
    node
        The call.
    receiver
        The client.
    endpoint
        The endpoint.
    action
        The action, or the name of the method for a JSON field.
    arguments
        The positions of the arguments, by parameter, except for the endpoint and the action.
    filters
        The positions of the other keyword arguments, by keyword.
    """

    node: cst.Call
    receiver: cst.BaseExpression
    endpoint: Endpoint
    action: str
    arguments: Mapping[str, int]
    filters: Mapping[str, int]

    def value(self, parameter: str) -> cst.BaseExpression | None:
        """Return the argument for a parameter, or None."""
        index = self.arguments.get(parameter)
        return None if index is None else self.node.args[index].value

    def keyword(self, parameter: str) -> str:
        """Return the keyword of the argument for a parameter that has one; empty if it is positional."""
        keyword = self.node.args[self.arguments[parameter]].keyword
        return keyword.value if keyword is not None else ""


def is_by_name(node: cst.CSTNode) -> bool:
    """Return whether a node looks like a call by name.

    Parameters
    ----------
    node
        Any node.
    """
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
        return False
    name = node.func.attr.value
    # Other libraries have methods of this name, too.
    return name in _JSON_FIELDS or (name == "rest" and (_may_be_alyx(node.func.value) or _action(node) in ACTIONS))


def parse_call(node: cst.Call, surface: Surface) -> ByNameCall:
    """Return a call by name.

    Parameters
    ----------
    node
        A node for which `is_by_name` is true.
    surface
        The endpoints.

    Raises
    ------
    LeftError
        The call cannot be rewritten.
    """
    func = cst.ensure_type(node.func, cst.Attribute)
    receiver, name = func.value, func.attr.value
    _refuse_own_class(receiver, name)
    arguments, filters = _bind(node, _JSON_FIELDS.get(name, _REST))
    # Calls for JSON fields have no argument for the action, since their methods are named after it.
    naming = ("url", "action") if name == "rest" else ("endpoint",)
    if not arguments.keys() >= set(naming):
        raise LeftError(Reason.NO_ACTION, f"{name}()")
    texts = [text_of(node.args[arguments.pop(parameter)].value) for parameter in naming]
    literals = [text for text in texts if text is not None]
    if len(literals) < len(texts):
        raise LeftError(Reason.NOT_LITERAL, f"{name}()")
    endpoint = _endpoint(literals[0], surface)
    action = _rest_action(literals[1], endpoint) if name == "rest" else name
    return ByNameCall(node, receiver, endpoint, action, arguments, filters)


def _refuse_own_class(receiver: cst.BaseExpression, name: str) -> None:
    """Refuse ``self.rest(…)`` and ``super().rest(…)``, which extend a client instead of using one."""
    owner = receiver.func if isinstance(receiver, cst.Call) else receiver
    if isinstance(owner, cst.Name) and owner.value in ("self", "cls", "super"):
        raise LeftError(Reason.OWN_CLASS, f"{owner.value}: {name}")


def _rest_action(text: str, endpoint: Endpoint) -> str:
    action = text.replace("-", "_")
    if action in endpoint.operations:
        return action
    raise LeftError(Reason.ACTION, f"{endpoint.name} has no {action!r}. {suggest(action, endpoint.operations)}")


def _may_be_alyx(receiver: cst.BaseExpression) -> bool:
    name = receiver.attr if isinstance(receiver, cst.Attribute) else receiver
    return isinstance(name, cst.Name) and name.value in ("alyx", "ac", "alyx_client")


def _action(node: cst.Call) -> str | None:
    keywords = {argument.keyword.value: argument.value for argument in node.args if argument.keyword}
    value = keywords.get("action") or (node.args[1].value if len(node.args) > 1 else None)
    text = text_of(value) if value is not None else None
    return text and text.replace("-", "_")


def _bind(node: cst.Call, parameters: tuple[str, ...]) -> tuple[dict[str, int], dict[str, int]]:
    """Return the positions of arguments by parameter, and those of other keywords."""
    if any(argument.star for argument in node.args):
        raise LeftError(Reason.UNPACKED, "*")
    arguments: dict[str, int] = {}
    others: dict[str, int] = {}
    for index, argument in enumerate(node.args):
        if argument.keyword is not None:
            name = argument.keyword.value
            (arguments if name in parameters else others)[name] = index
        elif index < len(parameters):
            arguments[parameters[index]] = index
        else:
            raise LeftError(Reason.ARGUMENT, f"{len(node.args)} positional arguments")
    return arguments, others


def _endpoint(text: str, surface: Surface) -> Endpoint:
    name = text.strip().lstrip("/")
    if name in surface.endpoints:
        return surface.endpoints[name]
    if "?" in name or "/" in name.rstrip("/"):
        raise LeftError(Reason.PATH, repr(text))
    raise LeftError(Reason.ENDPOINT, f"there is no endpoint {name!r}. {suggest(name, surface.endpoints)}")
