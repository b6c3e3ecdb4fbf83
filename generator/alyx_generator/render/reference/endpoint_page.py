"""The page of an endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from alyx_generator.model.ir import Endpoint, EndpointAction
from alyx_generator.model.json_fields import fields_by_key
from alyx_generator.model.nouns import listed
from alyx_generator.model.parts import action_part, filter_part
from alyx_generator.render.reference.context import Context
from alyx_generator.render.reference.examples import examples
from alyx_generator.render.reference.fields import fields_table, nested_tables, shapes_of
from alyx_generator.render.reference.history import in_words, removed_rows, since
from alyx_generator.render.reference.markdown import HEAD, block, code, link, prose, signature_block, table
from alyx_generator.render.reference.module_source import MethodSource
from alyx_generator.render.reference.related import related
from alyx_generator.render.reference.types import describe_type
from alyx_generator.render.reference.values import filter_example

__all__ = ["endpoint_page", "example_sources"]


def example_sources(context: Context) -> dict[str, str]:
    """Return the examples of all pages, by endpoint and action; not formatted."""
    models = context.api.models
    return {
        f"{endpoint.name}/{action}.py": source
        for endpoint in context.api.endpoints
        for action, source in examples(endpoint, models, context.docs).items()
    }


def endpoint_page(endpoint: Endpoint, context: Context, sources: Mapping[str, str]) -> str:
    """Return the page of an endpoint.

    Parameters
    ----------
    endpoint
        The endpoint.
    context
        What pages are made from.
    sources
        The examples, formatted.
    """
    parts = [HEAD, f"# {code(f'client.{endpoint.name}')}\n", f"{prose(endpoint.description)}\n"]
    parts += _about(endpoint, context)
    parts += ["## Actions\n", _actions_table(endpoint, context)]
    parts += [
        "The examples run in this order:\n",
        block(context.client.setup),
    ]
    for action in endpoint.actions:
        parts += _action(action, endpoint, context, sources[f"{endpoint.name}/{action.name}.py"])
    parts += _many(endpoint, context)
    parts += _shapes(endpoint, context)
    parts += _removed(endpoint, context)
    parts += related(endpoint, context)
    return "\n".join(parts)


def _about(endpoint: Endpoint, context: Context) -> Iterator[str]:
    versions = in_words(context.history, (endpoint.name,))
    facts = [f"Path {code(endpoint.path)}"]
    if versions:
        facts.append(f"in Alyx since {versions}")
    if model := context.condition_model(endpoint):
        facts.append(f"conditions on the fields of {link(model.name, f'../query-model.md#{model.name.lower()}')}")
    yield f"{'; '.join(facts)}.\n"


def _actions_table(endpoint: Endpoint, context: Context) -> str:
    rows = [
        (
            link(action.name, f"#{action.name}"),
            prose(re.split(r"(?<=\.)\s", action.description)[0]),
            code(f"{action.method} {action.path}"),
            code(_returns(context.modules[endpoint.name].methods[action.name])),
            since(context.history, action_part(endpoint, action.name)),
        )
        for action in endpoint.actions
    ]
    return table(("action", "purpose", "request", "returns", "since"), rows)


def _returns(method: MethodSource) -> str:
    return method.signature.rpartition(" -> ")[2]


def _action(action: EndpointAction, endpoint: Endpoint, context: Context, example: str) -> Iterator[str]:
    method = context.modules[endpoint.name].methods[action.name]
    yield f"### {code(action.name)}\n"
    yield from (f"{prose(paragraph)}\n" for paragraph in method.docs.text)
    yield signature_block(f"client.{endpoint.name}.{method.signature}")
    yield block(example)
    yield from _filters(action, endpoint, method, context)
    filters = {one.keyword for one in action.filters}
    others = [(name, text) for name, text in method.docs.parameters if name not in filters]
    yield table(("parameter", "meaning"), ((code(name), prose(text)) for name, text in others))
    yield from _outcome(method)


def _filters(action: EndpointAction, endpoint: Endpoint, method: MethodSource, context: Context) -> Iterator[str]:
    meanings = dict(method.docs.parameters)
    model = context.condition_model(endpoint)
    rows = [
        (
            code(one.keyword) + (" (required)" if one.required else ""),
            prose(meanings[one.keyword]),
            describe_type(method.annotations[one.keyword]).text,
            code(filter_example(one, endpoint.name, context.docs, model)),
            since(context.history, filter_part(endpoint, one)),
        )
        for one in action.filters
    ]
    if rows:
        yield table(("filter" if action.paged else "argument", "meaning", "type", "example", "since"), rows)


def _outcome(method: MethodSource) -> Iterator[str]:
    for kind, text in method.docs.returns:
        yield f"Returns {code(kind)}: {prose(text)}\n"
    if method.docs.raises:
        yield table(("raises", "when"), ((code(kind), prose(text)) for kind, text in method.docs.raises))


def _many(endpoint: Endpoint, context: Context) -> Iterator[str]:
    own = {action.name for action in endpoint.actions}
    methods = {name: one for name, one in context.modules[endpoint.name].methods.items() if name not in own}
    if not methods:
        return
    yield "## Many records\n"
    yield "These call an action for many records, several at a time; one error at the end names those that failed.\n"
    rows = [
        (
            code(f"client.{endpoint.name}.{name}({method.docs.parameters[0][0]})"),
            prose(" ".join(method.docs.text)),
            prose(method.docs.parameters[0][1]),
            code(_returns(method)),
        )
        for name, method in methods.items()
    ]
    yield table(("call", "purpose", "takes", "returns"), rows)


def _shapes(endpoint: Endpoint, context: Context) -> Iterator[str]:
    shapes = shapes_of(endpoint, context)
    if not shapes.all:
        return
    docs = {name: text for module in context.modules.values() for name, text in module.docs.items()}
    yield "## Fields\n"
    yield from (f"- {code(name)}: {prose(docs[name].partition(chr(10) * 2)[0])}" for name in shapes.all)
    yield ""
    yield fields_table(endpoint, shapes, context)
    models = context.api.models
    if any(models[name].id_in_url for name in shapes.returned):
        yield "Records also have `id`: the key at the end of their `url`.\n"
    if by_key := fields_by_key(endpoint, models):
        names = listed([code(name) for name in by_key])
        call = f"client.{endpoint.name}.json_field"
        yield (
            f"{code(f'{call}_update')}, {code(f'{call}_write')}, {code(f'{call}_remove_key')} and "
            f"{code(f'{call}_delete')} change single keys, or the whole, of {names}.\n"
        )
    for name, description, text in nested_tables(endpoint, shapes, context):
        yield f"### {code(name)}\n"
        yield f"{prose(description)}\n"
        yield text


def _removed(endpoint: Endpoint, context: Context) -> Iterator[str]:
    own = context.history.only({endpoint.name})
    rows = [
        (part[1], code(part[2]), *versions) for part, *versions in removed_rows(own, context.parts) if len(part) > 1
    ]
    if rows:
        yield "## Removed\n"
        yield "Older versions of Alyx also have:\n"
        yield table(("kind", "name", "since", "removed in"), rows)
