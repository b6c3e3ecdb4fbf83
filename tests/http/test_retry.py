from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from alyx_client.errors import (
    AlyxConnectionError,
    AlyxError,
    DeadlineExceededError,
    ForeignURLError,
    NotFoundError,
    RateLimitError,
    ServerError,
)
from alyx_client.http.deadline import Deadline
from alyx_client.http.failure import LoginRefused, Unanswered
from alyx_client.http.flow import Flow, Send, Sleep
from alyx_client.http.headers import retry_after
from alyx_client.http.message import Request, Response, TokenUser
from alyx_client.http.retry import Outcome, Retries, exchange, should_retry

BASE = "https://alyx.example.org"
GET = Request("GET", "/subjects")
BROKEN = Unanswered(AlyxConnectionError("broken"), sent=True)
REFUSED = Unanswered(AlyxConnectionError("refused"), sent=False)
PERMANENT = Unanswered(AlyxConnectionError("untrusted"), sent=False, retryable=False)


def status(code: int, url: str = f"{BASE}/x", **headers: str) -> Response:
    return Response(code, {name.replace("_", "-"): value for name, value in headers.items()}, b"{}", "GET", url)


def run(
    request: Request, outcomes: Sequence[Outcome], retries: Retries | None = None, base_url: str = BASE, **settings: Any
) -> tuple[Response | AlyxError, list[Request], list[float]]:
    """Play the outcomes to the policy; return how it ended, what it sent and how long it waited."""
    settings = {"deadline": Deadline(math.inf), "now": lambda: 0.0, **settings}
    flow = exchange(request, base_url, retries or Retries(), **settings)
    sent: list[Request] = []
    waits: list[float] = []
    remaining = iter(outcomes)
    outcome: Outcome | None = None
    try:
        while True:
            step = flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
            outcome = None
            if isinstance(step, Sleep):
                waits.append(step.seconds)
            else:
                assert isinstance(step, Send)
                sent.append(step.request)
                outcome = next(remaining)
    except StopIteration as end:
        return end.value, sent, waits
    except AlyxError as error:
        return error, sent, waits


SAFE = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH"])
def test_what_is_retried_by_method(method: str) -> None:
    idempotent = method in SAFE
    assert should_retry(method, REFUSED)
    assert should_retry(method, BROKEN) is idempotent
    assert not should_retry(method, PERMANENT)
    for code, expected in {429: True, 503: True, 502: idempotent, 504: idempotent}.items():
        assert should_retry(method, status(code)) is expected
    for code in (400, 401, 403, 404, 405, 408, 409, 500, 501, 505):
        assert not should_retry(method, status(code))


def test_refused_login_is_retried_only_while_the_server_is_unavailable() -> None:
    login = Request("POST", "/auth-token")
    assert all(should_retry("POST", LoginRefused(login, status(code))) for code in (429, 502, 503, 504))
    assert not any(should_retry("GET", LoginRefused(login, status(code))) for code in (400, 401, 403, 500))


def test_waits_grow_with_full_jitter_up_to_the_cap() -> None:
    retries = Retries(base=0.5, cap=8.0)
    assert [retries.wait(failures, chance=lambda: 1.0) for failures in (1, 2, 3, 4, 5, 6, 5000)] == [
        0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0,
    ]  # fmt: skip
    assert retries.wait(3, chance=lambda: 0.0) == 0.0


def test_server_is_given_the_time_it_asks_for() -> None:
    retries = Retries(base=1.0, max_wait=60)
    assert retries.wait(1, 30.0, chance=lambda: 0.5) == 30.5
    assert retries.wait(1, 60.0) is not None
    assert retries.wait(1, 60.5) is None


@pytest.mark.parametrize("settings", [{"tries": 0}, {"base": -1}, {"cap": -1}, {"max_wait": -0.1}])
def test_impossible_settings_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="Retries"):
        Retries(**settings)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:02:00 GMT"}, 20.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:02:00 -0000"}, 20.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, 0.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:02:00 GMT", "date": "Thu, 01 Jan 1970 00:01:55 GMT"}, 5.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_both_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=100.0) == seconds


def test_each_try_sends_the_same_request() -> None:
    end, sent, waits = run(GET, [BROKEN, status(502), status(429), status(200)])
    assert isinstance(end, Response)
    assert end.status == 200
    assert sent == [GET] * 4
    assert len(waits) == 3


