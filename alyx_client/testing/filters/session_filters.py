"""Filters of sessions and other actions, and filters by the label of a closed set."""

from __future__ import annotations

from alyx_client.testing.failures import ServerFailure
from alyx_client.testing.filters.lookups import Predicate
from alyx_client.testing.filters.minilanguage import parse_pairs
from alyx_client.testing.filters.query import FilterMethod, ListQuery, accept_all, clean
from alyx_client.testing.records.relations import FOV_PROVENANCE
from alyx_client.testing.records.store import Record


def by_label(field: str) -> FilterMethod:
    """Return a filter by the label of a closed set that is stored as a number."""

    def method(query: ListQuery, value: str) -> Predicate:
        choices = query.tables[query.table].choices[field]
        number = {label.lower(): number for label, number in choices.items()}.get(value.lower().strip())
        if number is None:
            # Without a space, as in Alyx.
            raise ServerFailure(f"Invalid{field}, choices are: {', '.join(choices)}")
        return lambda row: row.get(field) == number

    return method


def fov_provenance(_query: ListQuery, value: str) -> Predicate:
    """Select the locations of fields of view by the label of their provenance."""
    code = FOV_PROVENANCE.get(value.lower().strip())
    if code is None:
        # Alyx fails to join the lazily translated labels of its own error message.
        raise ServerFailure("sequence item 0: expected str instance, __proxy__ found")
    return lambda row: row.get("provenance") == code


def date_range(query: ListQuery, value: str) -> Predicate:
    """Select by the day of the start, first and last included."""
    days = value.split(",")
    if len(days) < 2:
        raise ServerFailure("list index out of range")
    from_first = query.lookup("start_time__date__gte", days[0])
    to_last = query.lookup("start_time__date__lte", days[1])
    return lambda row: from_first(row) and to_last(row)


def all_users(query: ListQuery, value: str) -> Predicate:
    """Select the actions of all the named users together."""
    names = value.split(",")
    users = [query.lookup("users__username", name) for name in dict.fromkeys(names)]
    # Alyx counts the users that match, so a name that is repeated matches nothing.
    return lambda row: sum(is_user(row) for is_user in users) >= len(names)


def json_pairs(field: str) -> FilterMethod:
    """Return a filter by look-ups inside a JSON field, in Alyx's mini-language."""

    def method(query: ListQuery, value: str) -> Predicate:
        pairs = parse_pairs(value, f"{field}__")
        predicates = [query.lookup(path, operand) for path, operand in pairs.items()]
        return lambda row: all(matches(row) for matches in predicates)

    return method


def performance(*, minimum: bool) -> FilterMethod:
    """Return a filter by the percentage of correct trials, at least or at most a bound."""

    def method(_query: ListQuery, value: str) -> Predicate:
        bound = clean("performance_gte" if minimum else "performance_lte", "number", value)
        assert isinstance(bound, float)

        def matches(row: Record) -> bool:
            if row["n_trials"] is None or row["n_correct_trials"] is None:
                return False
            if row["n_trials"] == 0:
                raise ServerFailure("division by zero\n")
            # PostgreSQL divides integers without a remainder.
            percentage: int = 100 * row["n_correct_trials"] // row["n_trials"]
            return percentage >= bound if minimum else percentage <= bound

        return matches

    return method


def histology(query: ListQuery, value: str) -> Predicate:
    """Select sessions by whether their subject has a session with the procedure Histology."""
    expected = clean("histology", "boolean", value)
    has_histology = query.lookup("subject__actions_sessions__procedures__name", "Histology")
    return accept_all if expected is None else lambda row: has_histology(row) is expected
