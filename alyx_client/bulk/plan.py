"""The plan of a call for many records: its input, checked as a whole, and the tasks that it takes. Sans-I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeGuard, cast

from alyx_client.bulk.tasks import Batch, Rows, Single, Task, Work
from alyx_client.errors import AlyxError, InvalidFieldError, InvalidKeyError
from alyx_client.http.arguments import shown
from alyx_client.runtime.action import Action, ListAction
from alyx_client.runtime.arguments import Arguments
from alyx_client.runtime.bulk_options import Items
from alyx_client.runtime.bulk_results import shown_key
from alyx_client.runtime.client import ClientContext
from alyx_client.runtime.coerce import is_from_library, unsendable
from alyx_client.runtime.models import Resource
from alyx_client.runtime.references import RecordOf

__all__ = ["Plan", "make_plan"]

# Keys of one request for rows: with 50 UUIDs it has some 2,200 bytes, and web servers take 4,094.
_ROWS = 50
# Records of one request that creates several: if it fails in the middle, as many are uncertain.
_BATCH = 100
_MAX_ITEMS = 1_000_000
# The mini-language of lists cannot express them in a list of texts.
_BRACKETS = frozenset("[]()")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call for many records is to do.

    Parameters
    ----------
    label
        The call, for messages: ``"sessions.read_many()"``.
    work
        What all tasks share.
    inputs
        The input, item by item.
    keys
        The key of each item; None for records to create.
    tasks
        The tasks.
    """

    label: str
    work: Work
    inputs: Sequence[Any]
    keys: Sequence[Any]
    tasks: Sequence[Task]


def make_plan(
    client: ClientContext,
    action: Action[Any],
    items: object,
    *,
    workers: int,
    rows: ListAction[Any] | None = None,
    current: Action[object] | None = None,
    batches: bool = False,
) -> Plan:
    """Read the input, check all of it, and divide it into tasks.

    Parameters
    ----------
    client
        The client.
    action
        The action for one record.
    items
        The input: keys, records to create, or keys with changes.
    workers
        How many tasks are under way at a time.
    rows, current, batches
        As in `BulkArguments`.

    Raises
    ------
    InvalidKeyError, InvalidFieldError, ForeignURLError, TypeError, ValueError
        An item cannot be sent, or two of them are changes of the same record; the message names them.
    """
    read = {"read": _keys, "delete": _keys, "create": _records}.get(action.name, _changes)
    inputs = read(items, action)
    work = Work(action, rows, current)
    arguments: list[Arguments] = []
    singles: list[Single] = []
    for index, item in enumerate(inputs):
        one = _arguments(item, action)
        arguments.append(one)
        try:
            request = action.request(client.base_url, one, client.closed_sets)
        except (AlyxError, TypeError, ValueError) as error:
            raise _at(_place(index, item, action), error) from None
        # The values that the server would lose are read with the record, immediately before it is changed.
        is_rebuilt = current is not None and action.loses_fields(one.changes or {})
        singles.append(Single((index,), request, one if is_rebuilt else None))
    keys = [None if action.name == "create" else one.key for one in arguments]
    if action.name != "create":
        singles = list(_once_each(singles, inputs, action))
    tasks = _tasks(singles, work, workers=workers, batches=batches)
    return Plan(f"{action.endpoint}.{action.name}_many()", work, inputs, keys, tasks)


