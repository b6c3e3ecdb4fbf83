"""Docstrings of methods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from alyx_generator.model.ir import EndpointAction, Lookup
from alyx_generator.model.nouns import Noun, listed
from alyx_generator.model.server_facts import ServerFacts
from alyx_generator.render.text import paragraph

Documented = tuple[str, str]
"""A name or a type, and its documentation."""


def method_doc(
    action: EndpointAction,
    noun: Noun,
    parameters: Iterable[Documented],
    returns: Documented,
    *,
    changes: str = "",
    replaced: str = "",
    facts: ServerFacts,
) -> str:
    """Return a method's docstring in NumPy style.

    Parameters
    ----------
    action
        The action, which has the summary.
    noun
        What a record of the endpoint is called.
    parameters
        The method's parameters.
    returns
        The type and the documentation of its result; an empty type if it returns nothing.
    changes
        The name of the ``TypedDict`` that it takes as keywords, if any.
    replaced
        The warning about the JSON fields that it replaces.
    facts
        Facts about the server.
    """
    parameters = list(parameters)
    if changes:
        text = f"Fields to change, as in `{changes}`; omitted fields keep their values. {replaced}".rstrip()
        parameters.append(("**changes", text))
    lines = [action.description]
    if action.preserved_fields:
        preserved = listed([f"``{name}``" for name in action.preserved_fields])
        text = f"The server clears {preserved} when omitted, so the record is read first and their values are resent."
        lines += ["", paragraph(text)]
    lines += sections(
        (
            ("Parameters", parameters),
            ("Returns", [returns] if returns[0] else []),
            ("Raises", list(_errors(action, noun, facts))),
        )
    )
    return "\n".join(lines)


def sections(titled: Iterable[tuple[str, Sequence[Documented]]]) -> Iterator[str]:
    """Yield the lines of the sections of a docstring, by title; empty ones are left out."""
    for title, entries in titled:
        if entries:
            yield from ("", title, "-" * len(title))
            for name, text in entries:
                yield from (name, paragraph(text, indent=4))


def lookup_key(key: Lookup, noun: Noun) -> str:
    """Return the documentation of the key that finds a record."""
    name = key.name.replace("_", " ")
    word = "Key" if name in ("id", "pk") else f"{name[:1].upper()}{name[1:]}"
    return _key(key, word, noun.singular)


def parent_key(key: Lookup) -> str:
    """Return the documentation of a key that finds the parent of a record."""
    return _key(key, "Key", key.name.replace("_", " "))


def body(action: EndpointAction, noun: Noun) -> tuple[str, str, str]:
    """Return the documentation of a body: for one record, for several, and for either.

    Parameters
    ----------
    action
        The action.
    noun
        What a record of the endpoint is called.
    """
    if action.name == "create":
        one, several = f"The {noun.singular} to create.", f"The {noun.plural} to create."
        return one, several, f"The {noun.singular} to create, or a sequence of them to create at once."
    if action.name == "update":
        one = f"The new contents of the {noun.singular}."
        return one, f"The new contents of the {noun.plural}.", f"{one[:-1]}, or a sequence of them for several."
    return "The record to send.", "The records to send.", "The record to send, or a sequence of them."


def returned(action: EndpointAction, noun: Noun) -> Documented:
    """Return the type and the documentation of a method's result; the parameters are those of `body`."""
    annotation, kind = action.response.annotation, action.response.kind
    if action.many and action.single and kind == "record":
        text = f"{_returned_record(action, noun)} For a sequence, a list in the same order."
        return f"{annotation} or list[{annotation}]", text
    if kind == "record":
        return annotation, _returned_record(action, noun)
    if kind in ("list", "value"):
        return f"list[{annotation}]" if kind == "list" else annotation, "The decoded response."
    if kind == "bytes":
        return "bytes", "The content, unchanged."
    return ("Any", "The decoded response; the schema does not declare its type.") if kind == "anything" else ("", "")


def returned_page(row: str, noun: Noun, *, counted: bool) -> Documented:
    """Return the type and the documentation of the result of a method that returns all pages of a list."""
    text = f"The {noun.plural}, in the server's order, fetched page by page as needed."
    return f"Results[{row}]", text if counted else f"{text} The server does not count them: ``len`` reads them all."


def _key(key: Lookup, word: str, record: str) -> str:
    if key.kind == "path":
        return "Path below this endpoint, including slashes."
    if key.kind == "uuid":
        word = "UUID"
    elif key.kind == "integer":
        word = "Number"
    text = f"{word} or URL of the {record}{', or the record itself' if key.reference else ''}"
    return f"{text}; 0 is a valid number." if key.kind == "integer" else f"{text}."


def _returned_record(action: EndpointAction, noun: Noun) -> str:
    if action.name == "read":
        return f"The {noun.singular}."
    if action.name == "create":
        return f"The created {noun.singular}."
    if action.name in ("update", "partial_update"):
        return f"The updated {noun.singular}."
    return "The decoded response."


def _errors(action: EndpointAction, noun: Noun, facts: ServerFacts) -> Iterator[Documented]:
    if action.paged:
        yield "TypeError", "There is no such filter; the message suggests the closest name."
        if facts.django_filters:
            yield "ValueError", "A filter's value cannot be written in Alyx's query language."
            yield "ServerError", "The server could not apply a filter, for instance an unknown name in ``django``."
        else:
            yield "ValueError", "A filter's value cannot be written in a query."
    if (action.lookup and action.name != "create") or action.parents:
        yield "NotFoundError", f"The {noun.singular} does not exist."
        yield "InvalidKeyError", "The key is empty or malformed; nothing was sent."
    if action.name == "partial_update" and action.body:
        yield "InvalidFieldError", "A field is unknown or has the wrong type; nothing was sent."
    if action.body:
        yield "BadRequestError", "The server rejected a value; ``fields`` says which and why."
