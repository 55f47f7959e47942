"""Health steers how much is in flight: quickly down, slowly up, never by one bad look."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.domain.health import Course, Reading, Threshold, shown
from windlass.planner.throttle import FLOOR, MOST_CALM, steer, worst

LIMITS = {"clickhouse_parts": Threshold(200, 300), "postgres_latency": Threshold(2, 10)}


def parts(value: float) -> list[Reading]:
    return [Reading("clickhouse_parts", value, "acme_voice.card 202601"), Reading("unknown", 1e9)]


def run(course: Course, *values: float, most: int = 8, rate: float = 0.0) -> Course:
    for value in values:
        course = steer(course, parts(value), LIMITS, most, rate)
    return course


def test_one_bad_look_is_noise() -> None:
    assert not run(Course(8), 250).limited
    assert run(Course(8), 250, 10) == Course(8)


def test_windows_and_pace_are_halved_and_the_servers_given_time_to_answer() -> None:
    seen = [run(Course(8), *[212.0] * looks, rate=40_000) for looks in range(1, 10)]
    assert [one.windows for one in seen] == [8, 4, 4, 4, 2, 2, 2, 1, 1]
    paces = [one.rows_per_second for one in seen]
    assert paces == [None, 20_000, 20_000, 20_000, 10_000, 10_000, 10_000, 5_000, 5_000]
    assert shown(seen[4], 8) == "clickhouse parts 212 >= 200; 2 of 8 windows"


def test_it_never_falls_below_one_window_unless_told_to_stop() -> None:
    assert run(Course(8), *[299.0] * 50).windows == 1
    stopped = run(Course(8), 300, 300)
    assert (stopped.windows, stopped.rows_per_second) == (0, FLOOR)
    assert shown(stopped, 8) == "clickhouse parts 300 >= 300; 0 of 8 windows"
    assert run(stopped, 250).windows == 1, "slow is not stop"


def test_the_shown_figure_is_the_servers_latest() -> None:
    assert shown(run(Course(8), 212, 212, 231), 8).startswith("clickhouse parts 231 >= 200")


def test_it_comes_back_window_by_window() -> None:
    low = run(Course(4), 212, 212, 212, 212, 212, most=4, rate=8_000)
    assert (low.windows, low.least) == (1, 1)
    seen = [run(low, *[40.0] * looks, most=4) for looks in range(1, 7)]
    assert [one.windows for one in seen] == [1, 2, 2, 3, 3, 4]
    assert shown(seen[1], 4) == "clickhouse parts 40 again; 2 of 4 windows"
    assert seen[-1] == Course(4), "nothing limits any more"


def test_each_relapse_makes_it_more_patient() -> None:
    course = run(Course(8), 212, 212)
    for times in range(1, 8):
        course = run(course, *[40.0] * course.patience, 212, 212)
        assert course.patience == min(MOST_CALM, 2 * 2**times)


def test_blind_it_gets_no_faster_but_slower_if_need_be() -> None:
    low = run(Course(8), 212, 212)
    assert steer(low, [], LIMITS, 8, blind=True) == low
    assert steer(Course(8), [], LIMITS, 8, blind=True) == Course(8)
    pressed = steer(replace(low, over=4), parts(212), LIMITS, 8, blind=True)
    assert pressed.windows < low.windows


def test_the_worst_is_what_is_to_stop_then_what_is_furthest_over() -> None:
    both = [Reading("clickhouse_parts", 290), Reading("postgres_latency", 10)]
    found = worst(both, LIMITS)
    assert found
    assert found.words == "postgres latency 10 s >= 10 s"
    assert worst([Reading("clickhouse_parts", 199)], LIMITS) is None


def test_a_lower_limit_of_the_fleet_file_holds_at_once() -> None:
    assert run(Course(8), 10, most=3) == Course(3)


@pytest.mark.parametrize("most", [1, 2, 8])
@given(values=st.lists(st.floats(0, 1000), max_size=60))
def test_it_stays_within_limits_and_always_comes_back(most: int, values: list[float]) -> None:
    course = Course(most)
    for value in values:
        course = run(course, value, most=most, rate=5_000)
        assert 0 <= course.windows <= most
        assert course.limited or course.windows == most
    assert run(course, *[0.0] * (MOST_CALM * (most + 2)), most=most) == Course(most)
