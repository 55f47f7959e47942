"""The second look: which differing rows are wrong, and which are only on their way.

Source and target are read at different moments, and a pipeline that feeds the target lags behind.
So each differing key is looked up on both sides once more: what is equal now was in flight; and
so is what the source changed at or after the snapshot's horizon, where a version tells.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from windlass.domain.dataset import Slice
from windlass.domain.errors import PlanError
from windlass.engine.activities.compare import Comparer, Difference
from windlass.verify.keys import KeyDiff, diff, within, without

if TYPE_CHECKING:
    import pyarrow as pa

DELETED = "the source has no such row"
FOREIGN = "the source row belongs to another tenant"
MOVED = "the source row's time lies elsewhere"


@dataclass(frozen=True)
class Judged:
    """A difference after the second look: what is wrong, what is in flight, and what the source
    says of the keys now (`ports.Source.lookup`)."""

    found: Difference
    wrong: KeyDiff
    flying: KeyDiff
    now: "pa.Table"

    @cached_property
    def said(self) -> dict[tuple[str, ...], dict[str, Any]]:
        """What the source says, by key."""
        names = self.now.column_names[: -len(_SAID)]
        return {tuple(row[n] for n in names): row for row in self.now.to_pylist()}

    def reason(self, key: tuple[str, ...]) -> str:
        """Why an extra row should not be there, as far as the source can tell."""
        row = self.said.get(key)
        if row is None:
            return DELETED
        if not row["ours"]:
            return FOREIGN
        return "" if row["inside"] else MOVED


_SAID = ("hash", "excluded", "inside", "ours")


class SecondLook:
    """Looks at differing keys once more. `horizon` is the snapshot's."""

    def __init__(self, comparer: Comparer, piece: Slice, horizon: datetime) -> None:
        self._with, self._piece, self._horizon = comparer, piece, horizon

    def judge(self, found: Difference) -> Judged:
        """Tell what is wrong from what is in flight."""
        key, piece = self._key, replace(self._piece, interval=found.interval)
        asked = found.keys.names(key)
        now = self._with.source.lookup(piece, self._with.pairs, asked, self._with.attempt)
        self._with.pulse(0)
        live = self._with.target.rows_of_keys(
            self._with.live, piece, self._with.pairs, asked, self._with.attempt
        )
        self._with.pulse(0)
        inside = now.filter(now["inside"]).select([*key, "hash", "excluded"])
        again = within(diff(inside, live, key).names(key), asked, key)
        wrong = self._unchanged(again) if again.num_rows else again
        flying = without(asked, wrong, key)
        return Judged(found, found.keys.only(wrong, key), found.keys.only(flying, key), now)

    def _unchanged(self, keys: "pa.Table") -> "pa.Table":
        """Those that the source has not changed since the horizon."""
        return keys if self._changed is None else without(keys, self._changed, self._key)

    @property
    def _key(self) -> Sequence[str]:
        return self._piece.table.key

    @cached_property
    def _changed(self) -> "pa.Table | None":
        """Keys that the source changed since the horizon; None where no version tells."""
        asked = (self._piece, self._with.pairs, self._horizon, self._with.attempt)
        try:
            found = self._with.source.changed(*asked)
        except PlanError:  # no version, or one that is not a time
            return None
        self._with.pulse(0)
        return found.select(list(self._key))
