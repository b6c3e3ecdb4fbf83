"""Parsers of responses: one call to pydantic from bytes to objects, and a lenient second reading only if that fails."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from types import GenericAlias
from typing import Annotated, Any, Generic, Self, TypeVar, cast, get_args

from pydantic import GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import core_schema

from alyx_client.http.json_body import decode, is_array, is_count, refuse_failure, refuse_page, unexpected
from alyx_client.http.message import Response
from alyx_client.runtime.collector import COLLECTOR_PAUSE
from alyx_client.runtime.drift import Drift, DriftLog
from alyx_client.runtime.lists.paging import ALYX_PAGING, Page, Paging
from alyx_client.runtime.rows import Misfit, RowSchema, strict_adapter

__all__ = ["PageParser", "ResponseParser"]

_EMPTY = (204, 205)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class ResponseParser(Generic[T_co]):
    """The parser of one action's responses.

    Parameters
    ----------
    kind
        The declared type: a `Record`, a list of them, or any type that pydantic reads; ``bytes`` for the unparsed body;
        ``None`` if the response has no content.
    """

    def __init__(self, kind: Any) -> None:
        self.kind = kind

    def __reduce__(self) -> tuple[type[Self], tuple[Any]]:
        # Validators cannot be pickled; each process makes its own.
        return type(self), (self.kind,)

    @cached_property
    def _adapter(self) -> TypeAdapter[T_co]:
        return strict_adapter(self.kind)

    def parse(self, response: Response, endpoint: str, log: DriftLog) -> T_co:
        """Parse a response.

        Parameters
        ----------
        response
            The response.
        endpoint
            The endpoint's name, for messages.
        log
            The log of differences from the declared type.

        Raises
        ------
        UnexpectedAnswerError
            The body is not JSON, or not of the declared form at its top level.
        SchemaDriftError
            A field differs and the log is strict.
        """
        # Nothing is parsed here, so that a page of HTML with status 200 has to be recognised by itself.
        if self.kind is None:
            refuse_page(response, endpoint)
            return cast("T_co", None)
        if self.kind is bytes:
            refuse_failure(response, endpoint)
            return cast("T_co", response.content)
        if not response.content and (self.kind is Any or _is_empty(response)):
            # The write has succeeded, and a response of that status has no content whatever is declared.
            if self.kind is not Any and not _allows_none(self.kind):
                from alyx_client.runtime.lenient import describe

                log.add(Drift(endpoint, "answer", describe(self.kind), "missing"))
            return cast("T_co", None)
        try:
            return self._adapter.validate_json(response.content)
        except ValidationError:
            from alyx_client.runtime.lenient import LenientReader

            return cast("T_co", LenientReader(endpoint, log, response).read(self.kind, decode(response, endpoint)))


class PageParser(Generic[T]):
    """The parser of one list's responses: a page of rows, or a plain array if the endpoint does not page.

    Parameters
    ----------
    row
        The declared type of a row.
    """

    def __init__(self, row: type[T]) -> None:
        self.row = row
        self._schema = RowSchema(row)

    def __reduce__(self) -> tuple[type[Self], tuple[type[T]]]:
        return type(self), (self.row,)

    @cached_property
    def _pages(self) -> TypeAdapter[dict[str, Any]]:
        return TypeAdapter(Annotated[Any, _PageSchema(self._schema)])

    @cached_property
    def _arrays(self) -> TypeAdapter[list[Any]]:
        rows: Any = GenericAlias(list, (Annotated[Any, self._schema],))
        return TypeAdapter(rows)

    @property
    def record(self) -> Callable[[Any], T]:
        """Makes the record of a row of a page; the row itself if it is one."""
        return self._schema

    def parse(self, response: Response, endpoint: str, log: DriftLog, paging: Paging = ALYX_PAGING) -> Page[Any]:
        """Parse one page, of a list that is divided as `paging` says; other parameters and errors as for a record.

        Rows are validated, but no records yet: `record` makes them.
        """
        if response.status in _EMPTY and not response.content:
            return Page(0, [], False)  # some servers say so of a list without rows
        misfits: list[Misfit] = []
        total: int | None
        following: str | None
        try:
            with COLLECTOR_PAUSE:
                # Some endpoints ignore paging and send every row at once. Stripping the whole would copy it.
                if response.content[:16].lstrip()[:1] == b"[":
                    rows = self._arrays.validate_json(response.content, context=misfits)
                    total, following = len(rows), None
                else:
                    body = self._pages.validate_json(response.content, context=misfits)
                    rows, total, following = body["results"], body.get("count"), body.get("next")
        except ValidationError:
            return self._read_leniently(response, endpoint, log, paging)
        if total is None and paging.counted:
            return self._read_leniently(response, endpoint, log, paging)
        if misfits:
            from alyx_client.runtime.lenient import LenientReader

            reader = LenientReader(endpoint, log, response)
            rows = [reader.read_row(self.row, row.value) if isinstance(row, Misfit) else row for row in rows]
        count = len(rows) if total is None else total
        url = None if paging.style == "offset" and total is not None else following
        return Page(count, rows, following is not None, url, is_counted=total is not None)

    def _read_leniently(self, response: Response, endpoint: str, log: DriftLog, paging: Paging) -> Page[Any]:
        from alyx_client.runtime.lenient import LenientReader, json_type

        value = decode(response, endpoint)
        reader = LenientReader(endpoint, log, response)
        if is_array(value):
            rows: list[Any] = reader.read(GenericAlias(list, (self.row,)), value)
            return Page(len(rows), rows, False)
        if not isinstance(value, dict) or "results" not in value:
            raise unexpected(response, endpoint, "a page with count, next and results")
        page = cast("dict[str, Any]", value)
        rows = reader.read(GenericAlias(list, (self.row,)), page["results"])
        following, count = page.get("next"), page.get("count")
        has_next = following is not None
        url = following if paging.style != "offset" and isinstance(following, str) else None
        is_counted = is_count(count)
        if not is_counted:
            # Without a count nobody could tell whether rows are missing, unless this page is the last one, or names it.
            if has_next and url is None:
                raise unexpected(response, endpoint, "a page with count, next and results")
            if paging.counted or count is not None:
                log.add(Drift(endpoint, "count", "int", json_type(count) if "count" in page else "missing"))
        return Page(count if is_count(count) else len(rows), rows, has_next, url, is_counted=is_counted)


def _no_truth(count: object) -> object:
    # Taken for 1, the other rows would be lost.
    if isinstance(count, bool):
        raise ValueError("not a number of rows")
    return count


class _PageSchema:
    """Annotation of a page, validated as a dictionary: building a model of it takes as long as building its rows'.

    Parameters
    ----------
    row
        The annotation of a row.
    """

    def __init__(self, row: RowSchema) -> None:
        self._row = row

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        # The length of a sequence.
        length = core_schema.nullable_schema(core_schema.int_schema(ge=0, le=sys.maxsize))
        fields = {
            "count": (core_schema.no_info_before_validator_function(_no_truth, length), False),
            "next": (core_schema.nullable_schema(core_schema.str_schema()), False),
            "results": (core_schema.list_schema(handler(Annotated[Any, self._row])), True),
        }
        return core_schema.typed_dict_schema(
            {
                name: core_schema.typed_dict_field(schema, required=is_required)
                for name, (schema, is_required) in fields.items()
            }
        )


def _is_empty(response: Response) -> bool:
    # RFC 9110, sections 15.3.5 and 15.3.6; some servers answer writes with an empty 200 or 201, and reads of what is
    # not there yet with an empty 202.
    return response.status != 200 or response.method not in ("GET", "HEAD")


def _allows_none(kind: Any) -> bool:
    return type(None) in get_args(kind)
