"""Names of the classes of requests and responses, made of the names of a document's components."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from alyx_client.schema.naming import resource_name
from alyx_client.schema.surface import SurfaceAction, ValueSpec

__all__ = ["with_class_names"]

# The plain names go to what users meet most: a record as it is read, and a resource as it is created. The others get
# a suffix if they differ.
_RESPONSE_ORDER = ("read", "update", "partial_update", "list", "create")
_REQUEST_ORDER = ("create", "update", "partial_update")


def with_class_names(
    actions: Mapping[str, SurfaceAction], components: Mapping[str, tuple[str, str]]
) -> dict[str, SurfaceAction]:
    """Return the actions with the names of their classes.

    Parameters
    ----------
    actions
        The actions, by their routes.
    components
        By route, the components of request and response; empty if they are none.
    """
    requests = _request_classes(actions, {key: request for key, (request, _) in components.items()})
    responses = _response_classes(actions, {key: response for key, (_, response) in components.items()})
    return {
        key: replace(
            action,
            name=replace(action.name, request_class=requests.get(key, ""), response_class=responses.get(key, "")),
        )
        for key, action in actions.items()
    }


def _response_classes(actions: Mapping[str, SurfaceAction], components: Mapping[str, str]) -> dict[str, str]:
    classes: dict[str, str] = {}  # by component
    for key in _in_order(actions, _RESPONSE_ORDER):
        component = components[key]
        if component and component not in classes:
            resource = resource_name(component)
            other = "Summary" if actions[key].name.action in ("list", "create") else "Updated"
            classes[component] = _first_free(classes.values(), f"{resource}Record", f"{resource}{other}")
    return {key: classes[component] for key, component in components.items() if component}


def _request_classes(actions: Mapping[str, SurfaceAction], components: Mapping[str, str]) -> dict[str, str]:
    classes: dict[str, str] = {}  # by route
    previous_of: dict[str, str] = {}  # by endpoint
    for key in _in_order(actions, _REQUEST_ORDER):
        action = actions[key]
        if not components[key]:
            continue
        previous = previous_of.get(action.name.endpoint)
        # PATCH takes the fields of PUT one by one, and PUT often takes those of POST.
        if previous and (action.method == "PATCH" or _fields(action) == _fields(actions[previous])):
            classes[key] = classes[previous]
            continue
        resource = resource_name(components[key])
        classes[key] = _first_free(classes.values(), resource, f"{resource}Update") if previous else resource
        previous_of[action.name.endpoint] = key
    return classes


def _fields(action: SurfaceAction) -> dict[str, ValueSpec]:
    return {name: value for name, value in action.request_fields.items() if name}


def _in_order(actions: Mapping[str, SurfaceAction], order: Sequence[str]) -> list[str]:
    """Return the routes by endpoint, their actions in the order in which they get their names."""
    rank = {action: index for index, action in enumerate(order)}
    last = len(order)
    return sorted(actions, key=lambda key: (actions[key].name.endpoint, rank.get(actions[key].name.action, last), key))


def _first_free(taken: Iterable[str], *names: str) -> str:
    used = set(taken)
    return next((name for name in names if name not in used), names[-1])
