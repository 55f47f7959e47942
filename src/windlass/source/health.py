"""How PostgreSQL fares: one statement over what it holds in memory, and how long it took."""

import time

from windlass.domain.health import Reading
from windlass.source.session import Limits, Server, control, rows

NAME = "windlass/health"
"""application_name of the session that asks."""
PATIENCE = 10_000
"""Milliseconds after which the server counts as one that does not answer."""

# A standby that has replayed all that it received is not behind, however long ago that was.
_SQL = """
SELECT
  CASE WHEN pg_is_in_recovery() THEN
    CASE WHEN pg_last_wal_receive_lsn() IS NOT DISTINCT FROM pg_last_wal_replay_lsn() THEN 0
         ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END
  ELSE (SELECT max(extract(epoch FROM replay_lag)) FROM pg_stat_replication) END::float8,
  count(*) FILTER (WHERE state = 'active' AND application_name NOT LIKE 'windlass%'),
  count(*) FILTER (WHERE wait_event_type = 'Lock')
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""


class PostgresHealth:
    """`windlass.ports.HealthySource` at a libpq URL."""

    def __init__(self, url: str) -> None:
        self._server = Server(url, Limits(PATIENCE, PATIENCE))

    def health(self) -> list[Reading]:
        """See ports.HealthySource. The latency is that of a new session with its statement."""
        began = time.monotonic()
        with control(self._server, "asking how the server fares", NAME) as connection:
            ((lag, active, waiting),) = rows(connection, _SQL)
        taken = time.monotonic() - began
        found = [
            Reading("postgres_active_queries", float(active)),
            Reading("postgres_lock_waits", float(waiting)),
            Reading("postgres_latency", taken),
        ]
        return found if lag is None else [Reading("postgres_replica_lag", float(lag)), *found]