def test_last_error_is_raised_when_tries_are_used_up() -> None:
    end, sent, waits = run(GET, [BROKEN, BROKEN, status(429)], Retries(tries=3))
    assert isinstance(end, RateLimitError)
    assert (len(sent), len(waits)) == (3, 2)


def test_lost_creation_is_not_sent_again() -> None:
    end, sent, _ = run(Request("POST", "/subjects"), [BROKEN])
    assert end is BROKEN.error
    assert len(sent) == 1


def test_overlong_retry_after_raises_with_the_seconds() -> None:
    end, _, waits = run(GET, [status(429, retry_after="61")])
    assert isinstance(end, RateLimitError)
    assert end.retry_after == 61.0
    assert waits == []


@pytest.mark.parametrize("first", [BROKEN, status(502), status(504)])
def test_404_to_a_repeated_deletion_is_success(first: Outcome) -> None:
    missing = replace(status(404), method="DELETE")
    end, _, _ = run(Request("DELETE", "/subjects/a"), [first, status(503), missing])
    assert end == Response(204, {}, b"", "DELETE", missing.url)


@pytest.mark.parametrize("first", [REFUSED, status(429), status(503)])
def test_404_to_a_deletion_that_was_not_tried_before_is_an_error(first: Outcome) -> None:
    end, _, _ = run(Request("DELETE", "/subjects/a"), [first, status(404)])
    assert isinstance(end, NotFoundError)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_on_the_same_origin_keep_the_token(code: int) -> None:
    request = Request("GET", "/cache.zip", params=(("a", "b"),))
    script = [
        status(code, location="/one?x=1#part"),
        status(code, location="https://ALYX.example.org:443/two"),
        status(200),
    ]
    _, sent, _ = run(request, script)
    assert [(item.path, item.params, item.authenticate) for item in sent[1:]] == [
        (f"{BASE}/one?x=1", (), True),
        ("https://ALYX.example.org:443/two", (), True),
    ]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://alyx.example.org/subjects", "https://files.example.org/subjects"),
        ("https://alyx.example.org/subjects", "//files.example.org/subjects"),
        ("https://alyx.example.org/subjects", "https://alyx.example.org:8443/subjects"),
        ("https://alyx.example.org/subjects", "http://alyx.example.org/subjects"),
        ("https://alyx.example.org/subjects", "http://alyx.example.org:443/subjects"),
        ("http://alyx.example.org/subjects", "https://files.example.org/subjects"),
        ("http://alyx.example.org/subjects", "https://alyx.example.org:8443/subjects"),
        ("http://alyx.example.org:8000/subjects", "https://alyx.example.org/subjects"),
        ("http://alyx.example.org/subjects", "https://alyx.example.org.evil.example/subjects"),
        ("http://alyx.example.org/subjects", "https://alyx.example.org@evil.example/subjects"),
    ],
)
def test_redirects_to_another_server_are_refused(code: int, url: str, target: str) -> None:
    end, sent, _ = run(GET, [status(code, url, location=target)], base_url=url.removesuffix("/subjects"))
    assert isinstance(end, AlyxError)
    assert url in str(end)
    assert target.rpartition("//")[2].rpartition("@")[2] in str(end)
    assert len(sent) == 1


def test_redirect_to_https_on_the_same_host_is_followed_with_the_token() -> None:
    http, https = "http://alyx.example.org", "https://alyx.example.org"
    script = [
        status(301, f"{http}/subjects", location=f"{https}/subjects"),
        status(301, f"{https}/subjects", location="/subjects/"),
        status(200),
    ]
    end, sent, _ = run(GET, script, base_url=http)
    assert isinstance(end, Response)
    assert [(item.path, item.authenticate) for item in sent[1:]] == [
        (f"{https}/subjects", True),
        (f"{https}/subjects/", True),
    ]
    end, _, _ = run(GET, [script[0], status(301, f"{https}/subjects", location=f"{http}/subjects")], base_url=http)
    assert "not encrypted" in str(end)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_redirect_of_a_write_or_login_to_https_is_named(method: str) -> None:
    http, https = "http://alyx.example.org/subjects", "https://alyx.example.org/subjects"
    request = Request(method, "/subjects")
    redirected = replace(status(301, http, location=https), method=method)
    for outcome in (redirected, LoginRefused(request, redirected)):
        end, sent, _ = run(request, [outcome], base_url="http://alyx.example.org")
        assert f"{method} {http} is redirected to {https}" in str(end)
        assert "Use https://" in str(end)
        assert len(sent) == 1


