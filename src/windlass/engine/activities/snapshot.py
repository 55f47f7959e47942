"""Holding one source snapshot open while its group loads."""

import threading
from collections.abc import Callable

from temporalio import activity

from windlass.domain.errors import SnapshotLostError
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.watch import translated
from windlass.engine.payloads import HoldInput, SnapshotReady, SnapshotRef
from windlass.engine.retry import BEAT

Signal = Callable[[str, SnapshotReady], None]
"""Sends `snapshot_ready` to the workflow of that id."""


class SnapshotActivities:
    """One activity: `hold`."""

    def __init__(self, desk: Desk, signal: Signal) -> None:
        self._desk, self._signal = desk, signal

    @activity.defn(name="hold-snapshot", no_thread_cancel_exception=True)
    @translated
    def hold(self, order: HoldInput) -> None:
        """Export a snapshot, tell the workflow, and hold it until cancelled.

        Raises SnapshotLostError when the session dies: the group starts over with a new one.
        """
        attempt = self._desk.begin_group(order.group, f"{order.group.group}/snapshot")
        with self._desk.source.hold(attempt) as held:
            horizon, taken = held.snapshot.horizon, held.snapshot.taken_at
            seen = SnapshotRef(held.snapshot.id, horizon.isoformat(), taken.isoformat())
            self._signal(activity.info().workflow_id or "", SnapshotReady(order.token, seen))
            pause = threading.Event()
            while not activity.is_cancelled():
                if not held.alive():
                    raise SnapshotLostError(
                        "the session that held the snapshot is gone", where=order.group.group
                    )
                activity.heartbeat()
                pause.wait(BEAT.total_seconds())
