"""Changes between two query models: what they mean for typed conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from alyx_client.schema.naming import endpoint_name
from alyx_client.schema.report import Change, Group, Report, What, sort_key
from alyx_generator.model.conditions import condition_kind, fields_class
from alyx_generator.source.query_model import QueryField, QueryModel


def with_changed_fields(report: Report, old: QueryModel, new: QueryModel) -> Report:
    """Return a report with the changes between two query models.

    Parameters
    ----------
    report
        The report.
    old, new
        The query models.
    """
    changes = (*report.changes, *_changes(old, new))
    return replace(report, changes=tuple(sorted(changes, key=sort_key)))


def _changes(old: QueryModel, new: QueryModel) -> Iterator[Change]:
    # A model behind a list is known by that, others by their names.
    names = {name: name for name in old.models if name in new.models}
    names |= {name: new.endpoints[path] for path, name in old.endpoints.items() if path in new.endpoints}
    for path in sorted(old.endpoints.keys() ^ new.endpoints.keys()):
        is_removed = path in old.endpoints
        words = "removed: the list takes no conditions" if is_removed else "new: the list takes conditions"
        yield _change("breaking" if is_removed else "harmless", _what(is_removed), path, "fields", words)
    for name in sorted(old.models):
        if name in names:
            yield from _model_changes(name, old, new, names)
        elif name not in old.endpoints.values():
            yield Change("breaking", "field", "removed", "", (), fields_class(name), "removed: no relation leads to it")


def _model_changes(name: str, old: QueryModel, new: QueryModel, names: dict[str, str]) -> Iterator[Change]:
    before, after = old.models[name], new.models[names[name]]
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            verdict: tuple[Group, What, str] | None = ("breaking", "removed", "removed: the server has no such field")
        elif key not in before:
            verdict = ("harmless", "added", "new")
        else:
            verdict = _field_change(before[key], after[key], names)
        if verdict is not None:
            group, what, words = verdict
            # The shortest way to a model is from its list.
            path = next((path for path, model in sorted(old.endpoints.items()) if model == name), "")
            written = f"fields.{key}" if path else f"{fields_class(name)}.{key}"
            yield _change(group, what, path, written, words)


def _field_change(old: QueryField, new: QueryField, names: dict[str, str]) -> tuple[Group, What, str] | None:
    if old.to and new.to and names.get(old.to, old.to) != new.to:
        return "breaking", "changed", f"leads to {new.to}, not to {old.to}"
    if old.django_class == new.django_class:
        return None
    same = bool(old.to) == bool(new.to) and condition_kind(old) == condition_kind(new)
    return "harmless" if same else "breaking", "changed", f"now {new.django_class}, was {old.django_class}"


def _what(is_removed: bool) -> What:
    return "removed" if is_removed else "added"


def _change(group: Group, what: What, path: str, written: str, words: str) -> Change:
    endpoint = endpoint_name(path) if path else ""
    name = f"client.{endpoint}.{written}" if endpoint else written
    return Change(group, "field", what, endpoint, ("list",) if endpoint else (), name, words)
