"""From where on a server's figures slow campaigns down, and from where on they stop them."""

from typing import Annotated

from pydantic import AfterValidator, Field

from windlass.domain.health import Threshold
from windlass.settings import checks
from windlass.settings.strict import Strict


def _ascending(pair: tuple[float, float]) -> tuple[float, float]:
    if not 0 < pair[0] <= pair[1]:
        raise checks.fail("expected [slow down, stop], both above 0, the first not above the other")
    return pair


Pair = Annotated[tuple[float, float], AfterValidator(_ascending)] | None


class Health(Strict):
    """Figures of the cluster's servers: [slow down, stop]; null: not looked at."""

    clickhouse_parts: Pair = Field(
        default=(200, 300),
        description="active parts of one partition of a table being loaded, or of its staging",
    )
    clickhouse_merges: Pair = Field(default=(24, 64), description="merges that run")
    clickhouse_mutations: Pair = Field(
        default=(20, 100), description="unfinished mutations of the tables being loaded"
    )
    clickhouse_replica_delay: Pair = Field(
        default=(60, 600), description="seconds that a replica of a table being loaded is behind"
    )
    clickhouse_memory: Pair = Field(
        default=(0.85, 0.95), description="share of max_server_memory_usage in use"
    )
    clickhouse_insert: Pair = Field(
        default=(10, 60), description="seconds that ClickHouse takes for a block of ours"
    )
    postgres_replica_lag: Pair = Field(
        default=(30, 300),
        description="seconds that the standby which is read, or one of a primary's, is behind",
    )
    postgres_active_queries: Pair = Field(
        default=(64, 256), description="statements of others that run"
    )
    postgres_lock_waits: Pair = Field(default=(10, 50), description="sessions that wait for a lock")
    postgres_latency: Pair = Field(
        default=(3, 15), description="seconds until a new session of ours has its first answer"
    )

    @property
    def thresholds(self) -> dict[str, Threshold]:
        """By name; what is not looked at is left out."""
        pairs = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: Threshold(*pair) for name, pair in pairs.items() if pair is not None}
