"""The demo's rows as Arrow, a day at a time: the same seed gives the same rows, byte for byte.

Each day has a random stream of its own, so memory does not grow with the scale and no day depends
on how the others were read. UUIDs are `fixed_size_binary(16)`, big-endian: what both PostgreSQL's
binary COPY and ClickHouse's Arrow input take for a UUID. Instants are `timestamp[us, UTC]`.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from windlass.localstack.demo import story
from windlass.localstack.demo.story import Block, Day

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_SECOND = 1_000_000
_HOUR = 3600 * _SECOND
_BATCH_SCORES = 250_000

# Share of the day's calls by UTC hour: the working day of the United States.
_HOURS = np.array(
    [4, 2, 1, 1, 1, 1, 1, 1, 1, 2, 4, 9, 22, 46, 62, 66, 64, 60, 62, 60, 52, 38, 22, 10], float
)
_TYPES = ("standard", "calibration", "self_review", "appeal_decision")
_TYPE_SHARES = (0.83, 0.09, 0.06, 0.02)
_TEMPLATES, _AGENTS, _CRITERIA = 12, 240, 40
_MAX_SCORES = (Decimal("100.00"), Decimal("50.00"), Decimal("12.50"))
_KINDS = ("yes_no", "scale", "multiple_choice", "text")
_OUTCOMES = ("pass", "fail", "partial")
# Most have none; the others hold what a careless export would break on.
_COMMENTS: tuple[str | None, ...] = (
    "Verified the caller before discussing the policy.",
    "Missed the closing statement; coached on 3 points.",
    "Great empathy — très bien, 良い対応 👍",
    'Customer said: "call me back", agent\'s note missing',
    "tab\there, newline\nthere, pipe | and back\\slash",
    "",
)
_WEIGHTS = (0.25, 0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True)
class Batch:
    """Some whole days of one tenant: `scorecards` and `scores` as tables in the source's shape."""

    database: str
    scorecards: pa.Table
    scores: pa.Table


def batches(scale: float, seed: int) -> Iterator[Batch]:
    """All rows of the demo, in pieces of about 250,000 scores, none crossing two blocks."""
    for block in story.blocks(scale):
        held: list[Batch] = []
        for day in story.days(block):
            held.append(_day_batch(day, seed))
            if sum(batch.scores.num_rows for batch in held) >= _BATCH_SCORES:
                yield _joined(held)
                held = []
        if held:
            yield _joined(held)


