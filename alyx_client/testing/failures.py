"""The ways in which a request can fail, as exceptions that know their answer."""

from __future__ import annotations

from typing import Any


class Failure(Exception):  # noqa: N818 - an outcome, not an error of ours
    """A request that ends in an error answer.

    Parameters
    ----------
    status
        The HTTP status code.
    body
        The JSON body; ``status_code`` is added when it is sent.
    headers
        Further headers.
    """

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}


class ServerFailure(Failure):
    """What Alyx answers to many a user's mistake: an internal error whose detail says what went wrong."""

    def __init__(self, detail: str) -> None:
        super().__init__(500, {"detail": detail})


class ValidationFailure(Failure):
    """A body or a filter that does not pass validation."""

    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__(400, fields)


class PageNotFound(Exception):  # noqa: N818 - an outcome, not an error of ours
    """No route matches: answered as an HTML page."""


class UnreportedFailure(Exception):  # noqa: N818 - an outcome, not an error of ours
    """An error that Alyx itself fails to report: an HTML page, with status 200."""
