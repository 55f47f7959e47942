"""The target adapter: `windlass.ports.Target` over ClickHouse's HTTP interface."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Slice
from windlass.domain.health import Reading
from windlass.domain.plan import GroupTable, TablePlan
from windlass.domain.results import Digest, Removed
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.window import Interval
from windlass.ports import Ask, Census, Pulse
from windlass.target import catchup, check, compare, digest, grants, health, kill, partitions
from windlass.target.census import census
from windlass.target.chdbdigest import ChdbDigest
from windlass.target.client import LOOKING, Address, Server
from windlass.target.describe import describe, describe_all
from windlass.target.examine import examine
from windlass.target.keeping import Keeping
from windlass.target.parts import rows_as_staged
from windlass.target.publish.job import Job
from windlass.target.publish.run import publish
from windlass.target.slices import View
from windlass.target.staging import StagingArea
from windlass.target.times import within as within_ranges
from windlass.verify.buckets import KeyBucket

if TYPE_CHECKING:
    import pyarrow as pa

_DATABASES = """
SELECT name FROM system.databases
WHERE name NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA') ORDER BY name
"""


class ClickHouseTarget(Keeping):
    """One ClickHouse. `url` is its HTTP address with user and password, `staging_database` where
    staging tables go, `timeout` the seconds one statement may stay silent, `owner` the id of the
    ledger that knows of our attempts: our tables' comments carry it."""

    def __init__(
        self, url: str, staging_database: str, *, timeout: int = 6 * 3600, owner: str = ""
    ) -> None:
        self._server = Server(Address.parse(url), timeout=timeout)
        self._area = StagingArea(self._server, staging_database, owner)

    @property
    def area(self) -> StagingArea:
        """The staging database, and with it the server."""
        return self._area

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def describe(self, database: str, table: str) -> TargetTable | None:
        """See ports.Target."""
        return describe(self._server, database, table)

    def describe_all(
        self, databases: Sequence[str], tables: Sequence[str]
    ) -> dict[tuple[str, str], TargetTable]:
        """See ports.Target."""
        return describe_all(self._server, databases, tables)

    def health(self, tables: Sequence[tuple[str, str]]) -> list[Reading]:
        """See ports.HealthyTarget."""
        return health.readings(self._server, self._area.database, self._area.meter, tables)

    def databases(self) -> list[str]:
        """See ports.Target. The staging database is none of the tenants'."""
        names = [str(row[0]) for row in self._server.rows(_DATABASES)]
        return [name for name in names if name != self._area.database]

    def whole_ranges(self, live: TargetTable, time: str, within: Interval) -> list[Interval] | None:
        """See ports.Target."""
        return partitions.whole_ranges(self._server, live, time, within)

    def examine(
        self, tables: Sequence[tuple[TargetTable, str]], within: Interval
    ) -> list[list[str]]:
        """See ports.Target."""
        return examine(self._server, tables, within)

    def count(self, live: TargetTable, time: str, steps: Sequence[Interval]) -> list[int]:
        """See ports.Target."""
        return digest.count(self._server, live, time, steps)

    def count_sql(self, live: TargetTable, piece: Slice) -> str:
        """See ports.Target."""
        return digest.count_sql(live, piece)

    def census(self, asks: Sequence[Ask], attempt: Attempt) -> list[Census]:
        """See ports.Target."""
        return census(self._server, asks, attempt.tag)

    def digester(self, pairs: Sequence[ColumnPair]) -> ChdbDigest:
        """See ports.Target."""
        return ChdbDigest(pairs)

    def stage(self, live: TargetTable, staging: Staging) -> None:
        """See ports.Target."""
        self._area.create(live, staging)

    def insert(self, staging: Staging, batches: Iterable["pa.RecordBatch"], pulse: Pulse) -> None:
        """See ports.Target."""
        self._area.insert(staging, batches, pulse)

    def staged_rows(self, staging: Staging) -> int:
        """See ports.Target."""
        ref = self._area.ref(staging)
        return int(self._server.value(f"SELECT count() FROM {ref}", staging.attempt.tag))

    def staged(
        self,
        staging: Staging,
        pairs: Sequence[ColumnPair],
        within: Interval | None = None,
        time: str = "",
        *,
        md5: bool = False,
    ) -> Digest:
        """See ports.Target."""
        condition = "1"
        if within is not None:
            condition = within_ranges(self._area.describe(staging), time, [within])
        return digest.staged(
            self._server, self._area.ref(staging), pairs, condition, staging.attempt.tag, md5=md5
        )

    def stage_excluded(self, staging: Staging, keys: Sequence[str]) -> None:
        """See ports.Target."""
        self._area.create_keys(staging, [*keys, "excluded"])

    def removed(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        excluded: Staging | None,
        attempt: Attempt,
    ) -> Removed:
        """See ports.Target."""
        view = View.of(live, piece, pairs)
        return compare.removed(
            self._server, view, self._refs(rows), self._ref(excluded), attempt.tag
        )

    def gone_keys(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        excluded: Staging | None,
        limit: int,
        attempt: Attempt,
    ) -> "pa.Table":
        """See ports.Target."""
        view = View.of(live, piece, pairs)
        return compare.gone_keys(
            self._server, view, self._refs(rows), self._ref(excluded), limit, attempt.tag
        )

    def publish(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        plan: TablePlan,
        group: GroupTable,
        rows: Sequence[Staging],
        attempt: Attempt,
        pulse: Pulse,
        newer_than: datetime | None = None,
    ) -> Mapping[str, int | str]:
        """See ports.Target. On the in-place path, live rows whose version is a time after
        `newer_than` (the snapshot's) stay for the catch-up."""
        view = View.of(live, piece, pairs)
        job = Job(self._area, view, plan, group, rows, attempt, pulse, newer_than)
        return publish(job)

    def differing(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        limit: int,
        attempt: Attempt,
    ) -> "pa.Table":
        """See ports.Target."""
        view = View.of(live, piece, pairs)
        return compare.differing(self._server, view, self._refs(rows), limit, attempt.tag)

    def apply(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        plan: TablePlan,
        upsert: "pa.Table | None",
        remove: "pa.Table | None",
        attempt: Attempt,
        *,
        exact: bool = False,
        pulse: Pulse = lambda _rows: None,
    ) -> None:
        """See ports.Target."""
        view = View.of(live, piece, pairs)
        catchup.apply(self._area, view, plan, upsert, remove, attempt, exact=exact, pulse=pulse)

    def staged_keys(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        rows: Sequence[Staging],
        keys: "pa.Table",
        attempt: Attempt,
    ) -> "pa.Table":
        """See ports.Target."""
        view = View.of(live, piece, pairs)
        return catchup.staged_keys(self._area, view, self._refs(rows), keys, attempt)

    def digest(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        steps: Sequence[Interval] = (),
        attempt: Attempt | None = None,
    ) -> list[Digest]:
        """See ports.Target."""
        return digest.digests(self._server, live, piece, pairs, steps, _tag(attempt))

    def rows_as_staged(
        self,
        live: TargetTable,
        piece: Slice,
        steps: Sequence[Interval],
        rows: Sequence[Staging],
        attempt: Attempt,
    ) -> list[int] | None:
        """See ports.Target."""
        time = piece.table.target_time
        return rows_as_staged(self._area, live, time, steps, rows, attempt.tag)

    def fingerprints(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        steps: Sequence[Interval],
        attempt: Attempt,
    ) -> list[Digest]:
        """See ports.Target."""
        return digest.fingerprints(self._server, live, piece, pairs, steps, attempt.tag)

    def digest_by_key(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        of: int,
        attempt: Attempt,
    ) -> list[Digest]:
        """See ports.Target."""
        view = View.of(live, piece, pairs)
        return digest.digests_by_key(self._server, view, of, attempt.tag)

    def rows_by_hash(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        attempt: Attempt | None = None,
        bucket: tuple[int, int] | None = None,
    ) -> "pa.Table":
        """See ports.Target."""
        only = KeyBucket(*bucket) if bucket else None
        return digest.rows_by_hash(self._server, View.of(live, piece, pairs), _tag(attempt), only)

    def rows_of_keys(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        keys: "pa.Table",
        attempt: Attempt,
    ) -> "pa.Table":
        """See ports.Target."""
        view = View.of(live, piece, pairs)
        return digest.rows_of_keys(self._server, view, keys, attempt.tag)

    def texts(
        self,
        live: TargetTable,
        piece: Slice,
        pairs: Sequence[ColumnPair],
        keys: "pa.Table",
        attempt: Attempt,
    ) -> "pa.Table":
        """See ports.Target."""
        return digest.texts(self._server, View.of(live, piece, pairs), keys, attempt.tag)

    def kill(self, *tags: str) -> int:
        """See ports.Target."""
        return kill.kill(self._server, *tags)

    def running(self, tag: str) -> int:
        """See ports.Target."""
        return kill.running(self._server, tag)

    def sweep(self, *attempts: Attempt) -> int:
        """See ports.Target."""
        return self._area.sweep(*attempts)

    def check(self) -> list[tuple[str, str, str]]:
        """See ports.Target."""
        return check.check(self._area)

    def grants(self, databases: Sequence[str]) -> list[str]:
        """The GRANT statements that Windlass needs on these live databases (globs of the
        server's `%` allowed), for the user of the url."""
        return grants.grants(self._server.address.user, self._area.database, databases)

    def _ref(self, staging: Staging | None) -> str | None:
        return self._area.ref(staging) if staging else None

    def _refs(self, rows: Sequence[Staging]) -> list[str]:
        self._area.require(rows)
        return [self._area.ref(one) for one in rows]


def _tag(attempt: Attempt | None) -> str:
    return attempt.tag if attempt else LOOKING
