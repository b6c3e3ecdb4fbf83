"""Values from closed sets: checked before anything is sent, and sent as the server compares them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import Any
from uuid import UUID

import pytest

from alyx_client import AlyxClient, models
from alyx_client.endpoints.client import _CLOSED_SETS  # pyright: ignore[reportPrivateUsage]
from alyx_client.errors import AlyxError, InvalidFieldError
from alyx_client.runtime.closed_filters import ClosedFilters
from alyx_client.runtime.closed_sets import ClosedSet
from alyx_client.runtime.django_filter import django_filter
from alyx_client.testing import LocalAlyx


class QC(IntEnum):
    FAIL = 40


@pytest.fixture
def local_client(local_alyx: LocalAlyx) -> Iterator[AlyxClient]:
    with AlyxClient(local_alyx.url, token=local_alyx.token(), silent=True, cache_rest=None) as client:
        yield client


def lookups(endpoint: str, django: Any) -> list[str]:
    closed = ClosedFilters(endpoint, _CLOSED_SETS)
    return django_filter(closed.apply({"django": django}, {"django": "django"})["django"])  # type: ignore[arg-type]


LOOKUPS: dict[str, tuple[str, Any, str]] = {
    "name": ("sessions", {"qc": "FAIL"}, "qc,40"),
    "lower case": ("sessions", {"qc": "fail"}, "qc,40"),
    "zero": ("sessions", {"qc": "NOT_SET"}, "qc,0"),
    "number": ("sessions", {"qc": 40}, "qc,40"),
    "member": ("sessions", {"qc": QC.FAIL}, "qc,40"),
    "none": ("sessions", {"qc": None}, "qc,None"),
    "exclusion": ("sessions", {"~qc": "FAIL"}, "~qc,40"),
    "exact": ("sessions", {"qc__exact": "FAIL"}, "qc__exact,40"),
    "in": ("sessions", {"qc__in": ["FAIL", "NOT_SET"]}, "qc__in,[40,0]"),
    "in, a set": ("sessions", {"qc__in": {"FAIL"}}, "qc__in,[40]"),
    "in, a generator": ("sessions", {"qc__in": (name for name in ["FAIL"])}, "qc__in,[40]"),
    "in, keys": ("sessions", {"qc__in": {"FAIL": 1, "PASS": 2}.keys()}, "qc__in,[40,10]"),
    "in, text of numbers": ("sessions", {"qc__in": ["40"]}, "qc__in,[40]"),
    "bound": ("sessions", {"qc__gte": "WARNING"}, "qc__gte,30"),
    "bound between": ("sessions", {"qc__lt": 35}, "qc__lt,35"),
    "range": ("sessions", {"qc__range": ["WARNING", 45]}, "qc__range,[30,45]"),
    "isnull": ("sessions", {"qc__isnull": True}, "qc__isnull,True"),
    "relation": ("datasets", {"session__qc": "FAIL"}, "session__qc,40"),
    "relation in": (
        "sessions",
        {"data_dataset_session_related__qc__in": ["FAIL"]},
        "data_dataset_session_related__qc__in,[40]",
    ),
    "other endpoint": ("files", {"dataset__qc": "FAIL"}, "dataset__qc,40"),
    "JSON": ("sessions", {"json__qc": "CRITICAL"}, "json__qc,CRITICAL"),
    "JSON of a relation": ("datasets", {"session__extended_qc__qc": "x"}, "session__extended_qc__qc,x"),
    "no column": ("users", {"qc": "x"}, "qc,x"),
    "task": ("tasks", {"status": "Complete"}, "status,60"),
    "tasks": ("sessions", {"tasks__status": "complete"}, "tasks__status,60"),
    "other status": ("users", {"notification__status": "sent"}, "notification__status,sent"),
    "trajectory": ("trajectories", {"provenance": "Planned"}, "provenance,10"),
    "channel": ("channels", {"trajectory_estimate__provenance": "Planned"}, "trajectory_estimate__provenance,10"),
    "field of view": ("fields_of_view", {"location__provenance": "Estimate"}, "location__provenance,E"),
    "letter": ("fov_location", {"provenance": "E"}, "provenance,E"),
    "sex": ("sessions", {"subject__sex": "f"}, "subject__sex,F"),
    "blank": ("subjects", {"sex": ""}, "sex,"),
    "part of a text": ("subjects", {"sex__contains": "x"}, "sex__contains,x"),
    "digits": ("subjects", {"protocol_number__in": [3, "4"]}, "protocol_number__in,['3','4']"),
    "as text": ("sessions", "qc,FAIL", "qc,40"),
    "as text, in": ("sessions", "number,1,qc__in,['FAIL', 'PASS']", "number,1,qc__in,[40,10]"),
    "as text, without quotes": ("sessions", "qc__in,[FAIL,PASS],lab,a", "qc__in,[40,10],lab,a"),
    "as text, one in": ("sessions", "qc__in,FAIL", "qc__in,[40]"),
    "as text, numbers": ("sessions", "qc__in,(40, 50),~qc,0", "qc__in,(40, 50),~qc,0"),
    "as text, none": ("sessions", "qc,None", "qc,None"),
    "as text, odd": ("sessions", "lab,a,qc", "lab,a,qc"),
}


@pytest.mark.parametrize("case", LOOKUPS)
def test_lookups_compare_with_what_the_database_holds(case: str) -> None:
    endpoint, django, expected = LOOKUPS[case]
    assert lookups(endpoint, django) == [expected]


WRONG_LOOKUPS: dict[str, tuple[str, Any]] = {
    "name": ("sessions", {"qc": "FAL"}),
    "number": ("sessions", {"qc": 41}),
    "bool": ("sessions", {"qc": True}),
    "one of several": ("sessions", {"qc__in": ["FAIL", "FAL"]}),
    "bound": ("sessions", {"qc__gte": "FAL"}),
    "range": ("sessions", {"qc__range": ["FAL", 40]}),
    "relation": ("datasets", {"session__qc": "FAL"}),
    "exclusion": ("sessions", {"~qc": "FAL"}),
    "text": ("sessions", "number,1,qc,FAL"),
    "text, in": ("sessions", "qc__in,['FAIL','FAL']"),
    "text, cut": ("sessions", "qc__in,[40"),
    "text, number": ("sessions", "qc,41"),
    "status": ("sessions", {"tasks__status": "Completed"}),
    "letter": ("sessions", {"subject__sex": "female"}),
    "empty": ("sessions", {"qc": ""}),
}


@pytest.mark.parametrize("case", WRONG_LOOKUPS)
def test_other_values_of_lookups_are_refused(case: str) -> None:
    endpoint, django = WRONG_LOOKUPS[case]
    with pytest.raises(InvalidFieldError, match=r"is not one of its values.*They are: '") as caught:
        lookups(endpoint, django)
    assert isinstance(caught.value, ValueError)


UNUSABLE_LOOKUPS: dict[str, tuple[str, Any, str]] = {
    "text in numbers": ("sessions", {"qc__icontains": "PASS"}, "'qc' and 'qc__in' take names"),
    "beginning": ("sessions", {"~qc__startswith": "F"}, "'~qc' and '~qc__in' take names"),
    "pattern": ("tasks", {"status__regex": "^Comp"}, "'status' and 'status__in' take names"),
    "other case": ("sessions", {"qc__iexact": "pass"}, "'qc' and 'qc__in' take names"),
    "relation": ("datasets", {"session__qc__iregex": "fail|critical"}, "'session__qc__in' take names"),
    "mini-language": ("sessions", "number,1,qc__contains,PASS", "'qc' and 'qc__in' take names"),
    "several": ("sessions", {"qc": ["PASS", "FAIL"]}, "'qc__in' takes several"),
    "several excluded": ("sessions", {"~qc": {"PASS"}}, "'~qc__in' takes several"),
    "several, exact": ("datasets", {"session__qc__exact": ("PASS",)}, "'session__qc__in' takes several"),
    "several letters": ("subjects", {"sex": ["M", "F"]}, "'sex__in' takes several"),
}


@pytest.mark.parametrize("case", UNUSABLE_LOOKUPS)
def test_lookups_that_match_nothing_are_refused(case: str) -> None:
    endpoint, django, way = UNUSABLE_LOOKUPS[case]
    with pytest.raises(InvalidFieldError, match=re.escape(way)):
        lookups(endpoint, django)


@pytest.mark.parametrize(
    ("django", "expected"),
    [
        ("qc__regex,^.0$", "qc__regex,^.0$"),
        ({"qc__regex": r"^\d$"}, r"qc__regex,^\d$"),
        ({"subject__sex__iexact": "f"}, "subject__sex__iexact,F"),
    ],
)
def test_text_lookups_that_can_match_are_sent(django: Any, expected: str) -> None:
    assert lookups("sessions", django) == [expected]


def test_message_names_filter_value_and_the_nearest(local_client: AlyxClient, local_alyx: LocalAlyx) -> None:
    local_alyx.requests.clear()
    wrong: Any = "PAS"
    with pytest.raises(InvalidFieldError) as caught:
        local_client.sessions.list(qc=wrong)
    message = str(caught.value)
    assert message.startswith(
        "sessions: qc: 'PAS' is not one of its values. Did you mean 'PASS'? They are: 'NOT_SET', "
    )
    assert set(caught.value.fields) == {"qc"}
    assert local_alyx.requests == []


FILTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "qc": ("sessions", {"qc": "PASS"}),
    "lower case": ("sessions", {"qc": "pass"}),
    "number": ("sessions", {"qc": 10}),
    "several": ("sessions", {"qc": ["PASS", "FAIL"]}),
    "tuple": ("sessions", {"qc": ("PASS", "NOT_SET")}),
    "set": ("sessions", {"qc": {"PASS", "NOT_SET"}}),
    "one of a list": ("sessions", {"qc": ["NOT_SET"]}),
    "commas": ("sessions", {"qc": "PASS,FAIL"}),
    "several, and a lookup": ("sessions", {"qc": ["PASS", "FAIL"], "django": {"number__gte": 1}}),
    "several, and keys": ("sessions", {"qc": ["PASS", "FAIL", "NOT_SET"], "id": ["0" * 32]}),
    "worst quality": ("sessions", {"dataset_qc_lte": "pass"}),
    "datasets": ("datasets", {"qc": ["PASS", "NOT_SET"]}),
    "tasks": ("tasks", {"status": ["Complete", "waiting"]}),
    "trajectories": ("trajectories", {"provenance": ["Planned", "Histology track"]}),
    "locations": ("fov_location", {"provenance": "E"}),
    "subjects": ("subjects", {"sex": ["M", "F"]}),
    "subject": ("subjects", {"sex": "m"}),
    "severities": ("subjects", {"actual_severity": [2, 3]}),
    "surgeries": ("surgeries", {"outcome_type": ["a", "r"]}),
    "notices": ("data_notices", {"importance": "30"}),
    "labs": ("labs", {"light_cycle": 0}),
}
# Of each record: its own value, and those that the filter asks for.
EXPECTED: dict[str, tuple[str, set[Any]]] = {
    "several": ("qc", {"PASS", "FAIL"}),
    "commas": ("qc", {"PASS", "FAIL"}),
    "tuple": ("qc", {"PASS", "NOT_SET"}),
    "number": ("qc", {"PASS"}),
}


@pytest.mark.parametrize("case", FILTERS)
def test_filters_take_the_values_of_their_set(case: str, local_client: AlyxClient) -> None:
    endpoint, filters = FILTERS[case]
    rows = list(getattr(local_client, endpoint).list(**filters))
    by_name = list(local_client.rest(endpoint.replace("_", "-"), "list", **filters))
    assert len(rows) == len(by_name)
    if case in EXPECTED:
        field, values = EXPECTED[case]
        records = [local_client.sessions.read(row.id) for row in local_client.sessions.list()]
        matching = {record.id for record in records if getattr(record, field) in values}
        assert {row.id for row in rows} == matching != set()


WRONG_FILTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "qc": ("sessions", {"qc": "PAS"}),
    "empty": ("sessions", {"qc": ""}),
    "number": ("sessions", {"qc": 41}),
    "bool": ("labs", {"light_cycle": True}),
    "one of several": ("sessions", {"qc": ["PASS", "PAS"]}),
    "one of several in a text": ("sessions", {"qc": "PASS,PAS"}),
    "worst quality": ("insertions", {"dataset_qc_lte": "PAS"}),
    "worst quality, several": ("sessions", {"dataset_qc_lte": ["PASS", "FAIL"]}),
    "status": ("tasks", {"status": "Completed"}),
    "sex": ("subjects", {"sex": "Male"}),
    "severity": ("subjects", {"actual_severity": "Mild"}),
    "lookup": ("sessions", {"django": {"qc__in": ["PAS"]}}),
    "lookup as text": ("sessions", {"django": "qc__in,['PAS']"}),
}


@pytest.mark.parametrize("case", WRONG_FILTERS)
def test_other_values_are_refused_before_anything_is_sent(
    case: str, local_client: AlyxClient, local_alyx: LocalAlyx
) -> None:
    endpoint, filters = WRONG_FILTERS[case]
    local_client.rest_schemes.endpoints  # noqa: B018
    local_alyx.requests.clear()
    with pytest.raises(AlyxError):
        getattr(local_client, endpoint).list(**filters)
    with pytest.raises(AlyxError):
        local_client.rest(endpoint.replace("_", "-"), "list", **filters)
    assert local_alyx.requests == []


def test_extra_params_are_not_checked(local_client: AlyxClient, local_alyx: LocalAlyx) -> None:
    with pytest.raises(AlyxError, match="The server failed"):
        local_client.sessions.list(extra_params={"qc": "PAS"})
    assert "qc=PAS" in local_alyx.requests[-1].query
    assert len(local_client.sessions.list(extra_params={"django": "qc,10"})) == len(
        local_client.sessions.list(qc="PASS")
    )


def test_fields_of_resources_name_the_nearest_value() -> None:
    wrong: Any = "PAS"
    with pytest.raises(InvalidFieldError, match=r"'CRITICAL', not 'PAS' \(did you mean 'PASS'\?\)"):
        models.Session(subject="a", qc=wrong)
    with pytest.raises(InvalidFieldError, match=r"'Complete', not 'done'$"):
        models.Task(name="a", session=str(UUID(int=1)), status="done")  # type: ignore[arg-type]


@pytest.mark.parametrize("member", [True, None, [], {}, object(), float("nan")])
def test_what_is_no_text_or_number_is_in_no_set(member: object) -> None:
    assert ClosedSet((0, 1), (1, 0)).value(member) is None


def test_united_sets_have_the_values_of_both() -> None:
    united = ClosedSet(("a", "b"), (1, 2)) | ClosedSet(("B", "c"))
    assert united == ClosedSet(("a", "b", "c"), (1, 2, "c"))


@pytest.mark.parametrize("values", [[], (), set()])
@pytest.mark.parametrize("filters", [{}, {"django": {"number__gte": 1}}])
def test_none_of_the_values_selects_no_rows(local_client: AlyxClient, values: Any, filters: dict[str, Any]) -> None:
    assert list(local_client.sessions.list(qc=values, **filters)) == []
    assert list(local_client.rest("sessions", "list", qc=values, **filters)) == []
