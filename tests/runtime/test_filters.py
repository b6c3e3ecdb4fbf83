from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from alyx_client import AlyxClient, endpoints
from alyx_client.errors import BadRequestError, ForeignURLError, InvalidKeyError, ServerError
from alyx_client.http.retry import Retries
from alyx_client.runtime.action import ListAction
from alyx_client.runtime.django_filter import django_filter
from alyx_client.runtime.filters import FilterStyle, Repeated, encode, known_filters
from alyx_client.runtime.keys import quote_key, quote_path
from alyx_client.testing import LocalAlyx

KEY = UUID("0b12ba9e-01e3-4784-8c35-d7bb1bab414f")
STYLES: dict[str, FilterStyle] = {
    "lab": "plain",
    "alive": "plain",
    "birth_date": "day",
    "start_time": "plain",
    "dataset_types": "comma",
    "tags": "repeat",
    "date_range": "range",
    "id": "id",
    "django": "django",
}


def sent(*, extra_params: Mapping[str, object] | None = None, **filters: object) -> list[tuple[tuple[str, str], ...]]:
    return encode(filters, STYLES, endpoint="sessions", extra_params=extra_params)


def one(**filters: object) -> dict[str, str]:
    (params,) = sent(**filters)
    assert len(dict(params)) == len(params)
    return dict(params)


# --- a model of how the server reads django=


def as_the_server_reads(text: str) -> dict[str, object]:
    """Read the mini-language: what is outside brackets is cut at commas, then guessed at, by pairs."""
    pieces, inside = [""], None
    for character in text.strip():
        if character == "," and inside is None:
            pieces.append("")
            continue
        if character in "([":
            inside = {"(": ")", "[": "]"}[character]
        elif character == inside:
            inside = None
        pieces[-1] += character
    assert len(pieces) % 2 == 0, f"an odd number of pieces: {pieces}"
    names = pieces[::2]
    assert len(set(names)) == len(names), f"a name twice: {names}"
    return dict(zip(names, map(guessed, pieces[1::2]), strict=True))


def guessed(piece: str) -> object:
    words = {"none": None, "true": True, "false": False}
    if piece == "None" or piece.lower() in ("true", "false"):
        return words[piece.lower()]
    if "".join(piece.split(".", 1)).isdigit():
        return float(piece)
    if piece[:1] in tuple("[(") and piece[-1:] in tuple(")]"):
        return ast.literal_eval(piece)
    return piece


ODD_TEXTS = [
    *(
        "",
        " ",
        "a",
        "a b",
        " a",
        "a ",
        "\ta",
        "a\n",
        "é",
        "日本語",
        "x'y",
        'x"y',
        "a\\b",
        "\\",
        "'",
        '"',
        "%",
        "&=+",
        "~",
    ),
    *("None", "none", "NONE", "True", "TRUE", "true", "fAlSe", "1", "1.5", "1.", ".5", ".", "..", "1.2.3", "-1", "1e5"),
    *("+1", "nan", "inf", "\u0663", "²", "1²", "\u0663.\u0665", "0x1", "1_000", "½"),
    *("a,b", ",", "a,", ",a", "[", "]", "(", ")", "[]", "()", "[a]", "(a)", "a[b", "a]b", "a[b]c", "[a](b)", "[a,b]"),
    *("(a", "a)", "([)]", "[(])", "a[b,c]d", "a(b,c", "a]b,c", "[1,2]", "(1)", "__import__('os')", "[x for x in y]"),
]


def all_odd_texts() -> Iterator[str]:
    yield from ODD_TEXTS
    for parts in itertools.product(["", "a", "1", "[", "]", "(", ")", ",", ".", "'", " ", "True"], repeat=3):
        yield "".join(parts)


def sent_or_refused(spec: dict[str, Any], text: str) -> str | None:
    try:
        (sent_text,) = django_filter(spec)
    except ValueError as error:
        named = repr(text) in str(error)
    else:
        return sent_text
    assert named
    return None


