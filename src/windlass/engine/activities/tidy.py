"""Cleaning up: what outlived its retention, and what dead attempts left behind."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from windlass.domain.attempt import Attempt
from windlass.domain.errors import WindlassError
from windlass.domain.undo import KeptRecord, Leftover
from windlass.domain.words import volume
from windlass.engine.activities.desk import Desk
from windlass.planner.parse import span_text

LIVE = "live"
STRAY_SECONDS = 30.0
"""A statement of a dead attempt that is younger may just be on its way out."""

_TAG = re.compile(r"windlass/(?P<subject>.+)#(?P<number>\d+)(?:/[0-9a-f]*)?", re.DOTALL)


@dataclass(frozen=True)
class Orphan:
    """Something that only a dead attempt needed: `kind` is table or statement; `name` the
    table's, or the statement's tag; `why` nobody needs it; `bytes` on disk."""

    kind: str
    name: str
    why: str
    bytes: int = 0


@dataclass(frozen=True)
class CleanUp:
    """clean: remove these orphans, by kind and name, as far as they still are orphans."""

    orphans: tuple[tuple[str, str], ...]


class Tidy:
    """Looks and clears on one cluster's target. Touches nothing without our mark, and nothing
    that a live attempt, another ledger, or an undo within its retention still needs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def orphans(self) -> list[Orphan]:
        """Tables and statements that nobody needs any more."""
        return [orphan for orphan, _ in self._orphan_tables()] + list(self._stray_statements())

    def others(self) -> list[Leftover]:
        """Tables of ours that other ledgers know of: theirs to judge."""
        ours = self._desk.ledger.ledger_id()
        return [one for one in self._desk.target.leftovers() if one.ledger not in {"", ours}]

    def findings(self) -> list[tuple[str, str, str]]:
        """What `doctor` says: (level ok|warn|fail, what, next step). Drops what outlived its
        retention on the way."""
        try:
            self.expire()
            return [self._kept_words(), *self._orphan_words(), *self._other_words()]
        except WindlassError as error:
            return [("warn", f"what is left over is unknown: {error.what}", error.next_step)]

    def _kept_words(self) -> tuple[str, str, str]:
        kept, retention = self.kept(), span_text(self._desk.undo_retention)
        if not self._desk.undo_retention:
            return "ok", "nothing is kept for undo: undo_retention is 0", ""
        if not kept:
            return "ok", f"nothing is kept for undo just now (undo_retention {retention})", ""
        size = sum(found for _, found in kept)
        until = min(one.kept_at for one, _ in kept) + self._desk.undo_retention
        what = (
            f"{len(kept)} tables are kept for undo, the oldest until {until:%Y-%m-%d %H:%M} UTC: "
            f"at most {volume(size)} on disk, less as long as live still shares the parts"
        )
        return "ok", what, ""

    def _orphan_words(self) -> list[tuple[str, str, str]]:
        found = self.orphans()
        if not found:
            return [("ok", "nothing is left over from dead attempts", "")]
        names = ", ".join(one.name for one in found[:3]) + (" …" if len(found) > 3 else "")
        size = volume(sum(one.bytes for one in found))
        what = f"{len(found)} left over from dead attempts ({size}): {names}"
        return [("warn", what, f"windlass doctor --cluster {self._desk.cluster} --clean")]

    def _other_words(self) -> list[tuple[str, str, str]]:
        found = self.others()
        if not found:
            return []
        ledgers = sorted({one.ledger for one in found})
        what = f"{len(found)} tables in staging are of {len(ledgers)} other ledgers: left alone"
        return [("ok", f"{what} ({', '.join(ledgers[:3])})", "")]

    def clean(self, wanted: Sequence[tuple[str, str]]) -> list[Orphan]:
        """Remove those of the orphans; what is none any more stays. Returns what is gone."""
        gone = []
        for orphan, found in self._orphan_tables():
            if (orphan.kind, orphan.name) in wanted and self._desk.target.drop_leftover(found):
                gone.append(orphan)
        for orphan in self._stray_statements():
            if (orphan.kind, orphan.name) in wanted:
                self._desk.target.kill(orphan.name)
                gone.append(orphan)
        return gone

    def sweep(self, campaign: str) -> int:
        """At a campaign's end: drop what it left in staging. Returns how many tables."""
        mine = [
            found
            for _, found in self._orphan_tables()
            if found.subject.startswith(f"{campaign}/") and found.ledger
        ]
        return sum(self._desk.target.drop_leftover(found) for found in mine)

    def expire(self) -> int:
        """Drop what was kept longer than the retention, and what was undone already. Returns how
        many tables."""
        kept = self._desk.ledger.kept_on(self._desk.cluster)
        due = [(one, why) for one in kept for why in [self._due(one)] if why]
        if not due:
            return 0
        there = {found.name: found for found in self._desk.target.leftovers()}
        for record, why in due:
            self._forget(record, there.get(record.kept.name), why)
        return len(due)

    def drop_kept(self, group: str, why: str) -> None:
        """The group's kept tables are not needed any more."""
        there = {found.name: found for found in self._desk.target.leftovers()}
        for record in self._desk.ledger.kept(group):
            if record.kept.name and record.dropped_at is None:
                self._forget(record, there.get(record.kept.name), why)

    def kept(self) -> list[tuple[KeptRecord, int]]:
        """What is kept now, with its size on disk now."""
        there = {found.name: found.bytes for found in self._desk.target.leftovers() if found.kept}
        kept = self._desk.ledger.kept_on(self._desk.cluster)
        return [(one, there[one.kept.name]) for one in kept if one.kept.name in there]

    def _forget(self, record: KeptRecord, found: Leftover | None, why: str) -> None:
        if found is not None:
            self._desk.target.drop_leftover(found)
        self._desk.ledger.record_kept_dropped(record.group, record.table, why)

    def _due(self, record: KeptRecord) -> str:
        """Why it can go now; '' while it is needed."""
        undo = self._desk.ledger.undo(record.group)
        if undo is not None:
            return "undone" if undo.ended_at else ""
        age = self._desk.clock.now() - record.kept_at
        if age < self._desk.undo_retention or self._settling(record):
            return ""
        return "undo_retention was over"

    def _settling(self, record: KeptRecord) -> bool:
        """Whether its group is still at work: what it replaced is needed until it is judged."""
        subject = [(record.group, one) for one in self._latest(record.group)]
        return LIVE in self._desk.ledger.standing(subject)

    def _latest(self, group: str) -> list[int]:
        attempts = self._desk.ledger.group_subjects(group)
        return [max((one.number for one in attempts if one.subject == group), default=0)]

    def _orphan_tables(self) -> Iterator[tuple[Orphan, Leftover]]:
        ours, found = self._desk.ledger.ledger_id(), self._desk.target.leftovers()
        kept = {one.kept.name for one in self._desk.ledger.kept_on()}
        mine = [
            one for one in found if one.ledger in {"", ours} and not (one.kept and one.name in kept)
        ]
        standing = self._desk.ledger.standing([(one.subject, one.number) for one in mine])
        for one, stands in zip(mine, standing, strict=True):
            if stands != LIVE:
                why = stands or "the ledger knows no such campaign or attempt"
                yield Orphan("table", one.name, f"{one.subject}: {why}", one.bytes), one

    def _stray_statements(self) -> Iterator[Orphan]:
        """Only those that the ledger knows to be over: another ledger's are not ours to stop."""
        found = {
            (match["subject"], int(match["number"]))
            for tag, seconds in self._desk.target.statements()
            for match in [_TAG.fullmatch(tag)]
            if match and seconds >= STRAY_SECONDS
        }
        attempts = sorted(found)
        for (subject, number), stands in zip(
            attempts, self._desk.ledger.standing(attempts), strict=True
        ):
            if stands not in {LIVE, ""}:
                yield Orphan("statement", Attempt("", subject, number).tag, stands)
