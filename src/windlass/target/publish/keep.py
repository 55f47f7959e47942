"""Keeping what a publish replaces: live's partitions, hard-linked into a table of their own.

The kept table has live's columns, indices, projections and engine (never Replicated: one server's
own), so that its parts fit back. It never merges, as a merge would write anew what it shares.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Slice
from windlass.domain.errors import NotKeptError, PlanError
from windlass.domain.plan import GroupTable
from windlass.domain.results import Digest
from windlass.domain.schema import TargetTable
from windlass.domain.undo import KeptTable, Prints, kept_name, mark
from windlass.ports import Pulse
from windlass.target.client import NOTHING_MORE, Server, Settings, fill
from windlass.target.kill import statement_tag
from windlass.target.names import literal, live_ref, quote, quoted
from windlass.target.publish.supersede import supersede
from windlass.target.settings import DROP_OWN, HEAVY
from windlass.target.staging import StagingArea, insertable
from windlass.target.times import within
from windlass.target.watch import watched

_CREATE = """
CREATE TABLE $table AS $live ENGINE = $engine
$shape
SETTINGS $settings
COMMENT $comment
"""
_NO_MERGES = {
    "max_bytes_to_merge_at_max_space_in_pool": "1",
    "max_bytes_to_merge_at_min_space_in_pool": "1",
    "merge_with_ttl_timeout": "1000000000",
}
_NEVER = {
    "min_age_to_force_merge_seconds",
    "non_replicated_deduplication_window",
    "replicated_deduplication_window",
    "table_readonly",
}
_SHAPE = ("PARTITION BY", "PRIMARY KEY", "ORDER BY", "SAMPLE")
_PARTITIONS = """
SELECT _partition_id, countIf(NOT ifNull($whole, 0)) FROM $live
WHERE _partition_id IN (SELECT DISTINCT _partition_id FROM $live WHERE $whole)
GROUP BY _partition_id
"""
_PRINTS = """
SELECT _partition_id, count(), $print
FROM $table $final WHERE _partition_id IN ($ids) GROUP BY _partition_id
"""
_BUSY = """
SELECT count() FROM system.mutations
WHERE database = $database AND table = $table AND NOT is_done
"""
_PATCHED = """
SELECT DISTINCT extract(partition_id, '^patch-[0-9a-f]+-(.+)$$') FROM system.parts
WHERE database = $database AND table = $table AND active AND startsWith(name, 'patch-')
"""
_APPLY = "ALTER TABLE $live APPLY PATCHES IN PARTITION ID $id"
_ATTACH = "ALTER TABLE $kept ATTACH PARTITION ID $id FROM $live"
_BYTES = """
SELECT sum(bytes_on_disk) FROM system.parts WHERE database = $database AND table = $table AND active
"""
_BY_PARTITION: Settings = {"do_not_merge_across_partitions_select_final": "1"}
"""What a partition holds must not depend on another one: undo puts them back one by one."""


@dataclass(frozen=True)
class Hand:
    """One attempt's work on the whole partitions of one live table."""

    area: StagingArea
    live: TargetTable
    piece: Slice
    group: GroupTable
    attempt: Attempt
    pulse: Pulse

    @property
    def server(self) -> Server:
        """The server that everything happens on."""
        return self.area.server

    @property
    def table(self) -> str:
        """The live table, qualified."""
        return live_ref(self.live)

    def ref(self, kept: str) -> str:
        """A kept table, qualified."""
        return f"{quote(self.area.database)}.{quote(kept)}"

    def run(self, sql: str, settings: Settings = NOTHING_MORE) -> None:
        """One statement, under watch: it can be stopped, and is then proven dead."""
        tag = statement_tag(self.attempt.tag)
        self._watched(tag, lambda: self.server.run(sql, tag, settings))

    def rows(self, sql: str, settings: Settings = NOTHING_MORE) -> list[tuple[str, int, str]]:
        """A SELECT's rows, under watch: a partition, a number, and whatever comes third."""
        tag, found = statement_tag(self.attempt.tag), list[tuple[str, int, str]]()

        def work() -> None:
            for row in self.server.rows(sql, tag, settings=settings):
                found.append((str(row[0]), int(row[1]), str((*row, "")[2])))

        self._watched(tag, work)
        return found

    def partitions(self) -> list[str]:
        """The partitions that live has in the whole ranges. PlanError: one reaches beyond."""
        whole = within(self.live, self.piece.table.target_time, self.group.whole)
        found = self.rows(fill(_PARTITIONS, live=self.table, whole=whole))
        for partition, outside, _ in found:
            if outside:
                raise _beyond(self, partition, outside)
        return sorted(partition for partition, _, _ in found)

    def prints(self, table: str, partitions: Sequence[str]) -> Prints:
        """What readers see of these partitions of live, or of a kept table."""
        if not partitions:
            return {}
        statement = fill(
            _PRINTS,
            table=table,
            print=printed(self.live),
            final=self.live.final,
            ids=", ".join(literal(one) for one in partitions),
        )
        found = {p: Digest(rows, total) for p, rows, total in self.rows(statement, _SEEN)}
        return {one: found.get(one, Digest(0)) for one in partitions}

    def _watched(self, tag: str, work: Callable[[], None]) -> None:
        watched(self.server, tag, work, self.pulse)


