"""The web application: routes made from a schema document, authentication, bodies, and error answers."""

from __future__ import annotations

import json
import logging
import mimetypes
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from alyx_client.testing.failures import Failure, PageNotFound, UnreportedFailure, ValidationFailure
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.services import Services
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.records.views import ApiRequest, Upload, Views
from alyx_client.testing.schema.document import Document, Endpoint, Operation
from alyx_client.testing.server.accounts import Accounts
from alyx_client.testing.server.data_server import DataServer
from alyx_client.testing.server.faults import Faults

_LOG = logging.getLogger("alyx_client.testing")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_ON_RECORD = {"GET": "read", "PUT": "update", "PATCH": "partial_update", "DELETE": "delete", "POST": "create"}
_ON_LIST = {"GET": "list", "POST": "create"}
_OWN_PATHS = ("/auth-token", "/api/schema", "/docs/", "/cache.zip", "/uploaded/{img_url}", "/cache/info/")
_ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Application:
    """A local Alyx as a Starlette application.

    Parameters
    ----------
    store, tables
        Where the records are and what they look like.
    published
        The document served as this server's schema.
    behaviour
        The document that the endpoints follow.
    accounts, faults
        Who may log in, and whether there are too many requests.
    data_login
        Gives the user name and password of the data server.
    """

    def __init__(
        self,
        store: Store,
        tables: Mapping[str, Table],
        published: Document,
        behaviour: Document,
        accounts: Accounts,
        faults: Faults,
        data_login: Callable[[], tuple[str, str]],
    ) -> None:
        self.store = store
        self.published = published
        self.behaviour = behaviour
        self.accounts = accounts
        self.faults = faults
        self.views = Views(store, tables, behaviour)
        self.services = Services(store, tables)
        routes = [Route("/data/{path:path}", self._on_data(DataServer(store, data_login)), methods=["GET", "HEAD"])]
        routes += self._own_routes()
        for path, methods in published.paths.items():
            if path not in _OWN_PATHS:
                routes.append(Route(path, self._handler(path, methods), methods=_ALL_METHODS))
        pages: dict[Any, Any] = {404: _missing, PageNotFound: _missing, UnreportedFailure: _broken}
        self.asgi = Starlette(routes=routes, exception_handlers=pages)
        self.asgi.router.redirect_slashes = False

    def _own_routes(self) -> list[Route]:
        methods = _ALL_METHODS
        routes = [
            Route("/auth-token", self._guard(self._log_in, ("POST",), open_to_all=True), methods=methods),
            Route("/cache.zip", self._guard(self._cache_zip, ("GET",)), methods=methods),
            Route("/cache/info", _to_slash, methods=["GET"]),
            Route("/cache/info/", self._handler("/cache/info/", frozenset({"GET"})), methods=methods),
            Route("/cache/info/{tag}/", self._handler("/cache/info/{tag}/", frozenset({"GET"})), methods=methods),
            Route("/uploaded/{path:path}", self._guard(self._uploaded, ("GET",)), methods=methods),
            Route("/docs/", self._docs, methods=["GET"]),
        ]
        if self.published.format == "openapi":
            routes.append(Route("/api/schema", self._guard(self._schema, ("GET",)), methods=methods))
            routes.append(Route("/docs", _to_slash, methods=["GET"]))
        else:
            routes.append(Route("/docs", self._docs, methods=["GET"]))
        return routes

    def _handler(self, path: str, methods: frozenset[str]) -> Handler:
        """Return what answers on one path of the document."""
        if any(self.services.find(path, method) for method in methods):

            async def serve(request: Request, user: Record | None) -> Response:
                service = self.services.find(path, "GET" if request.method == "HEAD" else request.method)
                assert service is not None
                call = await _call(request, user)
                try:
                    status, value = self._write(lambda: service(call))
                except LookupError as problem:
                    return HTMLResponse(str(problem.args[0]), 404)
                return _json(status, value)

            return self._guard(serve, tuple(methods))
        endpoint = self.behaviour.endpoints.get(path.strip("/").split("/")[0])
        names = _ON_RECORD if path.endswith("}") else _ON_LIST

        async def act(request: Request, user: Record | None) -> Response:
            method = "GET" if request.method == "HEAD" else request.method
            action = endpoint.operations.get(names[method]) if endpoint else None
            if endpoint is None or action is None:
                raise _not_allowed(request, methods)
            return await self._act(endpoint, action, request, user)

        return self._guard(act, tuple(methods))

    async def _act(self, endpoint: Endpoint, action: Operation, request: Request, user: Record | None) -> Response:
        call = await _call(request, user)
        status, value = self._write(lambda: self.views.answer(endpoint, action, call))
        return Response(status_code=204) if status == 204 else _json(status, value)

    def _write(self, work: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
        """Do some work in one transaction; what was written before a failure stays, as in Alyx."""
        failure: Failure | None = None
        with self.store.transaction():
            try:
                return work()
            except Failure as problem:
                failure = problem
        raise failure

    def _guard(
        self,
        serve: Callable[[Request, Record | None], Coroutine[Any, Any, Response]],
        methods: tuple[str, ...],
        *,
        open_to_all: bool = False,
    ) -> Handler:
        """Wrap a handler in authentication, throttling, the check of the method, and error answers."""

        async def guarded(request: Request) -> Response:
            try:
                user = self.accounts.authenticate(request.headers.get("authorization"))
                method = "GET" if request.method == "HEAD" else request.method
                if not open_to_all:
                    if user is None:
                        raise Failure(403, {"detail": "Authentication credentials were not provided."})
                    if user["is_public_user"] and method != "GET":
                        raise Failure(403, {"detail": "You do not have permission to perform this action."})
                    wait = self.faults.wait_for(user["username"])
                    if wait is not None:
                        seconds = max(1, round(wait))
                        detail = f"Request was throttled. Expected available in {seconds} seconds."
                        raise Failure(429, {"detail": detail}, {"Retry-After": str(seconds)})
                if method not in methods:
                    raise _not_allowed(request, methods)
                return await serve(request, user)
            except Failure as failure:
                body = {**failure.body, "status_code": failure.status}
                return _json(failure.status, body, failure.headers)
            except (PageNotFound, UnreportedFailure):
                raise
            except Exception as problem:
                _LOG.exception("%s %s", request.method, request.url.path)
                return _json(500, {"detail": f"{type(problem).__name__}: {problem}", "status_code": 500})

        return guarded

    async def _log_in(self, request: Request, _user: Record | None) -> Response:
        call = await _call(request, None)
        body = call.fields()
        errors: dict[str, list[str]] = {}
        for name in ("username", "password"):
            if name not in body:
                errors[name] = ["This field is required."]
            elif body[name] in ("", None):
                errors[name] = [f"This field may not be {'blank' if body[name] == '' else 'null'}."]
        if errors:
            raise ValidationFailure(errors)
        token = self.accounts.log_in(str(body["username"]), str(body["password"]))
        if token is None:
            raise ValidationFailure({"non_field_errors": ["Unable to log in with provided credentials."]})
        return _json(200, {"token": token})

    async def _schema(self, request: Request, _user: Record | None) -> Response:
        accepts = request.headers.get("accept", "")
        media = "application/json" if "application/json" in accepts else "application/vnd.oai.openapi+json"
        return Response(json.dumps(self.published.raw, indent=4), media_type=media)

    async def _docs(self, _request: Request) -> Response:
        if self.published.format == "coreapi":
            return Response(json.dumps(self.published.raw), media_type="application/coreapi+json")
        return HTMLResponse("<!doctype html><title>local Alyx</title><p>The schema is at /api/schema.</p>")

    async def _cache_zip(self, _request: Request, _user: Record | None) -> Response:
        headers = {"Content-Disposition": 'inline; filename="cache.zip"'}
        return Response(self.services.cache_zip(), headers=headers, media_type="application/zip")

    async def _uploaded(self, request: Request, _user: Record | None) -> Response:
        path = request.path_params["path"]
        content = self.store.read_file(path)
        if content is None or path.startswith("data/"):
            raise Failure(404, {"detail": "Not found."})
        return Response(content, media_type=mimetypes.guess_type(path)[0] or "application/octet-stream")

    def _on_data(self, server: DataServer) -> Handler:
        async def serve(request: Request) -> Response:
            return await server(request)

        return serve


async def _call(request: Request, user: Record | None) -> ApiRequest:
    """Read a request's body and gather what an endpoint needs."""
    query: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        query.setdefault(name, []).append(value)
    body: Any = {}
    form: dict[str, list[Any]] | None = None
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        form = {}
        async with request.form() as received:
            for name, item in received.multi_items():
                given: Any = item
                if isinstance(item, UploadFile):
                    given = Upload(item.filename or "file", await item.read())
                form.setdefault(name, []).append(given)
    else:
        content = await request.body()
        if content and kind not in ("application/json", ""):
            raise Failure(415, {"detail": f'Unsupported media type "{kind}" in request.'})
        if content:
            try:
                body = json.loads(content)
            except ValueError as problem:
                raise Failure(400, {"detail": f"JSON parse error - {problem}"}) from None
    base_url = f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
    method = "GET" if request.method == "HEAD" else request.method
    return ApiRequest(method, request.url.path, base_url, user, query, body, form, dict(request.path_params))


def _json(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(value, status, {"Vary": "Accept, Cookie", **(headers or {})})


def _not_allowed(request: Request, methods: tuple[str, ...] | frozenset[str]) -> Failure:
    allowed = ", ".join(sorted({*methods, "HEAD", "OPTIONS"}))
    return Failure(405, {"detail": f'Method "{request.method}" not allowed.'}, {"Allow": allowed})


async def _to_slash(request: Request) -> Response:
    return RedirectResponse(f"{request.url.path}/", 301)


async def _missing(_request: Request, _problem: Exception) -> Response:
    return HTMLResponse(
        '<!doctype html>\n<html lang="en"><head><title>Not Found</title></head>'
        "<body><h1>Not Found</h1><p>This local Alyx has nothing at this address.</p></body></html>\n",
        404,
    )


async def _broken(_request: Request, _problem: Exception) -> Response:
    return HTMLResponse("<!DOCTYPE html>\n<html><head><title>500 Internal Server Error</title></head></html>\n", 200)
