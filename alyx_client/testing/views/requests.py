"""A request as the views see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alyx_client.testing.records.json_values import is_object
from alyx_client.testing.records.store import Record

ViewResult = tuple[int, object]
"""A status code and a JSON value; None for no body."""


@dataclass(frozen=True)
class Upload:
    """A file sent in a form."""

    filename: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class ApiRequest:
    """One authenticated request.

    Attributes
    ----------
    base_url
        Scheme and host, for hyperlinks.
    query
        The values of every query parameter.
    body
        The decoded JSON.
    form
        The values of every field of a form; None if the body was JSON.
    path_parameters
        The parts of the path that the route's template names.
    """

    path: str
    base_url: str
    user: Record | None
    query: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    body: object = None
    form: Mapping[str, Sequence[object]] | None = None
    path_parameters: Mapping[str, str] = field(default_factory=dict[str, str])

    def fields(self) -> Record:
        """Return the fields of the body, be it JSON or a form."""
        if self.form is not None:
            return {name: values[-1] for name, values in self.form.items()}
        return self.body if is_object(self.body) else {}
