"""Query parameters of URLs."""

from __future__ import annotations

from typing import Any

import pytest

from alyx_client.rest.url_params import update_url_params
from tests.runtime.unsendable import VALUES


@pytest.mark.parametrize("value", [*VALUES, "None", "None in a list", "dictionary"])
def test_values_without_a_text_are_refused(value: str) -> None:
    values: dict[str, object] = {"None": None, "None in a list": [None], "dictionary": {"a": 1}}
    with pytest.raises(TypeError, match="foo"):
        update_url_params("website.com", {"foo": VALUES[value]() if value in VALUES else values[value]})


@pytest.mark.parametrize(
    ("url", "params", "expected"),
    [
        ("website.com/?q=", {"pg": 5}, "website.com/?pg=5"),
        ("website.com?q=xxx", {"pg": 5, "foo": ["bar", "baz"]}, "website.com?q=xxx&pg=5&foo=bar&foo=baz"),
        ("website.com", {}, "website.com"),
        ("website.com?a=1&b=2", {"a": 3}, "website.com?a=3&b=2"),
        ("website.com?a=x%26y%2Bz%23", {"b": "p q"}, "website.com?a=x%26y%2Bz%23&b=p+q"),
        ("/a%20b?c=1", {"d": "é&"}, "/a%20b?c=1&d=%C3%A9%26"),
        ("website.com?a=1#part", {"b": 2}, "website.com?a=1&b=2#part"),
    ],
)
def test_query_parameters_of_a_url_are_set(url: str, params: dict[str, Any], expected: str) -> None:
    assert update_url_params(url, params) == expected
