"""The page of the query model: the fields that conditions reach, and the comparisons of each class of field."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from alyx_client.runtime import query
from alyx_client.runtime.query import Field
from alyx_generator.model.ir import ConditionModel
from alyx_generator.model.parts import query_model_parts
from alyx_generator.render.reference.context import Context
from alyx_generator.render.reference.history import removed_rows, since
from alyx_generator.render.reference.markdown import HEAD, code, link, prose, table
from alyx_generator.source.history import History
from alyx_generator.source.query_model import QueryModel

__all__ = ["query_model_page"]

_OPERATORS = {"__eq__": "==", "__ne__": "!=", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}
_INTRODUCTION = """\
Conditions reach the fields of a list's rows and those of the models that they are related to: `client.{}.fields` are
those of {}, and a relation's fields follow a dot. The Django class of a field decides which comparisons it has.
"""


def query_model_page(context: Context, query_model: QueryModel, history: History, guide: str) -> str:
    """Return the page of the query model.

    Parameters
    ----------
    context
        What pages are made from.
    query_model
        The fields that the server's ``django`` filter reaches.
    history
        What the query models of versions of Alyx have.
    guide
        The address of the guide to conditions, if there is one.
    """
    shown = max((one for one in context.api.condition_models if one.endpoint), key=lambda one: len(one.fields))
    parts = [HEAD, "# Query model\n", _INTRODUCTION.format(shown.endpoint, shown.noun.plural)]
    if guide:
        parts.append(f"{link('Finding records', guide)} shows how conditions are written.\n")
    parts += ["## Comparisons\n", *_comparisons()]
    parts += ["## Models\n", *_overview(context)]
    for model in context.api.condition_models:
        parts += _model(model, query_model, history)
    parts += _removed(query_model, history)
    return "\n".join(parts)


def _comparisons() -> Iterator[str]:
    kinds = sorted(name for name in query.__all__ if name.endswith("Field") and name != "Field")
    rows = [(name, getattr(query, name)) for name in kinds]
    yield table(
        ("class", "fields", "operators", "methods", "parts"),
        (
            (
                code(name),
                prose(inspect.getdoc(cls) or ""),
                " ".join(code(sign) for method, sign in _OPERATORS.items() if _has(cls, method)),
                " ".join(code(one) for one in _methods(cls)),
                " ".join(code(one) for one in _parts(cls)),
            )
            for name, cls in rows
        ),
    )
    yield "A condition on a relation alone compares its key; `is_null()` selects rows without one.\n"
    owners: dict[tuple[str, str], list[str]] = {}
    for kind, cls in rows:
        for name, method in _methods(cls).items():
            owners.setdefault((name, (inspect.getdoc(method) or "").partition("\n")[0]), []).append(kind)
    yield table(
        ("method", "of", "what it does"),
        (
            (code(name), "all" if len(kinds) == len(rows) else ", ".join(map(code, kinds)), prose(doc))
            for (name, doc), kinds in sorted(owners.items())
        ),
    )


def _has(cls: type[Field[str, object]], method: str) -> bool:
    return getattr(cls, method) is not getattr(object, method)


def _methods(cls: type[Field[str, object]]) -> dict[str, object]:
    return {name: value for name, value in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_")}


def _parts(cls: type[Field[str, object]]) -> list[str]:
    parts = inspect.getmembers(cls, lambda value: isinstance(value, property))
    return [name for name, _ in parts if not name.startswith("_")]


def _overview(context: Context) -> Iterator[str]:
    yield table(
        ("model", "endpoint", "fields"),
        (
            (
                link(model.name, f"#{model.name.lower()}"),
                link(model.endpoint, f"endpoints/{model.endpoint}.md") if model.endpoint else "",
                str(len(model.fields)),
            )
            for model in context.api.condition_models
        ),
    )


def _model(model: ConditionModel, query_model: QueryModel, history: History) -> Iterator[str]:
    yield f"### {model.name}\n"
    fields = query_model.models[model.name]
    # Names that Python reserves have an underscore more.
    names = {field.name: field.name if field.name in fields else field.name.removesuffix("_") for field in model.fields}
    yield table(
        ("field", "meaning", "Django class", "leads to", "comparisons", "since"),
        (
            (
                code(field.name),
                prose(field.description),
                code(fields[names[field.name]].django_class),
                link(field.model, f"#{field.model.lower()}") if field.model else "",
                "" if field.model else code(field.kind),
                since(history, (model.name, names[field.name])),
            )
            for field in model.fields
        ),
    )


def _removed(query_model: QueryModel, history: History) -> Iterator[str]:
    removed = removed_rows(history, query_model_parts(query_model))
    rows = [(code(part[0]), code("".join(part[1:])), *versions) for part, *versions in removed]
    if rows:
        yield "## Removed fields\n"
        yield "Older versions of Alyx also have:\n"
        yield table(("model", "name", "since", "removed in"), rows)
