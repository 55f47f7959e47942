"""What faults are made of: a strike at a step, a killed worker, a locked ledger."""

import signal
import sqlite3
import time
from contextlib import suppress

import psycopg

from tests.faults.run import Run
from tests.faults.wire import Strike

COUNTS = {
    "load-create": 6, "load-insert": 6, "load-check": 12, "guard": 12, "assemble": 4, "attach": 4,
    "swap": 2, "insert-live": 3, "delete-live": 2, "published": 16, "settle": 2, "sweep": 10,
}  # fmt: skip
"""About how often each step comes in one campaign of the suite; never fewer."""

OTHERS = {"move": 4}
"""The same for other modes than replace."""

POINTS = ("before", "sent", "answered")


def arm_strike(run: Run, step: str, **options: object) -> Strike:
    """Arm one on the way of the run's worker."""
    nth = run.dice.randint(1, (COUNTS | OTHERS).get(step, 1))
    made = Strike((step,), nth=nth, **options)  # type: ignore[arg-type]
    run.way.clickhouse.strike = made
    run.struck = made.fired.is_set
    return made


def kill_worker(run: Run, number: int = signal.SIGKILL) -> None:
    """Signal it; when it is gone the lane starts it again at once."""
    run.lane.workers[run.worker].signal(number)


def hold_ledger(url: str, seconds: float) -> None:
    """Another process's write transaction that does not end."""
    if not url.startswith("sqlite"):
        with psycopg.connect(url) as held:
            held.execute("lock table campaigns, windows, attempts in access exclusive mode")
            time.sleep(seconds)
            held.rollback()
        return
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)
    connection.isolation_level = None
    with suppress(sqlite3.OperationalError):
        connection.execute("begin immediate")
        time.sleep(seconds)
        connection.execute("rollback")
    connection.close()
