"""Records and lists as HTML."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser
from typing import Any

import pytest

from alyx_client import AlyxClient, AsyncAlyxClient, BulkResults
from alyx_client.testing import LocalAlyx
from tests.faults import FaultServer, json_response
from tests.frames.conftest import KEYS, dataset


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.cells: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)
        if tag in ("td", "th", "p"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def served(rows: list[Any], count: int | None = None) -> FaultServer:
    page = {"count": len(rows) if count is None else count, "next": None, "previous": None, "results": rows}
    return FaultServer(then=json_response(page))


def test_list_shows_ten_rows_and_their_number_without_a_request(alyx: LocalAlyx) -> None:
    with AlyxClient(alyx.url, "olivier", "olivier", cache_rest=None) as client:
        results = client.datasets.list(page_size=20)
        before = len(alyx.requests)
        page = Page(results._repr_html_())
        assert len(alyx.requests) == before
        assert page.tags.count("tr") == 11
        assert f"10 of {len(results)} rows" in page.cells[-1]
        assert ("href", results[0].url) in page.attributes


def test_record_has_two_columns(client: AlyxClient) -> None:
    record = client.subjects.read(client.subjects.list()[0])
    page = Page(record._repr_html_())
    empty = [name for name, value in record.items() if value in (None, "", [])]
    assert empty
    assert page.tags.count("tr") == len(record) - len(empty)
    assert page.cells[-1].strip() == f"Without a value: {', '.join(empty)}"
    position = page.cells.index("nickname")
    assert page.cells[position + 1].strip() == record.nickname
    assert ("href", record.url) in page.attributes


HOSTILE = "</td><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
URLS = ["javascript:alert(1)", f'http://x.org/"onmouseover="alert(1)/{KEYS[0]}', "http://[", HOSTILE]


@pytest.mark.filterwarnings("ignore::alyx_client.errors.SchemaDriftWarning")
@pytest.mark.parametrize("url", URLS)
def test_hostile_text_is_escaped(url: str) -> None:
    hostile = dataset(name=HOSTILE, url=url, tags=[HOSTILE], json={HOSTILE: HOSTILE}, qc=HOSTILE, **{HOSTILE: HOSTILE})
    with served([hostile]) as server, AlyxClient(server.url, token="t", cache_rest=None) as client:
        results = client.datasets.list()
        for shown in (results, results[0], BulkResults([results[0]])):
            html = shown._repr_html_()
            page = Page(html)
            assert not {"script", "img"} & set(page.tags)
            assert not [name for name, _ in page.attributes if name.startswith("on")]
            assert "javascript:" not in [value[:11] for _, value in page.attributes if value]
            assert "alert(1)" in html


def test_long_values_are_cut(client: AlyxClient) -> None:
    row = dataset(name="x" * 1000, json={"a": "y" * 10_000})
    with served([row]) as server, AlyxClient(server.url, token="t", cache_rest=None) as client:
        results = client.datasets.list()
        assert "x" * 61 not in results._repr_html_()
        assert "x" * 300 not in results._repr_html_()
        assert "y" * 301 not in results[0]._repr_html_()


def test_key_is_the_link_of_its_row_and_the_fields_that_tell_rows_apart_come_first(client: AlyxClient) -> None:
    subjects, sessions = client.subjects.list(), client.sessions.list()
    page = Page(subjects._repr_html_())
    assert page.cells[1:3] == ["nickname", "lab"]
    assert ("href", subjects[0].url) in page.attributes
    assert "url" not in page.cells
    # A key that is in the URL in its encoded form, and one of UUIDs.
    assert Page(sessions._repr_html_()).cells[1:4] == ["id", "subject", "start_time"]
    rows = [dataset(name="a b", url="http://x.org/datasets/a%20b"), dataset(name="c", url="http://x.org/datasets/c")]
    with served(rows) as server, AlyxClient(server.url, token="t", cache_rest=None) as other:
        assert Page(other.datasets.list()._repr_html_()).cells[1] == "name"
        assert ("href", "http://x.org/datasets/a%20b") in Page(other.datasets.list()._repr_html_()).attributes


def test_numbers_are_aligned_and_rules_come_before_those_of_notebooks(client: AlyxClient) -> None:
    html = client.weighings.list()._repr_html_()
    assert '<th class="alyx-number">weight</th>' in html
    assert "<th>subject</th>" in html
    # JupyterLab has rules for ".jp-RenderedHTMLCommon td", as specific as ".alyx-client td" would be.
    rules = [line for line in html.splitlines() if "{" in line]
    assert rules
    assert all(line.startswith(".alyx-client.alyx-client") for line in rules)


@pytest.mark.parametrize(
    ("value", "text"), [(0.1 + 0.2, "0.3"), (22.0, "22.0"), (1e-9, "1e-09"), (-1234567.89, "-1234567.89")]
)
def test_numbers_are_shown_without_the_digits_of_their_binary_form(value: float, text: str) -> None:
    assert f"<td>{text}</td>" in BulkResults([{"x": value, "y": [1]}, {"x": "text", "y": [1]}])._repr_html_()


def test_asynchronous_list_shows_what_was_fetched(alyx: LocalAlyx) -> None:
    async def run() -> tuple[str, str, str]:
        async with AsyncAlyxClient(alyx.url, "olivier", "olivier", cache_rest=None) as client:
            results = client.datasets.list(page_size=20)
            before = results._repr_html_()
            await results
            counted = results._repr_html_()
            return before, counted, f"10 of {len(results)} rows"

    before, counted, note = asyncio.run(run())
    assert "AsyncResults: not fetched yet" in before
    assert f"AsyncResults: {note}" in counted


def test_empty_list_and_rows_that_are_no_records(client: AlyxClient) -> None:
    assert "Results: 0 rows" in client.subjects.list(nickname="nobody")._repr_html_()
    assert "BulkResults: 2 rows" in BulkResults([1, "<b>"])._repr_html_()
    assert "<b>" not in BulkResults([1, "<b>"])._repr_html_()
