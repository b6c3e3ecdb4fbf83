"""All kinds of use of ONE have the same results with ONE's own client and with this one."""

from __future__ import annotations

import re
from typing import Any

import pytest

from alyx_client.testing import LocalAlyx
from tests.one import uses
from tests.one.conftest import MakeOne

pytest.importorskip("one.api", reason="ONE-api is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("name", uses.USES)
def test_results_are_the_same(name: str, new_one: MakeOne, local_alyx: LocalAlyx) -> None:
    results: list[Any] = []
    for client in ("theirs", "ours"):
        local_alyx.reset()
        uses.prepare(local_alyx)
        one = new_one(client)
        try:
            results.append(uses.plain(uses.USES[name](one), one.cache_dir))
        finally:
            one._cache["_meta"]["saved_time"] = None
    # Keys and times of records that were created differ.
    theirs, ours = (re.sub(r"'\d{4}-\d\d-\d\dT[\d:.]+'", "'<time>'", repr(result)) for result in results)
    assert ours == theirs
