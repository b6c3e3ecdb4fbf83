"""Python source of a client: one module for each endpoint, the clients and the index of models, by Jinja2."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import cast

import jinja2

from alyx_client.http.token_scheme import ALYX_TOKENS
from alyx_client.runtime.closed_sets import ClosedSets
from alyx_client.runtime.lists.paging import ALYX_PAGING
from alyx_generator.model.closed_sets import closed_sets
from alyx_generator.model.conditions import fields_class
from alyx_generator.model.ir import Api, Endpoint, Model
from alyx_generator.model.json_fields import fields_by_key
from alyx_generator.model.naming import changes_name
from alyx_generator.render.conditions import condition_classes
from alyx_generator.render.json_field_docs import replacement_note, with_replacement_notes
from alyx_generator.render.many import build_many
from alyx_generator.render.methods import build_method, lookup_annotation
from alyx_generator.render.models import ModelSource, render_models
from alyx_generator.render.text import MARK, docstring, visible
from alyx_generator.source.paths import data_folder

Files = dict[str, str]


@dataclass(frozen=True)
class Package:
    """The names and origin by which a generated package presents itself.

    Parameters
    ----------
    client, async_client
        Names of its client classes.
    command
        The command that generates it, for each file's first line.
    name
        The package's name, if it stands for itself and not inside another package.
    server
        The address of the server that it is for, where that is known.
    """

    client: str = "AlyxClient"
    async_client: str = "AsyncAlyxClient"
    command: str = "make client"
    name: str = ""
    server: str = ""


def render(api: Api, package: Package) -> Files:
    """Return the generated package's files, by path below its folder; not yet formatted.

    Parameters
    ----------
    api
        What the server offers.
    package
        How the package presents itself.
    """
    environment = _environment()
    package = replace(package, command=" ".join(visible(package.command).split()))  # it stands in a comment
    changed = _changed_models(api)
    index = _index(api, changed)
    api = with_replacement_notes(api)
    models = api.models
    files: Files = {}
    for endpoint in api.endpoints:
        source = render_models(endpoint.models, changed, zones=not api.facts.local_times)
        files[f"{endpoint.name}.py"] = environment.get_template("endpoint.py.jinja").render(
            package=package,
            endpoint=endpoint,
            zones=not api.facts.local_times,
            alyx_paging=ALYX_PAGING,
            classes=list(_classes(endpoint.models, source, changed)),
            imports=[*source.imports, *_imports_of_models(endpoint, index)],
            methods=[
                build_method(action, endpoint.noun, replacement_note(action, endpoint, models), api.facts)
                for action in endpoint.actions
            ],
            many=build_many(endpoint, models),
            base=_base_class(endpoint, models),
            fields_class=fields_class(endpoint.condition_model) if endpoint.condition_model else "",
            fields_doc=f"Fields of {endpoint.noun.indefinite}, for conditions: ``list(where=...)``.",
        )
    if api.condition_models:
        template = environment.get_template("query_fields.py.jinja")
        files["query_fields.py"] = template.render(package=package, models=condition_classes(api.condition_models))
    for name in ("client", "models", "__init__"):
        files[f"{name}.py"] = environment.get_template(f"{name}.py.jinja").render(
            package=package,
            endpoints=api.endpoints,
            index=index,
            preserved_fields=_preserved_fields(api),
            joined_fields=_joined_fields(api),
            closed_sets=_source(sets) if (sets := closed_sets(api)) != ClosedSets() else "",
            row_keys=_row_keys(api),
            condition_models={one.name: one.condition_model for one in api.endpoints if one.condition_model},
            zones=not api.facts.local_times,
            longest_page=api.facts.largest_page,
            token_scheme=_source(scheme) if (scheme := api.facts.token_scheme) != ALYX_TOKENS else "",
        )
    if package.name:
        files["py.typed"] = ""
        files["README.md"] = environment.get_template("README.md.jinja").render(
            package=package, endpoints=api.endpoints, example=_example(api), mark=MARK
        )
    # Everything that came from a server passes here, whatever template it went through.
    return {path: visible(text) for path, text in files.items()}


def _preserved_fields(api: Api) -> dict[str, tuple[str, ...]]:
    """Return the fields that the server clears when a PATCH omits them, by the first segment of the endpoint's path."""
    return {
        action.path.split("/")[1]: action.preserved_fields
        for endpoint in api.endpoints
        for action in endpoint.actions
        if action.name == "partial_update" and action.preserved_fields and not action.parents
    }


