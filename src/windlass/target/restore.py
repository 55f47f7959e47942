"""Undo: the kept partitions back into live, each at once, and proven equal to what was kept."""

from collections.abc import Mapping

from windlass.domain.errors import StagingGoneError, TransientError
from windlass.domain.results import Digest
from windlass.domain.undo import KeptTable, Prints
from windlass.target.client import NOTHING_MORE, Settings, fill
from windlass.target.names import literal
from windlass.target.publish.job import copied
from windlass.target.publish.keep import Hand
from windlass.target.publish.supersede import supersede
from windlass.target.settings import FROM_NOTHING

_TRIES = 3
_JITTER = 2
"""Seconds by which two looks at the time of the server's start may differ."""

_REPLACE = "ALTER TABLE $live REPLACE PARTITION ID $id FROM $kept"
_DROP = "ALTER TABLE $live DROP PARTITION ID $id"
_THERE = "SELECT count() FROM system.tables WHERE database = $database AND name = $name"
_STARTED = "SELECT toUnixTimestamp(now()) - toInt64(uptime())"
_NOTHING = Digest(0)


def restore(hand: Hand, kept: KeptTable) -> Mapping[str, int]:
    """See ports.KeepingTarget.restore.

    A server that is killed in mid-REPLACE may come back with old and new together, so all is put
    back again when it was restarted meanwhile.
    """
    supersede(hand.server, hand.attempt)
    for _ in range(_TRIES):
        started = _started(hand)
        dropped = _put_back(hand, kept)
        now = prints(hand)
        if not _short(kept.before, now) and _started(hand) <= started + _JITTER:
            return _facts(kept, now, dropped)
    raise TransientError(
        "live does not hold what was kept",
        where=hand.table,
        why=f"after {_TRIES} tries partitions {', '.join(_short(kept.before, now)) or '-'} differ",
        next_step="nothing: it is tried again",
    )


def prints(hand: Hand) -> Prints:
    """How live looks now."""
    return hand.prints(hand.table, hand.partitions())


def _put_back(hand: Hand, kept: KeptTable) -> int:
    """Returns how many partitions were dropped."""
    _fence(hand, kept)
    present = hand.partitions()
    for partition in sorted(kept.before):
        _replace(hand, kept, partition)
    new = [one for one in present if one not in kept.before]
    for partition in new:
        _empty(hand, kept, partition)
    return len(new)


def _replace(
    hand: Hand, kept: KeptTable, partition: str, settings: Settings = NOTHING_MORE
) -> None:
    ids = {"live": hand.table, "id": literal(partition), "kept": hand.ref(kept.name)}
    hand.run(fill(_REPLACE, **ids), settings)


def _empty(hand: Hand, kept: KeptTable, partition: str) -> None:
    """As in a swap: by what the kept table has of it, which is nothing, so that the statement
    fails once that is dropped."""
    if copied(hand.live):
        _fence(hand, kept)
        hand.run(fill(_DROP, live=hand.table, id=literal(partition)))
        return
    _replace(hand, kept, partition, FROM_NOTHING)


def _fence(hand: Hand, kept: KeptTable) -> None:
    """A REPLACE fails by itself once the kept table is dropped; a DROP PARTITION would not."""
    names = {"database": literal(hand.area.database), "name": literal(kept.name)}
    if not hand.server.value(fill(_THERE, **names), hand.attempt.tag):
        raise StagingGoneError(
            "the kept partitions are gone",
            where=hand.ref(kept.name),
            why="the undo was finished by another attempt, or they outlived undo_retention",
            next_step="windlass status shows whether the campaign was undone",
        )


def _short(before: Prints, now: Prints) -> list[str]:
    """Partitions that lack rows of what was kept, or hold as many but others; more rows than
    that are a writer's."""
    return [
        name
        for name, kept in before.items()
        for seen in [now.get(name, _NOTHING)]
        if seen.rows < kept.rows or (seen.rows == kept.rows and seen.sum != kept.sum)
    ]


def _facts(kept: KeptTable, now: Prints, dropped: int) -> Mapping[str, int]:
    rows = sum(one.rows for one in now.values())
    return {
        "replaced": len(kept.before),
        "dropped": dropped,
        "rows": rows,
        "late_rows": rows - sum(one.rows for one in kept.before.values()),
    }


def _started(hand: Hand) -> int:
    """The second at which the server started, by its own clock."""
    return int(hand.server.value(_STARTED, hand.attempt.tag))