def test_a_request_to_any_server_takes_no_token_elsewhere_and_stays_encrypted() -> None:
    probe = replace(GET, any_server=True)
    away = status(302, location="https://files.example.org/x")
    back = status(302, "https://files.example.org/x", location=f"{BASE}/y")
    _, sent, _ = run(probe, [away, back, status(200)])
    assert [item.authenticate for item in sent] == [True, False, False]
    end, sent, _ = run(probe, [status(302, location="http://files.example.org/x")])
    assert isinstance(end, AlyxError)
    assert len(sent) == 1


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "ftp://x/y", "javascript:1", "", "http://[::1", "https://[x]/", "//alyx.example.org:x/"],
)
def test_redirects_off_the_web_are_refused(location: str) -> None:
    end, sent, _ = run(GET, [status(302, location=location)])
    assert isinstance(end, AlyxError)
    assert len(sent) == 1


def test_redirect_that_names_no_address_is_an_error() -> None:
    end, sent, _ = run(GET, [status(302)])
    assert isinstance(end, AlyxError)
    assert len(sent) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_redirects_of_reads_are_followed(method: str) -> None:
    end, sent, _ = run(Request(method, "/subjects"), [status(302, location="/elsewhere"), status(200)])
    assert isinstance(end, Response)
    assert [(item.method, item.path) for item in sent] == [(method, "/subjects"), (method, f"{BASE}/elsewhere")]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_redirects_of_writes_are_not_followed(method: str) -> None:
    end, sent, _ = run(Request(method, "/subjects"), [status(302, location="/elsewhere")])
    assert isinstance(end, AlyxError)
    assert len(sent) == 1


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/subjects",
        "http://alyx.example.org/subjects",
        "https://alyx.example.org:8443/subjects",
        "https://alyx.example.org@evil.example/",
        "https://alyx.example.org.evil.example/",
        "https://alyx.example.org\\@evil.example/",
        "//evil.example/subjects",
        "ftp://alyx.example.org/",
        "subjects",
        "",
    ],
)
def test_foreign_urls_are_refused_before_sending(path: str) -> None:
    end, sent, _ = run(Request("GET", path), [])
    assert isinstance(end, ForeignURLError)
    assert sent == []


def test_urls_of_the_server_itself_are_sent() -> None:
    for path in ("/subjects", f"{BASE}/subjects", "HTTPS://Alyx.Example.org:443/subjects"):
        end, _, _ = run(Request("GET", path), [status(200)])
        assert isinstance(end, Response)


@pytest.mark.parametrize(
    ("code", "succeeds"), [(199, False), (200, True), (204, True), (206, False), (299, True), (300, False)]
)
def test_responses_that_are_a_success(code: int, succeeds: bool) -> None:
    end, sent, _ = run(GET, [status(code)])
    assert isinstance(end, Response if succeeds else AlyxError)
    assert len(sent) == 1


def test_one_try_is_no_retry() -> None:
    end, sent, waits = run(GET, [status(503)], Retries(tries=1))
    assert isinstance(end, ServerError)
    assert (len(sent), waits) == (1, [])


def test_date_in_retry_after_is_read_by_the_clock() -> None:
    date = "Thu, 01 Jan 1970 00:02:00 GMT"
    end, _, _ = run(GET, [status(503, retry_after=date)], Retries(tries=1), now=lambda: 90.0)
    assert isinstance(end, AlyxError)
    assert end.retry_after == 30.0


@pytest.mark.parametrize("redirects", [10, 11])
def test_ten_redirects_are_followed(redirects: int) -> None:
    end, sent, _ = run(GET, [*(status(302, location=f"/{number}") for number in range(redirects)), status(200)])
    assert len(sent) == 11
    assert isinstance(end, Response if redirects == 10 else AlyxError)
    assert redirects == 10 or "10" in str(end)


@pytest.mark.parametrize(
    ("senders", "sender"),
    [
        (("alice",), "alice"),
        (("alice", "alice"), "alice"),
        (("alice", "bob"), None),
        (("alice", None), None),
        (("alice", "bob", "alice"), None),
        ((None, None), None),
    ],
)
def test_response_has_a_sender_if_all_redirects_to_it_have_the_same(
    senders: tuple[str, ...], sender: str | None
) -> None:
    script = [replace(status(302, location="/a"), sender=name and TokenUser(name)) for name in senders]
    end, _, _ = run(GET, [*script[:-1], replace(script[-1], status=200)])
    assert isinstance(end, Response)
    assert (end.sender and end.sender.identity) == sender