def test_every_text_is_read_back_as_it_was_or_refused() -> None:
    refused = 0
    for text in all_odd_texts():
        for spec in ({"name": text}, {"name": text, "other": "x"}, {"other": "x", "name": text}):
            sent_text = sent_or_refused(spec, text)
            if sent_text is None:
                refused += 1
                continue
            assert as_the_server_reads(sent_text) == spec, text
    assert refused > 100


def test_texts_that_are_harmless_are_not_refused() -> None:
    for text in [
        "",
        " a",
        "a b",
        "é",
        "日本語",
        "x'y",
        "a\\b",
        "none",
        "1.2.3",
        "-1",
        "1e5",
        "a[b]c",
        "a]b",
        "½",
        "%&=+",
    ]:
        assert django_filter({"name": text}) == [f"name,{text}"]


def test_every_list_is_read_back_as_it_was_or_refused() -> None:
    for text in all_odd_texts():
        for spec in ({"name__in": [text, "x"]}, {"a": "b", "name__in": ["x", text], "c": True}):
            sent_text = sent_or_refused(spec, text)
            if sent_text is None:
                assert any(bracket in text for bracket in "[]()")
                continue
            assert sent_text.isascii() or text in sent_text
            assert as_the_server_reads(sent_text) == spec, text


def test_text_in_a_list_is_never_taken_for_something_else() -> None:
    texts = [text for text in ODD_TEXTS if not set(text) & set("[]()")]
    assert {"None", "1.5", "TRUE", "a,b", "", " ", "x'y", "a\\b", "²"} <= set(texts)
    (text,) = django_filter({"name__in": texts})
    assert as_the_server_reads(text) == {"name__in": list(dict.fromkeys(texts))}


NUMBERS = [0, 1, -1, 2**53, -(2**53), 0.5, -0.5, 1e-07, -1e-07, 1e22, 1.7976931348623157e308, 5e-324, 0.1, -0.0]


@pytest.mark.parametrize("number", [*NUMBERS, Decimal("1.50"), Decimal("1E+3"), Decimal("-2.5")])
def test_numbers_arrive_as_numbers(number: float | Decimal) -> None:
    (text,) = django_filter({"json__depth__gte": number, "after": "x"})
    read = as_the_server_reads(text)["json__depth__gte"]
    assert isinstance(read, int | float)
    assert read == float(number)


def test_numbers_in_lists_arrive_as_numbers() -> None:
    numbers = [*NUMBERS[:-1], True, None, 2**80]
    (text,) = django_filter({"x__in": numbers})
    assert as_the_server_reads(text) == {"x__in": numbers}


@pytest.mark.parametrize("number", [2**53 + 1, -(2**60), float("nan"), float("inf"), Decimal("NaN"), Decimal("-Inf")])
def test_numbers_that_the_server_would_change_are_refused(number: object) -> None:
    with pytest.raises(ValueError, match="django: x"):
        django_filter({"x": number})


@pytest.mark.parametrize("item", [float("nan"), ["nested"], {"a": 1}, object(), b"bytes"])
def test_items_that_a_list_cannot_hold_are_refused(item: object) -> None:
    with pytest.raises(ValueError, match=r"x__in.*cannot be sent in a list"):
        django_filter({"x__in": [item]})


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        (None, None),
        (date(2020, 1, 2), "2020-01-02"),
        (datetime(2020, 1, 2, 3, 4, 5, 6), "2020-01-02T03:04:05.000006"),
        (KEY, str(KEY)),
        (Colour.RED, "red"),
        ([date(2020, 1, 2), datetime(2020, 1, 2, 3)], ["2020-01-02", "2020-01-02T03:00:00"]),
        ([KEY, Colour.RED, 1], [str(KEY), "red", 1]),
        (("a",), ["a"]),
        ([], []),
    ],
)
def test_values_of_other_types_are_read_back(value: object, expected: object) -> None:
    (text,) = django_filter({"start__range": value})
    assert as_the_server_reads(text) == {"start__range": expected}


