from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from alyx_client.runtime.django_filter import django_filter, join_parts, split_parts
from tests.runtime.filter_cases import KEY, Colour, as_the_server_reads, one, sent

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
def test_list_items_that_cannot_be_expressed_are_refused(item: object) -> None:
    with pytest.raises(ValueError, match=r"django: x__in.*cannot be sent"):
        django_filter({"x__in": [item]})


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
def test_values_of_other_types_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"name.*cannot be sent"):
        django_filter({"name": value})


@pytest.mark.parametrize("field", ["", " ", "~", "~~a", "a,b", "a[0]", "(a)", " a", "a ", None, 5])
def test_invalid_lookup_names_are_refused(field: Any) -> None:
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


def test_error_for_text_names_an_alternative_that_works() -> None:
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
    uuids = keys(500)
    texts = django_filter({"lab": "x", "id__in": [*uuids, *uuids[:50], *map(str, uuids[-50:])], "qc": 10})
    assert 1 < len(texts) < 20
    read = [as_the_server_reads(text) for text in texts]
    assert all(set(lookups) == {"lab", "id__in", "qc"} for lookups in read)
    flat = [key for lookups in read for key in lookups["id__in"]]  # type: ignore[attr-defined]
    assert flat == list(map(str, uuids))
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
def test_in_lookup_takes_a_list(value: object) -> None:
    with pytest.raises(ValueError, match="id__in takes a list"):
        django_filter({"id__in": value})


@pytest.mark.parametrize(
    ("field", "advises"),
    [("nickname", True), ("subject__nickname", True), ("json__qc", True), ("nickname__contains", False),
     ("subject__nickname__iexact", False)],
)  # fmt: skip
def test_list_is_advised_for_text_unless_a_lookup_cannot_be_followed_by_in(field: str, advises: bool) -> None:
    with pytest.raises(ValueError, match="endpoint's own filter for that field") as caught:
        django_filter({field: "437"})
    assert (f"or django={{'{field}__in': ['437']}}" in str(caught.value)) == advises


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("a,b", ["a", "b"]),
        ("a__in,[1,2],b,(3,4),c", ["a__in", "[1,2]", "b", "(3,4)", "c"]),
        ("a,[1,(2],b", ["a", "[1,(2],b"]),
        ("a,(1],2),b", ["a", "(1],2)", "b"]),
        ("a,", ["a", ""]),
    ],
)
def test_text_is_split_as_the_server_splits_it(text: str, parts: list[str]) -> None:
    assert split_parts(text) == parts
    assert ",".join(parts) == text


def test_parts_are_encoded_one_by_one_and_text_is_left_as_it_is() -> None:
    parts = ["start_time__date", date(2020, 1, 1), "number__in", [1, 2], "~json__qc", "a,b", "lab", None]
    assert join_parts(parts) == "start_time__date,2020-01-01,number__in,[1,2],~json__qc,a,b,lab,None"
    with pytest.raises(ValueError, match="too large to be exact"):
        join_parts(["number", 2**53 + 1])
