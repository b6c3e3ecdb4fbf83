from __future__ import annotations

from pathlib import Path

import pytest

from alyx_client.downloads.addresses import quote_link
from alyx_client.downloads.names import (
    check_name,
    collisions,
    companions,
    local_name,
    local_names,
    name_of_bytes,
    own_infix,
)
from alyx_client.errors import InvalidFileNameError


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/spikes.times.npy", "spikes.times.npy"),
        ("/a/two%20words.npy", "two words.npy"),
        ("/a/%232022-08-08%23.npy", "#2022-08-08#.npy"),
        ("/a/100%25.npy", "100%.npy"),
        ("/a/%2541.npy", "%41.npy"),
        ("/a/%C3%A9t%C3%A9.npy", "été.npy"),
        ("/a/e%CC%81.npy", "é.npy"),
        ("/a/%E6%B8%AC.npy", "測.npy"),
        ("/a/.hidden", ".hidden"),
        ("/a/..npy", "..npy"),
        ("/a/console.npy", "console.npy"),
        ("plain", "plain"),
    ],
)
def test_names_are_decoded_once(path: str, name: str) -> None:
    assert local_name(path) == name


@pytest.mark.parametrize(
    "path",
    [
        "/a/",
        "",
        "/a/..",
        "/a/.",
        "/a/%2e%2e",
        "/a/..%2Fb",
        "/a/..%5Cb",
        "/a/b%00.npy",
        "/a/b%0A.npy",
        "/a/CON",
        "/a/nul.npy",
        "/a/COM1.txt",
        "/a/com%C2%B9.txt",
        "/a/Lpt9",
        "/a/con%20.npy",
        "/a/trailing.",
        "/a/trailing%20",
        "/a/a:b",
        "/a/C:",
        "/a/what%3F",
        "/a/a*b",
        "/a/%3Ca%3E",
        "/a/a%7Cb",
        "/a/%22a%22",
        "/a/%FF%FE.npy",
        "/a/" + "x" * 256,
        "/a/" + "%C3%A9" * 128,
    ],
)
def test_unsafe_or_unportable_names_are_refused(path: str) -> None:
    with pytest.raises(InvalidFileNameError):
        local_name(path)


def test_every_name_of_a_path_is_checked() -> None:
    assert local_names("/lab/Subjects/a%20b/x.npy") == ("lab", "Subjects", "a b", "x.npy")
    for path in ("lab/../x.npy", "lab/aux/x.npy", "lab//x.npy", "lab/%2e%2e/x.npy"):
        with pytest.raises(InvalidFileNameError):
            local_names(path)


def test_longest_name_is_accepted() -> None:
    assert check_name("x" * 255) == "x" * 255


def test_quoting_leaves_percent_encoded_characters_unchanged() -> None:
    assert quote_link("/a b/#2022#/100%.npy") == "/a%20b/%232022%23/100%25.npy"
    assert quote_link("/a%20b/%232022%23/é") == "/a%20b/%232022%23/%C3%A9"


def test_byte_range_has_its_own_name() -> None:
    assert name_of_bytes("a.b.npy", 100, 50) == "a.b.bytes-100-149.npy"
    assert name_of_bytes("plain", 0, 1) == "plain.bytes-0-0"
    with pytest.raises(InvalidFileNameError):
        name_of_bytes("x" * 255, 0, 1)


def test_urls_with_names_that_differ_in_case_only_are_refused() -> None:
    folder = Path("data")
    a = ("https://x.org/a", folder / "a")
    assert collisions([a, a]) == {}
    assert collisions([a, ("https://x.org/b/a", folder / "b" / "a")]) == {}
    both = [("https://x.org/1/A.npy?sig=s1", folder / "A.npy"), ("https://x.org/a.npy", folder / "a.npy")]
    errors = collisions([*both, a, both[0]])
    assert list(errors) == both
    for error in errors.values():
        assert isinstance(error, InvalidFileNameError)
        assert "keep_tree" in str(error)
        assert "https://x.org/1/A.npy" in str(error)
        assert "https://x.org/a.npy" in str(error)
        assert "s1" not in str(error)
    assert len(collisions([("https://x.org/f?id=1", folder / "f"), ("https://x.org/f?id=2", folder / "f")])) == 2


@pytest.mark.parametrize("infix", ["", own_infix()])
@pytest.mark.parametrize("number", range(4))
def test_files_named_like_what_another_one_needs_while_it_is_fetched_are_refused(infix: str, number: int) -> None:
    a, b = ("https://x.org/a", Path("data/a")), ("https://x.org/b", Path("data/b"))
    companion = ("https://x.org/c", companions(a[1], infix)[number])
    errors = collisions([a, b, companion])
    assert errors.keys() == {a, companion}
    for error in errors.values():
        assert f"https://x.org/a needs {companion[1]} while" in str(error)
        assert "the file of https://x.org/c;" in str(error)
