"""The part of the target adapter that keeps, puts back and clears away."""

from collections.abc import Mapping, Sequence

from windlass.domain.attempt import Attempt, Staging
from windlass.domain.dataset import Slice
from windlass.domain.plan import GroupTable
from windlass.domain.results import Digest
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.undo import KeptTable, Leftover, Prints
from windlass.ports import Pulse
from windlass.target import leftovers, restore
from windlass.target.proofs import proofs
from windlass.target.publish.keep import Hand, keep
from windlass.target.staging import StagingArea


class Keeping:
    """`windlass.ports.undo.KeepingTarget` over one ClickHouse."""

    _area: StagingArea

    def keep(
        self, live: TargetTable, piece: Slice, group: GroupTable, attempt: Attempt, pulse: Pulse
    ) -> KeptTable:
        """See ports.KeepingTarget."""
        return keep(Hand(self._area, live, piece, group, attempt, pulse))

    def prints(
        self, live: TargetTable, piece: Slice, group: GroupTable, attempt: Attempt, pulse: Pulse
    ) -> Prints:
        """See ports.KeepingTarget."""
        return restore.prints(Hand(self._area, live, piece, group, attempt, pulse))

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
        """See ports.KeepingTarget."""
        return proofs(self._area, live, rows, pairs, attempt, pulse, prints=prints)

    def restore(
        self,
        live: TargetTable,
        piece: Slice,
        group: GroupTable,
        kept: KeptTable,
        attempt: Attempt,
        pulse: Pulse,
    ) -> Mapping[str, int]:
        """See ports.KeepingTarget."""
        return restore.restore(Hand(self._area, live, piece, group, attempt, pulse), kept)

    def leftovers(self) -> list[Leftover]:
        """See ports.KeepingTarget."""
        return leftovers.leftovers(self._area)

    def drop_leftover(self, found: Leftover) -> bool:
        """See ports.KeepingTarget."""
        return leftovers.drop(self._area, found)

    def statements(self) -> list[tuple[str, float]]:
        """See ports.KeepingTarget."""
        return leftovers.statements(self._area.server)
