"""One window's story in a paragraph, out of the record alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from windlass.cli.show.common import count, duration, half_open, plural
from windlass.domain.plan import Request
from windlass.domain.record import Action, Event, Note, TenantView, WindowView
from windlass.domain.states import State, Verdict
from windlass.planner.struggle import BY_ITSELF

SLOWER = 1.5
"""From this many times the expected time on a window is called slow."""
TOLD = 4
"""Events and orders that the paragraph tells, the latest ones."""


@dataclass(frozen=True)
class Story:
    """What is known about a window. `expected` is (rows a second, basis) from history."""

    window: WindowView
    tenant: TenantView
    request: Request
    events: tuple[Event, ...]
    actions: tuple[Action, ...]
    notes: tuple[Note, ...]
    expected: tuple[float, str] | None

    @property
    def lineage(self) -> list[WindowView]:
        """The windows that it was cut from, the nearest first."""
        return lineage(self.window, self.tenant)

    @property
    def cures(self) -> list[Action]:
        """What Windlass did by itself for it, or for a window that it was cut from."""
        return [a for a in self.actions if a.who == BY_ITSELF and a.scope.window]

    @property
    def rate(self) -> float | None:
        """Its own rows a second; None before it has any."""
        one = self.window
        return one.rows / one.seconds if one.rows and one.seconds else None


def lineage(window: WindowView, tenant: TenantView) -> list[WindowView]:
    """The windows that it was cut from, the nearest first; `tenant` carries its windows."""
    known, found = {w.id: w for w in tenant.windows}, []
    parent = known.get(window.parent)
    while parent is not None and parent not in found:
        found.append(parent)
        parent = known.get(parent.parent)
    return found


def paragraph(story: Story, now: datetime) -> str:
    """Size, cuts, pace, evidence, and what to type next."""
    said = [
        _size(story),
        _cuts(story),
        _tried([a for a in story.cures if not _own(story, a)], "Before it was cut, Windlass"),
        _pace(story),
        _tried([a for a in story.cures if _own(story, a)], "Windlass"),
        *_evidence(story),
        *_notes(story),
        _next(story),
    ]
    return " ".join(one for one in said if one)


def _size(story: Story) -> str:
    one, request = story.window, story.request
    live = [w for w in story.tenant.windows if not w.replaced]
    total = sum(w.rows_planned for w in live)
    share = f", {one.rows_planned / total:.0%} of the tenant's" if total and len(live) > 1 else ""
    if request.parts:
        how = f"the range was cut into {plural(request.parts, 'part')}"
    elif request.window == "auto":
        how = "windows were cut to hold equal volume, along partitions"
    elif request.window == "none":
        how = "the range was not cut"
    else:
        how = f"windows of {request.window} were asked for"
    return (
        f"{one.id} covers {half_open(one.interval)}, "
        f"{duration(one.interval.duration.total_seconds())} with {count(one.rows_planned)} rows "
        f"planned{share}: {how}."
    )


def _cuts(story: Story) -> str:
    if not story.lineage:
        cut = story.window.replaced
        return f"It was cut into smaller ones: {story.window.note}." if cut else "It is uncut."
    told = [f"{one.id} ({one.note or 'no reason given'})" for one in story.lineage]
    return "It was cut from " + ", itself from ".join(told) + "."


def _pace(story: Story) -> str:
    one = story.window
    if one.started_at is None:
        return f"It is {str(one.state).replace('_', ' ')} and has not begun."
    rate = story.rate
    seen = f"{rate:,.0f} rows/s" if rate else "no rows yet"
    head = (
        f"It is {one.state}: {count(one.rows)} rows in {duration(one.seconds)}, {seen}, "
        f"{plural(one.attempts, 'attempt')}"
    )
    return f"{head}; {_compared(story, rate)}."


def _compared(story: Story, rate: float | None) -> str:
    if story.expected is None:
        return "no history to hold that against"
    expected, basis = story.expected
    if not rate:
        return f"expected {expected:,.0f} rows/s ({basis})"
    slower = expected / rate
    if slower >= SLOWER:
        return f"{slower:.1f} times slower than expected: {expected:,.0f} rows/s ({basis})"
    return f"as expected: {expected:,.0f} rows/s ({basis})"


def _own(story: Story, action: Action) -> bool:
    return action.scope.window == story.window.id


def _tried(cures: Sequence[Action], who: str) -> str:
    """The cures in their order, and the figure behind the last one."""
    if not cures:
        return ""
    steps = ", then ".join(f"{_cure(one)} ({one.at:%H:%M})" for one in cures)
    return f"{who} tried by itself: {steps}; what it saw last: {_first(cures[-1].why)}."


def _cure(one: Action) -> str:
    return f"{one.after} in place of {one.before}" if one.verb != "back off" else one.after


def _evidence(story: Story) -> Iterator[str]:
    """What happened, oldest first; the latest few."""
    told = [(e.at, f"{e.kind}: {_first(e.text)}") for e in story.events]
    for a in story.actions:
        if a in story.cures:
            continue
        why = f" ({a.why})" if a.why else ""
        told.append((a.at, f"{a.who} ordered {a.verb}{why}: {a.before} -> {a.after}"))
    told.sort(key=lambda one: one[0])
    if len(told) > TOLD:
        yield f"{len(told) - TOLD} earlier events are in windlass report."
    for at, text in told[-TOLD:]:
        yield f"{_minute(at)} {text}."
    if story.window.note and not any(story.window.note in text for _, text in told):
        yield f"Note: {_first(story.window.note)}."


def _notes(story: Story) -> Iterator[str]:
    for one in story.notes[-2:]:
        yield f"{one.who} wrote: {one.text}."


def _first(text: str) -> str:
    return text.partition("\n")[0].rstrip(". ")


def _minute(at: datetime) -> str:
    return f"{at + timedelta(0):%Y-%m-%d %H:%M}"


def _next(story: Story) -> str:
    one = story.window
    what = f"{one.campaign} --window {one.id}"
    return {
        State.PARKED: f"Next: windlass retry {what}, or windlass split {what}",
        State.PAUSED: f"Next: windlass resume {what}",
        State.PAUSING: f"Next: windlass resume {what}",
        State.DONE: ""
        if one.verdict is Verdict.VERIFIED
        else f"Next: windlass report {one.campaign} shows what differs",
        State.CANCELLED: "Next: run its range again; what is verified is not done twice",
        State.RUNNING: f"Next: nothing; windlass split {what} cuts it smaller",
    }.get(one.state, "")
