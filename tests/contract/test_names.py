"""Records with odd names: what is stored, and how it is found."""

from __future__ import annotations

import pytest

from alyx_client.errors import BadRequestError, InvalidKeyError, NotFoundError

from .bench import PREFIX, Bench
from .package import AlyxClient, models
from .targets import Target

READABLE = {
    "space": f"{PREFIX} a b",
    "tab": f"{PREFIX} a\tb",
    "line break": f"{PREFIX} a\nb",
    "line separator": f"{PREFIX} a\u2028b",
    "right to left": f"{PREFIX} a\u202eb",
    "zero width": f"{PREFIX} a\u200bb",
    "percent": f"{PREFIX} 100%",
    "escape": f"{PREFIX} %2F",
    "query": f"{PREFIX} a?b=c&d;e,f",
    "fragment": f"{PREFIX} a#b",
    "plus": f"{PREFIX} a+b",
    "quotes": f"{PREFIX} 'a' \"b\" \\ <c>",
    "emoji": f"{PREFIX} \U0001f600",
    "decomposed": f"{PREFIX} e\u0301",
    "dots in it": f"{PREFIX}..a..",
    "URL": f"{PREFIX} https:",
}


@pytest.mark.parametrize("case", READABLE, ids=lambda case: case.replace(" ", "_"))
def test_records_of_odd_names_are_read_and_changed_by_key(case: str, client: AlyxClient, bench: Bench) -> None:
    name = READABLE[case]
    tag = bench.create("tags", models.Tag(name=name, public=False))
    assert tag.name == name
    assert client.tags.read(name) == tag
    assert client.tags.partial_update(name, description="odd").description == "odd"
    assert [row.name for row in client.tags.list(name=name)] == [name]
    bench.delete("tags", name)
    with pytest.raises(NotFoundError):
        client.tags.read(name)


@pytest.mark.parametrize(
    "name",
    [f" {PREFIX}-tag", f"{PREFIX}-tag ", f"\u2028{PREFIX}-tag\t"],
    ids=["before", "after", "line_separator"],
)
def test_space_around_a_name_is_not_stored(name: str, client: AlyxClient, bench: Bench) -> None:
    assert bench.create("tags", models.Tag(name=name, public=False)).name == f"{PREFIX}-tag"
    assert [row.name for row in client.tags.list(name=name)] == [f"{PREFIX}-tag"]
    with pytest.raises(NotFoundError):
        client.tags.read(f" {PREFIX}-tag")


def test_no_url_leads_to_a_name_with_a_slash(client: AlyxClient, target: Target) -> None:
    if not target.is_disposable:
        pytest.skip("nobody but the server's administrator can delete such a record")
    for name in (f"{PREFIX}/a", f"{PREFIX}/"):
        tag = client.tags.create(models.Tag(name=name, public=False))
        for call in (client.tags.read, client.tags.delete):
            with pytest.raises(NotFoundError) as caught:
                call(name)
            assert f"client.tags.list(name={name!r}) finds it." in str(caught.value)
        assert list(client.tags.list(name=name)) == [tag]


@pytest.mark.parametrize("name", ["..", "."], ids=["two_dots", "dot"])
def test_dots_are_found_by_a_filter(name: str, client: AlyxClient) -> None:
    for call in (client.tags.read, client.tags.delete, client.subjects.read, client.users.read):
        with pytest.raises(InvalidKeyError, match=r"cannot be part of a URL; client\..*=.*\) finds such a record"):
            call(name)
    with pytest.raises(InvalidKeyError, match=r"\[row for row in client.projects.list\(\) if row.name == "):
        client.projects.read(name)
    assert [row.name for row in client.tags.list(name=name)] in ([], [name])


@pytest.mark.parametrize(
    "nickname", ["a/b", "a b", "a%b", "", "\u202e"], ids=["slash", "space", "percent", "empty", "rtl"]
)
def test_subjects_have_no_odd_nicknames(nickname: str, client: AlyxClient, bench: Bench) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.post("/subjects", {"nickname": nickname, "lab": bench.lab.name})
    assert set(caught.value.fields) == {"nickname"}
