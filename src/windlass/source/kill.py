"""Ending sessions on the source, with pg_stat_activity as the witness."""

import time
from collections.abc import Callable, Sequence

from windlass.domain.errors import TransientError
from windlass.source.quote import literal
from windlass.source.session import Connection, Server, control, rows

PATIENCE = 10.0
"""Seconds until a session that does not end is an error."""

TAIL = 300.0
"""Seconds after its end for which a COPY's last rows may be on their way over a slow link."""

_ON_THEIR_WAY = (
    "state = 'idle in transaction' AND query ILIKE 'COPY %' "
    f"AND state_change > clock_timestamp() - interval '{TAIL:g} seconds'"
)
_PAUSE = 0.02
_DOING = "ending sessions"


def end_attempts(server: Server, names: Sequence[str]) -> int:
    """Cancel and terminate all sessions of those application_names but this one; how many there
    were. Returns once the server lists none; TransientError when some stay."""
    if not names:
        return 0
    listed = ", ".join(map(literal, names))
    ours = f"application_name IN ({listed}) AND pid <> pg_backend_pid()"
    with control(server, _DOING) as connection:
        return _end(server, connection, ours)


def end_session(server: Server, name: str, pid: int) -> int:
    """The same for one session of that application_name, by its backend's pid."""
    ours = f"pid = {literal(pid)} AND application_name = {literal(name)}"
    with control(server, _DOING) as connection:
        return _end(server, connection, ours)


def _end(server: Server, connection: Connection, ours: str) -> int:
    seen: set[int] = set()

    def none_left() -> bool:
        # Again at every look: a session may only now have come up to where it can be seen.
        found = _signalled(connection, ours)
        seen.update(pid for pid, leads in found if leads)
        return not found

    if not wait_until(none_left, PATIENCE):
        raise _stay(server, connection, ours)
    return len(seen)


def _signalled(connection: Connection, ours: str) -> Sequence[tuple[int, bool]]:
    """(pid, whether it is a session rather than a parallel worker of one) of all that are left."""
    # Terminate too: a backend that waits for its client to read does not answer a cancel.
    found = rows(
        connection,
        "SELECT pid, leader_pid IS NULL, pg_cancel_backend(pid), pg_terminate_backend(pid) "
        f"FROM pg_stat_activity WHERE {ours}",
    )
    return [(pid, leads) for pid, leads, _, _ in found]


def _stay(server: Server, connection: Connection, ours: str) -> TransientError:
    left = rows(connection, f"SELECT pid FROM pg_stat_activity WHERE {ours}")
    return TransientError(
        f"sessions do not end: {', '.join(str(pid) for (pid,) in left)}",
        where=server.place,
        why=f"they were cancelled and terminated {PATIENCE:g} s ago and are still listed",
        next_step="SELECT * FROM pg_stat_activity WHERE application_name LIKE 'windlass:%'",
    )


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    """Look until it is true, at most so long."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def count_running(server: Server, name: str) -> int:
    """Sessions of that application_name that are at work: not idle, in a transaction or not. The
    last megabytes of a COPY may be on their way long after the server has sent them."""
    at_work = f"(state NOT LIKE 'idle%' OR {_ON_THEIR_WAY})"
    with control(server, "looking for sessions") as connection:
        found = rows(
            connection,
            f"SELECT count(*) FROM pg_stat_activity WHERE {at_work} "
            f"AND application_name = {literal(name)} AND pid <> pg_backend_pid() "
            "AND leader_pid IS NULL",
        )
        return int(found[0][0])
