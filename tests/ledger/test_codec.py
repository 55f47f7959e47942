"""Domain values survive JSON exactly, whatever they hold."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.ledger.world import acme
from windlass.domain.codec import dump, load
from windlass.domain.plan import ClusterPlan, Guard, Plan, Request
from windlass.domain.results import KeyDifference, Removed, TableCounts, TableVerification
from windlass.domain.states import Verdict
from windlass.domain.window import Interval

INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
ROWS = st.integers(0, 2**62)


def test_a_plan_and_its_parts() -> None:
    plan = acme()
    assert load(Plan, dump(plan)) == plan
    assert load(Request, dump(plan.request)) == plan.request
    assert load(ClusterPlan, dump(plan.clusters[0])) == plan.clusters[0]
    again = load(Plan, dump(plan))
    assert type(again.tenants[0].groups) is tuple
    assert again.request.interval.start.utcoffset() is not None


@given(st.tuples(INSTANTS, INSTANTS).filter(lambda pair: pair[0] < pair[1]))
def test_ranges_to_the_microsecond(pair: tuple[datetime, datetime]) -> None:
    assert load(Interval, dump(Interval(*pair))) == Interval(*pair)


@given(st.dictionaries(TEXT, ROWS), ROWS, st.floats(0, 1))
def test_counts(attributed: dict[str, int], rows: int, share: float) -> None:
    removed = Removed(rows, rows, rows, attributed)
    assert load(Removed, dump(removed)) == removed
    counts = TableCounts("t", rows, 0, 0, rows, attributed, raw=rows, verdict=Verdict.MISMATCH)
    assert load(TableCounts, dump(counts)) == counts
    guard = Guard(share, attributed, True)
    assert load(Guard, dump(guard)) == guard


@given(st.dictionaries(TEXT, TEXT), TEXT)
def test_answers_with_keys(key: dict[str, str], reason: str) -> None:
    answer = [
        TableVerification(
            "c", "d", "t", 1, 2, keys=(KeyDifference("extra", key, ("a", "b"), reason),)
        )
    ]
    assert load(list[TableVerification], dump(answer)) == answer
    assert load(tuple[TableVerification, ...], dump(tuple(answer))) == tuple(answer)


def test_another_value_is_refused() -> None:
    with pytest.raises(ValidationError):
        load(Interval, '{"start": "2026-01-01T00:00:00Z"}')
