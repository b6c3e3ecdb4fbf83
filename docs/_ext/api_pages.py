"""Pages of the core's public names, whose text autodoc takes from their docstrings."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from alyx_generator.render.reference.markdown import head

Names = dict[str, tuple[str, ...]]

PAGES: dict[str, tuple[str, str, Names]] = {
    "clients": (
        "Clients",
        "Each has an attribute for each [endpoint](../endpoints/index.md).",
        {"alyx_client": ("AlyxClient", "AsyncAlyxClient", "Retries"), "alyx_client.config": ("DataServer",)},
    ),
    "records": (
        "Records",
        "What endpoints return and take. The classes of each endpoint are on [its page](../endpoints/index.md).",
        {
            "alyx_client.runtime": ("Record", "WithIdInUrl", "RecordOf", "Resource", "UNSET", "JsonFields", "Upload"),
            "alyx_client.runtime.drift": ("Drift", "DriftLog"),
        },
    ),
    "lists": (
        "Lists",
        "What `list` returns, and lists of calls by name.",
        {"alyx_client": ("Results", "AsyncResults"), "alyx_client.rest.lists": ("LazyList",)},
    ),
    "many-records": (
        "Calls for many records",
        "What `read_many`, `create_many` and the others return.",
        {
            "alyx_client": ("BulkResults",),
            "alyx_client.runtime.bulk_results": ("BulkFailures", "BulkFailure"),
            "alyx_client.runtime.bulk_options": ("BulkArguments",),
        },
    ),
    "conditions": (
        "Conditions",
        "Fields that are compared, and what a comparison makes. The [query model](../query-model.md) has all fields.",
        {
            "alyx_client.runtime.query": (
                *("Condition", "Fields", "Field", "TextField", "IntegerField", "FloatField", "BooleanField"),
                *("ChoiceField", "UUIDField", "DateField", "DateTimeField", "TimeField", "DurationField"),
                *("ArrayField", "JSONField", "JSONValue", "OtherField"),
            )
        },
    ),
    "outbox": (
        "The outbox",
        "Writes that wait for the server: `client.outbox`.",
        {
            "alyx_client.outbox.sync": ("Outbox",),
            "alyx_client.outbox.aio": ("AsyncOutbox",),
            "alyx_client": ("Receipt",),
            "alyx_client.outbox.entries": ("Entry", "SendReport"),
        },
    ),
    "downloads": (
        "Downloads",
        "The options of `client.download_file` and the other downloads.",
        {"alyx_client.downloads.options": ("DownloadOptions",)},
    ),
    "tables": (
        "Tables",
        "Records as tables of pandas, polars and Arrow.",
        {"alyx_client.frames": ("to_pandas", "to_polars", "to_arrow", "read_cache_tables", "CachedTable")},
    ),
    "webclient": (
        "Names of ONE's module",
        "`alyx_client.webclient` has the names that code written for `one.webclient` imports, beside the "
        "[clients](clients.md); downloads as functions are among them.",
        {
            "alyx_client.webclient": (
                *("no_cache", "RestScheme", "http_download_file", "http_download_file_list"),
                *("dataset_record_to_url", "file_record_to_url", "update_url_params"),
            ),
            "alyx_client.one": ("install", "uninstall", "is_installed"),
        },
    ),
    "schema": (
        "Reports on schemas",
        "What `client.check_schema()` returns.",
        {"alyx_client.schema.report": ("Report", "Change")},
    ),
    "configuration": (
        "Settings of servers",
        "What a client finds out about its server before it sends anything. [Settings](../settings.md) lists them all.",
        {"alyx_client.config": ("Settings", "find_settings", "find_package", "servers_file")},
    ),
    "generated-packages": (
        "What generated code builds on",
        "Names that packages written by `alyx-generate client` import. If one of them changes, these packages are "
        "generated again, and the changelog says so.",
        {
            "alyx_client.client": ("BaseClient", "AsyncBaseClient"),
            "alyx_client.runtime": (
                *("Action", "ListAction", "Endpoint", "AsyncEndpoint", "AsyncJsonFields", "ResponseParser"),
                *("PageParser", "Paging", "TokenScheme", "Origin", "Reference", "RecordOr", "RecordsOr"),
                *("ZonedResource", "DateInput", "DateTimeInput", "ZonedDateTimeInput", "UUIDInput", "DateRange"),
                *("DjangoFilter", "ByKey", "ClosedSet", "ClosedSets", "Column", "completes", "known_filters"),
            ),
        },
    ),
    "testing": (
        "The local Alyx",
        "A server for tests and for trying things out.",
        {
            "alyx_client.testing": ("LocalAlyx",),
            "alyx_client.testing.server.faults": ("Faults", "Fault"),
            "alyx_client.testing.server.request_log": ("ReceivedRequest",),
        },
    ),
}
"""The pages: title, introduction, and names by module. Errors have a page of their own, of all their classes."""

_WITHOUT_INHERITED = frozenset({"alyx_client.runtime.query"})


def api_pages() -> dict[str, str]:
    """Return the pages of the core, by path below the reference."""
    pages = {f"api/{name}.md": _page(*content) for name, content in PAGES.items()}
    toctree = "\n".join(("```{toctree}", ":maxdepth: 1", "", *PAGES, "```", ""))
    text = "The public names of the core. Errors have [a page of their own](../errors.md)."
    return {**pages, "api/index.md": f"{head('make docs')}\n# Python API\n\n{text}\n\n{toctree}"}


def _page(title: str, introduction: str, names: Names) -> str:
    parts = [head("make docs"), f"# {title}", "", introduction, ""]
    for module, members in names.items():
        for name in members:
            parts += [f"## {name}", "", "```{eval-rst}", *_directive(module, name), "```", ""]
    return "\n".join(parts)


def _directive(module: str, name: str) -> list[str]:
    value = getattr(import_module(module), name)
    head = [f".. currentmodule:: {module}", ""]
    if inspect.isfunction(value):
        return [*head, f".. autofunction:: {name}"]
    if not inspect.isclass(value):
        # autodoc would show the documentation of the value's class.
        content, doc = _declaration(module, name)
        return [*head, f".. py:data:: {name}", f"   :value: {content}", "", f"   {doc}"]
    members = sorted(_members(value, module))
    options = [f"   :members: {', '.join(members)}"] if members else []
    return [*head, f".. autoclass:: {name}", *options]


def _declaration(package: str, name: str) -> tuple[str, str]:
    """Return the value of a public name that is no class, as code, and the text below it."""
    for file in sorted(Path(str(import_module(package).__file__)).parent.glob("*.py")):
        body = ast.parse(file.read_text(encoding="utf-8")).body
        for statement, after in pairwise(body):
            match statement, after:
                case (
                    ast.Assign(targets=[ast.Name(id=target)], value=value)
                    | ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value),
                    ast.Expr(value=ast.Constant(value=str(doc))),
                ) if target == name:
                    # What pydantic is told beside the type is no reader's business.
                    match value:
                        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[shown, *_])):
                            return ast.unparse(shown), " ".join(doc.split())
                        case _:
                            return ast.unparse(value), " ".join(doc.split())
                case _:
                    pass
    raise LookupError(f"{package}.{name} has no documentation where it is defined")


def _members(cls: type[Any], module: str) -> set[str]:
    """Return the members of a class that its page shows: those of the project that are no endpoints."""
    from alyx_client import AlyxClient, AsyncAlyxClient

    endpoints = {
        name
        for client in (AlyxClient, AsyncAlyxClient)
        for name in vars(client)
        if inspect.isdatadescriptor(vars(client)[name]) or hasattr(vars(client)[name], "func")
    }
    own: set[str] = set()
    for base in cls.__mro__:
        if not base.__module__.startswith("alyx_client") or (base is not cls and module in _WITHOUT_INHERITED):
            continue
        own |= {name for name, value in vars(base).items() if not name.startswith("_") and _is_documented(value)}
    return own - endpoints if issubclass(cls, (AlyxClient, AsyncAlyxClient)) else own


def _is_documented(value: object) -> bool:
    if isinstance(value, classmethod | staticmethod):
        return True
    return (inspect.isfunction(value) or isinstance(value, property) or hasattr(value, "func")) and bool(
        inspect.getdoc(value)
    )
