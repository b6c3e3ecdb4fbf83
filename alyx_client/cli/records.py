"""``alyx list`` and ``alyx get``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from alyx_client.cli.completion import complete_condition, complete_endpoint, complete_value
from alyx_client.cli.endpoint_source import EndpointSource, Parameter
from alyx_client.cli.names import option
from alyx_client.cli.output import ColumnsOption, Format, FormatOption, OutputOption, print_record, print_rows
from alyx_client.cli.session import session_of
from alyx_client.cli.terminal import command
from alyx_client.cli.usage_error import UsageError
from alyx_client.cli.values import ValueType, coerce_options
from alyx_client.http.suggestions import suggest

__all__ = ["EndpointArgument", "get", "list_records", "typed_key"]

EndpointArgument = Annotated[
    str,
    typer.Argument(
        metavar="ENDPOINT",
        help="The endpoint, such as sessions or water-administrations.",
        autocompletion=complete_endpoint,
    ),
]


@command
def list_records(
    context: typer.Context,
    endpoint: EndpointArgument,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[--FILTER VALUE]...",
            help="Filters of the endpoint: alyx describe ENDPOINT. Repeat one for several values.",
            autocompletion=complete_value,
        ),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            "-w",
            metavar="EXPR",
            help="A condition on the fields of the records, see below.",
            autocompletion=complete_condition,
        ),
    ] = None,
    columns: ColumnsOption = None,
    max_items: Annotated[
        int | None, typer.Option("--max", "-n", min=1, metavar="N", help="The most records; all by default.")
    ] = None,
    page_size: Annotated[int | None, typer.Option("--page-size", min=1, metavar="N", help="Records per page.")] = None,
    form: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """List records.

    On a terminal, a table shows the first 100 records, or as many as --max allows; pipes get JSON lines.

    For example:
      alyx list subjects --lab cortexlab --alive true
      alyx list sessions --date-range 2026-01-01,2026-01-31 --columns id,subject,number
      alyx list sessions --where "number > 1 and subject.nickname.icontains('KS')"
      alyx list datasets --session 5a2c6a0e-e4b8-4d5c-9c7e-3a0f2d1a9b11 --format csv > datasets.csv

    Expressions of --where have Python's syntax:
      number > 1 and not (lab.name == 'cortexlab')    also written with & and ~
      start_time.date >= 2026-01-31                   dates as they are, quoted, or date('2026-01-31')
      qc in ['PASS', 'WARNING']                       or qc.in_([...])
      subject.nickname.icontains('KS')                startswith, endswith, iexact, regex, range, is_null
      json['qc'] == 'PASS'                            keys of JSON fields
    """
    session = session_of(context)
    source = session.catalogue.endpoint(endpoint)
    method = source.method("list")
    filters: dict[str, Any] = coerce_options(words or (), method.filters, "filter")
    names = read_columns(columns, source)
    endpoint_client = getattr(session.client, source.name)
    if where is not None:
        if not hasattr(endpoint_client, "fields"):
            raise UsageError(f"--where: {option(source.name)} has no typed fields; use filters")
        from alyx_client.cli.where import parse_condition

        filters["where"] = parse_condition(where, endpoint_client.fields)
    limit = {name: value for name, value in (("page_size", page_size), ("max_items", max_items)) if value is not None}
    rows = endpoint_client.list(**filters, **limit)
    if not names and Format.CSV in (form, output and output.suffix.lstrip(".").lower()):
        names = [*source.columns]  # an empty list has a header, too
    print_rows(rows, form, names, output, limit=max_items, silent=session.options.silent)


@command
def get(
    context: typer.Context,
    endpoint: EndpointArgument,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY", help="The record's key (UUID, name, nickname, number) or its URL."),
    ] = None,
    columns: ColumnsOption = None,
    form: FormatOption = None,
) -> None:
    """Show one record, with all of its fields.

    For example:
      alyx get subjects KS023
      alyx get sessions 5a2c6a0e-e4b8-4d5c-9c7e-3a0f2d1a9b11 --columns id,start_time,qc
      alyx get datasets https://alyx.example.org/datasets/0f2d1a9b-5a2c-4d5c-9c7e-3a0fe4b86a0e --format json
    """
    session = session_of(context)
    source = session.catalogue.endpoint(endpoint)
    method = source.method("read")
    key, rest = (words[0], words[1:]) if words and not words[0].startswith("--") else (None, words or [])
    if key is None and method.key is not None:
        raise UsageError(f"alyx get {option(source.name)} takes the record's {method.key.name}")
    if key is not None and method.key is None:
        raise UsageError(f"alyx get {option(source.name)} takes no key")
    parameters = coerce_options(rest, method.filters, "parameter")
    names = read_columns(columns, source, check=False)
    keys = [] if key is None or method.key is None else [typed_key(key, method.key)]
    print_record(getattr(session.client, source.name).read(*keys, **parameters), form, names)


def typed_key(text: str, parameter: Parameter) -> Any:
    """Return a lookup key as the endpoint takes it: a number where keys are numbers; URLs stay as they are."""
    kind = ValueType.of(parameter.annotation)
    return int(text) if "int" in kind.names and text.isdecimal() else text


def read_columns(columns: str | None, source: EndpointSource, *, check: bool = True) -> list[str]:
    """Return the names in ``--columns``.

    Parameters
    ----------
    columns
        The option.
    source
        The endpoint.
    check
        Whether the rows have these fields only.

    Raises
    ------
    UsageError
        There is no such field.
    """
    names = [name.strip() for name in (columns or "").split(",") if name.strip()]
    known = [*source.columns, "id"]
    for name in names:
        if check and source.columns and name.partition(".")[0] not in known:
            hint = suggest(name, source.columns)
            if name.partition(".")[0] in source.record_columns:
                hint = f"Rows of a list do not have it; alyx get {option(source.name)} KEY shows it."
            raise UsageError(f"{option(source.name)} have no column {name!r}. {hint}")
    return names
