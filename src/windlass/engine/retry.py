"""Every timeout and retry policy, derived in one place.

Heartbeats decide whether an activity lives: a load may take hours, but must be silent for no
longer than HEARTBEAT. Cancellation reaches an activity with its next heartbeat, so beats go out
every BEAT seconds.
"""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

BEAT = timedelta(seconds=1)
HEARTBEAT = timedelta(seconds=15)
LONG = timedelta(days=30)
SHORT = timedelta(minutes=10)
GRACE = timedelta(seconds=2)
GROUP_TRIES = 6
OUTAGE = timedelta(hours=6)
"""How long a server that does not answer is waited for before its groups park."""
LOCK_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (0.5, 1, 2, 4, 8, 15, 30))
"""Between two tries to take a tenant's lock: longer than a dead worker's last step takes."""
PAUSED_SNAPSHOT = timedelta(minutes=10)
"""How long a paused group keeps its source snapshot, which holds up the source's vacuum."""
SETTLE_AGAIN = 3
TRIES = 5

LOOK_PAUSES = tuple(timedelta(seconds=0.1 * 3**n) for n in range(5))
"""Between two looks at keys that differ: 0.1 to 8.1 s, 12 s in all. What others bring to the
target with a lag below that is seen to arrive."""

WRITERS_LIMIT = timedelta(seconds=60)
WRITERS_PAUSE = timedelta(milliseconds=250)
"""How long, and how often looked at, transactions are waited for that were open and writing when
a group's snapshot was taken."""

DATA = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
    maximum_attempts=TRIES,
)
BOOKS = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
)
ONCE = RetryPolicy(maximum_attempts=1)
UNDO = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
    maximum_attempts=20,
)
"""An undo that has begun is carried through: what serves readers must not stay half put back."""


class Options(TypedDict):
    """What `workflow.execute_activity_method` takes by name."""

    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


def data(policy: RetryPolicy = DATA) -> Options:
    """For activities that move or judge rows: unbounded in time, bounded in silence."""
    return Options(
        start_to_close_timeout=LONG,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=policy,
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )


def books() -> Options:
    """For activities that only write the ledger: short, repeated for as long as it takes."""
    return Options(
        start_to_close_timeout=SHORT,
        heartbeat_timeout=SHORT,
        retry_policy=BOOKS,
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )


def pause_before(attempt: int) -> timedelta:
    """How long a group waits before its next try."""
    return timedelta(seconds=min(60, 2**attempt) if attempt < 20 else 300)
