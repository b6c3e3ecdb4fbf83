"""Translation between Starlette's requests and responses and those of the views."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Mapping
from email.message import Message

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alyx_client.testing.failures import Failure
from alyx_client.testing.records.store import Record
from alyx_client.testing.views.requests import ApiRequest, Upload

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
_MAX_FIELD = 2_621_440  # bytes: Django's DATA_UPLOAD_MAX_MEMORY_SIZE
# DRF's order, in the header `Allow`.
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
JSON_TYPES = ("application/json", "text/html")
"""The media types of DRF's usual renderers; this server has no HTML pages, and sends JSON for both."""
SCHEMA_TYPES = (
    "application/vnd.oai.openapi",
    "application/yaml",
    "application/vnd.oai.openapi+json",
    "application/json",
)
"""The media types of drf-spectacular's renderers; the first is the default."""


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
    content_type = Message()
    content_type["content-type"] = request.headers.get("content-type", "")
    media_type = str(content_type["content-type"]).split(";")[0].strip().lower()
    body: object = {}
    form: dict[str, list[object]] | None = None
    if media_type in _FORM_TYPES:
        form = await _read_form(request)
    else:
        body = _read_json(await request.body(), media_type, content_type.get_content_charset(""))
    base_url = f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
    return ApiRequest(request.url.path, base_url, user, query, body, form, dict(request.path_params))


async def _read_form(request: Request) -> dict[str, list[object]]:
    form: dict[str, list[object]] = {}
    try:
        async with request.form(max_part_size=_MAX_FIELD) as fields:
            for name, value in fields.multi_items():
                field: object = value
                if isinstance(value, UploadFile):
                    field = Upload(value.filename or "file", await value.read())
                form.setdefault(name, []).append(field)
    except HTTPException as problem:
        invalid = "Invalid boundary in multipart: None" if "boundary" in problem.detail else problem.detail
        raise Failure(400, {"detail": f"Multipart form parse error - {invalid}"}) from None
    return form


def _read_json(content: bytes, media_type: str, charset: str) -> object:
    # DRF looks at the media type only if there is a body.
    if not content:
        return {}
    if media_type != "application/json":
        raise Failure(415, {"detail": f'Unsupported media type "{media_type}" in request.'})
    try:
        codecs.lookup(charset)
    except LookupError:
        charset = "utf-8"
    try:
        # Decoded first, like DRF: JSON that starts with a byte order mark is refused.
        return json.loads(content.decode(charset))
    except ValueError as problem:
        raise Failure(400, {"detail": f"JSON parse error - {problem}"}) from None


def check_format(request: Request, media_types: Iterable[str]) -> None:
    """Check that a view can send what a request accepts.

    Raises
    ------
    Failure
        It has no such media type, or no such value of the query parameter ``format``.
    """
    if request.query_params.get("format", "json") not in ("json", "yaml", "api"):
        raise Failure(404, {"detail": "Not found."})
    accepted = {item.split(";")[0].strip().lower() for item in request.headers.get("accept", "*/*").split(",")}
    ranges = {"*/*", *media_types, *(f"{name.split('/')[0]}/*" for name in media_types)}
    if not accepted & ranges:
        raise Failure(406, {"detail": "Could not satisfy the request Accept header."})


def method_of(request: Request) -> str:
    """Return the method by which a view is chosen: Django serves HEAD like GET."""
    return "GET" if request.method == "HEAD" else request.method


def json_response(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON response; like Alyx's, it may contain ``NaN``, since a weight may be one."""
    content = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Lone surrogates, which a request may contain and UTF-8 cannot express, are escaped.
    return Response(content.encode("utf-8", "backslashreplace"), status, dict(headers or {}), "application/json")


def method_not_allowed(request: Request) -> Failure:
    """Return the failure of a request with a method that its path does not serve."""
    return Failure(405, {"detail": f'Method "{request.method}" not allowed.'})


def allowed_methods(methods: Iterable[str]) -> str:
    """Return the value of ``Allow``, which every response of DRF has."""
    served = {*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])}
    return ", ".join(method for method in _METHODS if method in served)


def description(path: str, media_types: Iterable[str]) -> dict[str, object]:
    """Return the response to ``OPTIONS``, without the fields that a view takes."""
    words = [word for word in path.strip("/").split("/") if not word.startswith("{")]
    name = " ".join(words).replace("-", " ").title()
    return {"name": name, "description": "", "renders": list(media_types), "parses": ["application/json", *_FORM_TYPES]}


async def redirect_to_slash(request: Request) -> Response:
    """Redirect as Django's APPEND_SLASH does."""
    return RedirectResponse(str(request.url.replace(scheme="", netloc="", path=f"{request.url.path}/")), 301)


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
