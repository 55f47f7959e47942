"""Who is in the demo and how many rows each one has. Pure: no I/O, no heavy imports.

The figures of `mutualofomaha`/`voice` are those of the work log that the demo replays. The rest
is scenery that must come out of the demo untouched.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from windlass.domain.tenant import database_name
from windlass.domain.window import Interval

SEED = 20260219
CLUSTER = "voice-prod"
CUSTOMERS = ("mutualofomaha", "mutualofomaha-sandbox")
DATABASE_TEMPLATE = "{customer}_{profile}"
TABLES = ("scorecard", "score", "scorecard_score")
APPEAL = "appeal_request"

RANGE = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 20, tzinfo=UTC))
BEFORE = Interval(datetime(2025, 12, 30, tzinfo=UTC), RANGE.start)
AFTER = Interval(RANGE.end, datetime(2026, 2, 23, tzinfo=UTC))

# Monday to Sunday; contact centres are half closed at weekends.
_WEEKDAYS = (1.0, 1.06, 1.08, 1.04, 0.92, 0.34, 0.22)
HOLIDAYS = {date(2026, 1, 1): 0.2, date(2026, 1, 19): 0.55, date(2026, 2, 16): 0.7}
_GROWTH_PER_DAY = 0.003


@dataclass(frozen=True)
class Expected:
    """Rows of `mutualofomaha`/`voice` inside the range, appeals included in the totals."""

    scorecards: int
    appeals: int
    scores: int
    appeal_scores: int

    @property
    def kept_scorecards(self) -> int:
        """Scorecards that the exclusion leaves."""
        return self.scorecards - self.appeals

    @property
    def kept_scores(self) -> int:
        """Scores whose scorecard the exclusion leaves."""
        return self.scores - self.appeal_scores


@dataclass(frozen=True)
class Block:
    """One tenant's rows in one span of days: the unit in which the story is written down."""

    customer: str
    profile: str
    span: Interval
    rows: Expected

    @property
    def database(self) -> str:
        """The tenant's ClickHouse database."""
        return database_name(DATABASE_TEMPLATE, self.customer, self.profile)


@dataclass(frozen=True)
class Day:
    """What one UTC day of one tenant holds; scores count on the day of their scorecard."""

    block: Block
    day: date
    rows: Expected


LOGGED = Expected(scorecards=330_294, appeals=31_503, scores=2_881_300, appeal_scores=272_186)

BLOCKS = (
    Block("mutualofomaha", "voice", BEFORE, Expected(13_402, 1_279, 116_907, 11_046)),
    Block("mutualofomaha", "voice", RANGE, LOGGED),
    Block("mutualofomaha", "voice", AFTER, Expected(11_018, 1_043, 96_127, 9_012)),
    Block("mutualofomaha", "medsupp", BEFORE, Expected(420, 31, 3_610, 268)),
    Block("mutualofomaha", "medsupp", AFTER, Expected(160, 12, 1_377, 104)),
    Block("mutualofomaha-sandbox", "sandbox", BEFORE, Expected(48, 3, 402, 25)),
    Block("mutualofomaha-sandbox", "sandbox", AFTER, Expected(24, 2, 199, 17)),
    Block("acme", "voice", BEFORE, Expected(310, 24, 2_655, 207)),
    Block("acme", "voice", RANGE, Expected(7_412, 588, 63_870, 5_069)),
    Block("acme", "voice", AFTER, Expected(402, 33, 3_466, 284)),
    Block("globex", "voice", RANGE, Expected(4_105, 0, 35_288, 0)),
    Block("globex", "chat", RANGE, Expected(1_876, 140, 16_020, 1_195)),
    Block("globex", "chat", AFTER, Expected(90, 6, 774, 52)),
)


def expected(scale: float) -> Expected:
    """The counts of `mutualofomaha`/`voice` in the range at this scale; at 1 those of the log.

    Raises ValueError when the scale is not above zero.
    """
    return _scaled(LOGGED, scale, least=0)


def blocks(scale: float) -> Iterator[Block]:
    """All blocks at this scale. The scenery keeps a row per block however small the scale is."""
    for block in BLOCKS:
        least = 0 if block.rows is LOGGED else 1
        yield Block(block.customer, block.profile, block.span, _scaled(block.rows, scale, least))


def total_rows(scale: float) -> int:
    """Rows of the whole demo, scenery included: what progress counts up to."""
    return sum(block.rows.scorecards + block.rows.scores for block in blocks(scale))


def days(block: Block) -> list[Day]:
    """The block cut into UTC days: a weekly rhythm, holidays, slight growth; sums stay exact."""
    dates = _dates(block.span)
    weights = [_day_weight(day) for day in dates]
    rows = block.rows
    kept = apportion(rows.kept_scorecards, weights)
    appeals = apportion(rows.appeals, weights)
    kept_scores = apportion(rows.kept_scores, kept)
    appeal_scores = apportion(rows.appeal_scores, appeals)
    return [
        Day(block, day, Expected(k + a, a, ks + as_, as_))
        for day, k, a, ks, as_ in zip(dates, kept, appeals, kept_scores, appeal_scores, strict=True)
    ]


def databases() -> dict[str, tuple[str, str]]:
    """Each demo database with its customer and profile, in the order of the story."""
    return {block.database: (block.customer, block.profile) for block in BLOCKS}


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """`total` whole things shared by weight, by largest remainder; a tie goes to the earlier.

    A weight of zero gets nothing. With all weights zero, `total` has to be zero too.
    """
    if not total:
        return [0] * len(weights)
    whole = sum(weights)
    if whole <= 0:
        raise ValueError(f"nobody to give {total} to")
    exact = [total * weight / whole for weight in weights]
    shares = [int(share) for share in exact]
    takers = sorted(
        (i for i, weight in enumerate(weights) if weight > 0),
        key=lambda i: (shares[i] - exact[i], i),
    )
    for i in takers[: total - sum(shares)]:
        shares[i] += 1
    return shares


def _scaled(rows: Expected, scale: float, least: int) -> Expected:
    """The counts times scale, where no score is left without a scorecard to belong to."""
    if not scale > 0:
        raise ValueError(f"the scale must be above 0, not {scale}")
    scorecards = max(least, _round(rows.scorecards * scale))
    appeals = min(scorecards, _round(rows.appeals * scale))
    appeal_scores = _round(rows.appeal_scores * scale) if appeals else 0
    kept = _round(rows.scores * scale) - _round(rows.appeal_scores * scale)
    kept_scores = max(0, kept) if scorecards > appeals else 0
    return Expected(scorecards, appeals, kept_scores + appeal_scores, appeal_scores)


def _round(value: float) -> int:
    """Half up: Python's own rounding goes to even, which surprises who checks by hand."""
    return int(value + 0.5)


def _dates(span: Interval) -> list[date]:
    return [(span.start + timedelta(days=n)).date() for n in range(span.duration.days)]


def _day_weight(day: date) -> float:
    growth = 1 + _GROWTH_PER_DAY * (day - RANGE.start.date()).days
    return _WEEKDAYS[day.weekday()] * HOLIDAYS.get(day, 1.0) * growth
