"""Numbers, times and names as a work log writes them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from windlass.domain import words
from windlass.domain.window import Interval

NOTHING = "—"
MEDIUM, HIGH = 100_000, 1_000_000
"""Rows a day, all tables, from which a volume is called medium or high."""


def number(value: float | None) -> str:
    """`298,791`; a dash for None."""
    return NOTHING if value is None else f"{round(value):,}"


def signed(value: int) -> str:
    """`+12`, `-31,503`, `0`."""
    return f"{value:+,}" if value else "0"


def day(instant: datetime) -> str:
    """`2026-02-19`, in UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d")


def moment(instant: datetime | None) -> str:
    """`2026-02-19 21:23:05 UTC`; a dash for None."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if instant else NOTHING


def clock(instant: datetime | None) -> str:
    """`21:23`, in UTC."""
    return f"{instant.astimezone(UTC):%H:%M}" if instant else NOTHING


def edge(instant: datetime) -> str:
    """`2026-01-01`, with the time where it is not midnight UTC."""
    utc = instant.astimezone(UTC).replace(tzinfo=None)
    whole = utc == utc.replace(hour=0, minute=0, second=0, microsecond=0)
    return utc.strftime("%Y-%m-%d") if whole else utc.isoformat(" ", "auto")


def typed(instant: datetime) -> str:
    """`2026-01-01` or `2026-01-01T06:00:00Z`: as a command line takes it."""
    text = edge(instant)
    return f"{text.replace(' ', 'T')}Z" if " " in text else text


def half_open(interval: Interval) -> str:
    """`[2026-01-01, 2026-02-20) UTC`."""
    return f"[{edge(interval.start)}, {edge(interval.end)}) UTC"


def inclusive(interval: Interval) -> str:
    """`Jan 01–10` and the like where both ends are days; else the half-open range."""
    start, end = interval.start.astimezone(UTC), interval.end.astimezone(UTC)
    if any(
        (one.hour, one.minute, one.second, one.microsecond) != (0, 0, 0, 0) for one in (start, end)
    ):
        return half_open(interval)
    last = end - timedelta(days=1)
    if last.date() == start.date():
        return f"{start:%b %d}"
    return (
        f"{start:%b %d}–{last:%d}" if last.month == start.month else f"{start:%b %d}–{last:%b %d}"
    )


def duration(seconds: float | None) -> str:
    """`0.4 s`, `45 s`, `27 min`, `2 h 05 min`, `3 d 04 h`; a dash for None."""
    if seconds is None:
        return NOTHING
    return f"{seconds:.1f} s" if seconds < 10 else words.duration(seconds)


def plural(count: int, word: str) -> str:
    """`1 window`, `3 windows`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def listed(names: Iterable[str], most: int = 12) -> str:
    """`a, b and c`; of very many the first ones and how many more."""
    all_names = list(names)
    shown, more = all_names[:most], len(all_names) - most
    if more > 0:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def volume_class(rows_a_day: float) -> str:
    """low, medium or high."""
    return "high" if rows_a_day >= HIGH else "medium" if rows_a_day >= MEDIUM else "low"


def pairs(counts: Mapping[str, int]) -> str:
    """`appeal_requests 31,503, other 5`."""
    return ", ".join(f"{name} {rows:,}" for name, rows in counts.items() if rows)
