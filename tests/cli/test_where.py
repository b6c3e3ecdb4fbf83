"""Expressions of ``--where``."""

from __future__ import annotations

import json
from datetime import date, datetime

import pytest

from alyx_client.cli.usage_error import UsageError
from alyx_client.cli.where import parse_condition
from alyx_client.endpoints.query_fields import SessionFields
from alyx_client.testing import LocalAlyx

from .conftest import Run

s = SessionFields("Session", "", "")

CONDITIONS = {
    "number > 1": s.number > 1,
    "number >= -1": s.number >= -1,
    "1 < number": s.number > 1,
    "1 < number <= 3": (s.number > 1) & (s.number <= 3),
    "number > 1 and not (lab.name == 'x')": (s.number > 1) & ~(s.lab.name == "x"),
    "(number > 1) & ~(lab.name == 'x')": (s.number > 1) & ~(s.lab.name == "x"),
    "start_time.date >= 2020-01-31": s.start_time.date >= date(2020, 1, 31),
    "start_time.date >= '2020-01-31'": s.start_time.date >= date(2020, 1, 31),
    "start_time.date >= date('2020-01-31')": s.start_time.date >= date(2020, 1, 31),
    "start_time.date >= date(2020, 1, 31)": s.start_time.date >= date(2020, 1, 31),
    "start_time > 2020-01-31T12:30": s.start_time > datetime(2020, 1, 31, 12, 30),
    "start_time > '2020-01-31'": s.start_time > datetime(2020, 1, 31),
    "start_time.date.range(2020-01-01, 2020-02-01)": s.start_time.date.range(date(2020, 1, 1), date(2020, 2, 1)),
    "start_time.date in [2020-01-01]": s.start_time.date.in_([date(2020, 1, 1)]),
    "subject.nickname.in_(['a', 'b'])": s.subject.nickname.in_(["a", "b"]),
    "subject.nickname in ('a', 'b')": s.subject.nickname.in_(["a", "b"]),
    "subject.nickname not in ['a']": ~s.subject.nickname.in_(["a"]),
    "subject.nickname.icontains('on 2020-01-31')": s.subject.nickname.icontains("on 2020-01-31"),
    "json['qc'] == 'PASS'": s.json["qc"] == "PASS",
    "lab == None": s.lab.is_null(),
    "lab is not None": s.lab.is_null(False),
    "qc in ['PASS', 'FAIL']": s.qc.in_(["PASS", "FAIL"]),
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_expressions_are_the_conditions_of_python(text: str) -> None:
    assert parse_condition(text, s) == CONDITIONS[text]


REFUSED = {
    "numbr > 1": "there is no field 'numbr'. Did you mean 'number'?",
    "number": "compares nothing",
    "1 > 2": "one side of a comparison is a field",
    "number > 1 & number < 3": "put brackets around each comparison",
    "number > 1 or number < 0": "cannot express 'or'",
    "(number > 1) | (number < 0)": "cannot express 'or'",
    "number > 'x'": "takes a whole number",
    "number.icontains('x')": "icontains",
    "lab.name == cortexlab": "cortexlab",
    "number > number": "not with another field",
    "start_time.date > 'soon'": "takes a date",
    "number >": "no expression",
    "'x'.range(1, 2)": "'x' is no field",
    "number is 5": "only None is compared by 'is'",
    "number._model()": "_model is a field, which cannot be called",
    "subject.nickname(1)": "nickname is a field, which cannot be called",
    "number.__class__": "there is no field '__class__'",
    "number._model": "there is no field '_model'",
    "subject.nickname.icontains.__self__": "is a comparison",
    "__import__('os').system('true')": "cannot be called",
    "open('x')": "cannot be called",
    "date.today() > 1": "date",
    "[x for x in number]": "is not part of such expressions",
    "(lambda: 1)()": "cannot be called",
    "number > 2 ** 9999999": "is not part of such expressions",
    "number.in_(*[1])": "is not part of such expressions",
    "number.range(**{})": "** is not part",
    "f'{number}' == 1": "is not part of such expressions",
    "(" * 300 + "number > 1" + ")" * 300: "",
    "~" * 5000 + "(number > 1)": "",
    "number > 1" + " " * 20_000: "more than",
    "": "no expression",
}


@pytest.mark.parametrize("text", REFUSED, ids=[text[:40] or "empty" for text in REFUSED])
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_condition(text, s)
    assert REFUSED[text] in str(caught.value)


def test_lists_take_conditions(logged_in: LocalAlyx, run: Run) -> None:
    rows = run("list", "sessions", "--where", "number > 1", "--columns", "number").out.splitlines()
    assert rows
    assert all(json.loads(row)["number"] > 1 for row in rows)
    assert run("list", "sessions", "--where", "number > 1 or number < 1").code == 2
    assert run("list", "cache-info", "--where", "x").code == 2
