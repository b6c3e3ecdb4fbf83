"""Parsing answers, and saying so where a server does not answer what its schema declares.

The good path is one call to pydantic from bytes to objects. Only when that fails is the answer looked at field by
field: what does not fit is kept as it came, reported once, and never breaks the call.
"""

from __future__ import annotations

import contextlib
import gc
import json
import re
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Generic, TypeVar, Union, cast, get_args, get_origin, overload

from pydantic import BaseModel, TypeAdapter, ValidationError

from alyx_client.errors import SchemaDriftError, SchemaDriftWarning
from alyx_client.http.json_body import decode, refuse_failure, unexpected
from alyx_client.http.log import warn
from alyx_client.http.message import Response
from alyx_client.runtime.paging import Page
from alyx_client.schema.commands import generate_command, probe_command

__all__ = ["Answer", "Drift", "DriftLog", "PageAnswer"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between what was declared and what came.

    Parameters
    ----------
    endpoint
        The endpoint, as on the client.
    field
        The field, with ``[]`` for each list on the way: ``file_records[].data_url``.
    expected
        The declared type.
    found
        The JSON type that came, or ``missing``.
    count
        How many times it was seen.
    """

    endpoint: str
    field: str
    expected: str
    found: str
    count: int = 1

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.field} should be {self.expected} but is {self.found} ({self.count}x)"


class DriftLog(Sequence[Drift]):
    """The differences that one client has seen, each once with its count.

    Parameters
    ----------
    strict
        Raise `SchemaDriftError` instead of warning.
    package
        The client's package, and
    server
        its server, for the commands that are recommended.
    """

    def __init__(
        self, *, strict: bool = False, package: str | None = None, server: str = "https://alyx.example.org"
    ) -> None:
        self.strict = strict
        self._package = package
        self._server = server
        self._seen: dict[tuple[str, str, str, str], Drift] = {}
        self._lock = threading.Lock()

    def add(self, drift: Drift) -> None:
        """Record one difference; warn the first time.

        Raises
        ------
        SchemaDriftError
            The log is strict.
        """
        found = "nothing" if drift.found == "missing" else drift.found
        text = f"{drift.endpoint}: the server sent {found} for {drift.field}, declared as {drift.expected}"
        if self.strict:
            raise SchemaDriftError(f"{text}. The client is strict (strict=True) and does not accept it.")
        key = (drift.endpoint, drift.field, drift.expected, drift.found)
        with self._lock:
            known = self._seen.get(key)
            self._seen[key] = drift if known is None else replace(known, count=known.count + drift.count)
        if known is None:
            anew = generate_command(self._package, self._server)
            warn(
                f"{text}. The value is kept as it came. If client.check_schema() tells that the server has changed, "
                f"generate the client anew: {anew}",
                SchemaDriftWarning,
            )

    def clear(self) -> None:
        """Forget what was seen."""
        with self._lock:
            self._seen.clear()

    @overload
    def __getitem__(self, index: int) -> Drift: ...
    @overload
    def __getitem__(self, index: slice) -> list[Drift]: ...
    def __getitem__(self, index: int | slice) -> Drift | list[Drift]:
        return list(self._seen.values())[index]

    def __len__(self) -> int:
        return len(self._seen)

    def __iter__(self) -> Iterator[Drift]:
        return iter(list(self._seen.values()))

    def __repr__(self) -> str:
        if not self._seen:
            return "no drift"
        return "\n".join(
            [
                *map(str, self),
                "If client.check_schema() tells that the server has changed, generate the client anew:",
                f"    {generate_command(self._package, self._server)}",
                "Otherwise its schema is wrong there, and this writes corrections to generate with:",
                f"    {probe_command(self._server)}",
            ]
        )

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"} | {"_seen": dict(self._seen)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()


class Answer(Generic[T]):
    """How one action's answer is read.

    Parameters
    ----------
    kind
        The declared type: a `Record`, a list of them, or any type that pydantic reads; ``bytes`` for the body as it
        is; ``None`` where nothing is answered.
    """

    def __init__(self, kind: Any) -> None:
        self.kind = kind

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return _strict(self.kind)

    def parse(self, response: Response, endpoint: str, log: DriftLog) -> T:
        """Read an answer.

        Parameters
        ----------
        response
            What came.
        endpoint
            Whose answer it is, for messages.
        log
            Where differences go.

        Raises
        ------
        UnexpectedAnswerError
            The body is not JSON, or not of the declared form at its top level.
        SchemaDriftError
            A field differs and the log is strict.
        """
        if self.kind is None or self.kind is bytes:
            refuse_failure(response, endpoint)
            return cast("T", None if self.kind is None else response.content)
        if self.kind is Any and not response.content:
            return cast("T", None)  # nothing was declared, and nothing came
        try:
            return cast("T", self._adapter.validate_json(response.content))
        except ValidationError:
            value = decode(response, endpoint)
            return cast("T", _Lenient(endpoint, log, response).read_top(self.kind, value))


class PageAnswer(Generic[T]):
    """How a list's answer is read: a page of rows, or a plain array where the endpoint does not page.

    Parameters
    ----------
    row
        The declared type of a row.
    """

    def __init__(self, row: type[T]) -> None:
        self.row = row
        self._rows = GenericAlias(list, (row,))

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        body: Any = _PageBody
        return TypeAdapter(body[self.row])

    def parse(self, response: Response, endpoint: str, log: DriftLog) -> Page[T]:
        """Read one page; parameters and errors as for `Answer.parse`."""
        try:
            with _no_collection():
                body = self._adapter.validate_json(response.content)
            return Page(body.count, body.results, body.next is not None)
        except ValidationError:
            value = decode(response, endpoint)
        lenient = _Lenient(endpoint, log, response)
        if isinstance(value, list):
            rows = lenient.read_top(self._rows, value)
            return Page(len(rows), rows, False)
        if not isinstance(value, dict) or "results" not in value:
            raise unexpected(response, endpoint, "a page with count, next and results")
        page = cast("dict[str, Any]", value)
        rows = lenient.read_top(self._rows, page["results"])
        count = page.get("count")
        if not isinstance(count, int):
            if page.get("next") is not None:
                raise unexpected(response, endpoint, "a page with count, next and results")
            log.add(Drift(endpoint, "count", "int", _json_type(count) if "count" in page else "missing"))
            count = len(rows)
        return Page(count, rows, page.get("next") is not None)


@contextlib.contextmanager
def _no_collection() -> Generator[None]:
    """Pause Python's garbage collector: it would look at thousands of new records again and again, and free none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _PageBody(BaseModel, Generic[T]):
    count: int
    next: str | None = None
    results: list[T]


class _Lenient:
    """Reads a decoded answer field by field, keeping what does not fit."""

    def __init__(self, endpoint: str, log: DriftLog, response: Response) -> None:
        self._endpoint = endpoint
        self._log = log
        self._response = response

    def read_top(self, kind: Any, value: Any) -> Any:
        """Read a whole answer, which must at least have the declared outer form."""
        is_list = get_origin(kind) is list
        is_record = _is_record(kind)
        if (is_list and not isinstance(value, list)) or (is_record and not isinstance(value, dict)):
            raise unexpected(self._response, self._endpoint, "a list" if is_list else "a record")
        return self._read(kind, value, "")

    def _read(self, kind: Any, value: Any, where: str) -> Any:
        try:
            return _adapter(kind).validate_json(json.dumps(value))
        except ValidationError:
            pass
        inner = _fitting(kind, value)
        if inner is None:
            self._log.add(Drift(self._endpoint, where or "answer", _describe(kind), _json_type(value)))
            return value
        if isinstance(value, list):
            item = get_args(inner)[0]
            return [self._read(item, each, f"{where}[]" if where else "") for each in cast("Sequence[Any]", value)]
        return self._read_record(inner, cast("dict[str, Any]", value), where)

    def _read_record(self, cls: type[BaseModel], value: dict[str, Any], where: str) -> BaseModel:
        cls.model_rebuild()  # its fields' types are resolved late, for a fast import
        fields: dict[str, Any] = {}
        known: set[str] = set()
        for name, field in cls.model_fields.items():
            wire_name = field.alias or name
            known.add(wire_name)
            path = f"{where}.{wire_name}" if where else wire_name
            kind = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            if wire_name in value:
                fields[name] = self._read(kind, value[wire_name], path)
            elif field.is_required():
                self._log.add(Drift(self._endpoint, path, _describe(kind), "missing"))
                fields[name] = None
            else:
                fields[name] = field.get_default(call_default_factory=True)
        extra = {name: item for name, item in value.items() if name not in known}
        return cls.model_construct(_fields_set=set(fields) & set(value) | set(extra), **fields, **extra)


_adapters: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    try:
        if kind not in _adapters:
            _adapters[kind] = _strict(kind)
        return _adapters[kind]
    except TypeError:  # an unhashable annotation
        return _strict(kind)


def _strict(kind: Any) -> TypeAdapter[Any]:
    # A record is strict by its own configuration, and pydantic lets nobody else configure it.
    return TypeAdapter(kind, config=None if _is_record(kind) else {"strict": True})


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _fitting(kind: Any, value: Any) -> Any:
    """Return the record or list type among `kind`'s alternatives that has `value`'s outer form."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    options = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    for option in options:
        if isinstance(value, list) and get_origin(option) is list:
            return option
        if isinstance(value, dict) and isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None


def _describe(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, UnionType):
        return " | ".join(_describe(option) for option in get_args(kind))
    if kind is None or kind is NoneType:
        return "None"
    return getattr(kind, "__name__", "") if isinstance(kind, type) and not get_args(kind) else _spelled(kind)


def _spelled(kind: object) -> str:
    return re.sub(r"\b\w+\.(?=\w)", "", str(kind))


_JSON_TYPES = {dict: "an object", list: "a list", str: "text", bool: "a boolean", int: "an integer", float: "a number"}


def _json_type(value: Any) -> str:
    return "null" if value is None else _JSON_TYPES[type(value)]
