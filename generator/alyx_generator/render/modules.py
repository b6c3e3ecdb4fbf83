"""From an `Api` to Python source: one module an endpoint, the client and its index, by Jinja2."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import jinja2

from alyx_generator.model.ir import Action, Api, Endpoint, Filter, Shape
from alyx_generator.model.json_fields import fields_by_key
from alyx_generator.model.naming import changes_name, parameter_name, unique, upload_names
from alyx_generator.render.json_fields import replacement_note, with_replacement_notes
from alyx_generator.render.models import ShapeSource, render_shapes
from alyx_generator.render.text import MARK, docstring, paragraph, visible
from alyx_generator.source.paths import data_folder

Files = dict[str, str]

_LOOKUP_TYPES = {"uuid": "UUID | str", "integer": "int | str", "text": "str", "path": "str"}
_LOOKUP_WORDS = {
    "uuid": "The record's UUID, or its URL.",
    "integer": "The record's number, or its URL; 0 is a number like any other.",
    "text": "The record's {name}, or its URL.",
    "path": "The path below this endpoint, slashes included.",
}


@dataclass(frozen=True)
class Package:
    """How the generated package presents itself.

    Parameters
    ----------
    client, async_client
        Names of its client classes.
    command
        The command that makes it, for each file's first line.
    name
        The package's name, where it stands for itself and not inside another one.
    server
        The address of the server that it is for, where that is known.
    """

    client: str = "AlyxClient"
    async_client: str = "AsyncAlyxClient"
    command: str = "make client"
    name: str = ""
    server: str = ""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a method, with its documentation."""

    name: str
    annotation: str
    doc: str
    default: str = ""

    @property
    def text(self) -> str:
        """The parameter as it stands in a signature."""
        return f"{self.name}: {self.annotation}{f' = {self.default}' if self.default else ''}"


@dataclass(frozen=True)
class Method:
    """One method of an endpoint class, ready to be written."""

    action: Action
    descriptor: str
    answer: str
    parameters: tuple[Parameter, ...]
    keywords: tuple[Parameter, ...]
    returns: str
    call: str
    doc: str
    overloads: tuple[tuple[Parameter, str], ...] = ()
    changes: str = ""


def render(api: Api, package: Package) -> Files:
    """Return the generated package's files, by path below its folder; not yet formatted.

    Parameters
    ----------
    api
        What the server offers.
    package
        How the package presents itself.
    """
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
    package = replace(package, command=" ".join(visible(package.command).split()))  # it stands in a comment
    changed = {
        action.body
        for endpoint in api.endpoints
        for action in endpoint.actions
        if action.name == "partial_update" and action.single
    }
    index = _index(api, changed)
    api = with_replacement_notes(api)
    shapes = {shape.name: shape for endpoint in api.endpoints for shape in endpoint.shapes}
    files: Files = {}
    for endpoint in api.endpoints:
        source = render_shapes(endpoint.shapes, changed)
        files[f"{endpoint.name}.py"] = environment.get_template("endpoint.py.jinja").render(
            package=package,
            endpoint=endpoint,
            classes=list(_classes(endpoint.shapes, source, changed)),
            imports=[*source.imports, *_imports_of_others(endpoint, api, index)],
            methods=[_method(action, replacement_note(action, endpoint, shapes)) for action in endpoint.actions],
            base=_base(endpoint, shapes),
        )
    for name in ("client", "models", "__init__"):
        files[f"{name}.py"] = environment.get_template(f"{name}.py.jinja").render(
            package=package, endpoints=api.endpoints, index=index, preserved_fields=_preserved_fields(api)
        )
    if package.name:
        files["py.typed"] = ""
        files["README.md"] = environment.get_template("README.md.jinja").render(
            package=package, endpoints=api.endpoints, example=_example(api), mark=MARK
        )
    return {path: visible(text) for path, text in files.items()}


def _preserved_fields(api: Api) -> dict[str, tuple[str, ...]]:
    """Return the fields that the server loses when a PATCH leaves them out, by the endpoint's name in its path."""
    return {
        action.path.split("/")[1]: action.preserved_fields
        for endpoint in api.endpoints
        for action in endpoint.actions
        if action.name == "partial_update" and action.preserved_fields and not action.parents
    }


def _example(api: Api) -> str:
    """Return a method that lists records and needs to be told nothing."""
    return next(
        (
            f"{endpoint.name}.{action.name}"
            for endpoint in api.endpoints
            for action in endpoint.actions
            if action.paged and not action.parents and not any(each.required for each in action.filters)
        ),
        "",
    )


def _docstring(text: str, indent: int = 0) -> str:
    return docstring(text, indent=indent)


def _index(api: Api, changed: Iterable[str]) -> dict[str, str]:
    """Return each public shape's module."""
    index = {shape.name: endpoint.name for endpoint in api.endpoints for shape in endpoint.shapes}
    index |= {changes_name(name): index[name] for name in changed if name in index}
    return dict(sorted(index.items()))


