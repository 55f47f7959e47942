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
    """(fixed part, slope) of the straight line that fits best, each point counting by how far off
    the line is in proportion to it. ValueError: fewer than two places, or a y of zero."""
    if len({x for x, _ in points}) < 2 or not all(y for _, y in points):
        raise ValueError("a line needs points at two places, none of them at zero")
    weights = [1 / y**2 for _, y in points]
    whole = sum(weights)
    mean_x, mean_y = (
        sum(w * p[i] for w, p in zip(weights, points, strict=True)) / whole for i in (0, 1)
    )
    along = [(w, x - mean_x, y - mean_y) for w, (x, y) in zip(weights, points, strict=True)]
    slope = sum(w * x * y for w, x, y in along) / sum(w * x * x for w, x, _ in along)
    return mean_y - slope * mean_x, slope


def bend(points: Sequence[tuple[float, float]]) -> float:
    """How far the worst point is off the line that fits best, as a share of the point: 0 is a
    straight line; a square over a range of 1 to 20 has 0.9."""
    fixed, slope = line(points)
    return max(abs(fixed + slope * x - y) / y for x, y in points)