def test_numpy_values_are_plain_values() -> None:
    numpy = pytest.importorskip("numpy")
    assert django_filter({"a": numpy.int64(3), "b": numpy.float32(0.5), "c": numpy.bool_(True)}) == ["a,3,b,0.5,c,True"]
    assert django_filter({"a__in": numpy.array([1, 2])}) == ["a__in,[1,2]"]
    assert one(lab=numpy.str_("x")) == {"lab": "x"}
    moment = numpy.datetime64("2020-01-02T03:04:05", "ns")
    assert one(start_time=moment) == {"start_time": "2020-01-02T03:04:05"}


@pytest.mark.parametrize("value", [datetime(2020, 1, 1, tzinfo=UTC), [datetime(2020, 1, 1, tzinfo=UTC)]])
def test_aware_times_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"start_time.*time zone"):
        django_filter({"start_time__in" if isinstance(value, list) else "start_time": value})


@pytest.mark.parametrize("value", [{"a": 1}, object(), b"x"])
def test_values_without_a_form_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"name.*cannot be sent"):
        django_filter({"name": value})


@pytest.mark.parametrize("field", ["", " ", "~", "~~a", "a,b", "a[0]", "(a)", " a", "a ", None, 5])
def test_names_that_are_no_lookups_are_refused(field: Any) -> None:
    with pytest.raises(ValueError, match="not a valid lookup name"):
        django_filter({field: "x"})


def test_tilde_excludes() -> None:
    assert django_filter({"start_time__date__gte": date(2020, 1, 1), "~json__qc": "CRITICAL"}) == [
        "start_time__date__gte,2020-01-01,~json__qc,CRITICAL"
    ]


def test_text_passes_unchanged() -> None:
    assert django_filter("a,[1,b") == ["a,[1,b"]
    assert one(django="a,b") == {"django": "a,b"}


@pytest.mark.parametrize("spec", [5, ["a", "b"], b"a,b"])
def test_other_specifications_are_refused(spec: Any) -> None:
    with pytest.raises(TypeError, match="text or a dictionary"):
        django_filter(spec)


def test_refused_text_names_a_way_that_works() -> None:
    with pytest.raises(ValueError, match=r"django=\{'name__in': \['1\.5'\]\}"):
        django_filter({"name": "1.5"})
    assert as_the_server_reads(django_filter({"name__in": ["1.5"]})[0]) == {"name__in": ["1.5"]}
    with pytest.raises(ValueError, match="own filter") as caught:
        django_filter({"name__icontains": "1.5"})
    assert "__in" not in str(caught.value)
    with pytest.raises(ValueError, match="own filter") as caught:
        django_filter({"name": "a[1"})
    assert "__in" not in str(caught.value)


# --- lists that are split


def keys(count: int) -> list[UUID]:
    return [UUID(int=number) for number in range(count)]


def test_long_list_is_split_in_order_without_repetitions() -> None:
    given = keys(500)
    texts = django_filter({"lab": "x", "id__in": [*given, *given[:50], *map(str, given[-50:])], "qc": 10})
    assert 1 < len(texts) < 20
    read = [as_the_server_reads(text) for text in texts]
    assert all(set(each) == {"lab", "id__in", "qc"} for each in read)
    flat = [key for each in read for key in each["id__in"]]  # type: ignore[attr-defined]
    assert flat == list(map(str, given))
    assert max(map(len, texts)) < 4000


def test_short_list_is_one_request_and_a_generator_will_do() -> None:
    assert len(django_filter({"id__in": (key for key in keys(20))})) == 1


def test_long_list_cannot_be_excluded() -> None:
    with pytest.raises(ValueError, match="excluded"):
        django_filter({"~id__in": keys(500)})
    assert len(django_filter({"~id__in": keys(20)})) == 1


