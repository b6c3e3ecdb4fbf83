"""Public functions and methods with one odd argument each, and the errors that they may raise."""

from __future__ import annotations

import asyncio
import inspect
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from alyx_client import AlyxClient, AlyxError, AsyncAlyxClient, Results, Retries, config, webclient
from alyx_client.config import DataServer
from alyx_client.http.message import Request
from alyx_client.runtime.endpoint import AsyncEndpoint, Endpoint
from alyx_client.testing import LocalAlyx


class Bare:
    """An object of which nothing is known."""


ODD: list[object] = [
    *(None, True, False, 0, 5, -1, 10**30, 10**5000, 1.5, -1.5, math.nan, math.inf, 2j, Decimal("NaN")),
    *("", " ", "x", "\0", "\ud800", "~nobody-of-this-name", "../x", "a" * 5000, "http://[", "?a=b", "#", "[[", "*"),
    *(b"", b"x", bytearray(b"x"), [], [None], ["x"], [[["x"]]], (), (1,), (1, 2), (None, "x"), ("a", "b", "c", "d")),
    *({}, {"a": 1}, {1: 2}, {None: None}, {"a": Bare()}, set[int](), {1}, frozenset({"x"})),
    *(Bare(), Bare, len, range(3), slice(1), ..., NotImplemented, ValueError("x"), lambda: None),
    *(Path("x"), Path("x\0"), UUID(int=0), date(2020, 1, 1), datetime(1, 1, 1), timedelta(-1), timedelta.max),
    *(DataServer("x"), Retries(), Request("GET", "/labs")),
]
odd_values = st.sampled_from(ODD)

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
        except AlyxError:
            pass
        except (TypeError, ValueError) as error:
            names = {self.argument, *_OTHER_NAMES.get(self.argument, ())}
            if isinstance(value, dict):
                names |= {str(key) for key in value}
            if not any(name in str(error) for name in names) or isinstance(error, UnicodeError):
                raise AssertionError(f"{self.label}({self.argument}={_shown(value)}): {error!r}") from error
        except Exception as error:
            if isinstance(error, OSError) and self.argument in _FOLDERS:
                return  # the folder cannot be created
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
    "links_to_file_list": ("list of URLs",),
    "full_link_to_file": ("is not a source of a file",),
    "url": ("is not a source of a file",),
    "base_url": ("address",),
}
_FOLDERS = {"cache_dir", "target_dir", "destination"}


async def _wait(result: Any) -> None:
    await result


def _shown(value: object) -> str:
    try:
        return repr(value)[:60]
    except ValueError:
        return "an integer of many digits"


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
