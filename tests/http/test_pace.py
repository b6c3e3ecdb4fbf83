"""The pace of requests, in virtual time: how many are refused, and how long all of them take."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from alyx_client.http.pace import LONGEST_BLOCK, Pace
from alyx_client.http.rate import Rate, parse_rate
from tests.http.throttled import World


def ideal(world: World, requests: int) -> float:
    """Return the seconds that the server's limit costs."""
    return (requests - 1) // world.server.rate.requests * world.server.rate.seconds


@pytest.mark.parametrize("latency", [0.05, 0.85])
@pytest.mark.parametrize("rate", ["550/minute", "2/minute", "500/hour", "50/s"])
def test_set_rate_is_kept_without_a_refusal_in_little_more_than_the_ideal_time(rate: str, latency: float) -> None:
    world = World(rate, latency)
    requests = min(3 * world.server.rate.requests, 1150) // 16 * 16 + 16
    for _ in range(4):
        world.threads(world.process(rate), 4, requests // 16)
    seconds = world.run()
    assert world.server.statuses == [200] * requests
    service = requests * latency / 16
    assert seconds <= 1.1 * ideal(world, requests) + service + 1


@pytest.mark.parametrize("latency", [0.05, 0.85])
def test_limit_is_learned_from_the_first_refusal(latency: float) -> None:
    world = World("550/minute", latency)
    for _ in range(8):
        world.threads(world.process(), 16, 13)
    seconds = world.run()
    # Each thread has one request under way when the limit is reached, and a later attempt to send more fails by a few.
    assert world.server.refused <= 8 * 16 + 12
    assert seconds <= 1.1 * ideal(world, 8 * 16 * 13)


def test_learned_limit_holds_for_later_processes() -> None:
    world = World("550/minute")
    for _ in range(4):
        refused = world.server.refused
        for _ in range(8):
            world.threads(world.process(), 16, 10)
        world.run()
    assert world.server.refused - refused < 0.01 * 8 * 16 * 10


def test_requests_of_processes_that_have_ended_are_not_taken_for_the_limit() -> None:
    world = World("550/minute", 0.05)
    for _ in range(3):
        world.threads(world.process(), 4, 40)
        world.run()
    world.threads(world.process(), 8, 400)
    assert world.run() <= 1.1 * ideal(world, 3680)
    assert world.server.refused < 0.01 * len(world.server.statuses)


@pytest.mark.parametrize(("first", "later", "served"), [(110, 20, 15), (20, 110, 80)])
def test_limit_that_changes_is_followed(first: int, later: int, served: int) -> None:
    world = World(f"{first}/minute", 0.05)
    world.threads(world.process(), 8, 3000)
    world.run(90)
    world.server.rate = Rate(later, 60.0)
    world.run(10 * 60)
    before = len(world.server.statuses), world.server.refused
    world.run(5 * 60)
    sent = len(world.server.statuses) - before[0]
    assert sent >= 5 * served
    assert world.server.refused - before[1] <= 0.02 * sent


def test_two_computers_share_a_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    world = World("550/minute", 0.05)
    for computer in ("one", "two"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / computer))
        world.threads(world.process(), 8, 300)
        world.run(1)
    seconds = world.run()
    assert seconds <= 1.5 * ideal(world, 4800) + 60
    assert world.server.refused <= 0.05 * 4800


@pytest.mark.parametrize("rate", ["10/second", "100/minute"])
def test_server_that_does_not_say_when_is_asked_less_often(rate: str) -> None:
    world = World(rate, 0.05)
    world.server.says_when = False
    world.threads(world.process(), 8, 50)
    world.run()
    assert world.server.statuses.count(200) == 400
    assert world.server.refused <= 120


def test_process_that_dies_while_it_waits_blocks_nobody() -> None:
    world = World("60/minute")
    dying = world.process("60/minute")
    world.threads(dying, 30, 2)
    world.threads(world.process("60/minute"), 30, 2)
    world.run(30)
    died = world.kill(dying)
    seconds = world.run()
    assert died > 0
    # Turns that it had taken are lost once.
    assert seconds <= 2 * 61
    assert world.server.refused == 0


def test_other_users_and_servers_are_not_paced(world: World) -> None:
    world.threads(world.process(), 4, 10)
    world.threads(world.process(), 4, 10, token="of-another-user")
    world.run(1)
    assert world.server.refused > 0
    began = world.now
    world.threads(world.process(), 1, 1, token="of-a-third-user")
    world.run(1)
    assert world.finished[-1] < began + 1


@pytest.fixture
def world() -> World:
    return World("20/minute", 0.05)


def test_nothing_is_written_until_the_server_refuses(isolated_settings: Path, world: World) -> None:
    limits = isolated_settings / ".cache" / "alyx-client" / "limits"
    world.threads(world.process(), 4, 5)
    world.run()
    assert not limits.exists()
    world.threads(world.process(), 1, 1)
    world.run(1)
    (file,) = limits.iterdir()
    assert "secret-token" not in file.read_text() + file.name
    assert (file.stat().st_mode & 0o777, limits.stat().st_mode & 0o777) == (0o600, 0o700)


