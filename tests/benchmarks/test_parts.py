"""What parts make of their measurements: checks and tables, from figures made up here."""

from typing import Any

import pytest

from benchmarks import profile
from benchmarks.contestants import CONTESTANTS
from benchmarks.data import Table
from benchmarks.parts import ALL, empty, fleet, growth, memory, publish, ratios


def _laps(*seconds: float, rows: int = 1_000_000) -> list[dict[str, Any]]:
    """A lap a round, with those seconds."""
    extra = {"command_seconds": 9.0}
    return [
        {"round": n, "rows": rows, "seconds": taken, "extra": extra}
        for n, taken in enumerate(seconds)
    ]


@pytest.fixture
def raced() -> dict[str, Any]:
    """Three rounds; ADBC is the faster reader in the first one only, dlt could not run."""
    laps = {
        "windlass": _laps(2.0, 2.0, 4.0),
        "pull": _laps(3.0, 2.4, 4.8),
        "load": _laps(1.25, 1.25, 1.25),
        "load-bare": _laps(1.0, 1.0, 1.0),
        "script": _laps(4.0, 4.0, 8.0, rows=250_000),
        "copy-adbc": _laps(1.0, 2.0, 2.0),
        "copy-psycopg": _laps(2.0, 1.0, 2.0),
    }
    return {"rows": 1_000_000, "laps": laps, "failed": {"dlt": "CannotRun: not here"}}


def test_ratios_are_medians_over_rounds(raced: dict[str, Any]) -> None:
    found = ratios.checks(raced)
    assert [check.figure for check in found] == pytest.approx([1.2, 0.8, 0.5, 8.0])
    assert [check.met for check in found] == [True, False, False, True]


def test_who_could_not_run_stands_in_the_table_with_the_reason(raced: dict[str, Any]) -> None:
    rows = {line.split(" | ")[0]: line for line in ratios.render(raced).splitlines()}
    assert "not run: not here" in rows["| dlt"]
    assert "not measured" in rows["| sling"]
    assert "25%, scaled" in rows["| a plain psycopg + clickhouse-connect script"]
    assert "1.20 (1.20 – 1.50)" in next(line for name, line in rows.items() if "INSERT" in name)


def test_who_failed_later_keeps_the_rounds_before(raced: dict[str, Any]) -> None:
    raced["failed"]["script"] = "BenchError: too few rows"
    assert "3 rounds, then: BenchError: too few rows" in ratios.render(raced)
    assert ratios.checks(raced)[3].met


def test_without_the_other_side_there_is_no_ratio(raced: dict[str, Any]) -> None:
    del raced["laps"]["pull"]
    assert ratios.checks(raced)[0].met is None


def test_each_round_begins_with_another_one() -> None:
    orders = [ratios.order(n) for n in range(len(CONTESTANTS))]
    assert {order[0] for order in orders} == set(CONTESTANTS)
    assert all(set(order) == set(CONTESTANTS) for order in orders)


def test_memory_is_held_against_the_largest_window() -> None:
    laps = [
        {"rows": rows, "started_mib": 100.0, "peak_mib": peak}
        for rows, peak in ((100, 300.0), (100, 320.0), (100, 310.0), (2000, 372.0))
    ]
    above, flat = memory.checks({"laps": laps})
    assert above.figure == pytest.approx(285.2, abs=0.1)
    assert flat.figure == pytest.approx(1.2)
    assert (above.met, flat.met) == (False, False)


def test_an_empty_window_is_the_campaign_over_their_number() -> None:
    laps = [
        {"kind": kind, "windows": 200, "seconds": seconds}
        for kind, seconds in (("by month", 12.0), ("by month", 14.0), ("by day", 40.0))
    ]
    (check,) = empty.checks({"laps": laps})
    assert check.figure == pytest.approx(65.0)
    assert "| 65.0 (60.0 – 70.0) |" in empty.render({"laps": laps})


def test_growth_takes_medians_per_size() -> None:
    laps = [{"rows": n, "rebuild": s} for n, s in ((2, 5.0), (1, 3.0), (1, 9.0), (1, 4.0))]
    assert growth.points(laps, "rows", "rebuild") == [(1, 4.0), (2, 5.0)]


def test_growth_that_bends_is_missed() -> None:
    rows = [{"rows": n, "rebuild": n**2, "plan": 1.0, "verify": n} for n in (1, 5, 20)]
    windows = [{"windows": n, "seconds": 3 + n / 20} for n in (10, 100, 1000)]
    by_rows, by_windows = growth.checks({"rows": rows, "windows": windows})
    assert (by_rows.met, by_windows.met) == (False, True)
    assert "| 1,000 | 53.0 |" in growth.render({"rows": rows, "windows": windows})


def test_publish_is_the_step_not_the_campaign() -> None:
    laps = [{"publish_seconds": 0.4, "rebuild_seconds": 9.0}]
    (check,) = publish.checks({"rows": 5, "laps": laps})
    assert (check.figure, check.met) == (0.4, True)


def test_a_profile_becomes_a_table_whatever_its_shape() -> None:
    text = "\n".join(profile.render({"read": 1.5, "windows": [{"send": 2}], "name": "x"}))
    assert "| read | 1.50 |" in text
    assert "| windows 1 send | 2.00 |" in text
    assert "x" not in text
    assert profile.render({}) == []


def test_parts_are_those_of_the_options() -> None:
    from benchmarks.options import PARTS

    assert tuple(ALL) == PARTS


def test_a_fleet_has_targets_at_full_size_only() -> None:
    made = {
        "tenants": 100,
        "windows": 5_000,
        "verdict": "verified",
        "plan": [6.0, 7.0, 8.0],
        "status": [0.5, 1.6, 2.0],
        "calm": [0.5, 0.6, 2.0],
        "seconds": 600.0,
        "histories": {"windlass/fleet/bench a": 900, "windlass/fleet/bench/fleet_t1 b": 12_000},
        "started_mib": 200.0,
        "peak_mib": 300.0,
    }
    assert [check.met for check in fleet.checks(made)] == [True, True, False]
    assert [check.met for check in fleet.checks(made | {"tenants": 4})] == [None] * 3
    assert "| events in a history: most | 12,000 |" in fleet.render(made)


def test_a_table_of_many_tenants_shares_its_rows_out() -> None:
    table = Table("fleet", 1_000, tenants=3)
    assert table.databases == ["fleet_t0", "fleet_t1", "fleet_t2"]
    assert "'t' || g % 3" in table.source_sql()[3]
    assert table.dataset()["tenants"] == {"list": ["t0", "t1", "t2"]}
    assert Table("one", 1_000).databases == ["one_acme"]
