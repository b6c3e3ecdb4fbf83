"""The web application: routes from a schema document, authentication, throttling and error responses."""

from __future__ import annotations

import json
import logging
import math
import mimetypes
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from alyx_client.testing.failures import Failure, PageNotFound, UnreportedFailure, ValidationFailure
from alyx_client.testing.records.relations import Table
from alyx_client.testing.records.store import Record, Store
from alyx_client.testing.schema.document import Document, Endpoint
from alyx_client.testing.server.accounts import Accounts
from alyx_client.testing.server.data_server import DataServer
from alyx_client.testing.server.faults import Faults
from alyx_client.testing.server.request_reader import (
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
# Every route takes all methods, so that a wrong one gets DRF's response rather than Starlette's.
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


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
                routes.append(Route(path, self._handler(path, methods), methods=_METHODS))
        pages: dict[Any, Any] = {
            404: not_found_page,
            PageNotFound: not_found_page,
            UnreportedFailure: unreported_failure_page,
        }
        self.asgi = Starlette(routes=routes, exception_handlers=pages)
        # Django redirects only the paths that its URL patterns declare with a slash.
        self.asgi.router.redirect_slashes = False

    def _fixed_routes(self) -> list[Route]:
        def guarded(path: str, handler: AuthenticatedHandler, method: str = "GET") -> Route:
            return Route(path, self._guard(handler, frozenset({method})), methods=_METHODS)

        get = frozenset({"GET"})
        login = self._guard(self._log_in, frozenset({"POST"}), requires_user=False)
        routes = [
            Route("/auth-token", login, methods=_METHODS),
            guarded("/cache.zip", self._cache_zip),
            Route("/cache/info", redirect_to_slash, methods=["GET"]),
            Route("/cache/info/", self._handler("/cache/info/", get), methods=_METHODS),
            Route("/cache/info/{tag}/", self._handler("/cache/info/{tag}/", get), methods=_METHODS),
            guarded("/uploaded/{path:path}", self._uploaded),
            Route("/docs/", self._docs, methods=["GET"]),
        ]
        # Servers before 3.3 publish CoreAPI at /docs and have no /api/schema.
        if self.published.format == "openapi":
            routes += [guarded("/api/schema", self._schema), Route("/docs", redirect_to_slash, methods=["GET"])]
        else:
            routes.append(Route("/docs", self._docs, methods=["GET"]))
        return routes

    def _handler(self, path: str, methods: frozenset[str]) -> Handler:
        """Return the handler of one path of the document."""
        if any(self.services.find(path, method) for method in methods):
            return self._guard(self._service_handler(path), methods)
        name = path.strip("/").split("/")[0]
        endpoint = self.behaviour.endpoints.get(name) or Endpoint(name, None, {})
        actions = _RECORD_ACTIONS if path.endswith("}") else _COLLECTION_ACTIONS
        return self._guard(self._endpoint_handler(endpoint, actions, methods), methods)

    def _service_handler(self, path: str) -> AuthenticatedHandler:
        async def handle(request: Request, user: Record | None) -> Response:
            service = self.services.find(path, method_of(request))
            if service is None:
                raise Failure(405, {"detail": f'Method "{request.method}" not allowed.'})
            api_request = await read_request(request, user)
            try:
                status, value = self._in_transaction(lambda: service(api_request))
            except LookupError as problem:
                return HTMLResponse(str(problem.args[0]), 404)
            return json_response(status, value)

        return handle

    def _endpoint_handler(
        self, endpoint: Endpoint, actions: Mapping[str, str], methods: frozenset[str]
    ) -> AuthenticatedHandler:
        async def handle(request: Request, user: Record | None) -> Response:
            operation = endpoint.operations.get(actions.get(method_of(request), ""))
            if operation is None:
                raise method_not_allowed(request, methods)
            api_request = await read_request(request, user)
            status, value = self._in_transaction(lambda: self.views.handle(endpoint, operation, api_request))
            return Response(status_code=204) if status == 204 else json_response(status, value)

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

    def _guard(self, handler: AuthenticatedHandler, methods: frozenset[str], *, requires_user: bool = True) -> Handler:
        """Wrap a handler in authentication, throttling, the check of the method, and error responses."""

        async def guarded(request: Request) -> Response:
            try:
                user = self.accounts.authenticate(request.headers.get("authorization"))
                if requires_user:
                    self._check_access(request, user)
                if method_of(request) not in methods:
                    raise method_not_allowed(request, methods)
                return await handler(request, user)
            except Failure as failure:
                body = {**failure.body, "status_code": failure.status}
                return json_response(failure.status, body, failure.headers)
            except (PageNotFound, UnreportedFailure):
                raise
            except ClientDisconnect:
                # Nobody receives the response.
                return Response(status_code=400)
            except Exception as problem:
                # A mistake in this package: log it, since the client sees only a 500.
                _LOG.exception("%s %s", request.method, request.url.path)
                return json_response(500, {"detail": f"{type(problem).__name__}: {problem}", "status_code": 500})

        return guarded

    def _check_access(self, request: Request, user: Record | None) -> None:
        # In DRF's order: authentication, permissions, throttles.
        if user is None:
            raise Failure(403, {"detail": "Authentication credentials were not provided."})
        if user["is_public_user"] and method_of(request) != "GET":
            raise Failure(403, {"detail": "You do not have permission to perform this action."})
        wait = self.faults.throttle_wait(user["username"])
        if wait is not None:
            seconds = max(1, math.ceil(wait))
            detail = f"Request was throttled. Expected available in {seconds} seconds."
            raise Failure(429, {"detail": detail}, {"Retry-After": str(seconds)})

    async def _log_in(self, request: Request, _user: Record | None) -> Response:
        body = (await read_request(request, None)).fields()
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
        return json_response(200, {"token": token})

    async def _schema(self, request: Request, _user: Record | None) -> Response:
        accepts = request.headers.get("accept", "")
        media_type = "application/json" if "application/json" in accepts else "application/vnd.oai.openapi+json"
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
