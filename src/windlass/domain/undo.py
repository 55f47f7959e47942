"""Undo: what a publish replaced, kept by hard links, and how live looked before and after."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from windlass.domain.attempt import Attempt
from windlass.domain.results import Digest
from windlass.domain.window import Interval

Prints = Mapping[str, Digest]
"""`{partition: rows and hash of what readers see of it}`. A partition's name is the adapter's
own word: compare the names, take nothing out of them. The hash stays the same when the server
merges parts; where the engine replaces, each partition is taken by itself."""

_LONGEST = 60


@dataclass(frozen=True)
class KeptTable:
    """The partitions of one live table as an attempt found them, in a table of its own.

    `name` stands in the staging database; `before` is what it holds; `bytes` its size on disk,
    most of it shared with live as long as live still has the same parts.
    """

    name: str
    before: Prints
    bytes: int = 0


@dataclass(frozen=True)
class KeptRecord:
    """What the ledger knows of one table of one group. `why_not` says why nothing was kept ('' it
    was); `after` is how live looked once the group had settled (None: it never did);
    `dropped_at` when the kept table went, and `dropped_why`."""

    group: str
    table: str
    cluster: str
    database: str
    kept: KeptTable
    kept_at: datetime
    why_not: str = ""
    after: Prints | None = None
    dropped_at: datetime | None = None
    dropped_why: str = ""


@dataclass(frozen=True)
class UndoOrder:
    """An operator's order to undo: `id` tells orders apart; `force` lets changed rows go."""

    id: str
    who: str
    why: str = ""
    force: bool = False


@dataclass(frozen=True)
class UndoRecord:
    """The undo of one group; `ended_at` None: it has begun and has to be finished."""

    group: str
    order: UndoOrder
    begun_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True)
class GroupUndo:
    """What can be said of undoing one publish group. `why_not` is '' where it can be undone, as
    far as the ledger knows; only live itself tells whether it changed since.

    `windows` are ids; `settled` that it was published and judged.
    """

    group: str
    cluster: str
    database: str
    interval: Interval
    windows: tuple[str, ...]
    settled: bool
    kept: tuple[KeptRecord, ...] = ()
    undo: UndoRecord | None = None
    why_not: str = ""

    @property
    def undone(self) -> bool:
        """Whether it was undone."""
        return self.undo is not None and self.undo.ended_at is not None

    @property
    def bytes(self) -> int:
        """Size on disk of what is kept: an upper bound of what it costs."""
        return sum(one.kept.bytes for one in self.kept if one.dropped_at is None)


@dataclass(frozen=True)
class Leftover:
    """A table of ours in the staging database, as its name and comment tell.

    `subject` and `number` are its attempt's; `kept`: it holds replaced partitions; `ledger` is
    the id of the ledger that its maker used ('' unknown); `bytes` on disk.
    """

    name: str
    subject: str
    number: int
    kept: bool
    ledger: str
    made_at: datetime
    rows: int = 0
    bytes: int = 0


_MARK = re.compile(
    r"windlass/(?P<subject>.+)#(?P<number>\d+) (?P<made_at>\S+)(?: ledger:(?P<ledger>\S+))?",
    re.DOTALL,
)


def mark(attempt: Attempt, made_at: datetime, ledger: str = "") -> str:
    """The comment of a table of ours: whose it is, since when, and whose ledger knows of it."""
    owner = f" ledger:{ledger}" if ledger else ""
    return f"{attempt.tag} {made_at.isoformat(timespec='seconds')}{owner}"


def kept_name(attempt: Attempt, table: str) -> str:
    """The kept table of one live table: named by the attempt that keeps, so that one that wakes
    up late can only touch its own."""
    plain = len(table) <= _LONGEST and table.isascii() and table.replace("_", "").isalnum()
    shown = table if plain else hashlib.sha256(table.encode()).hexdigest()[:24]
    return f"kept_{attempt.token}_{shown}"


def leftover(name: str, comment: str, rows: int = 0, size: int = 0) -> Leftover | None:
    """The table as ours; None unless the comment is our mark and the name carries the token of
    the very attempt that the comment names."""
    found = _MARK.fullmatch(comment)
    if not found:
        return None
    attempt = Attempt("", found["subject"], int(found["number"]))
    kept = name.startswith(f"kept_{attempt.token}_")
    if not kept and not name.startswith(f"{attempt.token}_"):
        return None
    try:
        made_at = datetime.fromisoformat(found["made_at"])
    except ValueError:
        return None
    return Leftover(
        name, attempt.subject, attempt.number, kept, found["ledger"] or "", made_at, rows, size
    )
