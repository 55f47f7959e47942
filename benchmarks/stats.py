"""Medians, spreads and ratios. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Spread:
    """The median of some figures, the least and the greatest of them."""

    median: float
    least: float
    most: float
    count: int

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """ValueError where there are none."""
        if not figures:
            raise ValueError("nothing was measured")
        return cls(median(figures), min(figures), max(figures), len(figures))


def ratios(ours: Mapping[int, float], theirs: Mapping[int, float]) -> list[float]:
    """Ours over theirs, round by round; rounds that one of the two lacks are left out."""
    return [ours[n] / theirs[n] for n in sorted(ours) if theirs.get(n)]


def fastest(*contestants: Mapping[int, float]) -> dict[int, float]:
    """Of several, the best of each round."""
    rounds = {n for one in contestants for n in one}
    return {n: max(one[n] for one in contestants if n in one) for n in sorted(rounds)}


def line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(fixed part, slope) of the straight line that fits best. ValueError: fewer than two x."""
    count = len(points)
    mean_x, mean_y = (sum(p[i] for p in points) / max(count, 1) for i in (0, 1))
    width = sum((x - mean_x) ** 2 for x, _ in points)
    if not width:
        raise ValueError("a line needs points at two places")
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / width
    return mean_y - slope * mean_x, slope


def linearity(points: Sequence[tuple[float, float]]) -> float:
    """How much the cost of one more unit grows over the whole: the slope of the last stretch
    over that of the first. 1 is a straight line, 2 says that the end costs twice as much."""
    ordered = sorted(points)
    first, last = _slope(*ordered[:2]), _slope(*ordered[-2:])
    return last / first if first > 0 else float("inf")


def _slope(a: tuple[float, float], b: tuple[float, float]) -> float:
    return (b[1] - a[1]) / (b[0] - a[0])
