"""Typed conditions: what is sent for each, and what is refused where it is written."""

from __future__ import annotations

import datetime as dt
import pickle
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from alyx_client.errors import InvalidFieldError, InvalidKeyError
from alyx_client.models import LabRecord, SessionSummary, SubjectSummary
from alyx_client.runtime.django_filter import django_filter
from alyx_client.runtime.query.condition import Condition
from tests.runtime.query.models import SESSION, SUBJECT

s: Any = SESSION
KEY = UUID("8f3a1c52-6f0b-4d7e-9d5e-0123456789ab")
DAY, NOON = dt.date(2020, 1, 31), dt.datetime(2020, 1, 31, 12)

SENT: dict[str, tuple[Callable[[], Condition[str]], str]] = {
    "number": (lambda: s.number == 2, "number,2"),
    "negative": (lambda: s.number == -2, "number,(-2)"),
    "float": (lambda: s.performance >= 0.5, "performance__gte,0.5"),
    "decimal": (lambda: s.performance < Decimal("0.25"), "performance__lt,0.25"),
    "decimals": (lambda: s.performance.in_([Decimal("0.25"), Decimal("-1E-3")]), "performance__in,[0.25,-0.001]"),
    "range of decimals": (lambda: s.performance.range(Decimal(0), Decimal("1.5")), "performance__range,[0,1.5]"),
    "first year": (lambda: s.start_time.year >= 1, "start_time__year__gte,1"),
    "last ISO year": (lambda: s.start_time.date.iso_year <= 9999, "start_time__date__iso_year__lte,9999"),
    "number of NumPy before a field": (lambda: np.float64(0.5) <= s.performance, "performance__gte,0.5"),
    "whole number of NumPy": (lambda: s.number == np.int64(3), "number,3"),
    "reflected": (lambda: s.number > 2, "number__gt,2"),
    "unequal": (lambda: s.number != 2, "~number,2"),
    "eq": (lambda: s.number.eq(2), "number,2"),
    "ne": (lambda: s.narrative.ne(""), "~narrative,"),
    "range": (lambda: s.number.range(1, 3), "number__range,[1,3]"),
    "list": (lambda: s.number.in_([1, 2, 1]), "number__in,[1,2]"),
    "generator": (lambda: s.number.in_(n for n in (1, 2)), "number__in,[1,2]"),
    "range of Python": (lambda: s.number.in_(range(3)), "number__in,[0,1,2]"),
    "array": (lambda: s.number.in_(np.array([1, 2])), "number__in,[1,2]"),
    "column of pandas": (lambda: s.subject.nickname.in_(pd.Series(["a", "b"])), "subject__nickname__in,['a','b']"),
    "null": (lambda: s.parent_session.is_null(), "parent_session__isnull,True"),
    "not null": (lambda: s.parent_session.is_null(False), "parent_session__isnull,False"),
    "text": (lambda: s.narrative == "x y", "narrative,x y"),
    "text like a number": (lambda: s.subject.nickname == "437", "subject__nickname__in,['437']"),
    "text with a comma": (lambda: s.narrative == "a, b", "narrative__in,['a, b']"),
    "text with a space at its end": (lambda: s.narrative != "a ", "~narrative__in,['a ']"),
    "contains": (lambda: s.narrative.contains("x"), "narrative__contains,x"),
    "icontains": (lambda: s.narrative.icontains("x"), "narrative__icontains,x"),
    "startswith": (lambda: s.narrative.startswith("x"), "narrative__startswith,x"),
    "istartswith": (lambda: s.narrative.istartswith("x"), "narrative__istartswith,x"),
    "endswith": (lambda: s.narrative.endswith("x"), "narrative__endswith,x"),
    "iendswith": (lambda: s.narrative.iendswith("x"), "narrative__iendswith,x"),
    "iexact": (lambda: s.narrative.iexact("x"), "narrative__iexact,x"),
    "regex": (lambda: s.narrative.regex("^[0-9]{3}"), "narrative__regex,^[0-9]{3}"),
    "iregex": (lambda: s.narrative.iregex("a|b"), "narrative__iregex,a|b"),
    "order of text": (lambda: s.narrative < "m", "narrative__lt,m"),
    "boolean": (lambda: s.users.is_active == True, "users__is_active,True"),  # noqa: E712
    "true": (lambda: s.users.is_active.is_true(), "users__is_active,True"),
    "false": (lambda: s.users.is_active.is_false(), "users__is_active,False"),
    "choice": (lambda: s.qc >= "FAIL", "qc__gte,FAIL"),
    "stored choice": (lambda: s.qc == 40, "qc,40"),
    "date": (lambda: s.subject.birth_date >= DAY, "subject__birth_date__gte,2020-01-31"),
    "date-time": (lambda: s.start_time < NOON, "start_time__lt,2020-01-31T12:00:00"),
    "date-time of pandas": (lambda: s.start_time < pd.Timestamp(NOON), "start_time__lt,2020-01-31T12:00:00"),
    "dates": (lambda: s.start_time.date.range(DAY, DAY), "start_time__date__range,['2020-01-31','2020-01-31']"),
    "time": (lambda: s.start_time.time < dt.time(12), "start_time__time__lt,12:00:00"),
    "year": (lambda: s.start_time.year == 2020, "start_time__year,2020"),
    "parts": (lambda: s.start_time.date.iso_week_day.in_([6, 7]), "start_time__date__iso_week_day__in,[6,7]"),
    "hour": (lambda: s.start_time.hour >= 18, "start_time__hour__gte,18"),
    **{
        name: (lambda name=name: getattr(s.start_time.date, name) == 1, f"start_time__date__{name},1")
        for name in ("quarter", "month", "week", "day", "week_day")
    },
    "minute": (lambda: s.start_time.time.minute == 30, "start_time__time__minute,30"),
    "second": (lambda: s.start_time.second < 30, "start_time__second__lt,30"),
    "duration": (lambda: s.auto > dt.timedelta(days=1, seconds=3661), "auto__gt,1 01:01:01.000000"),
    "UUID": (lambda: s.id == KEY, f"id,{KEY}"),
    "UUID as text": (lambda: s.id.in_([str(KEY).upper()]), f"id__in,['{KEY}']"),
    "relation": (lambda: s.subject == KEY, f"subject,{KEY}"),
    "relation by number": (lambda: s.users.in_([1, 2]), "users__in,[1,2]"),
    "relation of a relation": (
        lambda: s.subject.actions_sessions.number > 1,
        "subject__actions_sessions__number__gt,1",
    ),
    "array field": (lambda: s.tags == ["a", "b"], "tags,['a','b']"),
    "array contains": (lambda: s.tags.contains(["a"]), "tags__contains,['a']"),
    "array overlaps": (lambda: s.tags.overlap(("a", "b")), "tags__overlap,['a','b']"),
    "length of an array": (lambda: s.tags.length >= 2, "tags__len__gte,2"),
    "other class": (lambda: s.picture != "", "~picture,"),
    "name with an underscore": (lambda: s.eq_ == "x", "eq,x"),
    "JSON": (lambda: s.json["qc"] == "CRITICAL", "json__qc,CRITICAL"),
    "JSON text like a number": (lambda: s.json["qc"] == "5", "json__qc__in,['5']"),
    "JSON number": (lambda: s.extended_qc["dlc"] >= 0.9, "extended_qc__dlc__gte,0.9"),
    "JSON path": (lambda: s.json["a"]["b"][0] == True, "json__a__b__0,True"),  # noqa: E712
    "JSON position from the end": (lambda: s.json["a"][-1] == 1, "json__a__-1,1"),
    "JSON null": (lambda: s.json["a"] == None, "json__a,None"),  # noqa: E711
    "JSON key missing": (lambda: s.json["a"].is_null(), "json__a__isnull,True"),
    "JSON key like a lookup": (lambda: s.json["contains"] == 1, "json__contains__exact,1"),
    "JSON key like a lookup in a list": (lambda: s.json["gt"].in_([1]), "json__gt__in,[1]"),
    "JSON has_key": (lambda: s.json.has_key("a"), "json__has_key,a"),
    "JSON has_keys": (lambda: s.json["a"].has_keys(["b", "c"]), "json__a__has_keys,['b','c']"),
    "JSON has_any_keys": (lambda: s.json.has_any_keys({"b": 1}.keys()), "json__has_any_keys,['b']"),
    "JSON contains": (lambda: s.json["a"].contains(5), "json__a__contains,5"),
    "JSON text": (lambda: s.json["a"].istartswith("x"), "json__a__istartswith,x"),
    "and": (lambda: (s.number > 1) & (s.number < 3) & s.id.is_null(), "number__gt,1,number__lt,3,id__isnull,True"),
    "the same twice": (lambda: (s.number > 1) & (s.number > 1), "number__gt,1"),
    "not": (lambda: ~(s.number > 1), "~number__gt,1"),
    "not not": (lambda: ~~(s.number > 1), "number__gt,1"),
    "not in": (lambda: ~s.number.in_([1, 2]), "~number__in,[1,2]"),
    "equal, and not equal": (lambda: (s.number == 1) & (s.number != 2), "number,1,~number,2"),
}


