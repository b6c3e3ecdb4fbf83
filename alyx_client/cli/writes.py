"""``alyx create``, ``alyx update`` and ``alyx delete``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from alyx_client.cli.completion import complete_value
from alyx_client.cli.dry_run import DryRun
from alyx_client.cli.endpoint_source import EndpointSource, MethodSource, Parameter
from alyx_client.cli.names import option, python_name
from alyx_client.cli.output import FormatOption, print_record, print_rows
from alyx_client.cli.records import EndpointArgument, typed_key
from alyx_client.cli.session import Session, session_of
from alyx_client.cli.terminal import FAILED, command, fail, note
from alyx_client.cli.usage_error import UsageError
from alyx_client.cli.values import coerce_options
from alyx_client.config.tables import is_list
from alyx_client.http.suggestions import suggest

__all__ = ["create", "delete", "update"]

FieldsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[--FIELD VALUE]...",
        help="Fields of the record: alyx describe ENDPOINT. Repeat one that is a list.",
        autocompletion=complete_value,
    ),
]
KeyAndFieldsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY [--FIELD VALUE]...",
        help="The record's key or URL, and the fields to change: alyx describe ENDPOINT.",
        autocompletion=complete_value,
    ),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="FILE", help="A file with the fields as JSON, or - for stdin; options come on top."),
]
NullOption = Annotated[
    list[str] | None, typer.Option("--null", metavar="FIELD", help="A field to set to null. May be repeated.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")]


@command
def create(
    context: typer.Context,
    endpoint: EndpointArgument,
    words: FieldsArgument = None,
    source_file: FromOption = None,
    null: NullOption = None,
    dry_run: DryRunOption = False,
    form: FormatOption = None,
) -> None:
    """Create a record, or several from a file.

    The server's record is shown. A file holds one JSON object, a list of them, or one on each line.

    For example:
      alyx create subjects --nickname KS099 --lab cortexlab --birth-date 2026-01-31 --dry-run
      alyx create weighings --subject KS099 --weight 21.5
      alyx create notes --from note.json --image brain.png
      alyx list weighings --nickname KS023 | alyx create weighings --from - --subject KS099
    """
    session = session_of(context)
    source = session.catalogue.endpoint(endpoint)
    method = source.method("create")
    fields, known = source.fields_of("create"), source.options_of("create")
    options = _options(words or (), known, null)
    files = _take_files(options, method)
    records = [{**record, **options} for record in _read_records(source_file, fields)] if source_file else [options]
    client = _client(session, source, dry_run=dry_run)
    if not fields:
        created = client.create(**options)
        if not dry_run:
            _print(created, form)
        return
    make = _resource(client, source, "create")
    resources = [make(**record) for record in records]
    if dry_run or len(resources) == 1:
        for resource in resources:
            created = client.create(resource, **files)
            if not dry_run:
                _print(created, form)
    else:
        if files or not hasattr(client, "create_many"):
            raise UsageError(f"{option(source.name)} takes one record at a time")
        print_rows(client.create_many(resources), form, [])


@command
def update(
    context: typer.Context,
    endpoint: EndpointArgument,
    words: KeyAndFieldsArgument = None,
    source_file: FromOption = None,
    null: NullOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the whole record: fields that are left out are reset.")
    ] = False,
    dry_run: DryRunOption = False,
    form: FormatOption = None,
) -> None:
    """Change fields of a record.

    For example:
      alyx update subjects KS023 --death-date 2026-01-31 --description "End of experiment"
      alyx update subjects KS023 --null death_date
      alyx update sessions 5a2c6a0e-e4b8-4d5c-9c7e-3a0f2d1a9b11 --qc PASS --dry-run
      echo '{"narrative": "Calm."}' | alyx update sessions 5a2c6a0e-e4b8-4d5c-9c7e-3a0f2d1a9b11 --from -
    """
    session = session_of(context)
    source = session.catalogue.endpoint(endpoint)
    action = "update" if replace else "partial_update"
    method = source.method(action)
    fields, known = source.fields_of(action), source.options_of(action)
    key, rest = _split_key(words, method, source)
    options = _options(rest, known, null)
    files = _take_files(options, method)
    records = _read_records(source_file, fields) if source_file else [dict[str, Any]()]
    if len(records) != 1:
        raise UsageError("--from: alyx update takes one record")
    changes = {**records[0], **options}
    if not changes and not files:
        raise UsageError("there is nothing to change; pass --field value, or --from FILE")
    client = _client(session, source, dry_run=dry_run)
    if replace:
        updated = client.update(key, _resource(client, source, action)(**changes), **files)
    else:
        updated = client.partial_update(key, **changes, **files)
    if not dry_run:
        _print(updated, form)


@command
def delete(
    context: typer.Context,
    endpoint: EndpointArgument,
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="The records' keys or URLs.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: DryRunOption = False,
) -> None:
    """Delete records, after asking.

    For example:
      alyx delete weighings 5a2c6a0e-e4b8-4d5c-9c7e-3a0f2d1a9b11
      alyx delete subjects KS098 KS099 --yes
    """
    session = session_of(context)
    source = session.catalogue.endpoint(endpoint)
    method = source.method("delete")
    parsed = [_split_key([key], method, source)[0] for key in keys]
    client = _client(session, source, dry_run=dry_run)
    if not (yes or dry_run):
        if not sys.stdin.isatty():
            raise UsageError("there is no terminal to ask at; pass --yes to delete")
        if not typer.confirm(f"Delete {', '.join(keys)} of {option(source.name)} at {session.url}?", err=True):
            fail("nothing was deleted", FAILED)
    for key in parsed:
        client.delete(key)
        if not dry_run:
            note(f"deleted {key}")


def _options(words: Sequence[str], known: Mapping[str, Parameter], null: Sequence[str] | None) -> dict[str, Any]:
    values = coerce_options(words, known, "field")
    for name in null or ():
        if python_name(name) not in known:
            raise UsageError(f"--null: there is no field {name!r}. {suggest(name, known)}")
        values[python_name(name)] = None
    return values


def _take_files(options: dict[str, Any], method: MethodSource) -> dict[str, Any]:
    """Remove the files and the keywords that are no fields from the options, and return them."""
    taken = {name: options.pop(name) for name in method.filters if name in options}
    return {
        name: Path(value) if "Upload" in method.filters[name].annotation else value for name, value in taken.items()
    }


def _read_records(file: str, fields: Mapping[str, Parameter]) -> list[dict[str, Any]]:
    """Return the records of a JSON file, or of one with a JSON object on each line."""
    text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
    place = "stdin" if file == "-" else file
    try:
        value: Any = json.loads(text)
    except ValueError as error:
        value = _read_lines(text, place, error)
    except RecursionError:
        raise UsageError(f"--from: {place} is nested too deeply") from None
    records = cast("list[Any]", value if is_list(value) else [value])
    if not records or not all(isinstance(record, dict) for record in records):
        raise UsageError(f"--from: {place} holds no JSON object with the fields")
    # What alyx list writes has fields that the server sets, which are not sent back.
    return [
        {name: value for name, value in record.items() if name in fields or name not in _SET_BY_SERVER}
        for record in cast("list[dict[str, Any]]", records)
    ]


def _read_lines(text: str, place: str, error: ValueError) -> list[Any]:
    """Return what is on each line; the error is that of the whole text if not even the first line is JSON."""
    values: list[Any] = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            values += [json.loads(line)] if line.strip() else []
        except ValueError as wrong:
            if values:
                reason = str(wrong).partition(": line ")[0]
                raise UsageError(f"--from: line {number} of {place} is not JSON: {reason}") from None
            raise UsageError(f"--from: {place} is not JSON: {error}") from None
    return values


_SET_BY_SERVER = frozenset(("id", "url"))


def _split_key(words: Sequence[str] | None, method: MethodSource, source: EndpointSource) -> tuple[Any, Sequence[str]]:
    if not words or words[0].startswith("--") or method.key is None:
        raise UsageError(f"pass the key of the record in {option(source.name)} before its fields")
    return typed_key(words[0], method.key), words[1:]


def _client(session: Session, source: EndpointSource, *, dry_run: bool) -> Any:
    endpoint = getattr(session.client, source.name)
    return type(endpoint)(DryRun(session.client)) if dry_run else endpoint


def _resource(client: Any, source: EndpointSource, action: str) -> Callable[..., Any]:
    """Return the class of the resource that an action sends."""
    return cast("Callable[..., Any]", getattr(sys.modules[type(client).__module__], source.body_of(action)))


def _print(record: Any, form: Any) -> None:
    # Some endpoints return a list, such as the datasets of registered files.
    if is_list(record):
        print_rows(record, form, [])
    elif record is not None:
        print_record(record, form)