@pytest.mark.parametrize(
    ("method", "outcomes", "may_have_acted"),
    [
        ("POST", [BROKEN], True),
        ("POST", [REFUSED, status(400)], False),
        ("POST", [status(429), status(400)], False),
        ("POST", [status(504)], True),
        ("POST", [status(500)], False),
        ("PUT", [status(502), status(400)], True),
        ("PUT", [BROKEN, REFUSED, status(404)], True),
        ("DELETE", [BROKEN, status(400)], True),
        ("GET", [BROKEN, status(400)], False),
        ("HEAD", [status(502), status(400)], False),
    ],
)
def test_error_says_whether_any_attempt_may_have_changed_something(
    method: str, outcomes: list[Outcome], may_have_acted: bool
) -> None:
    # Errors of their own: they are marked.
    script = [
        Unanswered(AlyxConnectionError(""), sent=one.sent) if isinstance(one, Unanswered) else one for one in outcomes
    ]
    end, _, _ = run(Request(method, "/subjects/a"), script)
    assert isinstance(end, AlyxError)
    assert end.may_have_acted == may_have_acted


class Recording:
    """An authenticator that sends a request with the token it was passed."""

    def authenticate(self, request: Request, token: str | None = None) -> Flow[Response]:
        response: Response = yield Send(replace(request, hint=token or "its own"))
        return response


@pytest.mark.parametrize(
    ("request_", "token", "sent"),
    [(GET, "T1", "T1"), (GET, None, "its own"), (replace(GET, authenticate=False), "T1", GET.hint)],
)
def test_token_that_was_passed_is_sent_with_each_attempt(request_: Request, token: str | None, sent: str) -> None:
    _, requests, _ = run(request_, [status(503), status(200)], auth=Recording(), token=token)
    assert [request.hint for request in requests] == [sent, sent]


@pytest.mark.parametrize(("method", "acted"), [("PUT", True), ("GET", False)])
def test_wait_that_would_pass_the_deadline_ends_the_call(method: str, acted: bool) -> None:
    deadline = Deadline(20.0)
    outcome = replace(status(502, retry_after="30"), method=method)
    end, sent, waits = run(Request(method, "/a"), [outcome], deadline=deadline)
    assert isinstance(end, DeadlineExceededError)
    assert (end.attempts, end.status_code, end.retry_after, end.setting) == (1, 502, 30.0, "timeout")
    assert (end.method, end.url, end.may_have_acted) == (method, f"{BASE}/x", acted)
    assert (len(sent), waits) == (1, [])
    assert "attempt 1 failed, and the next one would follow in 30" in str(end)
    assert isinstance(end.__cause__, ServerError)
    assert str(end.__cause__) in str(end)


@pytest.mark.parametrize(
    ("was_sent", "first", "attempts", "unreached"),
    [(True, None, 1, True), (False, None, 0, True), (True, REFUSED, 2, True), (False, BROKEN, 1, False)],
)
def test_attempt_that_the_deadline_ends_is_counted_if_it_was_sent(
    was_sent: bool, first: Unanswered | None, attempts: int, unreached: bool
) -> None:
    ended = DeadlineExceededError("no time")
    ended.attempts, ended.unreached = int(was_sent), True
    before = [] if first is None else [Unanswered(AlyxConnectionError("broke"), sent=first.sent)]
    for failure in before:
        failure.error.unreached = unreached
    end, _, _ = run(GET, [*before, Unanswered(ended, sent=False)])
    assert end is ended
    assert (end.attempts, end.unreached) == (attempts, unreached)
    assert ("This was attempt 2; the one before failed: broke" in str(end)) == bool(before)


@pytest.mark.parametrize(("fail_fast", "unreached", "tries"), [(False, True, 4), (True, True, 1), (True, False, 4)])
def test_server_that_cannot_be_reached_is_tried_once_where_the_cache_can_serve(
    fail_fast: bool, unreached: bool, tries: int
) -> None:
    error = AlyxConnectionError("")
    error.unreached = unreached
    end, sent, _ = run(GET, [Unanswered(error, sent=False)] * 4, fail_fast=fail_fast)
    assert end is error
    assert len(sent) == tries
