"""What a worker does with one window, from the source to staging, without Temporal and ledger."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.contestants.arena import Arena, CannotRun, Lap
from benchmarks.world import CLUSTER
from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Slice
from windlass.domain.results import Digest
from windlass.domain.tenant import Tenant
from windlass.domain.window import Interval

if TYPE_CHECKING:
    from windlass.target.sharded import ShardedTarget


def verified(arena: Arena) -> Lap:
    """Counted in the source, hashed on the way, sampled, compared with what staging holds."""
    return _Load(arena).run(verify=True)


def bare(arena: Arena) -> Lap:
    """Read and inserted, nothing else."""
    return _Load(arena).run(verify=False)


class _Load:
    """One window as large as the table, in one stream."""

    def __init__(self, arena: Arena) -> None:
        from windlass import wiring
        from windlass.source.postgres import PostgresSource

        if arena.plan is None:
            raise CannotRun("no campaign has planned the table yet")
        fleet = wiring.open_fleet(arena.world.config)
        cluster, dataset = fleet.cluster(CLUSTER), fleet.dataset(arena.table.name)
        self.arena, self.pairs = arena, arena.plan.columns
        self.source: PostgresSource = PostgresSource(cluster.source.url.get_secret_value())
        self.target: ShardedTarget = wiring.target_of(cluster)
        tenant = Tenant(CLUSTER, "acme", "", arena.table.database)
        self.piece = Slice(dataset, dataset.table("score"), tenant, Interval(*arena.table.span))
        self.attempt = Attempt("bench-load", "bench-load/one-window", 1)
        self.staging = Staging(self.attempt, "score", database=arena.table.database)

    def run(self, *, verify: bool) -> Lap:
        live = self.target.describe(self.arena.table.database, "score")
        if live is None:
            raise CannotRun("the live table is not there")
        try:
            started = time.monotonic()
            self.target.stage(live, self.staging)
            rows = self._verified() if verify else self._bare()
            seconds = time.monotonic() - started
            self.arena.check(self.target.staged_rows(self.staging))
        finally:
            self.target.sweep(self.attempt)
            self.target.close()
        return Lap(rows, seconds)

    def _bare(self) -> int:
        with self.source.read(self.piece, self.pairs, self.attempt, None) as batches:
            self.target.insert(self.staging, batches, lambda _rows: None)
        return self.arena.table.rows

    def _verified(self) -> int:
        from windlass.engine.activities.load import hashed
        from windlass.verify.verdict import judge_read, judge_staged

        count = self.source.count(self.piece, self.pairs, self.attempt, None)
        digest = self.target.digester(self.pairs)
        with self.source.read(self.piece, self.pairs, self.attempt, None) as batches:
            self.target.insert(self.staging, hashed(batches, digest), lambda _rows: None)
        read = digest.result()
        judge_read(count, read, self.target.staged_rows(self.staging))
        self._sample(read)
        judge_staged(read, self.target.staged(self.staging, self.pairs))
        return read.rows

    def _sample(self, read: Digest) -> None:
        from windlass.engine.activities.load import stretch
        from windlass.verify.verdict import judge_staged

        part = stretch(self.piece, read.rows, self.attempt.campaign)
        piece = replace(self.piece, interval=part)
        (told,) = self.source.digest(piece, self.pairs, self.attempt, None)
        found = self.target.staged(self.staging, self.pairs, part, "created_at", md5=True)
        judge_staged(told, found)
