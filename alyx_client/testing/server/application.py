"""The web application: routes from a schema document, authentication, throttling and error responses."""

from __future__ import annotations

import json
import logging
import math
import mimetypes
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from alyx_client.testing.failures import Failure, PageNotFound, UnreportedFailure, ValidationFailure
from alyx_client.testing.records.json_values import is_object
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.schema.document import Document, Endpoint
from alyx_client.testing.server.accounts import Accounts
from alyx_client.testing.server.data_server import DataServer
from alyx_client.testing.server.faults import Faults
from alyx_client.testing.server.login import read_credentials
from alyx_client.testing.server.request_reader import (
    JSON_TYPES,
    SCHEMA_TYPES,
    allowed_methods,
    check_format,
    description,
    json_response,
    method_not_allowed,
    method_of,
    not_found_page,
    read_request,
    redirect_to_slash,
    unreported_failure_page,
)
from alyx_client.testing.views.requests import ViewResult
from alyx_client.testing.views.services import Services
from alyx_client.testing.views.views import Views

_LOG = logging.getLogger("alyx_client.testing")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
AuthenticatedHandler = Callable[[Request, Record | None], Coroutine[Any, Any, Response]]

_RECORD_ACTIONS = {"GET": "read", "PUT": "update", "PATCH": "partial_update", "DELETE": "delete", "POST": "create"}
_COLLECTION_ACTIONS = {"GET": "list", "POST": "create"}
_FIXED_PATHS = ("/auth-token", "/api/schema", "/docs/", "/cache.zip", "/uploaded/{img_url}", "/cache/info/")
# Views of Alyx that declare no permissions: a public user may call them, and so may anybody.
_OPEN_PATHS = ("/register-file", "/check-protected", "/new-download", "/sync-file-status")


@dataclass(frozen=True)
class _View:
    """What DRF knows of a view: the methods that it serves, the media types that it sends, and who may call it."""

    path: str
    methods: frozenset[str]
    media_types: tuple[str, ...] = JSON_TYPES
    is_open: bool = False


