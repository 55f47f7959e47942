"""How long windows should take, out of how long windows took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles

from windlass.domain.plan import Expected

Past = Sequence[tuple[int, float]]
"""Windows that were loaded: rows and seconds of each."""

RECENT = 50
"""Windows of one tenant that a pace is taken from."""
FEW = 5
"""Below so many windows, their own spread says little: the band is at least DOUBT wide."""
DOUBT = 2.0


@dataclass(frozen=True)
class Pace:
    """Seconds that a window takes, apart from its rows and for each of them; `low` and `high` are
    the factors between which four of five windows ended. `basis` says what that was taken from."""

    base: float
    per_row: float
    low: float
    high: float
    basis: str

    def expect(self, rows: int) -> Expected:
        """What a window of so many rows should take."""
        seconds = self.base + self.per_row * rows
        return Expected(seconds, seconds * self.low, seconds * self.high)


def pace_for(database: str, cluster: str, past: Mapping[str, Past]) -> Pace | None:
    """This tenant's pace, else the cluster's, out of `{database: windows, the latest first}`;
    None without history."""
    own = _usable(past.get(database, ()))[:RECENT]
    if own:
        return pace_of(own, "of this tenant")
    return pace_of(_usable([one for windows in past.values() for one in windows]), f"on {cluster}")


def pace_of(past: Past, whose: str) -> Pace | None:
    """A pace through these windows; None where there are none."""
    if not past:
        return None
    base, per_row = _line(past)
    low, high = _band([seconds / (base + per_row * rows) for rows, seconds in past])
    rate = sum(rows for rows, _ in past) / sum(seconds for _, seconds in past)
    plural = "" if len(past) == 1 else "s"
    basis = f"{len(past)} window{plural} {whose}, {rate:,.0f} rows/s"
    return Pace(base, per_row, low, high, basis)


def _usable(past: Past) -> Past:
    return [(rows, seconds) for rows, seconds in past if rows > 0 and seconds > 0]


def _line(past: Past) -> tuple[float, float]:
    """Least squares of seconds over rows, where that makes sense; else rows alone count."""
    rows, seconds = fmean(r for r, _ in past), fmean(s for _, s in past)
    spread = sum((r - rows) ** 2 for r, _ in past)
    slope = sum((r - rows) * (s - seconds) for r, s in past) / spread if spread else 0.0
    base = seconds - slope * rows
    return (base, slope) if slope > 0 and base >= 0 else (0.0, seconds / rows)


def _band(ratios: Sequence[float]) -> tuple[float, float]:
    if len(ratios) < FEW:
        return min(1 / DOUBT, *ratios), max(DOUBT, *ratios)
    tenths = quantiles(ratios, n=10, method="inclusive")
    return min(1.0, tenths[0]), max(1.0, tenths[-1])
