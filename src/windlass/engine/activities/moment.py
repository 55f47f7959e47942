"""The moment that a group's verdict speaks of: one more source snapshot, taken when nobody who
wrote to the tables before the load is still at it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from windlass.domain.attempt import Attempt
from windlass.domain.dataset import Dataset
from windlass.domain.errors import SnapshotLostError, TransientError
from windlass.domain.results import Snapshot, Writer
from windlass.engine.activities.looks import wait
from windlass.engine.retry import WRITERS_LIMIT, WRITERS_PAUSE
from windlass.ports import Pulse, Source


@dataclass(frozen=True)
class Moment:
    """`open`: transactions that wrote to the tables, were open when the group's snapshot was
    taken, and still are. What they commit is not in the range."""

    snapshot: Snapshot
    open: tuple[Writer, ...] = ()

    @property
    def exact_as_of(self) -> datetime:
        """What was written before that instant is in the range, or was rolled back."""
        return self.snapshot.exact_as_of or self.snapshot.horizon


class Patience:
    """How long open writers are waited for: each once, however many groups meet it."""

    def __init__(self, limit: float = WRITERS_LIMIT.total_seconds()) -> None:
        self._limit = limit
        self._given_up: set[str] = set()

    def give_up(self, writers: Sequence[Writer]) -> None:
        """Wait no more for these."""
        self._given_up |= {writer.id for writer in writers}

    @contextmanager
    def moment(
        self, source: Source, attempt: Attempt, dataset: Dataset, taken_at: str, pulse: Pulse
    ) -> Iterator[Moment]:
        """Hold a snapshot that has in it what was written before `taken_at` (RFC 3339), or, when
        that took too long, one that names who is still open."""
        begun, first = time.monotonic(), set[str]()
        while True:
            with _hold(source, attempt, dataset) as snapshot:
                first = first or {writer.id for writer in snapshot.writers}
                old = tuple(w for w in snapshot.writers if _before(w, taken_at, first))
                late = time.monotonic() - begun >= self._limit
                if late or {writer.id for writer in old} <= self._given_up:
                    self.give_up(old)
                    yield Moment(snapshot, old)
                    return
            wait(WRITERS_PAUSE.total_seconds(), pulse)


def _before(writer: Writer, taken_at: str, first: set[str]) -> bool:
    """Whether it may have written before the group's snapshot; where the server does not show
    when it began, it counts when it was there at the first look."""
    if writer.since is None or not taken_at:
        return writer.id in first
    return writer.since < datetime.fromisoformat(taken_at)


@contextmanager
def _hold(source: Source, attempt: Attempt, dataset: Dataset) -> Iterator[Snapshot]:
    """Its loss costs this activity another try, not the group: nothing was loaded from it."""
    try:
        with source.hold(attempt, dataset) as held:
            yield held.snapshot
    except SnapshotLostError as error:
        raise TransientError(
            "the snapshot that the range is compared with is gone",
            where=error.where,
            why=str(error),
            next_step="nothing: it is tried again",
        ) from error
