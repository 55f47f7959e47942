"""Which partitions a range covers wholly, by the server's own evaluation."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.target.bench import Bench, at, span
from windlass.domain.window import Interval
from windlass.target.partitions import is_steady, keeps_keys, whole_ranges

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


@pytest.mark.parametrize(
    ("key", "steady"),
    [
        ("toYYYYMM(t)", True),
        ("toDate(t, 'America/St_Johns')", True),
        ("toStartOfWeek(t, 1)", True),
        ("toYYYYMM(toDate(`t`))", True),
        ("(toYear(t), toYYYYMM(t))", True),
        ("toMonth(t)", False),
        ("toYYYYMM(u)", False),
        ("toYYYYMM(t) % 2", False),
        ("(toYYYYMM(t), k)", False),
        ("toYYYYMM(t + u)", False),
        ("toStartOfHour(t)", False),
        ("toYYYYMM(t, u)", False),
        ("concat(toDate(t), toYear(t))", False),
        ("(toDate(t), toMonth(t))", False),
        ("t", False),
    ],
)
def test_what_a_margin_may_stand_for(key: str, steady: bool) -> None:
    assert is_steady(key, "t") is steady


ZONES = [
    "UTC",
    "America/New_York",
    "America/St_Johns",  # put its clocks back at a minute past midnight, into the day before
    "America/Sao_Paulo",  # at midnight
    "Pacific/Apia",  # left out a day
    "Pacific/Kwajalein",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Asia/Kathmandu",
    "Africa/Casablanca",
]
KEYS = [
    *("toYYYYMM(t)", "toDate(t)", "toMonday(t)", "toStartOfWeek(t, 1)", "toStartOfQuarter(t)"),
    *("(toYear(t), toMonday(t))", "toYYYYMMDD(t, '$zone')", "toYYYYMM(toDate(t))", "toISOYear(t)"),
]


def test_a_margin_tells_what_all_cells_do(bench: Bench) -> None:
    """Any zone, also where its clocks went back over midnight, any range."""
    live = replace(bench, columns={"k": "UInt64", "t": "DateTime"}).create_raw(
        "ENGINE = MergeTree ORDER BY k"
    )

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(KEYS),
        st.sampled_from(ZONES),
        st.sampled_from(["DateTime64(6, '$zone')", "DateTime('$zone')", "Date"]),
        st.integers(0, 90 * 35_040),
        st.integers(1, 120 * 96),
    )
    def same(key: str, zone: str, kind: str, start: int, cells: int) -> None:
        columns = tuple(
            replace(c, type=kind.replace("$zone", zone)) if c.name == "t" else c
            for c in live.columns
        )
        if kind == "Date" and "$zone" in key:
            return
        table = replace(live, partition_key=key.replace("$zone", zone), columns=columns)
        first = datetime(1971, 1, 1, tzinfo=UTC) + start * timedelta(minutes=15)
        within = Interval(first, first + cells * timedelta(minutes=15))
        assert is_steady(table.partition_key, "t")
        found = whole_ranges(bench.server, table, "t", within)
        assert found == whole_ranges(bench.server, table, "t", within, everywhere=True)

    same()


@pytest.mark.parametrize(
    ("partition", "order", "kept"),
    [
        ("", "k", True),
        ("toYYYYMM(t)", "(k, t)", True),
        ("(toYear(t), toYYYYMM(t))", "(t, k)", True),
        ("toYYYYMM(t)", "k", False),
        ("toYYYYMM(t)", "(k, toDate(t))", False),
        ("(toYYYYMM(t), k % 2)", "(k, t)", False),
    ],
)
def test_where_a_row_and_its_successor_share_a_partition(
    bench: Bench, partition: str, order: str, kept: bool
) -> None:
    assert keeps_keys(bench.create(partition=partition, order=order), "t") is kept