def test_limit_is_forgotten_after_a_day_without_refusals(isolated_settings: Path, world: World) -> None:
    process = world.process()
    world.threads(process, 1, 21)
    world.run()
    (file,) = (isolated_settings / ".cache" / "alyx-client" / "limits").iterdir()
    world.now += 86400 + 60
    before = file.read_bytes()
    world.server.rate = Rate(100, 60.0)
    world.threads(process, 4, 25)
    assert (world.run() < 10, world.server.refused, file.read_bytes()) == (True, 1, before)


def test_other_process_is_noticed_before_it_costs_a_refusal(world: World) -> None:
    world.threads(world.process(), 1, 21)
    world.run(5)
    refused = world.server.refused
    world.threads(world.process(), 4, 2)
    world.run()
    assert (refused, world.server.refused) == (1, 1)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[]", b"[{}]", b"[{}, [[1]]]", b'[{"blocked": "x"}, []]',
                                     b'[{"limit": 1e999}, []]', b"\xff\xfe", b"[" * 100_000])  # fmt: skip
def test_damaged_file_counts_as_none(content: bytes) -> None:
    pace = Pace.load(content, 1000.0)
    assert (pace.limit, pace.take_turn(1000.0).wait) == (None, 0.0)


@pytest.mark.parametrize("state", [
    {"limit": 5}, {"limit": -1, "window": 60.0}, {"window": -1}, {"window": math.inf}, {"window": math.nan},
    {"_horizon": math.nan}, {"_failures": 10**30}, {"_patience": 10**400}, {"_latency": -math.inf}, {"_refused": 5.0},
    {"_refused": math.nan},
    {"_grows": math.nan}, {}])  # fmt: skip
@pytest.mark.parametrize("counts", [[], [[900.0, 1]], [[900.0, -1]], [[-math.inf, 1]], [[math.nan, 1]]])
def test_implausible_numbers_of_a_file_stop_no_request(state: dict[str, float], counts: list[list[float]]) -> None:
    pace = Pace.load(json.dumps([{"window": 60.0, "_is_learning": 1, **state}, counts]).encode(), 1000.0)
    assert pace.take_turn(1000.0).wait == 0.0
    pace = Pace.load(json.dumps([state, counts]).encode(), 1000.0)
    assert pace.take_turn(1000.0).wait == 0.0
    pace.refuse(1000.0, 1.0, 999.0)
    assert pace.take_turn(5000.0).wait == 0.0


def test_line_that_a_longer_one_shows_through_is_read() -> None:
    pace = Pace()
    pace.refuse(1000.0, 30.0, 999.0)
    assert Pace.load(pace.dump() + b"0, 1], [999.5, 3]]]\n", 1001.0).blocked == 1030.0


@pytest.mark.parametrize("now", [10.0, 1000.0 + 2 * 86400])
def test_times_of_another_start_of_the_clock_are_not_waited_for(now: float) -> None:
    pace = Pace()
    pace.take_turn(1000.0, [Rate(1, 60.0)])
    pace.refuse(1000.0, 30.0, 999.0)
    turn = Pace.load(pace.dump(), now).take_turn(now, [Rate(1, 60.0)])
    assert turn.wait == 0.0


def test_refusals_of_requests_that_were_under_way_count_once() -> None:
    pace = Pace()
    for _ in range(10):
        pace.take_turn(100.0)
    pace.refuse(100.0, 30.0, 99.0)
    for late in range(5):
        pace.refuse(100.5 + late, 29.0, 99.0)
    assert pace.epoch == 2


def test_slow_server_that_refuses_is_not_taken_for_one_that_others_use() -> None:
    pace, rates = Pace(), [Rate(20, 60.0)]
    for _ in range(20):
        pace.take_turn(1001.0, rates)
    pace.refuse(1060.0, 1.0, 1056.0, rates)
    assert (pace.take_turn(1061.1, rates).wait < 1, pace.limit, pace.window) == (True, 20, 60.0)
    learning = Pace()
    learning.refuse(1060.0, 2.0, 1056.0)
    learning.join([(1004.5, 20)])  # when the responses came
    assert (learning.take_turn(1065.2).wait < 1, learning.limit) == (True, 20)


def test_second_long_limits_are_learned_when_nothing_else_can_have_been_sent() -> None:
    pace = Pace()
    pace.refuse(1000.2, 1.0, 1000.1)
    pace.join([(1000.0, 1)])  # another process sent more, and has ended
    assert pace.take_turn(1001.3).wait == pytest.approx(0.9)
    turns = [pace.take_turn(1003.0) for _ in range(15)]
    assert {turn.wait for turn in turns} == {0.0}
    pace.refuse(1003.1, 1.0, 1003.05)
    pace.take_turn(1004.2)
    assert pace.limit == 15


@pytest.mark.parametrize("later", [30.0, 60.0, 100.0])
def test_all_that_was_sent_before_the_refusal_is_counted_however_late(later: float) -> None:
    pace = Pace()
    pace.refuse(1030.2, 30.0, 1030.1)
    pace.join([(1000.0, 15)])
    pace.take_turn(1030.2 + later)
    assert pace.limit == 15


