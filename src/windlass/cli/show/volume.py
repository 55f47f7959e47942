"""Volume: rows a day over all tables of the dataset, never one table's."""

from datetime import timedelta

from windlass.domain.window import Interval

MEDIUM = 100_000
HIGH = 1_000_000
"""Rows a day. In the work logs customers from about 1 M rows a day needed 5-day windows, and
those with some 100 thousand still outlived a heartbeat over a whole range."""


def per_day(rows: int, interval: Interval) -> float:
    """Rows a day of that range; a range under a day counts as its part of one."""
    return rows / (interval.duration / timedelta(days=1))


def volume_class(daily: float) -> str:
    """low, medium or high."""
    return "high" if daily >= HIGH else "medium" if daily >= MEDIUM else "low"
