"""The line to go to bed by: when it should be over, what is handled alone, what needs a person."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from windlass.cli.show.common import duration, plural
from windlass.cli.show.needs import needs
from windlass.domain.record import StatusView
from windlass.domain.states import Health, State

BY_HAND = "an operator's limit"
"""How that begins which no recovery lifts."""
CANARIES = "waiting for canar"
"""How that begins which ends with the verdict of canary tenants."""
STILL = frozenset({State.PAUSED, State.PAUSING})


@dataclass(frozen=True)
class Outlook:
    """`band` are seconds from now between which it should be over (None: nothing tells), `why`
    what that goes by; `alone` and `person` are phrases, the latter with how many there are."""

    band: tuple[float, float] | None
    why: str
    alone: tuple[str, ...]
    person: tuple[str, ...]


def outlook(view: StatusView, now: datetime) -> Outlook:
    """What to expect while nobody looks; `view` carries windows."""
    waiting = Counter(one.state for one in needs(view))
    person = tuple(f"{count} {state}" for state, count in waiting.items())
    band, why = (None, "nothing is at work") if view.state.final else _band(view, now)
    return Outlook(band, why, () if view.state.final else tuple(_alone(view)), person)


def _band(view: StatusView, now: datetime) -> tuple[tuple[float, float] | None, str]:
    """What is left, at the rate of now and at that of all the time that was worked."""
    if view.state in STILL:
        return None, f"it is {view.state}"
    if view.eta_seconds is None or view.started_at is None:
        return None, "no row has come yet to go by"
    took = (now - view.started_at).total_seconds()
    overall = view.rows_loaded / took if took > 0 else 0.0
    left = view.eta_seconds * (view.rows_per_second or overall)
    rates = [rate for rate in (view.rows_per_second, _worked(view, now) or overall) if rate > 0]
    if not rates:
        return None, "no row has come yet to go by"
    told = {f"{rate:,.0f}": None for rate in sorted(rates)}
    why = f"at {' to '.join(told)} rows/s, as now and on the whole"
    return (left / max(rates), left / min(rates)), why


def _worked(view: StatusView, now: datetime) -> float:
    """Rows a second while any window was at work: a night in which it was parked or paused says
    nothing. Of windows that were begun once: of others nobody knows when they stood still."""
    once = [w for t in view.tenants for w in t.windows if w.attempts == 1 and not w.replaced]
    spans = sorted(
        (w.started_at, w.loaded_at or now)
        for w in once
        if w.started_at and (w.loaded_at or w.state is State.RUNNING)
    )
    seconds, until = 0.0, None
    for start, end in spans:
        begin = max(start, until) if until else start
        seconds += max(0.0, (end - begin).total_seconds())
        until = max(end, until) if until else end
    return sum(w.rows for w in once) / seconds if seconds > 0 else 0.0


def _alone(view: StatusView) -> Iterator[str]:
    live = [w for t in view.tenants for w in t.windows if not w.replaced]
    left = sum(not w.state.final for w in live)
    if left and view.state not in STILL:
        yield f"{plural(left, 'window')} to go, with further tries where one fails"
    struggling = sum(t.health is Health.STRUGGLING for t in view.tenants if not t.state.final)
    if struggling:
        what = "are" if struggling > 1 else "is"
        yield f"{plural(struggling, 'tenant')} struggling {what} given room, then cut smaller"
    later = [c.name for c in view.clusters if c.limited_by.startswith(CANARIES)]
    if later:
        yield f"{', '.join(later)} to begin once the canaries are verified"
    ours = (BY_HAND, CANARIES)
    held = [c for c in view.clusters if c.limited_by and not c.limited_by.startswith(ours)]
    if held:
        names = ", ".join(one.name for one in held)
        yield f"{names} held back until the servers are well again"


def outlook_text(view: StatusView, now: datetime) -> str:
    """One line, with the command where a person is needed."""
    found = outlook(view, now)
    parts = [_when(found, now)] if not view.state.final else []
    if found.alone:
        parts.append(f"alone: {', '.join(found.alone)}")
    command = f" (windlass status {view.campaign} --needs-me)"
    parts.append(f"needs you: {', '.join(found.person)}{command}" if found.person else NOBODY)
    return "; ".join(parts)


NOBODY = "nothing needs you"


def _when(found: Outlook, now: datetime) -> str:
    if found.band is None:
        return f"end unknown: {found.why}"
    low, high = found.band
    first, last = (_clock(now, now + timedelta(seconds=seconds)) for seconds in found.band)
    if duration(low) == duration(high):
        return f"over in {duration(low)}, at {last} UTC ({found.why})"
    span = f"{duration(low)} to {duration(high)}"
    return f"over in {span}, {first} to {last} UTC ({found.why})"


def _clock(now: datetime, at: datetime) -> str:
    """`21:40`, with the date where that is another day."""
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"


def outlook_json(view: StatusView, now: datetime) -> dict[str, Any]:
    """The keys beside those of `status`."""
    found = outlook(view, now)
    band = None if found.band is None else [round(seconds, 1) for seconds in found.band]
    return {
        "eta_band_seconds": band,
        "eta_basis": found.why,
        "handled_alone": list(found.alone),
        "needs_person": list(found.person),
    }
