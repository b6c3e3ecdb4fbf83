"""Lists of servers that page otherwise than Alyx, read to their end: typed and by name, sync and async."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from alyx_client.errors import (
    ForeignURLError,
    IncompleteResultsWarning,
    InvalidCallError,
    SchemaDriftError,
    UnexpectedAnswerError,
)

from ..faults import FaultServer, Received, Step, json_response
from .conftest import Generate
from .foreign_packages import client
from .foreign_parts import JSON, TEXT, THING
from .inline import ImportedPackage, document, key, query, ref, returns

ROWS = [{"id": number, "name": f"thing {number}"} for number in range(25)]
INTEGER = {"type": "integer"}
NULLABLE = {"type": "string", "nullable": True}
SIZE = "Number of results to return per page."


class Pages:
    """Answers the pages of a list, and names the next one by `position`: a number, a cursor or an offset."""

    def __init__(self, position: str, size: str, *, counted: bool, named: bool = True) -> None:
        self.position, self.size, self.counted, self.named = position, size, counted, named

    def __call__(self, received: Received, connection: Any) -> bool:
        sent = dict(parse_qsl(urlsplit(received.target).query))
        size = int(sent.get(self.size, 10))
        position = int(sent.get(self.position, 0).strip("c")) if self.position in sent else 0
        start = max(position - 1, 0) * size if self.position in ("page", "seite") else position
        following = start + size if start + size < len(ROWS) else None
        body: JSON = {"results": ROWS[start : start + size]} | ({"count": len(ROWS)} if self.counted else {})
        if self.named:
            before = max(0, start - size) if start else None
            body |= {"next": self._url(received, sent, following, size)}
            body |= {"previous": self._url(received, sent, before, size)}
        return json_response(body)(received, connection)

    def _url(self, received: Received, sent: JSON, start: int | None, size: int) -> str | None:
        if start is None:
            return None
        number = f"c{start}" if self.position == "cursor" else start
        number = start // size + 1 if self.position in ("page", "seite") else number
        return f"http://{received.headers['host']}/things?{urlencode({**sent, self.position: number})}"


def schema(*parameters: JSON, fields: Iterable[str] = ("count", "next", "previous")) -> JSON:
    kinds = {"count": INTEGER, "next": NULLABLE, "previous": NULLABLE}
    rows = {"type": "array", "items": ref("Thing")}
    page = {"type": "object", "properties": {name: kinds[name] for name in fields} | {"results": rows}}
    listed = {**returns(ref("Page")), **query(*parameters, {"name": "name", "schema": TEXT})}
    paths = {"/things": {"get": listed}, "/things/{id}": {"get": {**key(**INTEGER), **returns(ref("Thing"))}}}
    return document(paths, {"Thing": {**THING, "required": ["id", "name"]}, "Page": page})


def number(name: str, description: str = "") -> JSON:
    return {"name": name, "schema": INTEGER, "description": description}


CURSOR = {"name": "cursor", "schema": TEXT}
UNCOUNTED = ("next", "previous")
SERVERS: dict[str, tuple[JSON, Pages]] = {
    "numbers": (schema(number("page"), number("page_size")), Pages("page", "page_size", counted=True)),
    "numbers of other names": (
        schema(number("seite", "A page number within the paginated result set."), number("anzahl", SIZE)),
        Pages("seite", "anzahl", counted=True),
    ),
    "numbers without next": (
        schema(number("page"), number("per_page"), fields=("count",)),
        Pages("page", "per_page", counted=True, named=False),
    ),
    "numbers without a count": (
        schema(number("page"), number("page_size"), fields=UNCOUNTED),
        Pages("page", "page_size", counted=False),
    ),
    "cursors": (schema(CURSOR, number("limit"), fields=UNCOUNTED), Pages("cursor", "limit", counted=False)),
    "cursors without previous": (
        schema(CURSOR, number("limit"), fields=("next",)),
        Pages("cursor", "limit", counted=False),
    ),
    "an offset without a count": (
        schema(number("limit"), number("offset"), fields=UNCOUNTED),
        Pages("offset", "limit", counted=False),
    ),
    "no parameters": (schema(), Pages("cursor", "limit", counted=True)),
    "no parameters and no count": (schema(fields=UNCOUNTED), Pages("page", "page_size", counted=False)),
    "limit and offset": (schema(number("limit"), number("offset")), Pages("offset", "limit", counted=True)),
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ImportedPackage]:
    made: dict[str, ImportedPackage] = {}

    def package(name: str) -> ImportedPackage:
        if name not in made:
            made[name] = ImportedPackage(tmp_path_factory.mktemp("pages"), SERVERS[name][0])
        return made[name]

    return package


def served(name: str, pages: Step | None = None) -> FaultServer:
    return FaultServer(then=pages or SERVERS[name][1], routes={"/api/schema": [json_response(SERVERS[name][0])] * 9})


@pytest.fixture(autouse=True)
def no_warnings() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("name", SERVERS)
async def test_lists_are_read_to_their_end(packages: Callable[[str], ImportedPackage], name: str) -> None:
    generated = packages(name)
    assert generated.findings == []
    with served(name) as server:
        alyx = client(generated, server, cache_rest=None)
        rows = alyx.things.list()
        assert [row.id for row in rows] == [row["id"] for row in ROWS]
        assert (len(rows), rows.total, rows[24].id, rows[-1].id, rows[3:5][1].id) == (25, 25, 24, 24, 4)
        assert [row.id for row in reversed(rows)] == [row["id"] for row in ROWS[::-1]]
        assert [row.id for row in alyx.things.list(max_items=12)] == list(range(12))
        assert list(alyx.rest("things", "list")) == ROWS
        assert name == "numbers without next" or list(alyx.get("/things")) == ROWS
        assert len(alyx.rest("things", "list")) == 25
        async with generated.module("client").AsyncAlyxClient(server.url, token="t", cache_rest=None) as aio:
            found = await aio.things.list()
            assert (len(found), (await found.get(24)).id, (await found.get(0)).id) == (25, 24, 0)
            assert [row.id async for row in aio.things.list()] == [row["id"] for row in ROWS]
            assert await (await aio.rest("things", "list")).all() == ROWS


@pytest.mark.parametrize("name", [name for name in SERVERS if not name.startswith("no parameters")])
def test_page_size_is_sent_as_the_server_names_it(packages: Callable[[str], ImportedPackage], name: str) -> None:
    generated, size = packages(name), SERVERS[name][1].size
    with served(name) as server:
        alyx = client(generated, server, cache_rest=None)
        assert len(list(alyx.things.list(page_size=5))) == len(list(alyx.rest("things", "list", **{size: 5}))) == 25
        requested = [dict(parse_qsl(urlsplit(one.target).query)) for one in server.requests if one.path == "/things"]
        assert all(one.get(size) in ("5", "6", "7") for one in requested)
        assert len(requested) in (10, 11)


def test_first_page_is_all_that_is_fetched_for_its_rows(packages: Callable[[str], ImportedPackage]) -> None:
    generated = packages("cursors")
    with served("cursors") as server:
        rows = client(generated, server).things.list()
        assert (rows[0].id, rows[9].id, [row.id for row in rows[:3]]) == (0, 9, [0, 1, 2])
        assert len(server.requests) == 1
        assert repr(rows) == "Results(not counted yet)"


def test_pages_can_be_read_one_at_a_time_by_name(packages: Callable[[str], ImportedPackage]) -> None:
    with served("numbers") as server:
        alyx = client(packages("numbers"), server)
        assert alyx.rest("things", "list", page=3) == alyx.get("/things?page=3") == ROWS[20:]
        with pytest.raises(ValueError, match="slice the results"):
            alyx.things.list(extra_params={"page": 2})
        with pytest.raises(InvalidCallError, match="no filter 'limit'"):
            alyx.rest("things", "list", limit=5)


def test_lists_without_a_page_size_have_no_keyword_for_it(packages: Callable[[str], ImportedPackage]) -> None:
    with pytest.raises(TypeError), served("no parameters") as server:
        client(packages("no parameters"), server).things.list(page_size=5)


def page_with(following: object, rows: object = None, count: int | None = 25) -> Step:
    body = {"next": following, "previous": None, "results": ROWS[:10] if rows is None else rows}
    return json_response(body | ({} if count is None else {"count": count}))


ELSEWHERE = ["http://elsewhere.example.org/things?page=2", "//elsewhere.example.org/things", "ftp://x/", "http://[::1/"]


@pytest.mark.parametrize("following", ELSEWHERE)
def test_next_page_of_another_server_is_refused(packages: Callable[[str], ImportedPackage], following: str) -> None:
    with served("numbers", page_with(following)) as server:
        alyx = client(packages("numbers"), server)
        for read in (alyx.things.list, lambda: alyx.rest("things", "list")):
            with pytest.raises(ForeignURLError) as caught:
                read()
            assert server.url in str(caught.value)
            assert following.rpartition("//")[2].partition("/")[0] in str(caught.value)


def test_next_page_may_be_a_path(packages: Callable[[str], ImportedPackage]) -> None:
    for following in ("/things?page=2", "?page=2"):
        with served("numbers") as server:
            server.script("/things", page_with(following))
            assert len(list(client(packages("numbers"), server).things.list())) == 25


@pytest.mark.parametrize("following", ["/things", "/things?page=2"])
@pytest.mark.parametrize("name", ["numbers", "cursors"])
async def test_pages_that_go_round_end_with_an_error(
    packages: Callable[[str], ImportedPackage], following: str, name: str
) -> None:
    generated = packages(name)
    with served(name, page_with(following, count=25 if name == "numbers" else None)) as server:
        alyx = client(generated, server, cache_rest=None)
        for read in (lambda: list(alyx.things.list()), lambda: list(alyx.rest("things", "list"))):
            with pytest.raises(UnexpectedAnswerError, match=r"next page|circle"):
                read()
        async with generated.module("client").AsyncAlyxClient(server.url, token="t", cache_rest=None) as aio:
            with pytest.raises(UnexpectedAnswerError, match=r"next page|circle"):
                await aio.things.list().all()
        assert len(server.requests) < 10


def test_pages_that_go_round_after_several_end_with_an_error(packages: Callable[[str], ImportedPackage]) -> None:
    steps = [page_with(f"?page={page}") for page in (2, 3, 4, 2)]
    with served("numbers") as server:
        server.script("/things", *steps)
        with pytest.raises(UnexpectedAnswerError, match=r"go round in a circle.* after 4 pages"):
            list(client(packages("numbers"), server, cache_rest=None).things.list())
        assert len(server.requests) == 4


def endless(received: Received, connection: Any) -> bool:
    number_ = int(dict(parse_qsl(urlsplit(received.target).query)).get("page", 1))
    return page_with(f"/things?page={number_ + 1}")(received, connection)


def test_pages_without_end_have_a_budget(packages: Callable[[str], ImportedPackage]) -> None:
    with served("numbers", endless) as server:
        rows = client(packages("numbers"), server, cache_rest=None).things.list()
        with pytest.warns(IncompleteResultsWarning, match="no end"):
            assert [row.id for row in rows] == list(range(10))
        assert len(server.requests) < 20


def test_rows_that_moved_are_named(packages: Callable[[str], ImportedPackage]) -> None:
    pages = [page_with("/things?page=2"), page_with(None, ROWS[11:], 24)]
    with served("numbers") as server:
        server.script("/things", *pages)
        with pytest.warns(IncompleteResultsWarning, match="deleted"):
            assert len(list(client(packages("numbers"), server).things.list())) == 24
        server.script("/things", page_with("/things?page=2"), page_with(None, ROWS[9:24]))
        rows = client(packages("numbers"), server, cache_rest=None).things.list()
        with pytest.warns(IncompleteResultsWarning, match="24 different"):
            assert [row.id for row in rows] == list(range(24))


def test_missing_count_is_drift_only_where_it_is_declared(packages: Callable[[str], ImportedPackage]) -> None:
    with served("numbers", page_with(None, count=None)) as server, pytest.raises(SchemaDriftError, match="count"):
        client(packages("numbers"), server).things.list()


def test_cursor_that_pages_do_not_declare_is_the_callers(generate: Generate) -> None:
    generated = generate(schema(CURSOR, fields=("count",)))
    assert generated.findings == [
        "things.GET /things: paged by a cursor that its pages do not declare: list_page() returns one page at a time"
    ]
    with FaultServer(then=json_response({"count": 25, "results": ROWS[:1]})) as server:
        assert client(generated, server).things.list_page(cursor="x").results[0].id == 0
        assert server.requests[0].target == "/things?cursor=x"