def test_very_long_waits_are_left_to_the_caller() -> None:
    pace = Pace()
    pace.refuse(100.0, LONGEST_BLOCK + 1, 99.0)
    assert pace.take_turn(100.0).wait == 0.0


def test_rates_of_several_lengths_are_kept_at_the_same_time() -> None:
    pace, rates, now, sent = Pace(), [Rate(5, 1.0), Rate(100, 3600.0)], 0.0, []
    while now < 5000:
        turn = pace.take_turn(now, rates)
        now += max(turn.wait, 0.0) + 0.001
        sent.append(now)
        pace = Pace.load(pace.dump(), now)
    for count, seconds in rates:
        assert all(later - earlier > seconds for earlier, later in zip(sent, sent[count:], strict=False))
    assert len(sent) >= 100
    assert len(pace.dump()) < 20_000


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("550/minute", (550, 60)), ("1/s", (1, 1)), (" 20 / min ", (20, 60)), ("5/hours", (5, 3600)),
        ("9/DAY", (9, 86400)),
    ],
)  # fmt: skip
def test_rates_are_written_as_alyx_writes_them(text: str, rate: tuple[int, float]) -> None:
    assert parse_rate("rate_limit", text) == rate


@pytest.mark.parametrize("value", ["", "550", "0/minute", "-1/minute", "1.5/minute", "5/fortnight", "5 per minute",
                                   "5/", "/minute", "5/minute/2", 550, 5.0, None, b"5/minute", True])  # fmt: skip
def test_what_is_no_rate_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"rate_limit.*500/minute"):
        parse_rate("rate_limit", value)


def test_rate_in_messages() -> None:
    assert [str(Rate(550, 60.0)), str(Rate(5, math.pi))] == ["550/minute", "5 in 3.14159 s"]


def learned(limit: int) -> Pace:
    """Return a pace that has learned a limit per minute from a refusal at 1060."""
    pace = Pace()
    pace.refuse(1060.0, 2.0, 1059.9)
    pace.join([(1001.0, limit)])
    pace.take_turn(1062.1)
    return pace


@pytest.mark.parametrize(
    ("limit", "steps"), [(550, [561, 583, 627]), (100, [104, 112, 128]), (10, [14, 22, 38]), (1, [5, 10, 20])]
)
def test_limit_grows_by_more_each_time_until_the_server_refuses(limit: int, steps: list[int]) -> None:
    pace = learned(limit)
    assert (pace.limit, pace.window) == (limit, 60.0)
    now, grown = 1060.0 + 2 * 60, [limit]
    pace.join([(now - 1, limit)])
    pace.take_turn(now - 0.5)
    assert pace.limit == limit
    for _ in steps:
        pace.join([(now, grown[-1])])
        pace.take_turn(now + 0.5)
        assert pace.limit is not None
        grown.append(pace.limit)
        now += 121
    assert grown[1:] == steps
    pace.refuse(now, 60.0, now - 0.1)
    pace.take_turn(now + 60.1)
    assert pace.limit is not None
    assert pace.limit < steps[-1]


def test_late_refusals_of_earlier_requests_do_not_lower_the_limit() -> None:
    pace = learned(100)
    # Sent before the server's refusal, and refused after the wait was over.
    pace.refuse(1063.0, 1.0, 1059.95)
    pace.take_turn(1064.1)
    assert pace.limit == 100
    pace.refuse(1065.0, 1.0, 1064.5)
    pace.take_turn(1067.0)
    assert pace.limit == 50


@pytest.mark.parametrize(
    ("wait", "seconds", "window"),
    [
        (0.5, (), 1.0), (1.0, (), 1.0), (1.5, (), 60.0), (60.0, (), 60.0), (61.0, (), 3600.0), (3600.0, (), 3600.0),
        (0.5, (120.0,), 120.0), (120.0, (120.0,), 120.0), (121.0, (120.0,), 3600.0), (5.0, (1.0, 120.0, 10.0), 10.0),
    ],
)  # fmt: skip
def test_period_is_the_shortest_that_the_wait_allows(wait: float, seconds: tuple[float, ...], window: float) -> None:
    pace = Pace()
    pace.refuse(1060.0, wait, 1059.9, [Rate(5, length) for length in seconds])
    assert (pace.window, pace.blocked, pace.epoch) == (window, 1060.0 + wait, 2)


def test_turn_after_the_longest_wait_is_not_counted() -> None:
    pace, rate = Pace(), Rate(1, 60.0)
    first = pace.take_turn(1000.0, [rate])
    assert (first.wait, first.slot, first.rate, first.until) == (0.0, 1000.0, None, 1000.5)
    for _ in range(2):
        refused = pace.take_turn(1010.0, [rate], longest=50.0)
        assert (refused.wait, refused.slot, refused.rate) == (pytest.approx(50.5), None, rate)
    second = pace.take_turn(1010.0, [rate], longest=51.0)
    assert (second.wait, second.slot, second.rate, second.until) == (pytest.approx(50.5), 1060.5, rate, 1061.0)
    assert pace.take_turn(1010.0, [rate]).wait == pytest.approx(111.0)