def _joined_fields(api: Api) -> dict[str, tuple[str, ...]]:
    """Return the lists that are sent as one text, by the first segment of the endpoint's path."""
    models, joined = api.models, dict[str, tuple[str, ...]]()
    for endpoint in api.endpoints:
        for action in endpoint.actions:
            fields = (field for name in action.bodies for field in models[name].fields)
            if names := tuple(field.name for field in fields if field.joined):
                joined[action.path.split("/")[1]] = names
    return joined


def _source(value: object) -> str:
    """Return the source of a value whose classes are dataclasses, without the fields that have their default."""
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, object]", value).items()
        return f"{{{', '.join(f'{key!r}: {_source(item)}' for key, item in pairs)}}}"
    if isinstance(value, tuple):
        items = [_source(item) for item in cast("tuple[object, ...]", value)]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if not is_dataclass(value) or isinstance(value, type):
        return repr(value)
    values = {one.name: getattr(value, one.name) for one in fields(value) if getattr(value, one.name) != one.default}
    return f"{type(value).__name__}({', '.join(f'{name}={_source(item)}' for name, item in values.items())})"


def _row_keys(api: Api) -> dict[str, tuple[str, ...]]:
    """Return the fields that tell the rows of a list apart, by the list's path."""
    actions = (action for endpoint in api.endpoints for action in endpoint.actions)
    return {action.path: action.row_key for action in actions if action.row_key and not action.parents}


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(data_folder("templates")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["docstring"] = _docstring
    environment.filters["literal"] = repr
    return environment


def _docstring(text: str, indent: int = 0) -> str:
    return docstring(text, indent=indent)


def _changed_models(api: Api) -> set[str]:
    """Return the names of the models whose fields ``partial_update`` takes as keywords."""
    actions = (action for endpoint in api.endpoints for action in endpoint.actions)
    return {action.body for action in actions if action.name == "partial_update" and action.single}


def _example(api: Api) -> str:
    """Return a method that lists records and has no required parameter."""
    for endpoint in api.endpoints:
        for action in endpoint.actions:
            if action.paged and not action.parents and not any(one.required for one in action.filters):
                return f"{endpoint.name}.{action.name}"
    return ""


def _index(api: Api, changed: Iterable[str]) -> dict[str, str]:
    """Return the module of each public class."""
    index = {name: model.endpoint for name, model in api.models.items()}
    index |= {changes_name(name): index[name] for name in changed if name in index}
    return dict(sorted(index.items()))


def _classes(models: Iterable[Model], source: ModelSource, changed: Collection[str]) -> Iterator[str]:
    # Responses first: `Session` and `SessionChanges` then stand together, after `SessionRecord` and its parts.
    for model in sorted(models, key=lambda model: (model.kind == "request", model.name)):
        yield source.classes[model.name]
        if model.name in changed:
            yield source.classes[changes_name(model.name)]


def _imports_of_models(endpoint: Endpoint, index: Mapping[str, str]) -> list[str]:
    """Return imports of every model that this module might name; the formatter removes the unused ones."""
    text = repr([model.fields for model in endpoint.models])
    used = set(re.findall(r"#/\$defs/(\w+)", text))
    for action in endpoint.actions:
        used |= {*re.findall(r"\w+", action.response.annotation), *action.bodies}
    own = {model.name for model in endpoint.models}
    names = sorted(name for name in used - own if name in index)
    changes = sorted({changes_name(name) for name in names if changes_name(name) in index})
    return [f"from .{index[name]} import {name}" for name in (*names, *changes) if index[name] != endpoint.name]


def _base_class(endpoint: Endpoint, models: Mapping[str, Model]) -> str:
    """Return the base class; a special one where records have JSON fields that can be changed key by key."""
    names = fields_by_key(endpoint, models)
    read = next((action for action in endpoint.actions if action.name == "read"), None)
    if not names or read is None or read.lookup is None:
        return "Endpoint"
    return f"JsonFields[{lookup_annotation(read.lookup)}, Literal[{', '.join(map(repr, names))}]]"
