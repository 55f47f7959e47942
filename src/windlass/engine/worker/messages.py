"""What a person reads: what happened, where, why, and what to type next. Pure."""

import shlex
from collections.abc import Sequence
from datetime import datetime

from windlass.domain.notices import URGENT, Happening, Message, Occasion
from windlass.domain.states import State
from windlass.domain.words import duration

SHOWN = 5
"""Happenings of one message that are told one by one."""

ALONE = {
    Occasion.STRUGGLING: "Windlass gives it room, makes its blocks smaller, then cuts it smaller: "
    "nothing to do for now",
    Occasion.THROTTLED: "Windlass goes on slowly, and faster once the servers are well: nothing to "
    "do, unless the cause is yours",
}
"""What is handled without a person."""


def message(happened: Sequence[Happening], now: datetime) -> Message:
    """Happenings of one campaign and one occasion, the oldest first, in one message."""
    first = happened[0]
    lines = [_line(one) for one in happened[:SHOWN]]
    if len(happened) > SHOWN:
        lines.append(f"and {len(happened) - SHOWN} more")
    if first.occasion in ALONE:
        lines.append(ALONE[first.occasion])
    lines.append(f"next: {_next(happened)}")
    title = f"{first.campaign}: {_title(happened, now)}"
    return Message(title, "\n".join(lines), first.occasion in URGENT)


def _title(happened: Sequence[Happening], now: datetime) -> str:
    first, count = happened[0], len(happened)
    long = duration((now - first.at).total_seconds())
    return {
        Occasion.DONE: first.text if _well(first) else f"ended {first.text}",
        Occasion.PARKED: f"{_many(count, 'publish group')} parked, waiting for you",
        Occasion.MISMATCH: f"{_many(count, 'window')} not proven equal to the source",
        Occasion.STOPPED: "paused itself, since most of it fails",
        Occasion.STRUGGLING: f"{_many(count, 'window')} struggling",
        Occasion.THROTTLED: f"held back for {long}",
    }[first.occasion]


def _line(one: Happening) -> str:
    """Where, and why: the first line of what is on record."""
    where = one.subject or one.tenant or one.cluster
    if one.subject and one.cluster:
        where = f"{one.cluster}: {one.subject}"
    why = one.text.partition("\n")[0]
    return f"{where}: {why}" if where else f"at {one.at:%Y-%m-%d %H:%M} UTC: {why}"


def _next(happened: Sequence[Happening]) -> str:
    first = happened[0]
    name, tenants = first.campaign, {one.tenant for one in happened}
    if first.occasion is Occasion.PARKED and len(tenants) == 1 and first.tenant:
        who = shlex.quote(first.tenant)
        return f"windlass retry {name} --tenant {who}, once the cause is gone"
    if first.occasion is Occasion.STRUGGLING:
        return f"windlass why {first.subject}"
    if first.occasion is Occasion.THROTTLED:
        return f"windlass status {name}"
    if first.occasion is Occasion.STOPPED:
        return f"windlass status {name} --needs-me, then windlass retry and windlass resume {name}"
    report = first.occasion is Occasion.DONE and _well(first)
    return f"windlass report {name}" if report else f"windlass status {name} --needs-me"


def _well(one: Happening) -> bool:
    return one.text.startswith(str(State.DONE))


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
