"""States, health, verdicts, and the one table of transitions with a reason on each arrow."""

from enum import StrEnum


class Mode(StrEnum):
    """What a campaign does to the range."""

    REPLACE = "replace"
    APPEND = "append"
    DELETE = "delete"


class State(StrEnum):
    """Where a campaign, cluster, tenant or window stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PARTIAL = "partial"
    DONE = "done"
    PARKED = "parked"
    PAUSING = "pausing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    NOTHING_TO_DO = "nothing_to_do"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether nothing moves any more without an operator's word."""
        return self in FINAL


class Health(StrEnum):
    """How a running thing fares against its own prediction."""

    HEALTHY = "healthy"
    SLOW = "slow"
    STRUGGLING = "struggling"


class Verdict(StrEnum):
    """What is proven about the range."""

    VERIFIED = "verified"
    MISMATCH = "mismatch"
    UNVERIFIED = "unverified"


class Path(StrEnum):
    """How a publish group becomes visible (docs/publish.md)."""

    SWAP = "swap"
    IN_PLACE = "in place"
    DELETE_AND_INSERT = "delete and insert"
    APPEND = "append"
    DELETE = "delete"


FINAL = frozenset({State.DONE, State.PARKED, State.CANCELLED, State.NOTHING_TO_DO, State.UNKNOWN})

TRANSITIONS: dict[State, dict[State, str]] = {
    State.QUEUED: {
        State.RUNNING: "a slot is free and the first activity starts",
        State.PAUSED: "paused before it started",
        State.CANCELLING: "the operator cancels",
        State.CANCELLED: "cancelled before it started: nothing to prove dead",
        State.NOTHING_TO_DO: "source and target are both empty in the range",
        State.DONE: "every window of it was verified before and still holds",
        State.UNKNOWN: "discovery failed",
        State.PARKED: "it cannot start: the reason is in the note",
    },
    State.RUNNING: {
        State.PARTIAL: "some of its windows are done",
        State.DONE: "published and judged",
        State.PARKED: "an error that needs the operator, or retries are used up",
        State.PAUSING: "the operator pauses; work in flight ends first",
        State.PAUSED: "it is loaded, and what is above it is paused: its publish waits",
        State.CANCELLING: "the operator cancels; queries are killed and proven dead",
        State.QUEUED: "its worker died or the snapshot was lost: it starts over",
    },
    State.PARTIAL: {
        State.DONE: "the last window is published and judged",
        State.PARKED: "the rest needs the operator",
        State.PAUSING: "the operator pauses; work in flight ends first",
        State.CANCELLING: "the operator cancels; published windows stay",
    },
    State.PAUSING: {
        State.PAUSED: "nothing is in flight any more",
        State.RUNNING: "resumed before it came to rest",
        State.CANCELLING: "cancelled while pausing",
    },
    State.PAUSED: {
        State.RUNNING: "the operator resumes",
        State.QUEUED: "the operator resumes, no slot is free",
        State.CANCELLING: "the operator cancels",
    },
    State.CANCELLING: {State.CANCELLED: "no query of ours is left on either server"},
    State.PARKED: {
        State.QUEUED: "the operator releases or retries it",
        State.CANCELLING: "the operator cancels",
        State.CANCELLED: "cancelled while parked: nothing was in flight",
    },
    State.UNKNOWN: {State.QUEUED: "discovery succeeded on another try"},
    State.DONE: {State.QUEUED: "published, but not verified: the operator retries it"},
    State.CANCELLED: {},
    State.NOTHING_TO_DO: {},
}


SHOWN = (
    State.CANCELLING,
    State.PAUSING,
    State.PARKED,
    State.UNKNOWN,
    State.PAUSED,
    State.CANCELLED,
)
"""What a whole shows of its parts once none of them works or waits for a slot."""


def allowed(before: State, after: State) -> bool:
    """Whether a move is in the table; staying is always allowed."""
    return before is after or after in TRANSITIONS[before]


def roll_up(states: list[State]) -> State:
    """The state of a whole out of its parts: work first (one part that is being cancelled or
    paused by itself does not show on a whole that goes on), then what needs a person."""
    live = [state for state in states if state is not State.NOTHING_TO_DO]
    if not live:
        return State.NOTHING_TO_DO
    if State.RUNNING in live:
        return State.PARTIAL if State.DONE in live else State.RUNNING
    if any(state in {State.QUEUED, State.PARTIAL} for state in live):
        return State.QUEUED if set(live) == {State.QUEUED} else State.PARTIAL
    return next((one for one in SHOWN if one in live), State.DONE)
