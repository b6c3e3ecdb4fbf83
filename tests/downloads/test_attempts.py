"""The decision whether a failed attempt is followed by another one, without I/O."""

from __future__ import annotations

import pytest

from alyx_client.downloads.attempts import Attempts, retried_error
from alyx_client.downloads.part_file import FileVersion
from alyx_client.errors import AlyxHTTPError, IncompleteDownloadError
from alyx_client.http.failure import Unanswered
from alyx_client.http.retry import Retries

RETRIES = Retries(tries=3, base=0.0)
FIRST, SECOND = FileVersion(etag='"1"'), FileVersion(etag='"2"')


def test_attempts_without_progress_end() -> None:
    attempts = Attempts(RETRIES, 5, FIRST)
    waits = []
    for _ in range(3):
        attempts.add_failure(5, FIRST)
        waits.append(attempts.wait(None))
    assert waits == [0.0, 0.0, None]


def test_progress_starts_the_count_over() -> None:
    attempts = Attempts(RETRIES, 0, FIRST)
    for received in range(1, 50):
        attempts.add_failure(received, FIRST)
        assert attempts.wait(None) == 0.0


def test_bytes_that_come_too_slowly_are_no_progress() -> None:
    attempts = Attempts(RETRIES, 0, FIRST)
    waits = []
    for received in (10, 20, 30):
        attempts.add_failure(received, FIRST, is_slow=True)
        waits.append(attempts.wait(None))
    assert waits == [0.0, 0.0, None]
    attempts.add_failure(31, FIRST)
    assert attempts.wait(None) == 0.0


def test_bytes_of_another_version_are_progress_again() -> None:
    attempts = Attempts(RETRIES, 100, FIRST)
    attempts.add_failure(100, FIRST)
    attempts.add_failure(10, SECOND)
    attempts.add_failure(10, SECOND)
    assert attempts.wait(None) == 0.0


def test_file_that_changes_a_fourth_time_is_given_up() -> None:
    attempts = Attempts(RETRIES, 0, FIRST)
    for version in (SECOND, FIRST, SECOND):
        attempts.add_failure(1, version)
        assert not attempts.changed_too_often
    attempts.add_failure(1, None)
    assert not attempts.changed_too_often
    attempts.add_failure(1, FIRST)
    assert attempts.changed_too_often


def test_too_long_retry_after_ends_the_attempts() -> None:
    attempts = Attempts(RETRIES, 0, None)
    attempts.add_failure(0, None)
    assert attempts.wait(RETRIES.max_wait + 1) is None
    assert attempts.wait(2.0) == 2.0


@pytest.mark.parametrize(
    ("status", "retried"), [(429, True), (502, True), (503, True), (504, True), (500, False), (404, False)]
)
def test_only_busy_or_unavailable_servers_are_retried(status: int, retried: bool) -> None:
    error = AlyxHTTPError("", status_code=status)
    assert (retried_error(error) is error) == retried
    assert (retried_error(error, from_alyx=False) is error) == (retried or status == 500)


@pytest.mark.parametrize("retryable", [True, False])
def test_unanswered_request_is_retried_if_that_can_succeed(retryable: bool) -> None:
    error = IncompleteDownloadError("")
    assert (retried_error(Unanswered(error, sent=True, retryable=retryable)) is error) == retryable