def ahead(source: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches, each made on a thread of its own while the caller sends the one before."""
    with ThreadPoolExecutor(1, "demo-rows") as pool:
        coming = pool.submit(next, source, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, source, None)
            yield batch


def _joined(held: list[Batch]) -> Batch:
    return Batch(
        held[0].database,
        pa.concat_tables([batch.scorecards for batch in held]),
        pa.concat_tables([batch.scores for batch in held]),
    )


@dataclass(frozen=True)
class _Cards:
    """The columns of a day's scorecards that its scores are made from."""

    ids: npt.NDArray[np.uint8]
    created: Ints
    appeal: Flags
    template: Ints
    ai: Flags


def _day_batch(day: Day, seed: int) -> Batch:
    tenant = list(story.databases()).index(day.block.database)
    rng = np.random.default_rng([seed, tenant, day.day.toordinal()])
    cards = _cards(rng, day)
    return Batch(day.block.database, _scorecards(rng, day.block, cards), _scores(rng, day, cards))


def _cards(rng: np.random.Generator, day: Day) -> _Cards:
    n = day.rows.scorecards
    appeal = np.arange(n) < day.rows.appeals
    return _Cards(
        ids=_uuids(rng, n),
        created=_created(rng, day, n),
        appeal=rng.permutation(appeal),
        template=rng.integers(0, _TEMPLATES, n),
        ai=rng.random(n) < 0.4,
    )


def _created(rng: np.random.Generator, day: Day, n: int) -> Ints:
    """Instants of one day in order, µs since 1970; both ends of the day are hit to the µs.

    Wherever windows are cut by days, a range that is read as closed, or in whole seconds, gets
    these rows wrong.
    """
    midnight = _micros(datetime(day.day.year, day.day.month, day.day.day, tzinfo=UTC))
    hours = rng.choice(24, n, p=_HOURS / _HOURS.sum())
    created = np.sort(midnight + hours * _HOUR + rng.integers(0, _HOUR, n))
    if n > 1:
        created[0], created[-1] = midnight, midnight + 24 * _HOUR - 1
    return created


def _scorecards(rng: np.random.Generator, block: Block, cards: _Cards) -> pa.Table:
    n = len(cards.created)
    submitted = rng.random(n) < 0.93
    kind = np.where(cards.appeal, len(_TYPES), rng.choice(len(_TYPES), n, p=_TYPE_SHARES))
    tenant = f"{block.customer}/{block.profile}"
    return pa.table(
        {
            "scorecard_id": _uuid_column(cards.ids),
            "customer_id": _constant(block.customer, n),
            "profile_id": _constant(block.profile, n),
            "scorecard_type": _pick((*_TYPES, story.APPEAL), kind),
            "template_id": _uuid_column(_pool(tenant + "/templates", _TEMPLATES)[cards.template]),
            "agent_id": _uuid_column(
                _pool(tenant + "/agents", _AGENTS)[rng.integers(0, _AGENTS, n)]
            ),
            "conversation_id": _uuid_column(_uuids(rng, n)),
            "score": pa.array(np.round(100 * rng.beta(7, 2, n), 4), mask=~submitted),
            "max_score": pa.array(_MAX_SCORES, pa.decimal128(10, 2)).take(
                pa.array(cards.template % len(_MAX_SCORES))
            ),
            "submitted": pa.array(submitted),
            "comment": _sparse(_COMMENTS, rng.integers(0, len(_COMMENTS), n), rng.random(n) < 0.1),
            "created_at": _instants(cards.created),
            "updated_at": _instants(_updated(rng, cards.created)),
        }
    )


def _scores(rng: np.random.Generator, day: Day, cards: _Cards) -> pa.Table:
    card = np.repeat(np.arange(len(cards.created)), _score_counts(rng, day, cards))
    n = len(card)
    criterion = (cards.template[card] * 5 + rng.integers(0, 16, n)) % _CRITERIA
    kind = criterion % len(_KINDS)
    skipped = rng.random(n) < 0.06
    measured = ~skipped & (kind != _KINDS.index("text"))
    created = _score_created(rng, day.block, cards.created[card])
    return pa.table(
        {
            "score_id": _uuid_column(_uuids(rng, n)),
            "scorecard_id": _uuid_column(cards.ids[card]),
            "criterion_id": _pick([f"criterion_{i:02d}" for i in range(_CRITERIA)], criterion),
            "kind": _pick(_KINDS, kind),
            "outcome": _sparse(_OUTCOMES, rng.choice(3, n, p=(0.78, 0.15, 0.07)), measured),
            "numeric_value": pa.array(np.round(rng.beta(6, 2, n) * 10, 3), mask=~measured),
            "weight": pa.array(np.array(_WEIGHTS)[criterion % len(_WEIGHTS)]),
            "not_applicable": pa.array(skipped),
            "ai_scored": pa.array(cards.ai[card]),
            "created_at": _instants(created),
            "updated_at": _instants(_updated(rng, created)),
        }
    )


def _score_counts(rng: np.random.Generator, day: Day, cards: _Cards) -> Ints:
    """Scores per scorecard: from none to about a score and a half of them, exact in total."""
    weights = rng.uniform(0.35, 1.65, len(cards.created))
    weights[rng.random(len(weights)) < 0.01] = 0.01
    counts = np.zeros(len(weights), np.int64)
    for rows, total in (
        (cards.appeal, day.rows.appeal_scores),
        (~cards.appeal, day.rows.kept_scores),
    ):
        counts[rows] = story.apportion(total, weights[rows].tolist())
    return counts


def _score_created(rng: np.random.Generator, block: Block, card_created: Ints) -> Ints:
    """With the scorecard or shortly after it, also past midnight, but never out of the span."""
    n = len(card_created)
    later = (rng.exponential(90, n) * _SECOND).astype(np.int64)
    created = card_created + np.where(rng.random(n) < 0.4, 0, later)
    return np.minimum(created, _micros(block.span.end) - 1)


def _updated(rng: np.random.Generator, created: Ints) -> Ints:
    """Mostly at once, some within days: never before the row was made."""
    n = len(created)
    minutes = (rng.exponential(20, n) * 60 * _SECOND).astype(np.int64)
    edited = np.where(rng.random(n) < 0.05, rng.integers(0, 5 * 24 * _HOUR, n), 0)
    return created + np.where(rng.random(n) < 0.5, 0, minutes) + edited


def _uuids(rng: np.random.Generator, n: int) -> npt.NDArray[np.uint8]:
    """n random version-4 UUIDs, a row of 16 bytes each."""
    ids = np.frombuffer(rng.bytes(16 * n), np.uint8).reshape(n, 16).copy()
    ids[:, 6] = (ids[:, 6] & 0x0F) | 0x40
    ids[:, 8] = (ids[:, 8] & 0x3F) | 0x80
    return ids


def _pool(name: str, n: int) -> npt.NDArray[np.uint8]:
    """n UUIDs that belong to this name, whatever the seed, day or scale."""
    return _uuids(np.random.default_rng(list(name.encode())), n)


def _uuid_column(ids: npt.NDArray[np.uint8]) -> pa.Array:
    data = pa.py_buffer(np.ascontiguousarray(ids))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(ids), [None, data])


def _constant(value: str, n: int) -> pa.Array:
    return pa.array([value]).take(pa.array(np.zeros(n, np.int64)))


def _pick(values: tuple[str, ...] | list[str], index: Ints) -> pa.Array:
    return pa.array(list(values), pa.string()).take(pa.array(index))


def _sparse(values: tuple[str | None, ...], index: Ints, present: Flags) -> pa.Array:
    """As `_pick`, with NULL where not present."""
    return pa.array(list(values), pa.string()).take(pa.array(index, mask=~present))


def _instants(micros: Ints) -> pa.Array:
    return pa.array(micros, pa.timestamp("us", "UTC"))


def _micros(instant: datetime) -> int:
    return int(instant.timestamp()) * _SECOND
