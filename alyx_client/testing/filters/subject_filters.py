"""Filters of subjects."""

from __future__ import annotations

from datetime import date

from alyx_client.testing.filters.lookups import Predicate
from alyx_client.testing.filters.query import ListQuery, accept_all, clean
from alyx_client.testing.records.store import Record
from alyx_client.testing.records.water import has_open_restriction


def alive(_query: ListQuery, value: str) -> Predicate:
    """Select living or dead subjects."""
    expected = clean("alive", "boolean", value)
    if expected is None:
        return accept_all
    return lambda row: _is_alive(row) is expected


def stock(query: ListQuery, value: str) -> Predicate:
    """Select subjects by whether a stock manager is responsible for them."""
    expected = clean("stock", "boolean", value)
    if expected is None:
        return accept_all

    def matches(row: Record) -> bool:
        user = query.store.get("users", row["responsible_user"])
        return (user is not None and bool(user["is_stock_manager"])) is expected

    return matches


def water_restricted(query: ListQuery, value: str) -> Predicate:
    """Select living subjects by whether they are under water restriction."""
    expected = clean("water_restricted", "boolean", value)
    if expected is None:
        return accept_all
    # Alyx's filter takes dead subjects out before it looks at restrictions.
    return lambda row: has_open_restriction(query.store, row) is expected and _is_alive(row)


def _is_alive(subject: Record) -> bool:
    return subject["death_date"] is None or subject["death_date"] > date.today().isoformat()
