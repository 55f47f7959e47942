"""Operators' words turned into values, each with one clear message when it makes no sense."""

import re
from datetime import UTC, date, datetime, timedelta

from windlass.domain.errors import UsageError
from windlass.domain.tenant import TenantPattern
from windlass.domain.window import Interval

SPAN = re.compile(r"(?P<count>[1-9]\d{0,5})(?P<unit>[dhm])")
UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


def instant(text: str, what: str) -> datetime:
    """A date (midnight UTC) or RFC 3339; UTC unless an offset is given."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{what} {text!r} is not a date",
            why=str(error),
            next_step="write 2026-01-31 or 2026-01-31T06:00:00+00:00",
        ) from None


def interval(start_text: str, end_text: str, now: datetime) -> Interval:
    """`[START, END)`; START in the future is refused, an END before START too."""
    start, end = instant(start_text, "START"), instant(end_text, "END")
    if start > now:
        raise UsageError(
            f"START {start_text} lies in the future",
            why=f"it is {now:%Y-%m-%d %H:%M} UTC now",
            next_step="give a START that has passed",
        )
    if end == start:
        raise UsageError(
            f"the range {start_text} .. {end_text} is empty",
            why="END is exclusive",
            next_step=f"for that one day, write END {start + timedelta(days=1):%Y-%m-%d}",
        )
    if end < start:
        raise UsageError(
            f"END {end_text} comes before START {start_text}",
            next_step=f"swap them: {end_text} {start_text}",
        )
    return Interval(start, end)


def span(text: str) -> timedelta:
    """`10d`, `1d`, `6h`, `30m` as a length of time."""
    found = SPAN.fullmatch(text)
    if not found:
        raise UsageError(
            f"--window {text!r} makes no sense",
            next_step="write auto, none, or a length such as 10d, 1d or 6h",
        )
    return int(found["count"]) * UNITS[found["unit"]]


def span_text(length: timedelta) -> str:
    """`10d`, `6h`, `30m`: a length of time in its largest whole unit."""
    for unit, size in UNITS.items():
        if length >= size and not length % size:
            return f"{length // size}{unit}"
    return f"{length // UNITS['m']}m"


def window_spec(text: str, parts: int, whole: Interval) -> str:
    """Check `--window` and `--parts` against each other and the range; returns the text."""
    if parts < 0 or parts > 10_000:
        raise UsageError(
            f"--parts {parts} makes no sense", next_step="give a number from 1 to 10000"
        )
    if text in {"auto", "none"}:
        return text
    pieces = whole.duration / span(text)
    if pieces > 100_000:
        raise UsageError(
            f"--window {text} cuts the range into {pieces:,.0f} windows",
            why="at most 100,000 windows a tenant",
            next_step="choose a longer window, or auto",
        )
    return text


def patterns(text: str) -> tuple[TenantPattern, ...]:
    """A comma list of tenant patterns; `all` means every one."""
    try:
        return tuple(TenantPattern.parse(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            str(error), next_step="separate tenants with commas: acme,globex/voice,umbrella-*"
        ) from None
