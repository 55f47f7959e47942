"""Telling people what happens, once each, wherever a worker runs; no campaign waits for it."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from windlass.domain.errors import NotSentError, WindlassError
from windlass.domain.notices import Happening, Occasion
from windlass.engine.worker.messages import message
from windlass.ports import Clock
from windlass.ports.notices import NoticeLedger, Notifier

EVERY = 5.0
"""Seconds between two looks."""
FRESH = timedelta(hours=1)
"""What is older is not told any more: a fleet that is told for the first time hears no history."""
LEASE = 60.0
"""Seconds that a message may be on its way. One whose worker died meanwhile is sent again: rather
twice than never."""
WAITS = (10.0, 60.0, 300.0)
"""Seconds before each further try."""
GAP = 60.0
"""Seconds between two messages to one place about the same of one campaign: what happens
meanwhile is told together."""
_GRACE = 2.0

log = logging.getLogger("windlass")


@dataclass(frozen=True)
class Channel:
    """Where what is told. `name` stands for it in the record and in logs; `patience` is for how
    many seconds the servers may hold a campaign back before that is told."""

    name: str
    notifier: Notifier
    on: frozenset[Occasion]
    patience: float = 600.0

    def wants(self, one: Happening, now: datetime) -> bool:
        """Whether it is to be told of that now."""
        young = (now - one.at).total_seconds() < self.patience
        return one.occasion in self.on and not (one.occasion is Occasion.THROTTLED and young)


@dataclass
class Messenger:
    """Looks when told to, and brings what is due. Any number of workers may: the ledger says who
    tells what."""

    ledger: NoticeLedger
    channels: Sequence[Channel]
    clock: Clock
    gap: float = GAP
    _last: dict[tuple[str, str, Occasion], datetime] = field(default_factory=dict)

    def look(self) -> None:
        """Bring what came to pass since the last look, and what could not be brought before."""
        now = self.clock.now()
        happened = self.ledger.happenings(now - FRESH)
        for channel in self.channels:
            due = {one.key: one for one in happened if channel.wants(one, now)}
            fresh = self.ledger.unsent(channel.name, list(due)) if due else []
            for batch in _batches([due[key] for key in fresh]):
                self._bring(channel, batch, now)

    def _bring(self, channel: Channel, batch: Sequence[Happening], now: datetime) -> None:
        about = (channel.name, batch[0].campaign, batch[0].occasion)
        last = self._last.get(about)
        if last is not None and (now - last).total_seconds() < self.gap:
            return
        tries = self.ledger.claim_notices(channel.name, [one.key for one in batch], LEASE)
        mine = [one for one in batch if one.key in tries]
        if not mine:
            return
        try:
            channel.notifier.send(message(mine, now))
        except NotSentError as error:
            self._failed(channel, mine, tries, error)
            return
        self._last[about] = now
        self.ledger.notices_sent(channel.name, [one.key for one in mine])

    def _failed(
        self,
        channel: Channel,
        batch: Sequence[Happening],
        tries: Mapping[str, int],
        error: NotSentError,
    ) -> None:
        """Tried again a few times; then the log and the record say that nobody was told."""
        for count in sorted(set(tries.values())):
            some = [one for one in batch if tries[one.key] == count]
            wait = WAITS[count - 1] if count <= len(WAITS) else None
            self.ledger.notices_failed(channel.name, some, error.why, wait)
            if wait is None:
                what = f"{some[0].campaign}: {some[0].occasion}"
                log.warning("%s: nobody was told at %s: %s", what, channel.name, error.why)


def _batches(happened: Sequence[Happening]) -> list[list[Happening]]:
    """What one message tells: one campaign, one occasion."""
    found: dict[tuple[str, Occasion], list[Happening]] = {}
    for one in happened:
        found.setdefault((one.campaign, one.occasion), []).append(one)
    return list(found.values())


@contextmanager
def told(make: Callable[[], Messenger], every: float = EVERY) -> Iterator[None]:
    """Look every `every` seconds, for as long as the block runs, all of it aside: `make` too may
    take its time. A look that fails is followed by the next; one that hangs holds up no worker's
    end."""
    stop = threading.Event()

    def run() -> None:
        messenger = make()
        while not stop.wait(every):
            try:
                messenger.look()
            except WindlassError as error:
                log.warning("nobody is told for now: %s", error)

    thread = threading.Thread(target=run, name="messenger", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_GRACE)