def test_two_long_lists_are_refused() -> None:
    with pytest.raises(ValueError, match="only one long"):
        django_filter({"id__in": keys(500), "session__in": keys(500)})
    with pytest.raises(ValueError, match="sessions: only one list"):
        sent(id=keys(500), django={"session__in": keys(500)})
    assert len(sent(id=keys(500), django={"session__in": keys(5)})) > 1


def test_empty_list_matches_nothing_and_excluding_it_everything() -> None:
    assert django_filter({"id__in": [], "lab": "x"}) == []
    assert sent(id=[]) == []
    assert sent(id=[], lab="x") == []
    assert as_the_server_reads(django_filter({"~id__in": [], "lab": "x"})[0]) == {"~id__in": [], "lab": "x"}


@pytest.mark.parametrize("value", ["abc", b"abc", 5, None, {"a": 1}])
def test_in_takes_a_list(value: object) -> None:
    with pytest.raises(ValueError, match="id__in takes a list"):
        django_filter({"id__in": value})


# --- keys among the filters


def test_keys_join_other_lookups() -> None:
    assert one(id=KEY) == {"django": f"pk,{KEY}"}
    assert one(id=0) == {"django": "pk,0"}
    assert as_the_server_reads(one(id=[KEY, str(KEY)], django={"qc": "PASS"})["django"]) == {
        "pk__in": [str(KEY)],
        "qc": "PASS",
    }
    assert one(id=KEY, django="qc,PASS") == {"django": f"pk,{KEY},qc,PASS"}


def test_no_lookups_leave_no_trace() -> None:
    assert one(django={}) == {}
    assert one(django="") == {}
    assert one(id=KEY, django={}) == {"django": f"pk,{KEY}"}


def test_key_without_hyphens_is_not_taken_for_a_number() -> None:
    assert one(id="12345678123456781234567812345678") == {"django": "pk,12345678-1234-5678-1234-567812345678"}


@pytest.mark.parametrize("key", ["", " ", "a,b", "[a]"])
def test_what_is_not_one_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="not one key"):
        sent(id=key)


def test_keys_are_plain_where_there_are_no_lookups() -> None:
    assert encode({"id": KEY}, {"id": "id"}, endpoint="things") == [(("id", str(KEY)),)]


# --- the other filters


def test_filters_that_are_none_are_not_sent() -> None:
    assert sent(lab=None, django=None, id=None) == [()]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a,b", "a,b"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (1.5, "1.5"),
        (Decimal("1.50"), "1.50"),
        (KEY, str(KEY)),
        (date(2020, 1, 2), "2020-01-02"),
        (datetime(2020, 1, 2, 3), "2020-01-02T03:00:00"),
        (Colour.RED, "red"),
    ],
)
def test_plain_values(value: object, text: str) -> None:
    assert one(lab=value) == {"lab": text}


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), Decimal("NaN"), datetime(2020, 1, 1, tzinfo=UTC)])
def test_plain_values_that_mean_nothing_to_the_server_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="lab"):
        sent(lab=value)


@pytest.mark.parametrize("value", [b"x", {"a": 1}, object(), timedelta(1), [None]])
def test_plain_values_without_a_form_are_refused(value: object) -> None:
    with pytest.raises(TypeError, match="tags"):
        sent(tags=value)


def test_one_value_is_not_several() -> None:
    with pytest.raises(ValueError, match="lab takes one value"):
        sent(lab=["a", "b"])


@pytest.mark.parametrize("name", ["lab", "tags", "dataset_types"])
@pytest.mark.parametrize("value", ["", " ", [], [""], ["a", " "]])
def test_empty_filters_are_refused_because_the_server_ignores_them(name: str, value: Any) -> None:
    if name == "lab" and isinstance(value, list):
        return
    with pytest.raises(ValueError, match=f"sessions: {name} is empty"):
        sent(**{name: value})


