"""Translation between Starlette's requests and responses and those of the views."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from alyx_client.testing.failures import Failure
from alyx_client.testing.records.store import Record
from alyx_client.testing.views.requests import ApiRequest, Upload

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


async def read_request(request: Request, user: Record | None) -> ApiRequest:
    """Read a request's body and query.

    Raises
    ------
    Failure
        The body has a media type that Alyx does not parse, or is not valid JSON.
    """
    query: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        query.setdefault(name, []).append(value)
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    body: object = {}
    form: dict[str, list[object]] | None = None
    if media_type in _FORM_TYPES:
        form = await _read_form(request)
    else:
        body = _read_json(await request.body(), media_type)
    base_url = f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
    return ApiRequest(request.url.path, base_url, user, query, body, form, dict(request.path_params))


async def _read_form(request: Request) -> dict[str, list[object]]:
    form: dict[str, list[object]] = {}
    async with request.form() as fields:
        for name, value in fields.multi_items():
            field: object = value
            if isinstance(value, UploadFile):
                field = Upload(value.filename or "file", await value.read())
            form.setdefault(name, []).append(field)
    return form


def _read_json(content: bytes, media_type: str) -> object:
    # DRF looks at the media type only if there is a body.
    if not content:
        return {}
    if media_type not in ("application/json", ""):
        raise Failure(415, {"detail": f'Unsupported media type "{media_type}" in request.'})
    try:
        return json.loads(content)
    except ValueError as problem:
        raise Failure(400, {"detail": f"JSON parse error - {problem}"}) from None


def method_of(request: Request) -> str:
    """Return the method by which a view is chosen: Django serves HEAD like GET."""
    return "GET" if request.method == "HEAD" else request.method


def json_response(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response."""
    return JSONResponse(value, status, {"Vary": "Accept, Cookie", **(headers or {})})


def method_not_allowed(request: Request, methods: Iterable[str]) -> Failure:
    """Return the failure of a request with a method that its path does not serve."""
    allowed = ", ".join(sorted({*methods, "HEAD", "OPTIONS"}))
    return Failure(405, {"detail": f'Method "{request.method}" not allowed.'}, {"Allow": allowed})


async def redirect_to_slash(request: Request) -> Response:
    """Redirect as Django's APPEND_SLASH does."""
    return RedirectResponse(f"{request.url.path}/", 301)


async def not_found_page(_request: Request, _problem: Exception) -> Response:
    """Return the page for a path without a route."""
    return HTMLResponse(
        '<!doctype html>\n<html lang="en"><head><title>Not Found</title></head>'
        "<body><h1>Not Found</h1><p>This local Alyx has nothing at this address.</p></body></html>\n",
        404,
    )


async def unreported_failure_page(_request: Request, _problem: Exception) -> Response:
    """Return the page for an error inside Alyx's exception handler, which has the status 200."""
    return HTMLResponse("<!DOCTYPE html>\n<html><head><title>500 Internal Server Error</title></head></html>\n", 200)
