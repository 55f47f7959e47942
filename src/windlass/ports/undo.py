"""What undo and clean ask of target and ledger: parts of the ports Target and Ledger."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Slice
from windlass.domain.plan import GroupTable
from windlass.domain.results import Digest
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.undo import (
    GroupUndo,
    KeptRecord,
    KeptTable,
    Leftover,
    Prints,
    UndoOrder,
    UndoRecord,
)
from windlass.ports.basics import Pulse


class KeepingTarget(Protocol):
    """A target that keeps the partitions which a publish replaces, and puts them back.

    What takes a group speaks of the partitions that lie in `group.whole`; a target of several
    servers names a partition together with its server.
    """

    def keep(
        self,
        live: TargetTable,
        piece: Slice,
        group: GroupTable,
        attempt: Attempt,
        pulse: Pulse,
    ) -> KeptTable:
        """Before anything is published: attach every present partition of live (hard links) to
        the table `kept_name(attempt, live.name)`, made afresh, also where there is none to keep.
        NotKeptError: live is in a state that nothing exact can be kept of."""
        ...

    def prints(
        self,
        live: TargetTable,
        piece: Slice,
        group: GroupTable,
        attempt: Attempt,
        pulse: Pulse,
    ) -> Prints:
        """How live looks now, per partition that has rows."""
        ...

    def proofs(
        self,
        live: TargetTable,
        rows: Sequence[Staging],
        pairs: Sequence[ColumnPair],
        attempt: Attempt,
        pulse: Pulse,
        *,
        prints: bool,
    ) -> tuple[list[Digest], Prints]:
        """What staging holds, looked at once: `Target.staged` of each table, and, if `prints` are
        wanted, what `prints` tells of live once it holds just that, and hides none of its rows.
        StagingGoneError. TransientError: the answer was not whole."""
        ...

    def restore(
        self,
        live: TargetTable,
        piece: Slice,
        group: GroupTable,
        kept: KeptTable,
        attempt: Attempt,
        pulse: Pulse,
    ) -> Mapping[str, int]:
        """Put the kept partitions back, each at once, and drop those that were not there.
        Repeatable until the kept table is dropped: StagingGoneError then, and nothing changes.
        Returns `replaced`, `dropped` (partitions), `rows` that live holds there now, and
        `late_rows` that others wrote meanwhile. TransientError: live is not what was kept."""
        ...

    def leftovers(self) -> list[Leftover]:
        """Tables with our mark in the staging database, whoever made them. Never a table whose
        name and comment do not tell the same attempt."""
        ...

    def drop_leftover(self, found: Leftover) -> bool:
        """Drop it, if it still carries the mark that was found; whether it was there."""
        ...

    def statements(self) -> list[tuple[str, float]]:
        """(tag, seconds) of each statement that the server lists with a tag of an attempt."""
        ...


class UndoLedger(Protocol):
    """What the engine writes down about undo. Each call is one transaction, safe to repeat."""

    def record_kept(self, record: KeptRecord) -> KeptRecord:
        """Recorded once per group and table: returns the record that stands, which is the first
        one's. To be called before the group's first publish step begins."""
        ...

    def kept(self, group: str) -> list[KeptRecord]:
        """What was kept for the group, one record per table."""
        ...

    def kept_on(self, cluster: str = "") -> list[KeptRecord]:
        """All kept tables of the cluster ('' any) that were not dropped yet, oldest first."""
        ...

    def record_after(self, group: str, table: str, after: Prints) -> None:
        """How live looked once the group had settled; repeating replaces."""
        ...

    def record_kept_dropped(self, group: str, table: str, why: str) -> None:
        """The kept table is gone."""
        ...

    def undo(self, group: str) -> UndoRecord | None:
        """The group's undo, if one ever began."""
        ...

    def undo_begun(self, group: str, order: UndoOrder) -> None:
        """From now on nothing that was verified in the group's range holds."""
        ...

    def undo_ended(self, group: str, text: str) -> None:
        """The group is as it was before its campaign: the windows say so, and an event with
        `text` tells what was done."""
        ...

    def standing(self, attempts: Sequence[tuple[str, int]]) -> list[str]:
        """Per (subject, number): `live` while its work may go on, else why it is over, such as
        `campaign acme-jan-2026 has ended (done)`; '' where this ledger knows no such attempt."""
        ...


class UndoReader(Protocol):
    """What operators read about undo."""

    def undo_groups(self, campaign: str, cluster: str = "", database: str = "") -> list[GroupUndo]:
        """Every publish group that is not cut again, in order of tenant and time."""
        ...