def test_several_values_are_joined_or_repeated_as_declared() -> None:
    assert one(dataset_types=["a", "b", "a"]) == {"dataset_types": "a,b"}
    assert one(dataset_types="a,b") == {"dataset_types": "a,b"}
    assert one(dataset_types=(kind for kind in "ab")) == {"dataset_types": "a,b"}
    assert sent(tags=["a", KEY, True]) == [(("tags", "a"), ("tags", str(KEY)), ("tags", "true"))]
    assert sent(tags="a") == [(("tags", "a"),)]


class Array:
    """Values as NumPy has them."""

    __module__ = "numpy"
    dtype = "object"

    def __init__(self, values: list[str]) -> None:
        self._values = values

    def tolist(self) -> list[str]:
        return self._values


DAY = "2020-03-12"
SAME: dict[FilterStyle, tuple[list[str], list[str]]] = {
    "comma": (["b", "a", "b"], ["b,a,b"]),
    "repeat": (["b", "a", "b"], ["b", "a", "b"]),
    "range": ([DAY, DAY], [f"{DAY},{DAY}"]),
}
"""Values and what is sent, by the style of the filter."""


def typed_filters_of_several_values() -> Iterator[tuple[str, str, FilterStyle]]:
    for module in pkgutil.iter_modules(endpoints.__path__):
        action = getattr(importlib.import_module(f"{endpoints.__name__}.{module.name}"), "_LIST", None)
        for name, style in action.filters.items() if isinstance(action, ListAction) else ():
            if style in SAME:
                yield action.endpoint, name, style


@pytest.mark.parametrize("collect", [list, tuple, iter, Array])
@pytest.mark.parametrize(("endpoint", "name", "style"), [*typed_filters_of_several_values()])
def test_equal_values_of_typed_filters_arrive_as_they_are(
    local_alyx: LocalAlyx, endpoint: str, name: str, style: FilterStyle, collect: Any
) -> None:
    values, texts = SAME[style]
    once = ["b,a"]  # Alyx counts distinct types of datasets: a name that stands there twice matches nothing
    settings: Any = {"cache_rest": None, "silent": True, "retries": Retries(tries=1)}
    ignored = contextlib.suppress(BadRequestError, ServerError)  # there are no such records
    with AlyxClient(local_alyx.url, token=local_alyx.token(), **settings) as client, ignored:
        list(getattr(client, endpoint).list(**{name: collect(values)}))
    sent_texts = once if name == "dataset_types" else texts
    assert parse_qsl(local_alyx.requests[-1].query) == [(name, text) for text in sent_texts]


def test_values_that_a_url_repeats_are_sent_one_by_one() -> None:
    assert sent(dataset_types=Repeated(["b", "a", "b"])) == [
        (("dataset_types", "b"), ("dataset_types", "a"), ("dataset_types", "b"))
    ]
    with pytest.raises(ValueError, match="lab is empty"):
        sent(lab=Repeated(["a", ""]))


