"""The fleet demo's pure parts: who is in it, the timetable of its troubles, its report."""

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from windlass.localstack.fleet import scenario, story, worklog
from windlass.localstack.fleet.scenario import CLUSTERS, CREWS, STEADY, STRUGGLED, customers
from windlass.localstack.fleet.timetable import Kind, timetable
from windlass.localstack.fleet.troubles import slow_rules

SEEDS = range(40)


def test_the_clusters_have_as_many_customers_as_in_the_log() -> None:
    counted = Counter(one.cluster for one in customers(1))
    assert dict(counted) == {name: count for name, count in CLUSTERS.items() if count}
    assert sum(counted.values()) == 95


def test_named_customers_have_the_volumes_of_the_log() -> None:
    by_name = {one.name: (one.scorecards, one.scores) for one in customers(1)}
    assert by_name["hilton"] == (4_200_000, 57_300_000)
    assert by_name["united-east"] == (10_700_000, 61_000_000)
    assert by_name["marriott"] == (1_400_000, 18_200_000)
    assert by_name["spirit"] == (1_500_000, 4_700_000)
    assert by_name["oportun"][0] == 307_000 * 51
    assert {"vivint", "holidayinn-transfers", "verizon-wireless", "alaska-air"} <= set(by_name)
    assert "cvs" not in by_name


@pytest.mark.parametrize("scale", [0.00001, 0.01, 0.3])
def test_volumes_scale_and_nobody_is_left_without_rows(scale: float) -> None:
    one = next(c for c in customers(scale) if c.name == "hilton")
    assert (one.scorecards, one.scores) == (round(4.2e6 * scale), round(57.3e6 * scale))
    assert min(min(c.scorecards, c.scores) for c in customers(scale)) >= 1


def test_the_rest_is_the_same_for_the_same_seed_only() -> None:
    assert customers(1, 7) == customers(1, 7)
    assert {c.name for c in customers(1, 7)} != {c.name for c in customers(1, 8)}


def test_databases_and_ids_are_nobody_elses() -> None:
    everybody = customers(0.01)
    assert len({one.database for one in everybody}) == len(everybody)
    for one, after in pairwise(everybody):
        assert one.first + 2 * one.scorecards + one.scores == after.first


def test_every_tenant_is_in_one_campaign() -> None:
    *alone, rest = scenario.intents()
    named = [name for one in alone for name in one.tenants]
    assert sorted(named) == sorted(rest.excepted)
    assert len(set(named)) == len(named)
    whole = {name for one in alone if one.window == "none" for name in one.tenants}
    assert {*STRUGGLED, STEADY} <= whole


def test_the_timetable_comes_out_of_the_seed() -> None:
    assert timetable(5) == timetable(5)
    assert len({timetable(seed) for seed in SEEDS}) == len(SEEDS)


def test_each_kind_of_trouble_comes_and_the_steady_one_is_left_alone() -> None:
    steady = next(crew for crew, clusters in CREWS.items() if "voice-prod" in clusters)
    for seed in SEEDS:
        troubles = timetable(seed)
        assert {one.kind for one in troubles} == set(Kind)
        assert {one.where for one in troubles if one.kind is Kind.THROTTLE} == set(STRUGGLED)
        assert not {STEADY, steady} & {one.where for one in troubles}


def test_halves_of_a_throttled_window_come_through_and_the_whole_does_not() -> None:
    everybody = [c for c in customers(0.01) if c.name in {*STRUGGLED, STEADY}]
    rules = slow_rules(everybody)
    for one in everybody:
        rule, longest = rules[one.name], 64 * one.scores
        if one.name == STEADY:
            assert rule.free == 0
            assert longest / rule.rate < 180
        else:
            assert longest / 2 < rule.free < longest
            assert (longest - rule.free) / rule.rate > 600


def test_a_report_without_all_tenants_is_not_green() -> None:
    ending = story.Ending(0.01, 1, 60.0, 9.0, {}, (), True, {"voice": 1})
    made = story.report(customers(0.01), [], [], ending)
    assert not made["green"]
    assert "| eu-west-2-prod | 0 | N/A | No data in range |" in worklog.markdown(
        made, datetime(2026, 2, 22, tzinfo=UTC)
    )