def _tasks(singles: list[Single], work: Work, *, workers: int, batches: bool) -> Sequence[Task]:
    if work.rows is not None:
        listed = [single for single in singles if _BRACKETS.isdisjoint(single.key)]
        others = [single for single in singles if not _BRACKETS.isdisjoint(single.key)]
        return [*(Rows(part) for part in _parts(listed, _ROWS)), *others]
    if batches:
        # As many requests as are under way at a time, if they are not too large.
        size = min(_BATCH, -(-len(singles) // workers)) or 1
        return [Batch(part) for part in _parts(singles, size)]
    return singles


def _parts(singles: Sequence[Single], size: int) -> Iterator[tuple[Single, ...]]:
    for start in range(0, len(singles), size):
        yield tuple(singles[start : start + size])


def _once_each(singles: Iterable[Single], inputs: Sequence[Any], action: Action[Any]) -> Iterable[Single]:
    """Return each record to read once, however often its key was passed; one to change twice is refused."""
    by_path: dict[str, Single] = {}
    for single in singles:
        path, (index,) = single.request.path, single.indices
        other = by_path.get(path)
        if other is not None and action.name != "read":
            first = other.indices[0]
            raise InvalidKeyError(
                f"{_place(index, inputs[index], action)}: this is the record of {_place(first, inputs[first], action)} "
                f"again, and {action.endpoint}.{action.name}_many() does not say which is to come last; pass it once. "
                "Nothing was sent."
            )
        by_path[path] = single if other is None else replace(other, indices=(*other.indices, index))
    return by_path.values()


def _keys(items: object, action: Action[Any]) -> list[Any]:
    if not _is_several(items):
        raise InvalidKeyError(
            f"{action.endpoint}.{action.name}_many() takes several keys or records, in a list or another collection, "
            f"not {_described(items)}; "
            + ("pass a column of it" if _is_table(items) else f"for one of them, call {action.name}()")
        )
    return _read(lambda: items, "keys", action)


def _records(items: object, action: Action[Any]) -> list[Any]:
    model = action.model.__name__ if action.model else "the resource"
    if _is_table(items):
        raise InvalidFieldError(
            f"{action.endpoint}.create_many() takes several records, {model}(...), not a table; "
            f"{model}.from_frame(table) makes them of its rows"
        )
    if not _is_several(items):
        raise InvalidFieldError(
            f"{action.endpoint}.create_many() takes several records, {model}(...), in a list or another collection, "
            f"not {_described(items)}; for one of them, call create()"
        )
    return _read(lambda: items, "items", action)


def _changes(items: object, action: Action[Any]) -> list[Any]:
    # A column of pandas has values with an index, and iterates over the values alone.
    if _has_items(items):
        return _read(items.items, "items", action)
    if _is_several(items):
        return _read(lambda: items, "items", action)
    model = action.model.__name__ if action.model else "the resource"
    is_way = _is_table(items) and action.name == "partial_update"
    way = f"; {model}.changes_from_frame(table, key=...) makes one of its rows" if is_way else ""
    raise InvalidKeyError(
        f"{action.endpoint}.{action.name}_many() takes a dictionary of keys with what to change, or pairs of these, "
        f"not {_described(items)}{way}"
    )


def _read(items: Callable[[], Iterable[object]], name: str, action: Action[Any]) -> list[Any]:
    """Return the items of the input; an iterator's own error names the item that it came in place of."""
    read: list[Any] = []
    method = f"{action.endpoint}.{action.name}_many()"
    try:
        read.extend(islice(items(), _MAX_ITEMS + 1))
    except AlyxError as error:  # of a resource that a generator makes
        error.add_note(f"This is {name}[{len(read)}] of {method}; nothing was sent.")
        raise
    except Exception as error:  # the caller's own
        raise unsendable(f"{method}: {name}[{len(read)}]", f"it cannot be read ({type(error).__name__})") from error
    if len(read) > _MAX_ITEMS:
        raise unsendable(f"{method}: {name}", f"pass {_MAX_ITEMS:,} at a time, or fewer")
    return read


def _arguments(item: Any, action: Action[Any]) -> Arguments:
    """Return the arguments of a call for one record; what is wrong with them is found as they become a request."""
    if action.name in ("read", "delete"):
        return Arguments(key=item)
    if action.name == "create":
        return Arguments(body=_one_resource(item, action))
    try:
        key, changes = item
    except Exception:  # also of the caller's own iterators
        raise InvalidKeyError(
            f"{action.endpoint}.{action.name}_many(): {shown(item)} is no pair of a key and what to change"
        ) from None
    if action.name == "update":
        return Arguments(key=key, body=_one_resource(changes, action))
    if not isinstance(changes, Mapping):
        raise InvalidFieldError(
            f"{action.endpoint}.{action.name}_many(): {shown_key(key)}: the changes are a dictionary of fields, "
            f"not {_described(changes)}"
        )
    return Arguments(key=key, changes=dict(cast("Mapping[str, object]", changes)))


def _one_resource(item: object, action: Action[Any]) -> Any:
    # A list would be sent as several records.
    return item if isinstance(item, Resource) else [item]


def _place(index: int, item: Any, action: Action[Any]) -> str:
    if action.name == "create":
        return f"items[{index}]"
    key = item if action.name in ("read", "delete") else item[0]
    return f"keys[{index}], {shown_key(key)}"


def _at(place: str, error: Exception) -> Exception:
    """Return an error whose message names the item that it is about."""
    if isinstance(error, AlyxError):
        error.message = f"{place}: {error.message}"
        error.args = (error.message,)
        return error
    return (TypeError if isinstance(error, TypeError) else ValueError)(f"{place}: {error}")


def _is_several(items: object) -> TypeGuard[Iterable[object]]:
    """Return whether a value is a collection, and not one record, key or resource that can be iterated over."""
    is_one = isinstance(items, str | bytes | Mapping) or _is_record(items) or _is_table(items)
    return isinstance(items, Iterable) and not is_one


def _has_items(items: object) -> TypeGuard[Items[object, object]]:
    has_method = callable(getattr(type(items), "items", None))
    return has_method and not (_is_record(items) or _is_table(items))


def _is_record(items: object) -> bool:
    # Older versions of pydantic ask the object itself for an attribute.
    return issubclass(type(items), RecordOf | Resource)


def _is_table(items: object) -> bool:
    # Iterating over a table returns its columns, or their names.
    is_frame = is_from_library(items) or type(items).__module__.partition(".")[0] in ("polars", "pyarrow")
    return is_frame and len(getattr(cast("Any", items), "shape", ())) > 1


def _described(value: object) -> str:
    return f"an object of type {type(value).__name__}"