@pytest.mark.parametrize("case", SENT)
def test_sent(case: str) -> None:
    condition, sent = SENT[case][0](), SENT[case][1]
    assert django_filter(condition.lookups()) == [sent]
    assert f"sent as django={sent}>" in repr(condition)
    copy = pickle.loads(pickle.dumps(condition))
    assert copy == condition
    assert hash(copy) == hash(condition)
    assert len({condition, copy, SESSION.number == 99}) == 2


class Names(dict[str, object]):
    """The names in a condition's text: the fields, and the types of values."""

    def __missing__(self, name: str) -> object:
        return getattr(SESSION, name)


# Durations are shown as they are sent, in the form of the server's database.
@pytest.mark.parametrize("case", [case for case in SENT if case != "duration"])
def test_text_of_a_condition_is_the_python_that_writes_it(case: str) -> None:
    condition = SENT[case][0]()
    again: Condition[str] = eval(str(condition), {}, Names(datetime=dt, Decimal=Decimal))
    assert again == condition


REFUSED: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "or": (lambda: (s.number == 1) | (s.number == 2), TypeError, r"cannot express 'or'.*in_"),
    "xor": (lambda: (s.number == 1) ^ (s.number == 2), TypeError, "cannot express 'or'"),
    "python's and": (lambda: s.number == 1 and s.number == 2, TypeError, r"\(a\) & \(b\)"),
    "python's not": (lambda: not (s.number > 1), TypeError, r"~\(a\) for 'not'"),
    "chain": (lambda: 1 < s.number < 3, TypeError, r"field\.range\(low, high\)"),
    "field as a truth value": (lambda: bool(s.number), TypeError, "number is a field, not a value"),
    "member of a field": (lambda: 1 in s.number, TypeError, "not"),
    "iteration": (lambda: list(s.json), TypeError, "not iterable"),
    "not of two": (lambda: ~((s.number > 1) & s.id.is_null()), ValueError, r"~ takes one comparison.*~\(a\) & ~\(b\)"),
    "two equalities": (lambda: (s.number == 1) & (s.number == 2), ValueError, "one comparison of a kind"),
    "two exclusions": (lambda: (s.number != 1) & (s.number != 2), ValueError, r"~field\.in_"),
    "two bounds": (lambda: (s.number > 1) & (s.number > 2), ValueError, "Leave out the one"),
    "two lists": (lambda: s.number.in_([1]) & s.number.in_([2]), ValueError, "in both lists"),
    "another model": (
        lambda: (s.number == 1) & (SUBJECT.nickname == "x"),
        ValueError,
        "joined with one on Subject",
    ),
    "comparisons without parentheses": (
        lambda: s.number > 1 & s.performance == 2,
        TypeError,
        r"\(a > 1\) & \(b == 2\)",
    ),
    "text without parentheses": (
        lambda: s.qc == "PASS" & s.performance > 2,
        TypeError,
        r"performance: put .*parentheses",
    ),
    "fields alone": (lambda: s.number & s.performance, TypeError, "parentheses"),
    "condition and field": (lambda: (s.number == 1) & s.performance == 2, TypeError, "parentheses"),
    "condition and value": (lambda: (s.number == 1) & True, TypeError, "unsupported operand"),
    "text for a number": (lambda: s.number == "3", TypeError, "number == takes a whole number, not '3'"),
    "half for a whole number": (lambda: s.number >= 1.5, TypeError, "whole number"),
    "boolean for a number": (lambda: s.performance == True, TypeError, "takes a number, not True"),  # noqa: E712
    "number for text": (lambda: s.narrative == 3, TypeError, "takes text, not 3"),
    "number for a part of text": (lambda: s.narrative.contains(3), TypeError, "takes text, not 3"),
    "boolean for a choice": (lambda: s.qc == True, TypeError, "qc == takes .*, not True"),  # noqa: E712
    "number for a boolean": (lambda: s.users.is_active == 1, TypeError, "is_active == takes .*, not 1"),
    "text for a time": (lambda: s.start_time.time < "12:00", TypeError, "a time of day, not '12:00'"),
    "number for another class": (lambda: s.picture == 1, TypeError, "picture == takes text, not 1"),
    "value before a condition": (lambda: True & (s.number == 1), TypeError, "unsupported operand"),
    "array for a number": (lambda: np.array([1, 2]) == s.number, TypeError, "number == takes a whole number"),
    "year before the first": (lambda: s.start_time.year > 0, ValueError, "a year from 1 to 9999, not 0"),
    "year after the last": (lambda: s.start_time.date.iso_year.in_([2020, 10000]), ValueError, "not 10000"),
    "time of a time zone": (lambda: s.start_time.time < dt.time(12, tzinfo=dt.UTC), TypeError, "without its time zone"),
    "NUL": (lambda: s.narrative == "a\0", ValueError, "narrative: the text contains a NUL"),
    "NUL in a part of text": (lambda: s.narrative.contains("a\0b"), ValueError, "NUL"),
    "half a surrogate pair in a list": (lambda: s.narrative.in_(["\ud800"]), ValueError, "half a surrogate pair"),
    "NUL in JSON": (lambda: s.json["a"].in_(["a\0b"]), ValueError, "NUL"),
    "NUL in a key": (lambda: s.json["a\0b"] == 1, ValueError, "NUL"),
    "NUL in keys": (lambda: s.json.has_keys(["a\0b"]), ValueError, "NUL"),
    "None in order of JSON": (lambda: s.json["a"] > None, TypeError, r"json\['a'\] > takes no None"),
    "None in a range of JSON": (lambda: s.json["a"].range(None, 1), TypeError, r"range\(\) takes no None"),
    "None contained in JSON": (lambda: s.json["a"].contains(None), TypeError, r"contains\(\) takes no None"),
    "None contained in a JSON field": (lambda: s.json.contains(None), TypeError, r"contains\(\) takes no None"),
    "None": (lambda: s.number == None, TypeError, r"number\.is_null\(\)"),  # noqa: E711
    "None in a list": (lambda: s.number.in_([1, None]), TypeError, r"number\.is_null\(\)"),
    "None in a list of JSON": (lambda: s.json["a"].in_([1, None]), TypeError, "write == None"),
    "not a number": (lambda: s.performance == float("nan"), InvalidFieldError, "not a number"),
    "missing time": (lambda: s.start_time < pd.NaT, InvalidFieldError, "NaT"),
    "date for a date-time": (lambda: s.start_time >= DAY, TypeError, r"compare start_time\.date with dates"),
    "date-time for a date": (
        lambda: s.subject.birth_date == NOON,
        TypeError,
        r"takes a date, not datetime.*; pass its \.date\(\)",
    ),
    "time zone": (lambda: s.start_time < NOON.replace(tzinfo=dt.UTC), InvalidFieldError, "time zone"),
    "text for a date": (lambda: s.subject.birth_date == "2020-01-31", TypeError, "takes a date"),
    "text for a duration": (lambda: s.auto > "1 day", TypeError, "takes a timedelta"),
    "one value for a list": (lambda: s.number.in_(3), TypeError, "takes a list of values"),
    "text for a list": (lambda: s.narrative.in_("abc"), TypeError, "takes a list of values"),
    "huge number": (lambda: s.number == 2**60, ValueError, "too large"),
    "text for an array": (lambda: s.tags == "a", TypeError, "tags == takes a list, not 'a'"),
    "text for values of an array": (lambda: s.tags.overlap("a"), TypeError, r"tags.overlap\(\) takes a list"),
    "column of pandas with no key": (
        lambda: s.subject.in_(pd.Series(["KS005"])),
        TypeError,
        r"subject.in_\(\) takes a record .*, not 'KS005'",
    ),
    "no column of keys": (lambda: s.subject.in_(3), TypeError, r"subject.in_\(\) takes a list of values, not 3"),
    "record for several": (
        lambda: s.lab.in_(LabRecord.model_construct(name="a")),
        TypeError,
        r"lab.in_\(\) takes a li",
    ),
    "no UUID": (lambda: s.id == "KS005", TypeError, "id == takes a UUID, not 'KS005'"),
    "name for a relation": (lambda: s.subject == "KS005", TypeError, r"write subject\.name == …"),
    "UUID for a number": (lambda: s.users == KEY, TypeError, "takes a record or its primary key"),
    "true is no key": (lambda: s.users == True, TypeError, "takes a record or its primary key"),  # noqa: E712
    "is_null of text": (lambda: s.number.is_null("yes"), TypeError, "takes True or False"),
    "whole JSON field": (lambda: s.json == {"a": 1}, TypeError, r"json\['key'\]"),
    "object in JSON": (lambda: s.json["a"] == {"b": 1}, TypeError, "takes text, a number"),
    "digits as JSON key": (lambda: s.json["5"] == 1, ValueError, "position in an array"),
    "JSON key with a lookup": (lambda: s.json["a__gte"] == 1, ValueError, "cannot express this key"),
    "JSON key with a comma": (lambda: s.json["a,b"] == 1, ValueError, "cannot express this key"),
    "JSON key like a lookup, deeper": (lambda: s.json["a"]["in"] == 1, ValueError, "for a lookup"),
    "JSON key of another type": (lambda: s.json[1.5] == 1, TypeError, "the key of an object is text"),
    "no keys": (lambda: s.json.has_keys([]), ValueError, "at least one key"),
    "number as key": (lambda: s.json.has_key(5), TypeError, "takes keys, which are text"),
    "unknown field": (lambda: s.strat_time, AttributeError, "Did you mean 'start_time'"),
    "unknown field of a relation": (lambda: s.subject.nicknam, AttributeError, "Did you mean 'nickname'"),
    "unknown lookup": (lambda: s.number.icontains("3"), AttributeError, "There are: eq, in_"),
    "model as a field": (lambda: s.is_null(), TypeError, "all fields of Session"),
    "text that cannot be sent": (lambda: s.narrative == "a, [b]", ValueError, "regex"),
    "text with a bracket in a list": (lambda: s.narrative.in_(["a[0]"]), ValueError, "bracket"),
    "pattern with a comma": (lambda: s.narrative.regex("a,b"), ValueError, "u002c"),
    "pattern in brackets": (lambda: s.narrative.regex("[a-z]"), ValueError, r"\{1\}"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_where_it_is_written(case: str) -> None:
    build, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        build()


@pytest.mark.parametrize("lookup", ["contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"])
@pytest.mark.parametrize("text", ["437", "4.37", "true", "None", "a,b", "(x)", "[x", "tail ", "ü,1", "\U0001f401,"])
def test_text_that_a_lookup_cannot_send_has_a_pattern(lookup: str, text: str) -> None:
    with pytest.raises(ValueError, match="cannot be sent") as caught:
        getattr(s.narrative, lookup)(text)
    call = str(caught.value).partition("Write ")[2].removesuffix(".")
    condition: Condition[str] = eval(f"narrative{call}", {"narrative": s.narrative})
    (pattern,) = condition.lookups().values()
    flags = re.IGNORECASE if lookup.startswith("i") else 0
    before = "" if str(pattern).startswith(r"\A") else "x"
    assert re.search(str(pattern), before + text, flags)
    assert not re.search(str(pattern), f"{text[:-1]}_", flags)


def test_repr_of_a_condition_that_matches_nothing_and_of_a_long_one() -> None:
    assert "nothing, since no row can match" in repr(SESSION.number.in_([]))
    condition = SESSION.id.in_([UUID(int=n) for n in range(500)])
    assert f" and {len(django_filter(condition.lookups())) - 1} more>" in repr(condition)


def test_records_are_compared_by_their_primary_key() -> None:
    url = "https://alyx.example.org/subjects/KS005"
    subject = SubjectSummary.model_construct(nickname="KS005", id=KEY, url=url)
    condition = s.subject == subject
    assert django_filter(condition.lookups()) == [f"subject,{KEY}"]
    assert condition.comparisons[0].urls == (url,)
    assert django_filter(s.subject.in_([subject, UUID(int=1)]).lookups()) == [f"subject__in,['{KEY}','{UUID(int=1)}']"]
    session = SessionSummary.model_construct(id=KEY, url=f"https://alyx.example.org/sessions/{KEY}")
    with pytest.raises(InvalidKeyError, match="record of sessions, not of subjects"):
        s.subject == session  # noqa: B015


def test_records_without_a_primary_key_are_compared_by_their_name() -> None:
    labs = [LabRecord.model_construct(name=name) for name in ("cortexlab", "437")]
    assert django_filter((s.lab == labs[0]).lookups()) == ["lab__name,cortexlab"]
    assert django_filter((s.lab != labs[1]).lookups()) == ["~lab__name__in,['437']"]
    for several in (labs, tuple(labs), iter(labs), dict.fromkeys(range(2), labs[0]).values()):
        (sent,) = django_filter(s.lab.in_(several).lookups())
        assert sent.startswith("lab__name__in,['cortexlab'")
    with pytest.raises(InvalidKeyError, match="record of labs, not of subjects"):
        s.subject == labs[0]  # noqa: B015


def test_fields_are_hashable_and_complete() -> None:
    assert hash(SESSION.number) == hash(SESSION.number)
    assert {"number", "subject", "json"} <= set(dir(SESSION))
    assert "is_null" not in dir(SESSION)
    assert "is_null" in dir(SESSION.subject)
    assert repr(SESSION.subject.nickname) == "<TextField subject.nickname of Session>"
