from __future__ import annotations

import logging
import warnings

import pytest

from alyx_client.errors import AlyxDeprecationWarning, AlyxNoticeWarning
from alyx_client.http.headers import deprecation_notice, link_targets
from alyx_client.http.notices import Notices


def test_urgent_notice_warns_once() -> None:
    notices = Notices()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for path in ("/subjects", "/subjects", "/sessions"):
            notices.surface({"alyx-api-notice": "!!! Maintenance at noon"}, path)
    (warning,) = caught
    assert (warning.category, warning.filename) == (AlyxNoticeWarning, __file__)
    assert str(warning.message) == "Notice from Alyx (/subjects): Maintenance at noon"


def test_other_notice_goes_to_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "alyx_client")
    notices = Notices()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            notices.surface({"alyx-api-notice": "Alyx 4 is coming"}, "/subjects")
    assert caplog.messages == ["Notice from Alyx (/subjects): Alyx 4 is coming"]


def test_each_distinct_text_and_endpoint_is_surfaced() -> None:
    notices = Notices()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for path in ("/a", "/b", "/a"):
            notices.surface({"deprecation": "@1688169599", "alyx-api-notice": "!!! one"}, path)
        notices.surface({"alyx-api-notice": "!!! two"}, "/a")
    assert [item.category for item in caught] == [
        AlyxNoticeWarning,
        AlyxDeprecationWarning,
        AlyxDeprecationWarning,
        AlyxNoticeWarning,
    ]


def test_each_client_surfaces_for_itself() -> None:
    for _ in range(2):
        with pytest.warns(AlyxNoticeWarning):
            Notices().surface({"alyx-api-notice": "!!! one"}, "/a")


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"deprecation": "@1688169599"}, "/a is deprecated as of 2023-06-30."),
        ({"deprecation": "Sun, 11 Nov 2018 23:59:59 GMT"}, "/a is deprecated as of 2018-11-11."),
        ({"deprecation": "true"}, "/a is deprecated."),
        ({"deprecation": "@99999999999999999999"}, "/a is deprecated."),
        ({"deprecation": "@9999999999999999999"}, "/a is deprecated."),
        ({"sunset": "Sat, 31 Dec 2033 23:59:59 GMT"}, "/a will stop working on 2033-12-31."),
        ({"sunset": "next year"}, "/a will stop working on next year."),
        (
            {
                "deprecation": "@1688169599",
                "sunset": "Sun, 30 Jun 2030 23:59:59 UTC",
                "link": '<https://x.org/2>; rel="next", <https://x.org/why?a,b>; type="text/html"; rel="deprecation"',
            },
            "/a is deprecated as of 2023-06-30 and will stop working on 2030-06-30; see https://x.org/why?a,b",
        ),
    ],
)
def test_deprecation_is_said_readably(headers: dict[str, str], text: str) -> None:
    assert deprecation_notice(headers, "/a") == f"The server announces that {text}"


@pytest.mark.parametrize("headers", [{}, {"deprecation": ""}, {"deprecation": "false"}, {"link": "<x>; rel=sunset"}])
def test_nothing_announced_is_nothing_said(headers: dict[str, str]) -> None:
    assert deprecation_notice(headers, "/a") is None


def test_links_are_read_by_relation() -> None:
    header = '<https://a/1>; rel=sunset, <https://a/2>;rel="deprecation alternate"; title="x, y; rel=no", <https://a/3>'
    assert link_targets(header) == {"sunset": "https://a/1", "deprecation": "https://a/2", "alternate": "https://a/2"}
