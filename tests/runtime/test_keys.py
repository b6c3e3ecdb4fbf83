from __future__ import annotations

import pytest

from alyx_client.errors import ForeignURLError, InvalidKeyError
from alyx_client.runtime.django_filter import django_filter
from alyx_client.runtime.keys import quote_key, quote_path
from tests.runtime.filter_cases import KEY, Colour

# --- keys in paths


def quoted(key: object, base_url: str = "https://x.org", path: str = "/subjects") -> str:
    return quote_key(key, lookup="nickname", base_url=base_url, path=path)


@pytest.mark.parametrize(
    ("key", "segment"),
    [
        ("flowers", "flowers"),
        ("a/b", "a%2Fb"),
        ("../admin", "..%2Fadmin"),
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


@pytest.mark.parametrize("key", ["", " ", ".", "..", "a\nb", "a\x00b", None, True, False, 1.5, b"x", ["a"], object()])
def test_invalid_keys_are_refused(key: object) -> None:
    with pytest.raises(InvalidKeyError, match="nickname"):
        quoted(key)


@pytest.mark.parametrize("base", ["https://x.org", "https://x.org/alyx", "https://x.org:8443/a/b"])
@pytest.mark.parametrize("end", ["", "/", "?format=json", "/?a=b#c"])
def test_url_of_a_record_is_a_key(base: str, end: str) -> None:
    assert quoted(f"{base}/subjects/a%2Fb%20c{end}", base) == "a%2Fb%20c"


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
        "https://x.org/subjects/%20",
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
