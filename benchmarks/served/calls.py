"""Each generated method, called on a server made from the document: what is sent, and what becomes of the responses."""

from __future__ import annotations

import asyncio
import copy
import importlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from alyx_generator.model.ir import Api, EndpointAction

from alyx_client.errors import AlyxError, InvalidFieldError
from alyx_client.runtime import AsyncResults

from .arguments import Call, CallMaker, paging_parameters
from .document import Document, Operation, Reply
from .examples import RESPONSE_STYLES, STYLES, Examples, NoExampleError, Style
from .lists import paged_list
from .server import ReplyServer
from .wire import body_differences, differences, request_differences

_UNKNOWN = "no response"
_BYTES = b"\x00\xff bytes"


@dataclass
class Outcome:
    """What was seen of one package; the lists name the method and the problem."""

    operations: int = 0
    called: int = 0
    requests: int = 0
    responses: int = 0
    lists: int = 0
    lost: list[str] = field(default_factory=list[str])
    wrong: list[str] = field(default_factory=list[str])
    drift: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])
    not_called: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class _Method:
    label: str
    function: Any
    action: EndpointAction
    operation: Operation


class Served:
    """A package, and a server made from the document that it was generated from.

    Parameters
    ----------
    content
        The decoded document.
    api
        The endpoints of the package.
    package, client
        The name of the package, which can be imported, and of its client, synchronous or asynchronous.
    """

    def __init__(self, content: Mapping[str, Any], api: Api, package: str, client: str = "Client") -> None:
        self._document = Document(content)
        self._api = api
        self._calls = CallMaker(self._document, package)
        self._responses = Examples(self._document, "writeOnly")
        self._client_class: Any = getattr(importlib.import_module(f"{package}.client"), client)
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Call every method in every style, with every example of a response."""
        operations = {(one.method.upper(), one.path): one for one in self._document.operations()}
        self.outcome.operations = len(operations)
        with ReplyServer() as server, asyncio.Runner() as runner:
            url = server.url + self._document.folder
            client = self._client_class(url, token="t", silent=True, strict=True, cache_rest=None)
            with _opened(client, runner):
                methods = list(self._methods(client, operations, runner))
                for method in methods:
                    self._check(method, server)
        findings = " ".join(str(finding) for finding in self._api.findings)
        with_method = {(method.operation.method.upper(), method.operation.path) for method in methods}
        for key in operations.keys() - with_method:
            known = " ".join(key) in findings
            self.outcome.not_called.append(f"{' '.join(key)}: no method{'' if known else ', and no finding says so'}")
        return self.outcome

    def _methods(
        self, client: Any, operations: Mapping[tuple[str, str], Operation], runner: asyncio.Runner
    ) -> Iterator[_Method]:
        for endpoint in self._api.endpoints:
            for action in endpoint.actions:
                for path in filter(None, (action.path, action.bare_path)):
                    label = f"{endpoint.name}.{action.name}"
                    operation = operations.get((action.method.upper(), path))
                    if operation is None:
                        self.outcome.wrong.append(f"{label}: the document has no {action.method} {path}")
                        continue
                    function = _to_the_end(getattr(getattr(client, endpoint.name), action.name), action, runner)
                    yield _Method(label, function, action, operation)

    def _check(self, method: _Method, server: ReplyServer) -> None:
        calls = self._all_calls(method)
        if not calls:
            return
        self.outcome.called += 1
        self._check_declared(method)
        replies = list(self._all_replies(method)) or [(_UNKNOWN, Reply(200), None)]
        # All arguments and all responses, not all pairs of them.
        for number in range(max(len(calls), len(replies))):
            call, (style, reply, value) = calls[number % len(calls)], replies[number % len(replies)]
            self._exchange(method, server, call, style, reply, value, is_new=number < len(calls))
        if method.action.paged:
            self._check_pages(method, server, calls[0])

    def _check_pages(self, method: _Method, server: ReplyServer, call: Call) -> None:
        """Read a list of several pages to its end."""
        try:
            pages = paged_list(self._document, method.operation, self._responses)
        except NoExampleError:
            return
        if pages is None:
            return
        self.outcome.lists += 1
        server.reply_with(pages.respond)
        try:
            received = method.function(*call.keys, **call.keywords)
        except (AlyxError, TypeError, ValueError) as error:
            self.outcome.lost.append(f"{method.label}: {type(error).__name__}: {error}"[:400])
            return
        found = differences(received, pages.rows)
        self.outcome.lost += [f"{method.label}, by {pages.position}: {one}"[:400] for one in found[:1]]

    def _all_calls(self, method: _Method) -> list[Call]:
        calls: list[Call] = []
        reasons: list[str] = []
        seen: set[str] = set()
        for style in (*STYLES, *(Style(f"value {turn}", turn=turn, items=1) for turn in range(1, 4))):
            try:
                call = self._calls.call(method.operation, method.action, style)
            except NoExampleError as error:
                reasons.append(f"{method.label}, {style.name}: {error}")
                continue
            except (AlyxError, TypeError, ValueError) as error:
                self._refuse(method, style.name, error)
                continue
            text = repr((call.path, call.query, call.json, call.files))
            if text not in seen:
                seen.add(text)
                calls.append(call)
        if not calls:
            self.outcome.not_called.append((reasons or [f"{method.label}: its arguments are refused"])[0])
        return calls

    def _refuse(self, method: _Method, style: str, error: Exception) -> None:
        # A finding says what cannot be sent, such as a field, or all but the first of several forms.
        names = ("only the fields of", *getattr(error, "fields", {}))
        findings = [str(finding) for finding in self._api.findings if method.operation.name in str(finding)]
        if not any(name in finding for name in names for finding in findings):
            self.outcome.refused.append(f"{method.label}, {style}: {type(error).__name__}: {error}"[:400])

    def _check_declared(self, method: _Method) -> None:
        findings = [str(finding) for finding in self._api.findings if method.operation.name in str(finding)]
        for name in self._calls.undeclared(method.operation, method.action):
            if not any(name in finding for finding in findings):
                self.outcome.wrong.append(f"{method.label}: nothing sends the parameter {name}, and no finding says so")

    def _all_replies(self, method: _Method) -> Iterator[tuple[str, Reply, Any]]:
        for reply in method.operation.replies:
            if not reply.media_type:
                yield "no content", reply, None
            elif not reply.is_json:
                yield "bytes", reply, _BYTES
            else:
                try:
                    for style, value in self._responses.all_of(reply.schema, RESPONSE_STYLES):
                        yield style, reply, _as_last_page(value) if method.action.paged else value
                except NoExampleError as error:
                    self.outcome.not_called.append(f"{method.label}, response {reply.status}: {error}")

    def _exchange(
        self, method: _Method, server: ReplyServer, call: Call, style: str, reply: Reply, value: Any, *, is_new: bool
    ) -> None:
        content = b"" if not reply.media_type else value if value is _BYTES else json.dumps(value).encode()
        server.reply(reply.status, reply.media_type, content)
        self.outcome.responses += 1
        label = f"{method.label}, {reply.status} {style}"
        body = [] if call.body is None else [call.body]
        try:
            received = method.function(*call.keys, *body, **copy.copy(call.keywords))
        except (InvalidFieldError, TypeError, ValueError) as error:
            if not server.requests:
                if is_new:
                    self._refuse(method, call.style, error)
                return
            self._note_drift(label, style, error)
        except AlyxError as error:
            self._note_drift(label, style, error)
        else:
            self._compare_response(method, label, received, value)
        if is_new:
            self.outcome.requests += 1
            self._compare_request(method, server, call)

    def _note_drift(self, label: str, style: str, error: Exception) -> None:
        # Where no response can be made, an empty one shows at least what is sent.
        if style != _UNKNOWN:
            self.outcome.drift.append(f"{label}: {type(error).__name__}: {error}"[:400])

    def _compare_request(self, method: _Method, server: ReplyServer, call: Call) -> None:
        if not server.requests:
            self.outcome.wrong.append(f"{method.label}, {call.style}: nothing was sent")
            return
        sent = server.requests[0]
        path, extra = self._document.folder + call.path, paging_parameters(method.action)
        found = list(request_differences(sent, method.operation.method.upper(), path, call.query, extra))
        found += body_differences(sent, call.json, call.files, list(method.operation.bodies))
        self.outcome.wrong += [f"{method.label}, {call.style}: {one}"[:500] for one in found]

    def _compare_response(self, method: _Method, label: str, received: Any, value: Any) -> None:
        expected = value
        if method.action.paged and isinstance(value, Mapping):
            expected = value.get("results", value)
        if value is None:
            return
        found = differences(received, expected)
        self.outcome.drift += [f"{label}: {one}"[:400] for one in found]


@contextmanager
def _opened(client: Any, runner: asyncio.Runner) -> Iterator[None]:
    if hasattr(client, "__enter__"):
        with client:
            yield
        return
    try:
        yield
    finally:
        runner.run(client.aclose())


def _to_the_end(function: Any, action: EndpointAction, runner: asyncio.Runner) -> Callable[..., Any]:
    """Return what calls a method of either client, and returns the response, or all rows of a list."""

    async def awaited(result: Any) -> Any:
        return await (result.all() if isinstance(result, AsyncResults) else result)

    def call(*args: Any, **keywords: Any) -> Any:
        result = function(*args, **keywords)
        if isinstance(result, AsyncResults) or inspect.isawaitable(result):
            return runner.run(awaited(result))
        return list(result) if action.paged else result

    return call


def _as_last_page(value: Any) -> Any:
    """Return a page whose count is that of its rows, and that no other follows."""
    if not isinstance(value, dict) or not isinstance(value.get("results"), list):
        return value
    rest = {"count": len(value["results"]), "next": None, "previous": None}
    return {**value, **{name: one for name, one in rest.items() if name in value}}


def table_row(name: str, outcome: Outcome) -> str:
    """Return one row of the table."""
    numbers = (
        outcome.operations,
        outcome.called,
        outcome.requests,
        len(outcome.wrong),
        outcome.responses,
        len(outcome.drift),
        outcome.lists,
        len(outcome.lost),
        len(outcome.refused),
        len(outcome.not_called),
    )
    return f"{name:24}" + "".join(f"{number:>11}" for number in numbers)


HEAD = f"{'schema':24}" + "".join(
    f"{title:>11}"
    for title in (
        "operations",
        "called",
        "requests",
        "wrong",
        "responses",
        "drift",
        "lists",
        "lost",
        "refused",
        "not called",
    )
)
