"""Methods of endpoint classes, ready for the templates."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from alyx_generator.model.ir import EndpointAction, Filter, Lookup, LookupKind
from alyx_generator.model.naming import TIMEOUT, argument_name, changes_name, unique, upload_names
from alyx_generator.model.nouns import Noun
from alyx_generator.model.server_facts import ServerFacts
from alyx_generator.render import method_docs
from alyx_generator.render.method_docs import Documented
from alyx_generator.render.references import filter_taking_records, record_of, reference_source

LOOKUP_TYPES: dict[LookupKind, str] = {"uuid": "UUID | str", "integer": "int | str", "text": "str", "path": "str"}
"""Annotations of the parameters for keys."""


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


_TIMEOUT = Parameter(
    TIMEOUT,
    "float | None",
    "Time limit for the call, in seconds, its retries included; by default that of the client.",
    "None",
)


@dataclass(frozen=True)
class Method:
    """One method of an endpoint class, ready to be written.

    `response` is the type that the action's descriptor parses; `returns` is the annotation of the method itself.
    """

    action: EndpointAction
    descriptor: str
    response: str
    parameters: tuple[Parameter, ...]
    keywords: tuple[Parameter, ...]
    returns: str
    call: str
    doc: str
    overloads: tuple[tuple[Parameter, str], ...] = ()
    changes: str = ""

    @property
    def references(self) -> dict[str, str]:
        """The source of the references of the filters, by the server's names."""
        return {one.name: reference_source(one.reference) for one in self.action.filters if one.reference}

    @property
    def record(self) -> str:
        """The source of the reference of the key in the path; empty if it is the key of the endpoint's own records."""
        lookup = self.action.lookup
        return reference_source(lookup.reference) if lookup and lookup.reference and not lookup.own else ""


@dataclass(frozen=True)
class _Body:
    """The parameter for what is sent, and how it changes the method's types."""

    parameter: Parameter
    response: str
    returns: str
    overloads: tuple[tuple[Parameter, str], ...] = ()


def build_method(action: EndpointAction, noun: Noun, replaced: str, facts: ServerFacts) -> Method:
    """Return the method for an action.

    Parameters
    ----------
    action
        The action.
    noun
        What a record of the endpoint is called.
    replaced
        The warning about the JSON fields that the action replaces.
    facts
        Facts about the server.
    """
    if action.paged:
        return _list_method(action, noun, facts)
    response = response_type(action)
    descriptor = f"_{action.name.upper()}"
    keys = _key_parameters(action, noun)
    changes = changes_name(action.body) if takes_changes(action) else ""
    body = _body(action, noun, [key.name for key in keys], response) if action.body and not changes else None
    if body and replaced:
        body = replace(body, parameter=replace(body.parameter, doc=f"{body.parameter.doc} {replaced}"))
    uploads = upload_names(action.uploads, [key.name for key in keys])
    arguments = _arguments(action, descriptor, body.parameter.name if body else "", uploads)
    parameters = (*keys, *([body.parameter] if body else []))
    keywords = (
        *(_upload_parameter(name, several=one in action.upload_lists) for one, name in uploads.items()),
        *map(_filter_parameter, action.filters),
        _TIMEOUT,
    )
    return Method(
        action,
        descriptor,
        body.response if body else response,
        parameters,
        keywords,
        body.returns if body else _builtin_list(response),
        f"self._send({', '.join(arguments)})",
        method_docs.method_doc(
            action,
            noun,
            _documented((*parameters, *keywords)),
            method_docs.returned(action, noun),
            changes=changes,
            replaced=replaced,
            facts=facts,
        ),
        body.overloads if body else (),
        changes,
    )


def takes_changes(action: EndpointAction) -> bool:
    """Return whether an action takes the fields to change as keywords."""
    return action.name == "partial_update" and bool(action.body) and action.single


def _arguments(action: EndpointAction, descriptor: str, body: str, uploads: dict[str, str]) -> list[str]:
    """Return the arguments of the method's call of ``_send``."""
    arguments = [_within(descriptor, action)]
    if action.lookup:
        arguments.append(f"key={action.lookup.name}")
    if takes_changes(action):
        arguments.append("changes=changes")
        if action.preserved_fields:
            arguments.append(f"current={_within('_READ', action)}")
    if body:
        arguments.append(f"body={body}")
    if uploads:
        arguments.append(f"files={_mapping(uploads)}")
    if action.filters:
        arguments.append(f"filters={_mapping({one.name: one.keyword for one in action.filters})}")
    return [*arguments, "timeout=timeout"]


