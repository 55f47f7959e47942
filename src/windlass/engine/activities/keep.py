"""Keeping what a publish replaces, and how live looked afterwards: what undo goes by."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from temporalio import activity

from windlass.domain.attempt import Attempt
from windlass.domain.errors import (
    CancelledError,
    PlanError,
    StagingGoneError,
    TransientError,
    UnreachableError,
    WindlassError,
)
from windlass.domain.results import Digest
from windlass.domain.undo import KeptRecord, KeptTable, Prints
from windlass.engine.activities.desk import Desk, TableJob
from windlass.engine.payloads import GroupRef
from windlass.planner.undo import why_no_undo
from windlass.ports import Pulse

_TRIES = 3
"""How often keeping is tried before the publish goes on without undo."""
_STOPPED = (CancelledError, StagingGoneError, UnreachableError)


class Keeper:
    """Keeps once per group and table: before the group's first publish, whoever tries it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def before(
        self, ref: GroupRef, jobs: Sequence[TableJob], attempt: Attempt, pulse: Pulse
    ) -> None:
        """Keep every table of a group that can be undone. What was kept by an earlier try
        stands: live may hold that try's own work by now."""
        if not self._offers(ref):
            return
        known = {one.table for one in self._desk.ledger.kept(ref.group)}
        for job in jobs:
            if job.spec.name not in known:
                self._keep(ref, job, attempt, pulse)

    def _keep(self, ref: GroupRef, job: TableJob, attempt: Attempt, pulse: Pulse) -> None:
        if self._desk.ledger.publish_begun(ref.group, job.spec.name):
            why = "publishing had begun before anything was kept"
            self._record(ref, job, KeptTable("", {}), why)
            return
        try:
            kept = self._desk.target.keep(job.live, job.piece, job.group, attempt, pulse)
        except _STOPPED:
            raise
        except WindlassError as error:
            if isinstance(error, TransientError) and activity.info().attempt < _TRIES:
                raise
            self._record(ref, job, KeptTable("", {}), error.why or error.what)
            return
        stands = self._record(ref, job, kept)
        if stands.kept.name != kept.name:
            raise _overtaken(ref, stands)

    def _record(
        self, ref: GroupRef, job: TableJob, kept: KeptTable, why_not: str = ""
    ) -> KeptRecord:
        tenant, ledger = ref.tenant, self._desk.ledger
        record = KeptRecord(
            group=ref.group,
            table=job.spec.name,
            cluster=tenant.cluster,
            database=tenant.database,
            kept=kept,
            kept_at=self._desk.clock.now(),
            why_not=why_not,
        )
        stands = ledger.record_kept(record)
        if why_not and stands == record:
            text = f"{job.spec.name}: what is replaced was not kept, so no undo: {why_not}"
            where = (tenant.campaign, tenant.cluster, tenant.database)
            ledger.event(*where, ref.group, "no undo", text)
        return stands

    def proofs(
        self, ref: GroupRef, job: TableJob, attempt: Attempt, pulse: Pulse
    ) -> tuple[list[Digest], Prints | None]:
        """What the job's staging holds, table by table, and, where undo will want to know it, how
        live will look: if the server cannot tell by staging, it is asked of live in the end."""
        ask = partial(self._desk.target.proofs, job.live, job.rows, job.plan.columns)
        if self._offers(ref):
            with suppress(PlanError):
                return ask(attempt, pulse, prints=True)
        digests, _ = ask(attempt, pulse, prints=False)
        return digests, None

    def _offers(self, ref: GroupRef) -> bool:
        return bool(self._desk.undo_retention) and not why_no_undo(self._desk.group(ref))

    def after(
        self,
        ref: GroupRef,
        jobs: Sequence[TableJob],
        expected: Mapping[str, Prints],
        attempt: Attempt,
        pulse: Pulse,
    ) -> None:
        """Record how live looks now that the group has come to rest: undo puts nothing back
        over anything else. Tables that hold what was published, and nothing else, look as
        `expected`."""
        kept = {one.table for one in self._desk.ledger.kept(ref.group) if not one.why_not}
        for job in jobs:
            table = job.spec.name
            if table not in kept:
                continue
            after = expected[table] if table in expected else self._look(job, attempt, pulse)
            if after is not None:
                self._desk.ledger.record_after(ref.group, table, after)

    def _look(self, job: TableJob, attempt: Attempt, pulse: Pulse) -> Prints | None:
        """None where a partition reaches beyond the range by now: undo then wants --force."""
        try:
            return self._desk.target.prints(job.live, job.piece, job.group, attempt, pulse)
        except PlanError:
            return None


def _overtaken(ref: GroupRef, stands: KeptRecord) -> StagingGoneError:
    return StagingGoneError(
        "this attempt was overtaken",
        where=ref.group,
        why=f"another one kept {stands.table} in {stands.kept.name} before",
        next_step="nothing: the later attempt publishes",
    )
