from __future__ import annotations

from urllib.parse import quote, unquote

import pytest

from alyx_client.errors import ForeignURLError, InvalidKeyError
from alyx_client.http.message import Request
from alyx_client.http.url import request_target
from alyx_client.runtime.django_filter import django_filter
from alyx_client.runtime.keys import Finder, quote_key, quote_path, slash_hint
from alyx_client.runtime.references import key_of_url
from tests.runtime.filter_cases import KEY, Colour

# --- keys in paths


def quoted(key: object, base_url: str = "https://x.org", path: str = "/subjects") -> str:
    return quote_key(key, lookup="nickname", base_url=base_url, path=path)


@pytest.mark.parametrize(
    ("key", "segment"),
    [
        ("flowers", "flowers"),
        ("a/b", "a%2Fb"),
        (" ", "%20"),
        (" a ", "%20a%20"),
        ("\t", "%09"),
        ("a\nb", "a%0Ab"),
        ("\u2028", "%E2%80%A8"),
        ("\u202ea", "%E2%80%AEa"),
        ("\u200b", "%E2%80%8B"),
        ("\U0001f600", "%F0%9F%98%80"),
        ("100%", "100%25"),
        ("%2F", "%252F"),
        ("..a", "..a"),
        ("a/..b", "a%2F..b"),
        ("a b?c#d%e;f", "a%20b%3Fc%23d%25e%3Bf"),
        ("mary+jane", "mary%2Bjane"),
        ("user@lab", "user%40lab"),
        ("é日", "%C3%A9%E6%97%A5"),
        ("...", "..."),
        (0, "0"),
        (-5, "-5"),
        (KEY, str(KEY)),
        (Colour.RED, "red"),
    ],
)
def test_keys_are_one_quoted_segment(key: object, segment: str) -> None:
    assert quoted(key) == segment


@pytest.mark.parametrize(
    "key",
    ["", ".", "..", "../admin", "a/./b", "a/..", "a\x00b", "\ud800", None, True, False, 1.5, b"x", ["a"], object()],
)
def test_invalid_keys_are_refused(key: object) -> None:
    with pytest.raises(InvalidKeyError, match="nickname"):
        quoted(key)


@pytest.mark.parametrize("base", ["https://x.org", "https://x.org/alyx", "https://x.org:8443/a/b"])
@pytest.mark.parametrize("end", ["", "/", "?format=json", "/?a=b#c"])
def test_url_of_a_record_is_a_key(base: str, end: str) -> None:
    assert quoted(f"{base}/subjects/a%2Fb%20c{end}", base) == "a%2Fb%20c"


@pytest.mark.parametrize("key", [" ", "\t", "a\nb", "\u2028", "\u202ea", "a/b", "100%", "%2F", "a?b#c", "\U0001f600"])
def test_own_url_leads_to_the_same_path_as_the_key(key: str) -> None:
    assert quoted(f"https://x.org/subjects/{quote(key, safe='')}") == quoted(key)


@pytest.mark.parametrize("key", ["\t", "a\tb", "a\nb", "a\r\n", " a", "a b", "\u2028", "\u202ea"])
def test_own_url_that_is_not_quoted_leads_to_the_same_path(key: str) -> None:
    url = f"https://x.org/subjects/{key}"
    assert quoted(url) == quoted(key)
    assert key_of_url(url) == key
    # httpx2 quotes the rest.
    sent = request_target(Request("GET", url), "https://x.org")
    assert unquote(sent) == f"/subjects/{key}"


@pytest.mark.parametrize(
    ("find", "call"),
    [
        (Finder("tags", "name"), "client.tags.list(name='..')"),
        (Finder("tags", ""), "[row for row in client.tags.list() if row.name == '..']"),
        (Finder("tags", "name", by_name=True), "client.rest('tags', 'list', name='..')"),
        (Finder("tags", "", by_name=True), "[row for row in client.rest('tags', 'list') if row['name'] == '..']"),
    ],
)
def test_message_for_a_key_without_url_names_a_call_that_finds_it(find: Finder, call: str) -> None:
    with pytest.raises(InvalidKeyError) as caught:
        quote_key("..", lookup="name", base_url="https://x.org", path="/tags", find=find)
    assert f"{call} finds such a record" in str(caught.value)
    # Alyx ignores filters that are empty.
    with pytest.raises(InvalidKeyError, match=r"\[row for row in .* if row.*name.* == ''\] finds such a record"):
        quote_key("", lookup="name", base_url="https://x.org", path="/tags", find=find)
    assert call.replace("..", "a/b") in slash_hint("/tags/a%2Fb", "name", find)
    assert slash_hint("/tags/ab", "name", find) == slash_hint("/tags/a%2Fb", "name", None) == ""


def test_url_of_a_record_in_other_spellings() -> None:
    assert quoted("https://X.org:443/subjects/a") == "a"


@pytest.mark.parametrize(
    "url",
    [
        "https://other.org/subjects/a",
        "http://x.org/subjects/a",
        "https://x.org:8443/subjects/a",
        "https://x.org@other.org/subjects/a",
        "https://x.org.other.org/subjects/a",
        "https://",
    ],
)
def test_urls_of_other_servers_are_refused(url: str) -> None:
    with pytest.raises(ForeignURLError, match=r"x\.org, where this client's token belongs"):
        quoted(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://x.org/sessions/a",
        "https://x.org/subjects/a/b",
        "https://x.org/subjects",
        "https://x.org/alyx/subjects/a",
        "https://x.org/subjects/",
        "https://x.org/subjects/..",
        "https://x.org/subjects/%2E%2E",
        "https://x.org/subjects/..%2Fadmin",
        "https://x.org/subjects/%00",
        "https://x.org/subjects/%ff",
    ],
)
def test_urls_of_other_records_are_refused(url: str) -> None:
    with pytest.raises(InvalidKeyError):
        quoted(url)


def test_credentials_of_a_foreign_url_are_not_shown() -> None:
    with pytest.raises(ForeignURLError) as caught:
        quoted("https://me:secret@other.org/subjects/a?token=secret")
    assert "secret" not in str(caught.value)


def path_of(key: object) -> str:
    return quote_path(key, base_url="https://x.org/alyx", path="/uploaded")


def test_paths_keep_their_slashes() -> None:
    assert path_of("notes/a b.png") == "notes/a%20b.png"
    assert path_of("/notes/a/") == "notes/a"
    assert path_of("https://x.org/alyx/uploaded/notes/a%20b.png") == "notes/a%20b.png"


@pytest.mark.parametrize("key", ["", "/", "a//b", "a/../b", "..", "./a", None, 5, "https://x.org/alyx/sessions/a"])
def test_paths_that_lead_elsewhere_are_refused(key: object) -> None:
    with pytest.raises(InvalidKeyError):
        path_of(key)
    with pytest.raises(ForeignURLError):
        path_of("https://other.org/alyx/uploaded/a")


@pytest.mark.parametrize("value", ["task", 1, None])
def test_lookup_of_keys_takes_a_list(value: object) -> None:
    with pytest.raises(ValueError, match="letter by letter"):
        django_filter({"extended_qc__has_any_keys": value})
    assert django_filter({"extended_qc__has_any_keys": ["task"]}) == ["extended_qc__has_any_keys,['task']"]


@pytest.mark.parametrize("value", ["True", 1, None])
def test_isnull_takes_a_boolean(value: object) -> None:
    with pytest.raises(ValueError, match="True or False"):
        django_filter({"json__isnull": value})
