"""Faults of ONE's queries that this client does not have."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from alyx_client import AlyxClient
from alyx_client import webclient as ours
from alyx_client.errors import ForeignURLError, InvalidCallError, NotFoundError

theirs: Any = pytest.importorskip("one.webclient", reason="ONE-api is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


def test_percent_encoded_values_are_preserved() -> None:
    url = "a.org?django=name,a%26b"
    assert ours.update_url_params(url, {"limit": 1}) == "a.org?django=name%2Ca%26b&limit=1"
    assert "b" not in theirs.update_url_params(url, {"limit": 1})


def test_none_in_a_url_is_an_error() -> None:
    assert theirs.update_url_params("a", {"b": None}) == "a?b=None"
    with pytest.raises(TypeError, match="no text in a URL"):
        ours.update_url_params("a", {"b": None})


def test_unknown_filter_is_an_error(one: Any, alyx: AlyxClient) -> None:
    assert len(one.rest("subjects", "list", nicknam="x")) == len(alyx.rest("subjects", "list"))
    with pytest.raises(InvalidCallError, match="'nickname'"):
        alyx.rest("subjects", "list", nicknam="x")


@pytest.mark.parametrize("call", [("subjects", "read"), ("subjects", "create"), ("subjects", "delete")])
def test_missing_argument_is_an_error(one: Any, alyx: AlyxClient, call: tuple[str, str]) -> None:
    assert one.rest(*call) is None
    with pytest.raises(InvalidCallError, match="needs"):
        alyx.rest(*call)


def test_key_of_zero_is_valid(one: Any, alyx: AlyxClient) -> None:
    assert one.rest("brain-regions", "read", id=0) is None
    assert alyx.rest("brain-regions", "read", id=0)["id"] == 0


def test_errors_are_distinguished_by_meaning(one: Any, alyx: AlyxClient) -> None:
    import requests

    with pytest.raises(requests.HTTPError):
        one.rest("subjects", "read", id="nobody")
    with pytest.raises(NotFoundError):
        alyx.rest("subjects", "read", id="nobody")
    with pytest.raises(ForeignURLError):
        alyx.get("https://other.example.org/subjects")


# ONE unquotes the URL of the next page, which changes percent-encoded values.
def test_filters_are_the_same_on_every_page(one: Any, alyx: AlyxClient) -> None:
    expected = alyx.rest("sessions", "list")[:5]
    for row in expected:
        alyx.patch(row["url"], {"narrative": "a + b"})
    call = ("sessions", "list")
    filters = {"django": "narrative__icontains,+ b", "limit": 2}
    with pytest.raises(IndexError):
        list(one.rest(*call, **filters))
    assert {row["id"] for row in alyx.rest(*call, **filters)} == {row["id"] for row in expected}


# An offset requests a single page; the rows before it are not part of the result.
def test_offset_requests_one_page(one: Any, alyx: AlyxClient) -> None:
    rows = list(alyx.rest("datasets", "list"))
    page = one.rest("datasets", "list", limit=10, offset=5)
    assert (len(page), page[0], page[12]) == (len(rows), rows[5], rows[12])
    assert alyx.rest("datasets", "list", limit=10, offset=5) == rows[5:15]


def test_paged_list_is_a_full_sequence(one: Any, alyx: AlyxClient, monkeypatch: pytest.MonkeyPatch) -> None:
    pages, rows = one.rest("datasets", "list", limit=7), alyx.rest("datasets", "list", limit=7)
    everything = list(rows)
    for use in (lambda r: r[:], lambda r: r[0] in r, lambda r: list(reversed(r))):
        with pytest.raises(TypeError):
            use(pages)
        assert use(rows)
    assert pages != everything
    assert rows == everything

    fetches = iter(range(50))
    fetch = pages.populate
    monkeypatch.setattr(pages, "populate", lambda place: (next(fetches), fetch(place)))
    with pytest.raises(StopIteration):  # it would never end
        pages[0:20:3]
    assert rows[0:20:3] == everything[0:20:3]


# ONE sends the string "None", which matches nothing.
def test_none_is_not_sent_as_text(one: Any, alyx: AlyxClient) -> None:
    assert one.rest("sessions", "list", lab=None) == []
    assert list(alyx.rest("sessions", "list", lab=None)) == list(alyx.rest("sessions", "list"))


# A list accepts the keys that a read accepts, and several of them.
def test_list_accepts_several_keys_and_urls(one: Any, alyx: AlyxClient) -> None:
    rows = alyx.rest("sessions", "list")[:2]
    for key in ([row["id"] for row in rows], rows[0]["url"]):
        with pytest.raises(OSError, match="500"):
            one.rest("sessions", "list", id=key)
        assert len(alyx.rest("sessions", "list", id=key)) == (2 if isinstance(key, list) else 1)


# A UUID has several spellings, and an endpoint may end with a slash.
def test_other_spellings_of_keys_and_endpoints_are_accepted(one: Any, alyx: AlyxClient, facts: dict[str, Any]) -> None:
    key = UUID(facts["session"])
    for call in (("sessions", "read", str(key).upper()), ("sessions", "read", key.hex), ("subjects/", "list")):
        with pytest.raises(OSError, match="404"):
            one.rest(*call)
        assert alyx.rest(*call)


# A filter has no effect on a read, so its presence is a mistake.
def test_filter_of_a_read_is_an_error(one: Any, alyx: AlyxClient) -> None:
    assert one.rest("subjects", "read", id="flowers", lab="hillside")["lab"] == "cortexlab"
    with pytest.raises(InvalidCallError, match="no filters"):
        alyx.rest("subjects", "read", id="flowers", lab="hillside")


# In a query, # is part of a value, as in the folders of revisions; fragments are never sent to servers.
def test_hash_is_part_of_a_value(one: Any, alyx: AlyxClient) -> None:
    assert one.get("/subjects?lab=cortexlab#1")
    assert alyx.get("/subjects?lab=cortexlab#1") == []


# The URL of another server identifies a record of that server.
def test_url_of_another_server_is_an_error(one: Any, alyx: AlyxClient, facts: dict[str, Any]) -> None:
    url = f"https://other.example.org/sessions/{facts['session']}"
    assert one.rest("sessions", "read", id=url)["id"] == facts["session"]
    with pytest.raises(ForeignURLError):
        alyx.rest("sessions", "read", id=url)
