"""Typed conditions: every comparison of every field is one that the server knows."""

from __future__ import annotations

from collections import Counter

import pytest

from alyx_client.errors import AlyxError

from .conditions import every_comparison, every_field
from .package import AlyxClient
from .targets import Target


def test_every_comparison_of_every_field(client: AlyxClient, target: Target) -> None:
    if target.name != "live":
        pytest.skip("thousands of requests, on a live server alone")
    refused: list[str] = []
    counts: Counter[str] = Counter()
    for endpoint, field, annotation in every_field(client):
        for condition in every_comparison(field, annotation):
            counts[endpoint] += 1
            try:
                getattr(client, endpoint).list(where=condition, page_size=1, max_items=1)
            except AlyxError as error:
                refused.append(f"{endpoint}: {condition}: {error}")
    print(counts.total(), "comparisons", dict(counts))
    assert not refused, "\n".join(refused)
