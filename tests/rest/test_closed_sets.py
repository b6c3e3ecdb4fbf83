"""Calls by name check the values of closed sets, those of the server's schema among them; both clients."""

from __future__ import annotations

from typing import Any

import pytest

from alyx_client.errors import AlyxError
from alyx_client.testing import LocalAlyx

from .clients import sent

SENT: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "name": ("sessions", {"qc": "PASS"}, {"qc": "PASS"}),
    "lower case": ("sessions", {"qc": "pass"}, {"qc": "PASS"}),
    "number": ("sessions", {"qc": 40}, {"qc": "FAIL"}),
    "number as text": ("sessions", {"qc": "0"}, {"qc": "NOT_SET"}),
    "several": ("sessions", {"qc": ["PASS", "NOT_SET"]}, {"django": "qc__in,[10,0]"}),
    "several, and lookups": ("sessions", {"qc": ("PASS", "FAIL"), "django": "lab__name,a"}, {}),
    "letter": ("fov-location", {"provenance": "E"}, {"provenance": "Estimate"}),
    "declared by the server": ("subjects", {"sex": "m"}, {"sex": "M"}),
    "lookup": ("sessions", {"django": {"qc__in": ["FAIL"]}}, {"django": "qc__in,[40]"}),
    "lookup as text": ("sessions", {"django": "qc__in,['FAIL']"}, {"django": "qc__in,[40]"}),
    "lookup in parts": ("sessions", {"django": ["qc__in", ["FAIL"]]}, {"django": "qc__in,[40]"}),
    "no closed set": ("sessions", {"task_protocol": "PASS"}, {"task_protocol": "PASS"}),
}


@pytest.mark.parametrize("case", SENT)
def test_filters_are_sent_as_the_server_compares_them(case: str, alyx: Any, local_alyx: LocalAlyx) -> None:
    endpoint, filters, expected = SENT[case]
    list(alyx.rest(endpoint, "list", **filters))
    assert {name: sent(local_alyx)[name] for name in expected} == expected


@pytest.mark.parametrize("query", ["qc=PASS&qc=FAIL", "qc=PASS,FAIL"])
def test_several_values_in_a_url_select_either(query: str, alyx: Any, local_alyx: LocalAlyx) -> None:
    either = alyx.rest(f"sessions?{query}")
    assert len(either) == len(alyx.rest("sessions", "list", qc="PASS")) + len(alyx.rest("sessions", "list", qc="FAIL"))


NOBODY = "0b12ba9e-01e3-4784-8c35-d7bb1bab414f"
REFUSED: dict[str, tuple[Any, ...]] = {
    "filter": ("sessions", "list", None, None, {"qc": "PAS"}),
    "one of several": ("sessions", "list", None, None, {"qc": ["PASS", "PAS"]}),
    "URL": ("sessions?qc=PAS", None, None, None, {}),
    "lookup": ("sessions", "list", None, None, {"django": {"qc": "PAS"}}),
    "declared by the server": ("subjects", "list", None, None, {"sex": "PAS"}),
    "create": ("sessions", "create", None, {"subject": "a", "qc": "PAS"}, {}),
    "create from text": ("sessions", "create", None, '{"subject": "a", "qc": "PAS"}', {}),
    "create, lower case": ("sessions", "create", None, {"subject": "a", "qc": "pass"}, {}),
    "update": ("tasks", "update", NOBODY, {"status": "PAS"}, {}),
    "partial_update": ("datasets", "partial_update", NOBODY, {"qc": "PAS"}, {}),
    "field declared by the server": ("subjects", "create", None, {"nickname": "a", "sex": "PAS"}, {}),
    "list": ("register-file", "create", None, {"qc": ["PASS", "PAS"]}, {}),
    "list as text": ("register-file", "create", None, {"qc": "PASS,PAS"}, {}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_values_are_refused_before_anything_is_sent(case: str, alyx: Any, local_alyx: LocalAlyx) -> None:
    url, action, key, data, filters = REFUSED[case]
    list(alyx.rest("labs", "list"))
    local_alyx.requests.clear()
    with pytest.raises(AlyxError, match="is not one of its values"):
        alyx.rest(url, action, key, data, **filters)
    assert local_alyx.requests == []


def test_values_in_force_are_stored(alyx: Any) -> None:
    (session, *_) = alyx.rest("sessions", "list")
    assert alyx.rest("sessions", "partial_update", session["id"], {"qc": "CRITICAL"})["qc"] == "CRITICAL"
    (subject, *_) = alyx.rest("subjects", "list")
    assert alyx.rest("subjects", "partial_update", subject["nickname"], {"sex": ""})["sex"] == ""


def test_extra_params_are_not_checked(alyx: Any, local_alyx: LocalAlyx) -> None:
    with pytest.raises(AlyxError, match="The server failed"):
        alyx.rest("sessions", "list", extra_params={"qc": "PAS"})
    assert sent(local_alyx) == {"qc": "PAS"}
