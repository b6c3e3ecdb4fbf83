"""Fetch the schema that an Alyx server publishes, sans-I/O: OpenAPI since Alyx 3.3, CoreAPI before."""

from __future__ import annotations

from alyx_client.errors import AlyxHTTPError, ServerError
from alyx_client.http.flow import Expires, Flow, Send
from alyx_client.http.message import Request, Response

__all__ = ["fetch_schema"]

_OPEN_API = "application/vnd.oai.openapi+json"
_CORE_API = "application/coreapi+json"
# Alyx's schema has less than one megabyte.
_MAX_BYTES = 64 * 2**20
_SCHEMA_REQUESTS = (
    Request("GET", "/api/schema", accept=_OPEN_API, endpoint="api/schema", max_bytes=_MAX_BYTES),
    # CoreAPI is one of the forms of the page for people, chosen by the Accept header.
    Request("GET", "/docs/", accept=_CORE_API, endpoint="docs", max_bytes=_MAX_BYTES),
    Request("GET", "/docs", accept=_CORE_API, endpoint="docs", max_bytes=_MAX_BYTES),
)
# Statuses of a server that does not publish this form of schema; redirects are Django's, which adds or removes the
# slash at the end of the path.
_ABSENT = frozenset({301, 302, 307, 308, 404, 406})


def fetch_schema(expires: Expires = None, *, bypass_cache: bool = False) -> Flow[Response]:
    """Fetch a server's schema, requesting the newer form first.

    Parameters
    ----------
    expires
        How long the response may be served from the cache.
    bypass_cache
        Whether to ask the server even if the response is cached.

    Returns
    -------
    Response
        The response that holds the schema.

    Raises
    ------
    AlyxError
        The server did not respond, or publishes no schema.
    """
    missing: AlyxHTTPError | None = None
    failure: ServerError | None = None
    for request in _SCHEMA_REQUESTS:
        try:
            response: Response = yield Send(request, expires=expires, bypass_cache=bypass_cache)
        except AlyxHTTPError as error:
            # A server that fails on one form may have the other one.
            if isinstance(error, ServerError) and error.status_code == 500:
                failure = failure or error
            elif error.status_code not in _ABSENT:
                raise
            else:
                # The first of them is about OpenAPI, the form of a current server, so it is the one worth reading.
                missing = missing or error
        else:
            return response
    cause = failure or missing
    assert cause is not None
    raise cause