def _list_method(action: EndpointAction, noun: Noun, facts: ServerFacts) -> Method:
    row = response_type(action)
    descriptor = f"_{action.name.upper()}"
    keys = _key_parameters(action, noun)
    keywords = (
        *map(_filter_parameter, action.filters),
        *([Parameter("page_size", "int | None", _page_size(facts), "None")] if action.paging.size else []),
        Parameter("max_items", "int | None", "Maximum number of records in total; all by default.", "None"),
        Parameter(
            "extra_params",
            "Mapping[str, object] | None",
            "Query parameters that are sent unchecked, for filters that the schema does not declare.",
            "None",
        ),
        replace(_TIMEOUT, doc="Time limit for each page, in seconds; by default that of the client."),
    )
    filters = _mapping({one.name: one.keyword for one in action.filters})
    page_size = "page_size" if action.paging.size else "None"
    options = f"limit={page_size}, max_items=max_items, extra_params=extra_params, timeout=timeout"
    return Method(
        action,
        descriptor,
        row,
        keys,
        keywords,
        _builtin_list(row),
        f"self._list({_within(descriptor, action)}, {filters}, {options})",
        method_docs.method_doc(
            action,
            noun,
            _documented((*keys, *keywords)),
            method_docs.returned_page(row, noun, counted=action.paging.counted),
            facts=facts,
        ),
    )


def _page_size(facts: ServerFacts) -> str:
    if facts.default_page and facts.largest_page:
        first, others = facts.default_page, facts.largest_page
        return f"Records per page, {others} at most; by default {first} on the first page, and {others} on the others."
    stated = f"{facts.default_page} by default" if facts.default_page else ""
    stated = stated or (f"{facts.largest_page} at most" if facts.largest_page else "")
    return f"Records per page{f': {stated}' if stated else '; the server has a default'}."


def _documented(parameters: Collection[Parameter]) -> list[Documented]:
    return [(parameter.name, parameter.doc) for parameter in parameters]


def _mapping(names: dict[str, str]) -> str:
    return f"{{{', '.join(f'{name!r}: {variable}' for name, variable in names.items())}}}"


def _builtin_list(annotation: str) -> str:
    """Return an annotation that holds inside a class with a method called ``list``."""
    return re.sub(r"(?<![\w.])list\[", "builtins.list[", annotation)


def _within(descriptor: str, action: EndpointAction) -> str:
    """Return a descriptor with the keys before the last one filled in."""
    if not action.parents:
        return descriptor
    return f"{descriptor}.within(self._client.base_url, {', '.join(key.name for key in action.parents)})"


def _key_parameters(action: EndpointAction, noun: Noun) -> tuple[Parameter, ...]:
    parents = [Parameter(key.name, LOOKUP_TYPES[key.kind], method_docs.parent_key(key)) for key in action.parents]
    return (*parents, *([_lookup_parameter(action.lookup, noun)] if action.lookup else []))


def _lookup_parameter(lookup: Lookup, noun: Noun) -> Parameter:
    doc = method_docs.lookup_key(lookup, noun)
    annotation = lookup_annotation(lookup)
    # One path with the key and one without it are one method.
    if lookup.optional:
        return Parameter(lookup.name, f"{annotation} | None", doc, "None")
    return Parameter(lookup.name, annotation, doc)


def lookup_annotation(lookup: Lookup) -> str:
    """Return the annotation of the parameter for the key of a record."""
    annotation = LOOKUP_TYPES[lookup.kind]
    return f"{annotation} | {record_of(lookup.reference.endpoint)}" if lookup.reference else annotation


def _upload_parameter(name: str, *, several: bool) -> Parameter:
    if several:
        doc = "The files: the path, the content, or an open binary file of each."
        return Parameter(name, "Sequence[Upload] | None", doc, "None")
    return Parameter(name, "Upload | None", "The file: its path, its content, or an open binary file.", "None")


def _filter_parameter(one: Filter) -> Parameter:
    doc = one.description or f"Only records with this {one.name.replace('_', ' ')}."
    annotation = filter_taking_records(one.annotation, one.reference.endpoint) if one.reference else one.annotation
    if one.required:
        return Parameter(one.keyword, annotation, doc)
    return Parameter(one.keyword, f"{annotation} | None", doc, "None")


def _body(action: EndpointAction, noun: Noun, keys: list[str], response: str) -> _Body:
    uploads = upload_names(action.uploads, keys).values()
    taken = {"self", TIMEOUT, *keys, *(one.keyword for one in action.filters), *uploads}
    name = unique(argument_name(action.body), taken)
    kind = " | ".join(action.bodies)
    returns = _builtin_list(response)
    one, several, either = method_docs.body(action, noun)
    if not action.many:
        return _Body(Parameter(name, kind, one), response, returns)
    if not action.single:
        return _Body(Parameter(name, f"Sequence[{kind}]", several), response, returns)
    both = Parameter(name, f"{kind} | Sequence[{kind}]", either)
    # Their types do not depend on how many records were sent.
    if returns in ("None", "Any", "bytes"):
        return _Body(both, response, returns)
    # For a sequence, Alyx returns a list in the same order.
    overloads = (
        (Parameter(name, kind, ""), returns),
        (Parameter(name, f"Sequence[{kind}]", ""), f"builtins.list[{returns}]"),
    )
    return _Body(both, f"{response} | list[{response}]", f"{returns} | builtins.list[{returns}]", overloads)


def response_type(action: EndpointAction) -> str:
    """Return the type of the response, or of a row of it."""
    response = action.response
    if response.kind == "list" and not action.paged:
        return f"list[{response.annotation}]"
    return {"bytes": "bytes", "nothing": "None", "anything": "Any"}.get(response.kind, response.annotation)