class Application:
    """A local Alyx as a Starlette application.

    Parameters
    ----------
    store, tables
        The records and their description.
    published
        The document served as this server's schema.
    behaviour
        The document that the endpoints follow.
    accounts, faults
        Users and their tokens; the throttle.
    data_login
        Returns the user name and password of the data server.
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
        data_server = DataServer(store, data_login)
        routes = [Route("/data/{path:path}", data_server.handle, methods=["GET", "HEAD"]), *self._fixed_routes()]
        for path, methods in published.paths.items():
            if path not in _FIXED_PATHS:
                routes.append(self._route(path, methods))
        pages: dict[Any, Any] = {
            404: not_found_page,
            PageNotFound: not_found_page,
            UnreportedFailure: unreported_failure_page,
        }
        self.asgi = Starlette(routes=routes, exception_handlers=pages)
        # Django redirects only the paths that its URL patterns declare with a slash.
        self.asgi.router.redirect_slashes = False

    def _fixed_routes(self) -> list[Route]:
        get = frozenset({"GET"})
        login = _View("/auth-token", frozenset({"POST"}), JSON_TYPES[:1], is_open=True)
        routes = [
            self._guarded(login, self._log_in),
            self._guarded(_View("/cache.zip", get), self._cache_zip),
            _for_all_methods("/cache/info", redirect_to_slash),
            self._route("/cache/info/", get),
            _for_all_methods("/cache/info/{tag}", redirect_to_slash),
            self._route("/cache/info/{tag}/", get),
            self._guarded(_View("/uploaded/{path:path}", get), self._uploaded),
            Route("/docs/", self._docs, methods=["GET"]),
        ]
        # Servers before 3.3 publish CoreAPI at /docs and have no /api/schema.
        if self.published.format == "openapi":
            schema = _View("/api/schema", get, SCHEMA_TYPES)
            routes += [self._guarded(schema, self._schema), _for_all_methods("/docs", redirect_to_slash)]
        else:
            routes.append(Route("/docs", self._docs, methods=["GET"]))
        return routes

    def _route(self, path: str, methods: frozenset[str]) -> Route:
        """Return the route of one path of the document."""
        view = _View(path, methods, is_open=path in _OPEN_PATHS)
        if any(self.services.find(path, method) for method in methods):
            return self._guarded(view, self._service_handler(path))
        name = path.strip("/").split("/")[0]
        endpoint = self.behaviour.endpoints.get(name) or Endpoint(name, None, {})
        actions = _RECORD_ACTIONS if path.endswith("}") else _COLLECTION_ACTIONS
        return self._guarded(view, self._endpoint_handler(endpoint, actions))

    def _service_handler(self, path: str) -> AuthenticatedHandler:
        async def handle(request: Request, user: Record | None) -> Response:
            service = self.services.find(path, method_of(request))
            if service is None:
                raise method_not_allowed(request)
            api_request = await read_request(request, user)
            try:
                status, value = self._in_transaction(lambda: service(api_request))
            except LookupError as problem:
                return HTMLResponse(str(problem.args[0]), 404)
            return json_response(status, value)

        return handle

    def _endpoint_handler(self, endpoint: Endpoint, actions: Mapping[str, str]) -> AuthenticatedHandler:
        async def handle(request: Request, user: Record | None) -> Response:
            operation = endpoint.operations.get(actions.get(method_of(request), ""))
            if operation is None:
                raise method_not_allowed(request)
            api_request = await read_request(request, user)
            status, value = self._in_transaction(lambda: self.views.handle(endpoint, operation, api_request))
            if status == 204:
                return Response(status_code=204)
            url = value.get("url") if status == 201 and is_object(value) else None
            return json_response(status, value, {"Location": url} if url else None)

        return handle

    def _in_transaction(self, view: Callable[[], ViewResult]) -> ViewResult:
        failure: Failure | None = None
        with self.store.transaction():
            try:
                return view()
            except Failure as problem:
                # Alyx does not set ATOMIC_REQUESTS: whatever was written before a failure stays.
                failure = problem
        raise failure

    def _guarded(self, view: _View, handler: AuthenticatedHandler) -> Route:
        """Return the route of a view: with negotiation, authentication, throttling, and DRF's error responses."""

        async def guarded(request: Request) -> Response:
            try:
                response = await self._respond(view, handler, request)
            except Failure as failure:
                body = {**failure.body, "status_code": failure.status}
                response = json_response(failure.status, body, failure.headers)
            except (PageNotFound, UnreportedFailure):
                raise
            except ClientDisconnect:
                # Nobody receives the response.
                return Response(status_code=400)
            except Exception as problem:
                # A mistake in this package: log it, since the client sees only a 500.
                _LOG.exception("%s %s", request.method, request.url.path)
                response = json_response(500, {"detail": f"{type(problem).__name__}: {problem}", "status_code": 500})
            response.headers["Allow"] = allowed_methods(view.methods)
            response.headers["Vary"] = "Accept, Cookie"
            return response

        return _for_all_methods(view.path, guarded)

    async def _respond(self, view: _View, handler: AuthenticatedHandler, request: Request) -> Response:
        # In DRF's order: negotiation, authentication, permissions, throttles, the method.
        check_format(request, view.media_types)
        user = self.accounts.authenticate(request.headers.get("authorization"))
        if not view.is_open:
            _check_permission(request, user)
        self._check_throttle(user)
        if request.method == "OPTIONS":
            return json_response(200, description(view.path, view.media_types))
        if method_of(request) not in view.methods:
            raise method_not_allowed(request)
        return await handler(request, user)

    def _check_throttle(self, user: Record | None) -> None:
        # DRF counts the requests of those who are not logged in by their address; here, all are from this machine.
        wait = self.faults.throttle_wait(user["username"] if user else "")
        if wait is not None:
            seconds = max(1, math.ceil(wait))
            detail = f"Request was throttled. Expected available in {seconds} seconds."
            raise Failure(429, {"detail": detail}, {"Retry-After": str(seconds)})

    async def _log_in(self, request: Request, _user: Record | None) -> Response:
        username, password = read_credentials(await read_request(request, None))
        token = self.accounts.log_in(username, password)
        if token is None:
            raise ValidationFailure({"non_field_errors": ["Unable to log in with provided credentials."]})
        return json_response(200, {"token": token})

    async def _schema(self, request: Request, _user: Record | None) -> Response:
        accepted = request.headers.get("accept", "")
        is_json = request.query_params.get("format") == "json"
        default = SCHEMA_TYPES[2 if is_json else 0]
        # JSON is YAML, too.
        media_type = next((one for one in reversed(SCHEMA_TYPES) if one in accepted and "json" in one), default)
        return Response(json.dumps(self.published.raw, indent=4), media_type=media_type)

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
        # The files of the data server are in the same store, but not public here.
        if content is None or path.startswith("data/"):
            raise Failure(404, {"detail": "Not found."})
        return Response(content, media_type=mimetypes.guess_type(path)[0] or "application/octet-stream")


def _check_permission(request: Request, user: Record | None) -> None:
    if user is None:
        raise Failure(403, {"detail": "Authentication credentials were not provided."})
    if user["is_public_user"] and request.method != "GET":
        raise Failure(403, {"detail": "You do not have permission to perform this action."})


def _for_all_methods(path: str, handler: Handler) -> Route:
    """Return a route for every method, so that a wrong one gets DRF's response rather than Starlette's."""
    route = Route(path, handler)
    route.methods = None
    return route
