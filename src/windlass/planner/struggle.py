"""Whether a window struggles, held against its own prediction: pure.

Long is not struggling: a window that holds the rate that history predicts, or without history its
own, is left alone however many hours it takes.
"""

from dataclasses import dataclass
from math import ceil

from windlass.domain.plan import Expected
from windlass.domain.states import Health

BY_ITSELF = "windlass"
"""Who does what no person asked for."""
SILENT = 45.0
"""Seconds without a sign of life, three times what Temporal waits for."""
EARLY = 30.0
"""Seconds of an attempt in which its rate says nothing yet."""
ATTEMPTS = 4
"""Attempts from which on a window struggles: another snapshot or two are everyday."""
FEW = 1_000
"""Rows below which a rate says nothing."""
FALLEN = 4.0
"""How many times slower than it should be a window struggles; half of it is slow."""
SUSTAINED = 0.5
"""Share of the patience that a rate must be bad for: between two tables no rows move."""
UNPREDICTED = 2.5
"""The same where no history says how long it should take."""
PATIENCE = 120.0
"""Seconds between backing off and cutting, unless the fleet file says otherwise."""
SMALLER = 4
"""How many times smaller blocks become with each cure."""
CURES = 2
"""Times that blocks become smaller, spread over the patience, before a window is cut."""
AIM = 600.0
"""Seconds that a piece should take at the rate that was seen."""
MOST = 16
"""Pieces of one cut: they can be cut again."""
SMALLEST = 3600.0
"""Seconds of range below which nothing is cut by itself."""


@dataclass(frozen=True)
class Seen:
    """A window at one look: seconds since its attempt began (`age`) and since its last sign of
    life (`silent`), `recent` rows a second (None: too early). `held`: it is slowed down by us."""

    rows_planned: int
    rows: int
    age: float
    silent: float
    attempts: int
    recent: float | None
    expected: Expected | None = None
    held: bool = False


@dataclass(frozen=True)
class Finding:
    """What one look says, with the figures. It counts once it was so for `after` times the
    patience; `curable`: smaller windows may help."""

    health: Health = Health.HEALTHY
    reason: str = ""
    after: float = 0.0
    curable: bool = False


def judge(seen: Seen) -> Finding:
    """Silence, then attempts, then the rate."""
    if seen.silent >= SILENT and not seen.held:
        text = f"no sign of life for {seen.silent:.0f} s: no rows moved, no server lists its query"
        return Finding(Health.STRUGGLING, text)
    if seen.attempts >= ATTEMPTS:
        text = f"attempt {seen.attempts}: the ones before did not come to their end"
        return Finding(Health.STRUGGLING, text, curable=True)
    if seen.held or seen.recent is None or seen.age < EARLY or seen.rows_planned < FEW:
        return Finding()
    return _by_prediction(seen) if seen.expected else _by_itself(seen)


def _by_prediction(seen: Seen) -> Finding:
    """Slower than the slowest of the band that history predicts."""
    assert seen.expected is not None
    assert seen.recent is not None
    slowest = seen.rows_planned / max(seen.expected.high, 0.001)
    late = seen.age + _left(seen) / max(seen.recent, 0.001) > seen.expected.high
    if not late or seen.recent >= 2 * slowest / FALLEN:
        return Finding()
    text = (
        f"{seen.recent:,.0f} rows/s, where history predicts {slowest:,.0f} at least "
        f"({seen.rows:,} of {seen.rows_planned:,} rows)"
    )
    if seen.recent >= slowest / FALLEN:
        return Finding(Health.SLOW, text, SUSTAINED)
    return Finding(Health.STRUGGLING, text, SUSTAINED, curable=True)


def _by_itself(seen: Seen) -> Finding:
    """Much slower than it was on the whole, with enough left to matter."""
    assert seen.recent is not None
    mean = seen.rows / seen.age
    if seen.recent >= mean / FALLEN or _left(seen) < seen.rows_planned / 10:
        return Finding()
    text = (
        f"its rate fell to {seen.recent:,.0f} rows/s, from {mean:,.0f} on the whole "
        f"({seen.rows:,} of {seen.rows_planned:,} rows; no history to go by)"
    )
    return Finding(Health.STRUGGLING, text, UNPREDICTED, curable=True)


def _left(seen: Seen) -> int:
    return max(0, seen.rows_planned - seen.rows)


def piece_seconds(length: float, rows: int, rate: float) -> float:
    """How long a range the pieces of a window of that length (seconds) should have, so that each
    takes ten minutes at that rate: two pieces at least, sixteen at most, also where none move."""
    pieces = ceil(rows / (rate * AIM)) if rate > 0 else MOST
    return float(ceil(length / min(MOST, max(2, pieces))))


def cures(finding: Finding, waited: float, patience: float) -> int:
    """How often the blocks of a window that has struggled for `waited` seconds should have been
    made smaller by now; what cutting does not cure has smaller ones at once, for its next try."""
    due = int(waited * (CURES + 1) / patience) if patience > 0 else CURES
    return min(CURES, max(due, 0 if finding.curable else 1))