def test_value_with_a_comma_cannot_be_one_of_several() -> None:
    with pytest.raises(ValueError, match=r"dataset_types.*'a,b'"):
        sent(dataset_types=["a,b", "c"])
    assert sent(tags=["a,b", "c"]) == [(("tags", "a,b"), ("tags", "c"))]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (date(2020, 1, 2), "2020-01-02,2020-01-02"),
        ("2020-01-02", "2020-01-02,2020-01-02"),
        ((date(2020, 1, 2), "2020-01-03"), "2020-01-02,2020-01-03"),
        ("2020-1-9, 2020-01-12", "2020-01-09,2020-01-12"),
        (["2020-01-02", date(2020, 1, 2)], "2020-01-02,2020-01-02"),
    ],
)
def test_date_ranges(value: object, text: str) -> None:
    assert one(date_range=value) == {"date_range": text}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ((date(2020, 1, 3), date(2020, 1, 2)), "after the last"),
        (("2020-1-12", "2020-1-9"), "after the last"),
        ([date(2020, 1, 2)], "not 1 values"),
        ("2020-01-01,2020-01-02,2020-01-03", "not 3 values"),
        (("2020-01-01", ""), "not a date"),
        ("yesterday", "not a date"),
        ((datetime(2020, 1, 1), datetime(2020, 1, 2)), "whole days"),
        (datetime(2020, 1, 1), "whole days"),
    ],
)
def test_date_ranges_that_are_none(value: object, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        sent(date_range=value)
    assert "date_range" in str(caught.value)


def test_date_range_of_another_type() -> None:
    with pytest.raises(TypeError, match="date_range: a int is not a date"):
        sent(date_range=5)


def test_days() -> None:
    assert one(birth_date=date(2020, 1, 2)) == {"birth_date": "2020-01-02"}
    assert one(birth_date=datetime(2020, 1, 2, 23)) == {"birth_date": "2020-01-02"}
    with pytest.raises(ValueError, match="time zone"):
        sent(birth_date=datetime(2020, 1, 2, tzinfo=UTC))
    with pytest.raises(ValueError, match="birth_date takes one value"):
        sent(birth_date=[date(2020, 1, 2), date(2020, 1, 3)])


def test_extra_parameters_come_unchecked_and_in_place_of_filters() -> None:
    assert sent(lab="a", extra_params={"new": ["x", 1], "lab": "", "old": True, "none": None}) == [
        (("new", "x"), ("new", "1"), ("lab", ""), ("old", "true"))
    ]
    assert sent(tags=["a", "b"], extra_params={"tags": "c"}) == [(("tags", "c"),)]


def test_extra_lookups_do_not_hide_the_keys() -> None:
    assert sent(id=KEY, django="a,b", extra_params={"django": "c,d"}) == [(("django", f"pk,{KEY},c,d"),)]
    assert encode({}, {}, endpoint="labs", extra_params={"django": "c,d"}) == [(("django", "c,d"),)]


# --- names of filters


class Things:
    @known_filters
    def list(self, *, subject: str | None = None, lab: str | None = None, date_range: Any = None) -> str:
        """List things."""
        return f"{subject} {lab} {date_range}"


def test_misspelled_filter_names_the_nearest() -> None:
    things: Any = Things()
    with pytest.raises(TypeError, match=r"Things\.list\(\) has no filter 'subjct'\. Did you mean 'subject'\?"):
        things.list(subjct="x")
    with pytest.raises(TypeError, match="Did you mean 'date_range'"):
        things.list(date="x")
    with pytest.raises(TypeError, match=r"There are: subject, lab, date_range\. extra_params"):
        things.list(qqq="x")


def test_filters_are_passed_by_name_only() -> None:
    things: Any = Things()
    assert things.list(lab="x") == "None x None"
    with pytest.raises(TypeError, match=r"filters by name only, as in list\(subject=\.\.\.\)"):
        things.list("x")


def test_checked_method_looks_like_itself() -> None:
    assert list(inspect.signature(Things.list).parameters) == ["self", "subject", "lab", "date_range"]
    assert Things.list.__doc__ == "List things."
    assert Things.list.__qualname__ == "Things.list"


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
def test_keys_that_no_record_has_are_refused(key: object) -> None:
    with pytest.raises(InvalidKeyError, match="nickname"):
        quoted(key)


@pytest.mark.parametrize("base", ["https://x.org", "https://x.org/alyx", "https://x.org:8443/a/b"])
@pytest.mark.parametrize("end", ["", "/", "?format=json", "/?a=b#c"])
def test_own_url_is_a_key(base: str, end: str) -> None:
    assert quoted(f"{base}/subjects/a%2Fb%20c{end}", base) == "a%2Fb%20c"


def test_own_url_in_other_spellings() -> None:
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


def test_secrets_of_a_foreign_url_are_not_shown() -> None:
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
