"""Undo: what a publish group replaced goes back, unless live has changed since."""

from collections.abc import Iterator, Mapping, Sequence

from temporalio import activity

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice
from windlass.domain.errors import RefusedError, StagingGoneError
from windlass.domain.plan import GroupTable
from windlass.domain.results import Digest
from windlass.domain.schema import TargetTable
from windlass.domain.undo import KeptRecord, Prints, UndoOrder, UndoRecord
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.tidy import Tidy
from windlass.engine.activities.watch import Watch, translated
from windlass.engine.payloads import GroupRef
from windlass.engine.payloads.orders import UndoInput, UndoStep
from windlass.ports import Pulse


class UndoActivities:
    """Two activities: `check-undo` touches nothing, `undo-group` may be run any number of times."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @activity.defn(name="check-undo", no_thread_cancel_exception=True)
    @translated
    def check(self, order: UndoInput) -> None:
        """RefusedError unless every group can be undone now, and none of them changed since."""
        self._desk.check_ledger(order.ledger)
        attempt = Attempt("", f"undo/{order.order.id}", 1)
        with self._watch(attempt) as watch:
            for group in order.groups:
                self._check_group(GroupRef(order.tenant, group), order.order, attempt, watch.pulse)

    def _check_group(self, ref: GroupRef, order: UndoOrder, attempt: Attempt, pulse: Pulse) -> None:
        begun = self._desk.ledger.undo(ref.group)
        if begun and (begun.ended_at or begun.order.id == order.id):
            return
        changed = [
            text
            for record in self._records(ref)
            for text in self._changed(ref, record, begun, attempt, pulse)
        ]
        if changed and not order.force:
            raise _changed(ref, changed)

    def _records(self, ref: GroupRef) -> list[KeptRecord]:
        """What was kept, of every table of the group. RefusedError: not all of it is there."""
        records = self._desk.ledger.kept(ref.group)
        tables = {table.table for table in self._desk.group(ref).tables}
        there = {one.table for one in records if not one.why_not and one.dropped_at is None}
        if there != tables:
            raise RefusedError(
                "the group cannot be undone",
                where=ref.group,
                why="what it replaced is not kept, or not any more",
                next_step=f"windlass report {ref.tenant.campaign} tells why",
            )
        return records

    def _changed(
        self,
        ref: GroupRef,
        record: KeptRecord,
        begun: UndoRecord | None,
        attempt: Attempt,
        pulse: Pulse,
    ) -> Iterator[str]:
        """What speaks against putting the table's partitions back."""
        live = self._live(ref, record)
        planned = self._desk.tenant(ref.tenant).table(record.table)
        if live.create_hash != planned.create_hash:
            yield f"{record.table}: its definition is another than it was published with"
        elif record.after is None:
            yield f"{record.table}: the publish never came to rest, so nobody knows what was there"
        else:
            piece, group = self._piece(ref, record)
            now = self._desk.target.prints(live, piece, group, attempt, pulse)
            yield from differing(record, now, begun is not None)

    def _live(self, ref: GroupRef, record: KeptRecord) -> TargetTable:
        live = self._desk.target.describe(ref.tenant.database, record.table)
        if live is None:
            raise RefusedError(
                "the live table is gone", where=f"{ref.tenant.database}.{record.table}"
            )
        return live

    def _piece(self, ref: GroupRef, record: KeptRecord) -> tuple[Slice, GroupTable]:
        plan, group = self._desk.plan(ref.tenant.campaign), self._desk.group(ref)
        dataset, tenant = plan.request.dataset, self._desk.tenant(ref.tenant).tenant
        piece = Slice(dataset, dataset.table(record.table), tenant, group.interval)
        return piece, next(one for one in group.tables if one.table == record.table)

    @activity.defn(name="undo-group", no_thread_cancel_exception=True)
    @translated
    def undo(self, step: UndoStep) -> str:
        """Put the group's partitions back, and prove them equal to what was kept. Returns what
        was done, in an operator's words."""
        ref, ledger = GroupRef(step.tenant, step.group), self._desk.ledger
        begun = ledger.undo(step.group)
        if begun and begun.ended_at:
            Tidy(self._desk).drop_kept(step.group, "undone")
            return f"undone already, {begun.ended_at:%Y-%m-%d %H:%M} UTC by {begun.order.who}"
        attempt = self._desk.begin(step.tenant.campaign, f"{step.group}/undo")
        with self._watch(attempt) as watch:
            self._check_group(ref, step.order, attempt, watch.pulse)
            records = self._records(ref)
            ledger.undo_begun(step.group, step.order)
            done = [self._put_back(ref, one, attempt, watch.pulse) for one in records]
        text = "; ".join(done)
        ledger.undo_ended(step.group, text)
        Tidy(self._desk).drop_kept(step.group, "undone")
        return text

    def _put_back(self, ref: GroupRef, record: KeptRecord, attempt: Attempt, pulse: Pulse) -> str:
        ledger, live = self._desk.ledger, self._live(ref, record)
        piece, group = self._piece(ref, record)
        ledger.step_begin(ref.group, attempt.number, record.table, "undo")
        try:
            facts = self._desk.target.restore(live, piece, group, record.kept, attempt, pulse)
        except StagingGoneError as error:
            raise RefusedError(
                error.what, where=error.where, why=error.why, next_step=error.next_step
            ) from error
        ledger.step_end(ref.group, attempt.number, record.table, "undo", facts)
        return _words(record.table, facts)

    def _watch(self, attempt: Attempt) -> Watch:
        return Watch(self._desk, attempt, activity.is_cancelled, lambda _: None)


def differing(record: KeptRecord, now: Prints, begun: bool) -> Iterator[str]:
    """Partitions that are not as the publish left them. Where an undo has `begun`, those that
    it has put back already are as they should be."""
    after: Prints = record.after or {}
    before = record.kept.before
    for name in sorted({*after, *now, *before}):
        seen = now.get(name, NOTHING)
        fine = seen == after.get(name, NOTHING) or (begun and seen == before.get(name, NOTHING))
        if not fine:
            then = after.get(name, NOTHING)
            yield (
                f"{record.table} partition {name}: {seen.rows:,} rows now, {then.rows:,} when the "
                "campaign had published" + (", others" if seen.rows == then.rows else "")
            )


NOTHING = Digest(0)


def _words(table: str, facts: Mapping[str, int]) -> str:
    many = "partition" if facts["replaced"] == 1 else "partitions"
    words = [f"{table}: {facts['replaced']} {many} put back"]
    if facts["dropped"]:
        words.append(f"{facts['dropped']} dropped that held nothing before")
    words.append(f"{facts['rows']:,} rows, equal to what was kept")
    if facts["late_rows"] > 0:
        words[-1] = f"{facts['rows']:,} rows, {facts['late_rows']:,} of them written meanwhile"
    return ", ".join(words)


def _changed(ref: GroupRef, texts: Sequence[str]) -> RefusedError:
    more = f"; and {len(texts) - 3} more" if len(texts) > 3 else ""
    return RefusedError(
        "live changed since the campaign published it",
        where=ref.group,
        why="; ".join(texts[:3]) + more,
        next_step="look at what wrote there; --force puts the old rows back all the same, and "
        "what was written since is lost",
    )
