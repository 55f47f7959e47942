"""The ports' adapters, built from the fleet file.

Imports of drivers stand inside the functions, so that commands which only look start fast.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from windlass import settings

if TYPE_CHECKING:
    from windlass.ledger.store import SqlLedger
    from windlass.target.sharded import ShardedTarget


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.now(UTC)


def open_fleet(config: Path | None) -> settings.Fleet:
    """Find, read and check the fleet file."""
    return settings.load(settings.find(config))


def open_ledger(fleet: settings.Fleet) -> "SqlLedger":
    """Open (and bring up to date) the fleet's ledger."""
    from windlass.ledger import open_ledger as opened

    return opened(fleet.ledger_url)


def target_of(cluster: settings.Cluster, owner: str = "") -> "ShardedTarget":
    """The adapter for the cluster's ClickHouse, and for the shards behind it. `owner` is the id
    of the ledger that knows of our attempts."""
    from windlass.target.clickhouse import ClickHouseTarget
    from windlass.target.sharded import ShardedTarget

    staging = cluster.target.staging_database

    def at(url: str) -> ClickHouseTarget:
        return ClickHouseTarget(url, staging, owner=owner)

    given = {name: url.get_secret_value() for name, url in cluster.target.shards.items()}
    return ShardedTarget(cluster.target.url.get_secret_value(), given, at)