def _classes(shapes: Iterable[Shape], source: ShapeSource, changed: Collection[str]) -> Iterator[str]:
    for shape in sorted(shapes, key=lambda each: (each.kind, each.name)):
        yield source.classes[shape.name]
        if shape.name in changed:
            yield source.classes[changes_name(shape.name)]


def _imports_of_others(endpoint: Endpoint, api: Api, index: Mapping[str, str]) -> list[str]:
    """Return imports of every shape that this module might name; those unused are taken out when formatting."""
    text = repr([shape.fields for shape in endpoint.shapes])
    used = set(re.findall(r"#/\$defs/(\w+)", text))
    for action in endpoint.actions:
        used |= {*re.findall(r"\w+", action.answer.shape), action.body, *action.also}
    own = {shape.name for shape in endpoint.shapes}
    wanted = sorted(name for name in used - own if name in index)
    changes = sorted({changes_name(name) for name in wanted if changes_name(name) in index})
    return [f"from .{index[name]} import {name}" for name in (*wanted, *changes) if index[name] != endpoint.name]


def _base(endpoint: Endpoint, shapes: Mapping[str, Shape]) -> str:
    """Return the base class: another one where records have fields of JSON that can be changed key by key."""
    names = fields_by_key(endpoint, shapes)
    read = next((action for action in endpoint.actions if action.name == "read"), None)
    if not names or read is None or read.lookup is None:
        return "Endpoint"
    return f"JsonFields[{_LOOKUP_TYPES[read.lookup.kind]}, Literal[{', '.join(map(repr, names))}]]"


def _method(action: Action, replaced: str) -> Method:
    """Return a method; `replaced` is the warning about the JSON fields that it replaces."""
    answer = _answer_type(action)
    descriptor = f"_{action.name.upper()}"
    if action.paged:
        return _list_method(action, descriptor, answer)
    # Inside a class with a method of that name, the builtin needs its module.
    returns = _outside(answer)
    keys = _key_parameters(action)
    parameters = list(keys)
    arguments = [_within(descriptor, action)]
    if action.lookup:
        arguments.append(f"key={action.lookup.name}")
    overloads: tuple[tuple[Parameter, str], ...] = ()
    changes = ""
    if action.name == "partial_update" and action.body and action.single:
        changes = changes_name(action.body)
        arguments.append("changes=changes")
        if action.preserved_fields:
            arguments.append(f"current={_within('_READ', action)}")
    elif action.body:
        body, overloads, returns, answer = _body(action, [each.name for each in keys], returns, answer)
        body = replace(body, doc=f"{body.doc} {replaced}".rstrip())
        parameters.append(body)
        arguments.append(f"body={body.name}")
    uploads = upload_names(action.uploads, [each.name for each in keys])
    keywords = [
        Parameter(name, "Upload | None", "The file: its path, its content, or an open binary file.", "None")
        for name in uploads.values()
    ]
    if uploads:
        arguments.append(f"files={{{', '.join(f'{name!r}: {keyword}' for name, keyword in uploads.items())}}}")
    keywords += [_filter_parameter(each) for each in action.filters]
    if action.filters:
        arguments.append(f"filters={{{', '.join(f'{each.name!r}: {each.keyword}' for each in action.filters)}}}")
    return Method(
        action,
        descriptor,
        answer,
        tuple(parameters),
        tuple(keywords),
        returns,
        f"self._send({', '.join(arguments)})",
        _doc(action, parameters, keywords, _returned(action), changes, replaced),
        overloads,
        changes,
    )


def _outside(answer: str) -> str:
    return re.sub(r"(?<![\w.])list\[", "builtins.list[", answer)


def _within(descriptor: str, action: Action) -> str:
    """Return an action with the keys before the last one filled in."""
    if not action.parents:
        return descriptor
    return f"{descriptor}.within(self._client.base_url, {', '.join(each.name for each in action.parents)})"


def _key_parameters(action: Action) -> tuple[Parameter, ...]:
    found: list[Parameter] = []
    for key in action.parents:
        doc = _LOOKUP_WORDS[key.kind].format(name=key.name).replace("The record's", f"The {key.name}'s")
        found.append(Parameter(key.name, _LOOKUP_TYPES[key.kind], doc))
    if action.lookup:
        doc = _LOOKUP_WORDS[action.lookup.kind].format(name=action.lookup.name)
        annotation = _LOOKUP_TYPES[action.lookup.kind]
        if action.lookup.optional:
            found.append(Parameter(action.lookup.name, f"{annotation} | None", doc, "None"))
        else:
            found.append(Parameter(action.lookup.name, annotation, doc))
    return tuple(found)


