"""The rows: the same for the same seed, inside their spans, with the traps that a rebuild meets."""

import hashlib
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from windlass.localstack.demo import generate, story
from windlass.localstack.demo.generate import Batch

SCALE = 0.02
DAY = 24 * 3600 * 1_000_000


def made(seed: int) -> list[Batch]:
    return list(generate.batches(SCALE, seed))


@pytest.fixture(scope="module")
def voice() -> Batch:
    """The tenant of the story inside the range, in one piece."""
    blocks = [b for b in made(story.SEED) if b.database == "mutualofomaha_voice"]
    return max(blocks, key=lambda batch: batch.scorecards.num_rows)


def digest(batches: list[Batch]) -> str:
    sink = hashlib.sha256()
    for batch in batches:
        for table in (batch.scorecards, batch.scores):
            buffer = pa.BufferOutputStream()
            with pa.ipc.new_stream(buffer, table.schema) as writer:
                writer.write_table(table.combine_chunks())
            sink.update(buffer.getvalue())
    return sink.hexdigest()


def micros(column: pa.ChunkedArray) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.asarray(column.cast(pa.int64()).to_numpy(), np.int64)


def test_the_same_seed_gives_the_same_rows() -> None:
    assert digest(made(7)) == digest(made(7))


def test_another_seed_gives_other_rows() -> None:
    assert digest(made(7)) != digest(made(8))


def test_keys_are_unique_over_the_whole_demo() -> None:
    batches = made(story.SEED)
    for keys in (
        [b.scorecards["scorecard_id"] for b in batches],
        [b.scores["score_id"] for b in batches],
    ):
        ids = pa.chunked_array([chunk for column in keys for chunk in column.chunks])
        assert pc.count_distinct(ids.cast(pa.binary())).as_py() == len(ids)


def test_both_ends_of_every_day_are_hit_to_the_microsecond(voice: Batch) -> None:
    into_the_day = micros(voice.scorecards["created_at"]) % DAY
    assert (into_the_day == 0).sum() == story.RANGE.duration.days
    assert (into_the_day == DAY - 1).sum() == story.RANGE.duration.days


def test_rows_outside_stand_on_the_very_edge_of_the_range() -> None:
    spans = [
        (pc.min(b.scorecards["created_at"]).as_py(), pc.max(b.scorecards["created_at"]).as_py())
        for b in made(story.SEED)
        if b.database == "mutualofomaha_voice"
    ]
    assert any(first == story.RANGE.end for first, _ in spans)
    assert any(last == story.RANGE.start - timedelta(microseconds=1) for _, last in spans)


def test_a_score_follows_its_scorecard_and_stays_in_the_span(voice: Batch) -> None:
    card_of = dict(
        zip(
            voice.scorecards["scorecard_id"].to_pylist(),
            micros(voice.scorecards["created_at"]).tolist(),
            strict=True,
        )
    )
    cards = np.array([card_of[key] for key in voice.scores["scorecard_id"].to_pylist()])
    delay = micros(voice.scores["created_at"]) - cards
    assert delay.min() == 0
    assert 0.2 < (delay == 0).mean() < 0.6
    assert delay.max() < 3600 * 1_000_000
    assert pc.max(voice.scores["created_at"]).as_py() < story.RANGE.end


def test_some_scores_fall_into_the_day_after_their_scorecard(voice: Batch) -> None:
    cards = voice.scorecards.select(["scorecard_id", "created_at"]).rename_columns(["id", "card"])
    both = voice.scores.select(["scorecard_id", "created_at"]).join(cards, "scorecard_id", "id")
    assert (micros(both["card"]) // DAY < micros(both["created_at"]) // DAY).any()


def test_score_counts_vary_and_some_scorecards_have_none(voice: Batch) -> None:
    counts = pc.value_counts(voice.scores["scorecard_id"].cast(pa.binary())).field("counts")
    assert pc.min(counts).as_py() < 5
    assert pc.max(counts).as_py() > 12
    assert len(counts) < voice.scorecards.num_rows


def test_the_day_has_a_rhythm(voice: Batch) -> None:
    hours = np.bincount(pc.hour(voice.scorecards["created_at"]).to_numpy(), minlength=24)
    assert hours[14:22].min() > 5 * hours[2:9].max()


def test_nothing_is_changed_before_it_was_made(voice: Batch) -> None:
    for table in (voice.scorecards, voice.scores):
        assert (micros(table["updated_at"]) >= micros(table["created_at"])).all()


def test_nulls_are_where_the_source_allows_them_and_only_there(voice: Batch) -> None:
    for table, nullable in (
        (voice.scorecards, {"score", "comment"}),
        (voice.scores, {"outcome", "numeric_value"}),
    ):
        assert {n for n in table.column_names if table[n].null_count} == nullable


def test_reading_ahead_changes_nothing() -> None:
    assert digest(list(generate.ahead(generate.batches(SCALE, 7)))) == digest(made(7))