_SEEN: Settings = {**HEAVY, **_BY_PARTITION}


def printed(live: TargetTable) -> str:
    """The sum in a print: of live, of a kept table, or of staging that is to become live."""
    return f"toString(sum(toInt128(cityHash64(tuple({quoted(insertable(live))})))))"


def keep(hand: Hand) -> KeptTable:
    """See ports.KeepingTarget.keep. The caller takes care that nothing was published yet."""
    supersede(hand.server, hand.attempt)
    name = kept_name(hand.attempt, hand.live.name)
    _create(hand, name)
    partitions = hand.partitions()
    if partitions:
        _at_rest(hand, partitions)
    for partition in partitions:
        hand.run(
            fill(_ATTACH, kept=hand.ref(name), id=literal(partition), live=hand.table),
        )
    return KeptTable(name, hand.prints(hand.ref(name), partitions), _bytes(hand, name))


def _create(hand: Hand, name: str) -> None:
    """Afresh: what an earlier try left may hold some partitions already."""
    ddl = hand.area.ddl(hand.live, hand.attempt.tag)
    settings = {k: v for k, v in ddl.settings.items() if k not in _NEVER} | _NO_MERGES
    hand.area.ensure_database(hand.attempt.tag)
    hand.run(f"DROP TABLE IF EXISTS {hand.ref(name)} SYNC", DROP_OWN)
    statement = fill(
        _CREATE,
        table=hand.ref(name),
        live=hand.table,
        engine=_engine(hand.live),
        shape=" ".join(f"{one} {ddl.clauses[one]}" for one in _SHAPE if one in ddl.clauses),
        settings=", ".join(f"{key} = {value}" for key, value in settings.items()),
        comment=literal(mark(hand.attempt, datetime.now(UTC), hand.area.owner)),
    )
    hand.run(statement)


def _engine(live: TargetTable) -> str:
    """Live's engine on one server, with its arguments."""
    name = live.engine.removeprefix("Replicated").removeprefix("Shared")
    arguments = [one for one in (live.version, live.is_deleted) if one]
    return f"{name}({quoted(arguments)})" if arguments else name


def _at_rest(hand: Hand, partitions: Sequence[str]) -> None:
    """What is still to be applied to live would not be applied to the parts that are kept."""
    names = {"database": literal(hand.live.database), "table": literal(hand.live.name)}
    if hand.server.value(fill(_BUSY, **names), hand.attempt.tag):
        raise NotKeptError(
            "what is replaced is not kept",
            where=hand.table,
            why="a mutation of the table is unfinished: what is kept would lack it",
            next_step="see system.mutations",
        )
    patched = {str(row[0]) for row in hand.server.rows(fill(_PATCHED, **names), hand.attempt.tag)}
    for partition in partitions:
        if partition in patched:
            hand.run(fill(_APPLY, live=hand.table, id=literal(partition)))


def _bytes(hand: Hand, name: str) -> int:
    statement = fill(_BYTES, database=literal(hand.area.database), table=literal(name))
    return int(hand.server.value(statement, hand.attempt.tag) or 0)


def _beyond(hand: Hand, partition: str, rows: int) -> PlanError:
    return PlanError(
        f"partition {partition} cannot be kept or put back",
        where=hand.table,
        why=f"it holds {rows} rows whose time lies outside the range",
        next_step="plan again; if it stays so, choose a range that ends with the partition",
    )