def _body(
    action: Action, taken: Collection[str], returns: str, answer: str
) -> tuple[Parameter, tuple[tuple[Parameter, str], ...], str, str]:
    """Return the parameter of what is sent, and what becomes of the answer where several can be."""
    uploads = upload_names(action.uploads, taken).values()
    taken = {"self", *taken, *(each.keyword for each in action.filters), *uploads}
    name = unique(parameter_name(_argument_name(action.body)), taken)
    kind = " | ".join((action.body, *action.also))
    one = Parameter(name, kind, "What to send.", "None" if action.body_optional else "")
    if not action.many:
        return one, (), returns, answer
    if not action.single:
        return Parameter(name, f"Sequence[{kind}]", "What to send, several at once."), (), returns, answer
    both = Parameter(name, f"{kind} | Sequence[{kind}]", "What to send: one, or several at once.")
    if returns in ("None", "Any", "bytes"):
        return both, (), returns, answer
    several = Parameter(name, f"Sequence[{kind}]", "")
    overloads = ((one, returns), (several, f"builtins.list[{returns}]"))
    return both, overloads, f"{returns} | builtins.list[{returns}]", f"{answer} | list[{answer}]"


def _list_method(action: Action, descriptor: str, row: str) -> Method:
    keywords = [_filter_parameter(each) for each in action.filters]
    keywords += [
        Parameter("limit", "int | None", "Rows fetched at a time: 250 by default, 1000 at most.", "None"),
        Parameter("max_items", "int | None", "The most rows to return in all; every row by default.", "None"),
        Parameter(
            "extra_params",
            "Mapping[str, object] | None",
            "Query parameters that are sent without a check, for filters that the schema does not declare.",
            "None",
        ),
    ]
    filters = ", ".join(f"{each.name!r}: {each.keyword}" for each in action.filters)
    described = _within(descriptor, action)
    call = f"self._list({described}, {{{filters}}}, limit=limit, max_items=max_items, extra_params=extra_params)"
    row_type = _outside(row)
    returned = (f"Results[{row}]", "The records, in the server's order, fetched page by page as they are needed.")
    keys = _key_parameters(action)
    doc = _doc(action, keys, keywords, returned, "")
    return Method(action, descriptor, row, keys, tuple(keywords), row_type, call, doc)


def _filter_parameter(each: Filter) -> Parameter:
    doc = each.description or f"Only records with this {each.name.replace('_', ' ')}."
    if each.required:
        return Parameter(each.keyword, each.annotation, doc)
    return Parameter(each.keyword, f"{each.annotation} | None", doc, "None")


def _answer_type(action: Action) -> str:
    """Return the type of the answer, or of a row of it."""
    if action.answer.kind == "list" and not action.paged:
        return f"list[{action.answer.shape}]"
    return {"bytes": "bytes", "nothing": "None", "anything": "Any"}.get(action.answer.kind, action.answer.shape)


def _returned(action: Action) -> tuple[str, str]:
    shape = action.answer.shape
    words = {
        "record": (shape, "What the server answered."),
        "list": (f"list[{shape}]", "What the server answered."),
        "value": (shape, "What the server answered."),
        "bytes": ("bytes", "The content, as it is."),
        "anything": ("Any", "The decoded answer, whose form the server does not declare."),
    }
    if action.many and action.single and action.answer.kind == "record":
        return f"{shape} or list[{shape}]", "What the server answered: a list for a sequence, in the same order."
    return words.get(action.answer.kind, ("", ""))


def _doc(
    action: Action,
    parameters: Iterable[Parameter],
    keywords: Iterable[Parameter],
    returned: tuple[str, str],
    changes: str,
    replaced: str = "",
) -> str:
    lines = [action.description]
    if action.preserved_fields:
        kept = " and ".join(f"``{name}``" for name in action.preserved_fields)
        lines += [
            "",
            paragraph(
                f"The server loses {kept} when they are left out, so the record is read first and they are sent back."
            ),
        ]
    documented = [(each.name, each.doc) for each in (*parameters, *keywords)]
    if changes:
        doc = f"The fields to change, as in `{changes}`; what is left out stays as it is. {replaced}"
        documented.append(("**changes", doc.rstrip()))
    if documented:
        lines += ["", "Parameters", "----------"]
        for name, doc in documented:
            lines += [name, paragraph(doc, indent=4)]
    if returned[0]:
        lines += ["", "Returns", "-------", returned[0], paragraph(returned[1], indent=4)]
    errors = list(_errors(action))
    if errors:
        lines += ["", "Raises", "------"]
        for name, doc in errors:
            lines += [name, paragraph(doc, indent=4)]
    return "\n".join(lines)


def _errors(action: Action) -> Iterator[tuple[str, str]]:
    if action.paged:
        yield "TypeError", "There is no such filter; the message names the nearest."
        yield "ValueError", "A filter's value cannot be sent in Alyx's form."
        yield "ServerError", "The server could not apply a filter, for instance an unknown name in ``django``."
    if (action.lookup and action.name != "create") or action.parents:
        yield "NotFoundError", "There is no such record."
        yield "InvalidKeyError", "The key is empty or of another form; nothing was sent."
    if action.name == "partial_update" and action.body:
        yield "InvalidFieldError", "A field is unknown or of the wrong type; nothing was sent."
    if action.body:
        yield "BadRequestError", "The server refused a value; ``fields`` says which and why."


def _argument_name(shape: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", shape)
    return words.lower()
