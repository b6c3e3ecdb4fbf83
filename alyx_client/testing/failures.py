"""Outcomes of a request other than success, as exceptions."""

from __future__ import annotations

from collections.abc import Mapping


class Failure(Exception):  # noqa: N818 - an outcome, not an error of this package
    """A request that ends in an error response.

    Parameters
    ----------
    status
        The HTTP status code.
    body
        The JSON body; ``status_code`` is added when it is sent.
    headers
        Additional headers.
    """

    def __init__(self, status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}


class ServerFailure(Failure):
    """An internal error whose detail says what went wrong: Alyx's response to many mistakes of its users."""

    def __init__(self, detail: str) -> None:
        super().__init__(500, {"detail": detail})


class ValidationFailure(Failure):
    """A body or a filter that does not pass validation."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        super().__init__(400, fields)


class PageNotFound(Exception):  # noqa: N818 - an outcome, not an error of this package
    """No route matches; the response is an HTML page."""


class UnreportedFailure(Exception):  # noqa: N818 - an outcome, not an error of this package
    """An error that Alyx's exception handler fails to report: an HTML page with status 200."""
