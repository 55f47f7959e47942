"""Which partitions a range covers wholly, by the server's own evaluation."""

from dataclasses import replace

import pytest

from tests.target.bench import Bench, at, span
from windlass.domain.window import Interval

WITHIN = span("2026-01-01", "2026-02-20")


def ranges(bench: Bench, partition: str, kind: str, within: Interval = WITHIN) -> list[str] | None:
    """The whole ranges of a table with that partition key and time type, as text."""
    table = replace(bench, columns={"k": "UInt64", "t": kind})
    shape = f"ENGINE = MergeTree PARTITION BY {partition} ORDER BY k"
    live = table.create_raw(shape if partition else "ENGINE = MergeTree ORDER BY k")
    found = table.target.whole_ranges(live, "t", within)
    return None if found is None else [str(one) for one in found]


@pytest.mark.parametrize("kind", ["DateTime64(6, 'UTC')", "DateTime", "Date", "DateTime64(3)"])
def test_months(bench: Bench, kind: str) -> None:
    assert ranges(bench, "toYYYYMM(t)", kind) == ["20260101-20260201"]


def test_days_down_to_the_last_one(bench: Bench) -> None:
    within = Interval(at("2026-01-01T00:15"), at("2026-01-04T23:59:59.999999"))
    found = ranges(bench, "toDate(t)", "DateTime64(6, 'UTC')", within)
    assert found == ["20260102-20260103", "20260103-20260104"]


def test_weeks_begin_where_the_columns_zone_says(bench: Bench) -> None:
    kind = "DateTime64(6, 'America/New_York')"
    within = span("2026-03-01", "2026-03-23")
    assert (
        ranges(bench, "toMonday(t)", kind, within)
        == [
            "20260302T0500-20260309T0400",
            "20260309T0400-20260316T0400",
            "20260316T0400-20260323T0400",
        ][:2]
    ), "the third ends four hours after the range"


def test_a_value_that_comes_again_is_not_whole(bench: Bench) -> None:
    assert ranges(bench, "toMonth(t)", "DateTime64(6, 'UTC')") == []
    assert ranges(bench, "toDayOfWeek(t)", "DateTime64(6, 'UTC')") == []


def test_tuples_of_the_time(bench: Bench) -> None:
    found = ranges(bench, "(toYear(t), toYYYYMM(t))", "DateTime64(6, 'UTC')")
    assert found == ["20260101-20260201"]


@pytest.mark.parametrize("partition", ["k % 2", "(toYYYYMM(t), k % 2)"])
def test_partitions_by_more_than_the_time_are_unknown(bench: Bench, partition: str) -> None:
    assert ranges(bench, partition, "DateTime64(6, 'UTC')") is None


def test_no_partition_key(bench: Bench) -> None:
    assert ranges(bench, "", "DateTime64(6, 'UTC')") == []


def test_finer_than_the_grid_is_not_claimed(bench: Bench) -> None:
    within = span("2026-01-01", "2026-01-02")
    assert ranges(bench, "toStartOfFiveMinutes(t)", "DateTime64(6, 'UTC')", within) == []


def test_a_range_shorter_than_a_cell(bench: Bench) -> None:
    within = Interval(at("2026-01-01T00:01"), at("2026-01-01T00:02"))
    assert ranges(bench, "toDate(t)", "DateTime64(6, 'UTC')", within) == []


def test_an_expression_that_ends_in_2106(bench: Bench) -> None:
    """A DateTime64 goes further than what the expression can be evaluated for."""
    bench.create("MergeTree", partition="intDiv(toUnixTimestamp(t), 864000)")
    found = bench.target.whole_ranges(bench.live, "t", span("2026-01-01", "2026-02-01"))
    assert found == [span("2026-01-07", "2026-01-17"), span("2026-01-17", "2026-01-27")]
