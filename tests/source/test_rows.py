"""Counting and reading: tenants, exclusions, parents, time."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice
from windlass.source.postgres import PostgresSource

from .world import (
    NOTE,
    TENANT,
    ids,
    pairs_for,
    read,
)

pytestmark = pytest.mark.usefixtures("world")


def test_count_credits_the_first_exclusion_and_keeps_null(
    source: PostgresSource, cards: Slice, attempt: Attempt
) -> None:
    found = source.count(cards, pairs_for(source, cards), attempt, None)
    assert (found.kept, found.excluded) == (2, {"appeal_requests": 2, "drafts": 1})
    assert found.max_version == "2026-02-09 00:00:00+00"
    assert found.hazards == {}


def test_read_gives_the_kept_rows(source: PostgresSource, cards: Slice, attempt: Attempt) -> None:
    table = read(source, cards, attempt)
    assert ids(table, "scorecard_id") == [1, 5]
    assert table.column_names == [pair.name for pair in pairs_for(source, cards)]


def test_children_inherit_tenant_and_exclusions(
    source: PostgresSource, scores: Slice, attempt: Attempt
) -> None:
    found = source.count(scores, (), attempt, None)
    assert (found.kept, found.excluded) == (6, {"appeal_requests": 6, "drafts": 3})
    assert ids(read(source, scores, attempt), "score_id") == [10, 11, 12, 50, 51, 52]


def test_grandchildren_take_the_time_from_the_parent(
    source: PostgresSource, scores: Slice, attempt: Attempt
) -> None:
    notes = Slice(scores.dataset, NOTE, TENANT, scores.interval)
    found = source.count(notes, (), attempt, None)
    assert (found.kept, found.excluded) == (
        5,
        {"appeal_requests": 6, "drafts": 3, "secret": 1},
    )
    table = read(source, notes, attempt)
    assert ids(table, "score_id") == [11, 12, 50, 51, 52]
    assert table.schema.field("created_at").type == pa.timestamp("us", "UTC")
    assert min(ids(table, "created_at")) == datetime(2026, 1, 1, tzinfo=UTC)
