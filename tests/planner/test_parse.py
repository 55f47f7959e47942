"""What operators type, and what they are told when it makes no sense."""

from datetime import UTC, datetime

import pytest

from windlass.domain.errors import UsageError
from windlass.domain.window import Interval
from windlass.planner import parse

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_dates_are_midnight_utc_and_offsets_are_honoured() -> None:
    found = parse.interval("2026-01-01", "2026-01-01T06:00:00+05:00", NOW)
    assert found == Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-02-30", "2026-03-01", "not a date"),
        ("yesterday", "2026-03-01", "not a date"),
        ("2026-02-01", "2026-01-01", "before START"),
        ("2026-01-01", "2026-01-01", "is empty"),
        ("2026-04-01", "2026-05-01", "in the future"),
        ("0001-01-01T00:00:00+14:00", "2026-01-01", "not a date"),
    ],
)
def test_ranges_that_make_no_sense(start: str, end: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        parse.interval(start, end, NOW)
    assert caught.value.next_step
    assert caught.value.exit_code == 2


def test_an_end_in_the_future_is_fine() -> None:
    assert parse.interval("2026-01-01", "2027-01-01", NOW).end.year == 2027


@pytest.mark.parametrize("text", ["10", "d", "-1d", "0d", "1w", "1.5h", "10d ", "9999999d"])
def test_window_lengths_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError, match="makes no sense"):
        parse.span(text)


def test_too_many_windows_are_refused() -> None:
    decade = Interval(datetime(2016, 1, 1, tzinfo=UTC), NOW)
    with pytest.raises(UsageError, match="windows"):
        parse.window_spec("1m", 0, decade)


@pytest.mark.parametrize("text", ["", "a//b", "a/b/c/d", "acme,"])
def test_tenants_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError):
        parse.patterns(text)
