"""Public functions and methods with one odd argument each, and the errors that they may raise."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from alyx_client import AlyxClient, AlyxError, AsyncAlyxClient, Results, Retries, config, webclient
from alyx_client.config import DataServer
from alyx_client.http.message import Request
from alyx_client.http.url import is_encodable
from alyx_client.runtime.endpoint import AsyncEndpoint, Endpoint
from alyx_client.testing import LocalAlyx


class Bare:
    """An object of which nothing is known."""


_OWN = "of the caller's own"


def _fail(*_: object, **__: object) -> Any:
    raise RuntimeError(_OWN)


class Hostile:
    """An object whose every method raises."""

    __repr__ = __str__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __getitem__ = __contains__ = _fail
    __float__ = __int__ = __index__ = __getattr__ = __call__ = _fail


class HostileText(str):
    __str__ = _fail


class HostilePath:
    __fspath__ = _fail


class NoPath:
    def __fspath__(self) -> Any:
        return 5


class HostileMapping(Mapping[str, object]):
    __getitem__ = __iter__ = __len__ = _fail


class HostileDictionary(dict[str, object]):
    items = keys = get = __iter__ = _fail


class HostileList(list[object]):
    __iter__ = __len__ = _fail


class Endless:
    """As many values as anybody takes."""

    def __iter__(self) -> Iterator[int]:
        return itertools.count()


class Member(Enum):
    A = 1


def _cyclic() -> list[object]:
    values: list[object] = []
    values.append(values)
    return values


def _nested(levels: int) -> object:
    value: object = None
    for _ in range(levels):
        value = [value]
    return value


ODD: list[object] = [
    *(None, True, False, 0, 5, -1, 10**30, 10**5000, 1.5, -1.5, math.nan, math.inf, 2j, Decimal("NaN")),
    *("", " ", "x", "\0", "\ud800", "~nobody-of-this-name", "../x", "a" * 5000, "http://[", "?a=b", "#", "[[", "*"),
    *(b"", b"x", bytearray(b"x"), [], [None], ["x"], [[["x"]]], (), (1,), (1, 2), (None, "x"), ("a", "b", "c", "d")),
    *({}, {"a": 1}, {1: 2}, {None: None}, {"a": Bare()}, set[int](), {1}, frozenset({"x"})),
    *(Bare(), Bare, len, range(3), slice(1), ..., NotImplemented, ValueError("x"), lambda: None),
    *(Path("x"), Path("x\0"), UUID(int=0), date(2020, 1, 1), datetime(1, 1, 1), timedelta(-1), timedelta.max),
    *(DataServer("x"), Retries(), Request("GET", "/labs")),
    *(Hostile(), HostileText("x"), HostilePath(), NoPath(), HostileMapping(), HostileDictionary(a=1), HostileList([1])),
    *([Hostile()], {"a": Hostile()}, Endless(), range(10**12), _cyclic(), _nested(150)),
    *(_nested(2000), Member.A, Member, memoryview(b"x"), "http://xn--a/", "http://\ud800/", "x" * 10**6, "\x1b[31m"),
]
# By position: hypothesis compares and prints what it samples from.
odd_values = st.integers(0, len(ODD) - 1)

# Arguments without which a call does nothing.
_VALID: dict[str, Any] = {
    "rest_query": "/labs",
    "endpoint": "sessions",
    "uuid": "x",
    "field_name": "json",
    "request": Request("GET", "/labs"),
    "flow": (step for step in ()),
    "url": "labs",
    "path": "a.npy",
    "params": {},
    "full_link_to_file": "",
    "links_to_file_list": [],
    "dataset_record": {},
    "file_records": {},
    "file_record": {},
}
# What is of any type, or is read for its truth alone.
_ANY = {
    "silent",
    "stay_logged_in",
    "offline",
    "strict",
    "strict_filters",
    "keep_tree",
    "clobber",
    "return_md5",
    "force",
}
_SKIPPED = {"close", "aclose", "setup", "logout", "check_schema", "list_endpoints"}


@dataclass(frozen=True)
class Call:
    """A function, and the argument that is odd."""

    label: str
    function: Callable[..., Any]
    argument: str

    def run(self, value: object) -> None:
        """Call the function; anything but an error that is allowed is an AssertionError."""
        arguments = {**self._others(), self.argument: value}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = self.function(*self._positional(arguments), **arguments)
                if inspect.isawaitable(result):
                    asyncio.run(_wait(result))
                elif hasattr(result, "close"):
                    result.close()
        except AlyxError as error:
            message = str(error)
            if len(message) > 20_000 or not is_encodable(message):
                raise AssertionError(f"{self.label}: {message[:200]!a}") from error
        except (TypeError, ValueError) as error:
            names = {self.argument, *_OTHER_NAMES.get(self.argument, ())}
            if type(value) is dict:
                names |= {str(key) for key in value}
            if not any(name in str(error) for name in names) or isinstance(error, UnicodeError):
                raise AssertionError(f"{self.label}({self.argument}={_shown(value)}): {error!r}") from error
        except Exception as error:
            if isinstance(error, OSError) and self.argument in _FOLDERS:
                return  # the folder cannot be created
            if str(error) == _OWN and self.argument in _SOURCES | _FOLDERS:
                return  # records are read as they are, and iterators that fail are the caller's
            raise AssertionError(f"{self.label}({self.argument}={_shown(value)}): {error!r}") from error

    def _positional(self, arguments: dict[str, Any]) -> list[Any]:
        parameters = inspect.signature(self.function).parameters.values()
        return [
            arguments.pop(item.name)
            for item in parameters
            if item.kind is item.POSITIONAL_ONLY and item.name in arguments
        ]

    def _others(self) -> dict[str, Any]:
        parameters = inspect.signature(self.function).parameters.values()
        needed = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
        return {name: _VALID.get(name, "x") for name in needed if name not in ("filters", "options", "fields", "self")}


# Two names for one thing, in ONE's signatures.
_OTHER_NAMES = {
    "cache_dir": ("target_dir",),
    "full_link_to_file": ("is not a source of a file",),
    "url": ("is not a source of a file",),
    "base_url": ("address",),
    "links_to_file_list": ("list of URLs", "url"),
}
_SOURCES = {"url", "full_link_to_file", "links_to_file_list", "dataset_record", "file_record", "file_records"}
_FOLDERS = {"cache_dir", "target_dir", "destination"}


async def _wait(result: Any) -> None:
    await result


def _shown(value: object) -> str:
    try:
        return repr(value)[:60]
    except (ValueError, RuntimeError):
        return f"an object of type {type(value).__name__}"


def calls(local: LocalAlyx) -> Iterator[Call]:
    """Yield every public function and method with each of its arguments."""
    settings: dict[str, Any] = {"token": local.token(), "cache_rest": None, "silent": True, "retries": Retries(tries=1)}
    client, asynchronous = AlyxClient(local.url, **settings), AsyncAlyxClient(local.url, **settings)
    functions: list[tuple[str, Callable[..., Any]]] = [("AlyxClient", AlyxClient), ("AsyncAlyxClient", AsyncAlyxClient)]
    functions += [("Retries", Retries), ("find_settings", config.find_settings)]
    functions += [(name, getattr(webclient, name)) for name in webclient.__all__ if name[0].islower()]
    for owner in (client, asynchronous):
        for name in dir(type(owner)):
            if name.startswith("_") or name in _SKIPPED or isinstance(getattr(type(owner), name), property):
                continue
            value = getattr(owner, name)
            if isinstance(value, Endpoint | AsyncEndpoint):
                functions += _methods(f"{type(owner).__name__}.{name}", value)
            elif callable(value):
                functions.append((f"{type(owner).__name__}.{name}", value))
    rows: Results[Any] = client.labs.list()
    functions += [("Results.count", rows.count), ("in Results", rows.__contains__)]
    functions += _methods("RestScheme", client.rest_schemes)
    for label, function in functions:
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) and parameter.name not in {
                *_ANY,
                "self",
            }:
                yield Call(label, function, parameter.name)


def _methods(label: str, value: object) -> list[tuple[str, Callable[..., Any]]]:
    names = [name for name in dir(type(value)) if not name.startswith("_")]
    return [(f"{label}.{name}", getattr(value, name)) for name in names if callable(getattr(value, name))]
