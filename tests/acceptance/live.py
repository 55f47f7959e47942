"""Others at work while a campaign runs: a writer on the source, and an ingestion that mirrors what
it commits into the target a little later. Neither knows anything of Windlass."""

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from queue import Empty, Queue
from typing import Any

import psycopg

from tests.acceptance.world import World

Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]

SPAN = (datetime(2025, 12, 20, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC))
LAG = 0.3
BACKLOG = 8
"""Changes that wait for the ingestion before the writer does: a busy machine must not stretch its
lag beyond what a campaign waits for."""
CARD = "card_id, customer, profile, kind, amount, score, note, created_at, updated_at"
MARK = "mark_id, card_id, value, created_at, updated_at"


@dataclass(frozen=True)
class Change:
    """What one transaction did: the rows as it left them, and those that are no longer the
    tenant's to show, with the source's clock right after it wrote."""

    rows: dict[str, list[Row]]
    gone: dict[str, list[int]]
    written: datetime


@dataclass
class Traffic:
    """Writes to the source with short and long transactions until told to stop."""

    world: World
    seed: int
    pause: float = 0.02
    tombstones: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    taken: list[tuple[datetime, str, int]] = field(default_factory=list)
    mirrored: list[tuple[datetime, str, int]] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop, self._done = threading.Event(), threading.Event()
        self._feed: Queue[tuple[float, Change]] = Queue()
        self._next_id = 1_000_000
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def running(self) -> Iterator["Traffic"]:
        """Write and mirror for as long as the block runs, and mirror the rest after it."""
        writers = [
            threading.Thread(target=self._guarded, args=(self._short,), name="writer"),
            threading.Thread(target=self._guarded, args=(self._long,), name="slow writer"),
        ]
        mirror = threading.Thread(target=self._guarded, args=(self._mirror,), name="ingestion")
        for thread in (*writers, mirror):
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in writers:
                thread.join(60)
            self._done.set()
            mirror.join(120)
            assert not mirror.is_alive()
        assert not self.failures, self.failures

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except BaseException as error:
            self.failures.append(error)

    def _short(self) -> None:
        dice = random.Random(self.seed)
        with psycopg.connect(self.world.endpoints.postgres) as connection:
            while not self._stop.wait(self.pause):
                if self._feed.qsize() > BACKLOG:
                    continue
                change = self._transaction(connection, dice)
                connection.commit()
                self._feed.put((time.monotonic(), change))

    def _long(self) -> None:
        """Transactions that stay open for seconds: what they commit carries old versions."""
        dice = random.Random(self.seed + 1)
        with psycopg.connect(self.world.endpoints.postgres) as connection:
            while not self._stop.is_set():
                change = self._transaction(connection, dice)
                self._stop.wait(dice.uniform(0.5, 4))
                if dice.random() < 0.2:
                    connection.rollback()
                    continue
                connection.commit()
                self.counts["long"] = self.counts.get("long", 0) + 1
                self._feed.put((time.monotonic(), change))

    def _transaction(self, connection: Connection, dice: random.Random) -> Change:
        deeds = ("insert", "update", "update", "move", "exclude", "keep", "delete", "sell", "mark")
        deed = dice.choice(deeds)
        with self._lock:
            self.counts[deed] = self.counts.get(deed, 0) + 1
            ids = self._ids(connection, dice)
        ids = getattr(self, f"_do_{deed}")(connection, dice, ids) or ids
        return self._image(connection, ids)

    def _ids(self, connection: Connection, dice: random.Random) -> list[int]:
        """A few cards that no other transaction has in hand."""
        found = connection.execute(
            f"select card_id from {self.world.name}.cards where card_id >= %s and customer = 'acme'"
            " order by card_id limit %s for update skip locked",
            (dice.randrange(self.world.rows), dice.randint(1, 3)),
        ).fetchall()
        return [one for (one,) in found]

    def _when(self, dice: random.Random) -> datetime:
        at = SPAN[0] + (SPAN[1] - SPAN[0]) * dice.random()
        return at.replace(microsecond=at.microsecond // 1000 * 1000)

    def _do_insert(self, connection: Connection, dice: random.Random, ids: list[int]) -> list[int]:
        with self._lock:
            self._next_id += 1
            new = self._next_id
        at = self._when(dice)
        connection.execute(
            f"insert into {self.world.name}.cards values (%s, 'acme', 'voice', %s, %s, %s, 'new', "
            "%s, now())",
            (new, dice.choice(["plain", "plain", "appeal"]), new % 97, 0.5, at),
        )
        connection.execute(
            f"insert into {self.world.name}.marks select %s * 3 + m, %s, m, "
            "%s + m * interval '1 second', now() from generate_series(0, 2) m",
            (new, new, at),
        )
        return [new]

    def _do_update(self, connection: Connection, dice: random.Random, ids: list[int]) -> None:
        self._set(connection, ids, "amount = amount + 1, note = 'updated'")

    def _do_move(self, connection: Connection, dice: random.Random, ids: list[int]) -> None:
        self._set(connection, ids, f"created_at = '{self._when(dice).isoformat()}'")

    def _do_exclude(self, connection: Connection, dice: random.Random, ids: list[int]) -> None:
        self._set(connection, ids, "kind = 'appeal'")

    def _do_keep(self, connection: Connection, dice: random.Random, ids: list[int]) -> None:
        self._set(connection, ids, "kind = 'plain'")

    def _do_sell(self, connection: Connection, dice: random.Random, ids: list[int]) -> None:
        self._set(connection, ids, "customer = 'globex'")

    def _do_mark(self, connection: Connection, dice: random.Random, ids: list[int]) -> None:
        connection.execute(
            f"update {self.world.name}.marks set value = value + 10, updated_at = now() "
            "where card_id = any(%s)",
            (ids,),
        )

    def _do_delete(self, connection: Connection, dice: random.Random, ids: list[int]) -> None:
        self._gone = connection.execute(
            f"select mark_id from {self.world.name}.marks where card_id = any(%s)", (ids,)
        ).fetchall()
        for table in ("marks", "cards"):
            connection.execute(
                f"delete from {self.world.name}.{table} where card_id = any(%s)", (ids,)
            )

    def _set(self, connection: Connection, ids: list[int], what: str) -> None:
        connection.execute(
            f"update {self.world.name}.cards set {what}, updated_at = now() "
            "where card_id = any(%s)",
            (ids,),
        )

    def _image(self, connection: Connection, ids: list[int]) -> Change:
        """The rows of these cards as they are now; those that the tenant's tables should not
        show any more are `gone`, with every mark that their cards ever had."""
        schema = self.world.name
        shown = "customer = 'acme' and kind is distinct from 'appeal'"
        cards = connection.execute(
            f"select {CARD} from {schema}.cards where card_id = any(%s) and {shown}", (ids,)
        ).fetchall()
        marks = connection.execute(
            f"select {MARK} from {schema}.marks where card_id = any(%s) and card_id in "
            f"(select card_id from {schema}.cards where {shown})",
            (ids,),
        ).fetchall()
        here = {row[0] for row in cards}
        lost = [one for one in ids if one not in here]
        (written,) = connection.execute("select clock_timestamp()").fetchone() or (None,)
        assert isinstance(written, datetime)
        change = Change(
            {"card": cards, "mark": marks},
            {"card": lost, "mark": [one * 3 + m for one in lost for m in range(3)]},
            written,
        )
        self.taken += [(written, table, key) for table, keys in change.gone.items() for key in keys]
        return change

    def _mirror(self) -> None:
        """Bring each committed change to the target, LAG seconds after its commit."""
        client = self.world.ch
        while True:
            try:
                committed, change = self._feed.get(timeout=0.1)
            except Empty:
                if self._done.is_set():
                    return
                continue
            time.sleep(max(0.0, committed + LAG - time.monotonic()))
            for table, names in (("card", CARD), ("mark", MARK)):
                rows = change.rows[table]
                if rows:
                    self._note(table, rows)
                    client.insert(f"{self.world.db}.{table}", rows, column_names=names.split(", "))
            if self.tombstones:
                self._bury(client, change)

    def _note(self, table: str, rows: list[Row]) -> None:
        now = datetime.now(UTC)
        self.mirrored += [(now, table, row[0]) for row in rows]

    def _bury(self, client: Any, change: Change) -> None:
        """Deletions as an ingestion brings them where the engine knows `is_deleted`."""
        for table, keys in change.gone.items():
            if keys:
                at = f"toDateTime64({change.written.timestamp():.6f}, 6, 'UTC')"
                client.command(
                    f"insert into {self.world.db}.{table} select * replace (1 as is_deleted, "
                    f"greatest(updated_at, {at}) as updated_at) from {self.world.db}.{table} final "
                    f"where {table}_id in ({', '.join(map(str, keys))})"
                )

    def excused(self, table: str, exact_as_of: datetime) -> set[int]:
        """Keys that may still be live though the source does not show them: taken away after the
        verdict's moment, or brought back by the ingestion after it."""
        late = [*self.taken, *self.mirrored]
        return {key for at, name, key in late if name == table and at >= exact_as_of}


def assert_as_promised(world: World, traffic: Traffic, exact: dict[str, datetime]) -> int:
    """Row by row, by code that shares nothing with Windlass: nothing is missing, nothing differs,
    and what is there too much was taken away after the moment. Returns how many of those."""
    excess = 0
    for table in ("card", "mark"):
        live = {row[0]: row for row in inside(world.live(table))}
        wanted = {row[0]: row for row in inside(world.expected(table, SHOWN))}
        assert len(live) == len(inside(world.live(table))), f"{table}: a key twice"
        missing = wanted.keys() - live.keys()
        assert not missing, (table, "missing", sorted(missing)[:5], len(missing))
        differing = [key for key in wanted if wanted[key] != live[key]]
        assert not differing, (table, [(wanted[k], live[k]) for k in differing[:3]])
        extra = live.keys() - wanted.keys()
        wrong = extra - traffic.excused(table, exact[table])
        assert not wrong, (table, "left over", [live[k] for k in sorted(wrong)[:5]], len(wrong))
        excess += len(extra)
    return excess


SHOWN = "c.customer = 'acme' and c.kind is distinct from 'appeal'"
_FROM, _TO = (
    int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000
    for day in ("2026-01-01", "2026-02-20")
)


def inside(rows: list[Row]) -> list[Row]:
    """Those whose time (the last but one column) lies in the range."""
    return [row for row in rows if _FROM <= row[-2] < _TO]


def until(check: Any, seconds: float = 60) -> None:
    """Wait for it."""
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    while not check():
        assert datetime.now(UTC) < end, "it did not come about"
        time.sleep(0.02)
