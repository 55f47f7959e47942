"""The world on real engines: the adapters and activities as they ship, one gate per attempt."""

import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import clickhouse_connect
import psycopg
from psycopg import sql
from temporalio.exceptions import ApplicationError
from temporalio.exceptions import CancelledError as ActivityCancelled
from temporalio.testing import ActivityEnvironment

from tests.model.gate import Gate
from tests.model.origin import Origin
from tests.model.setting import BASE, Setting
from tests.model.shape import Row, Span
from tests.model.worlds import Run, Seed, World
from windlass.domain.errors import WindlassError
from windlass.engine.activities.books import BookActivities
from windlass.engine.activities.desk import Desk
from windlass.engine.activities.load import LoadActivities
from windlass.engine.activities.publish import PublishActivities
from windlass.engine.payloads import GroupWork, Load, LoadInput, Settled, SnapshotRef, Trouble
from windlass.ledger.store import SqlLedger

PATIENCE = 60.0
"""Seconds after which an attempt that neither ends nor waits is a hang."""
BUSY = 2.5
"""Seconds after which one that waits for something else than the gate is left alone."""


@dataclass(frozen=True)
class Servers:
    """Where everything is. `undo`: what is replaced is kept."""

    postgres: str
    clickhouse: str
    ledger: SqlLedger


class RealRun(Run):
    """An activity in a thread of its own, behind a gate of its own."""

    def __init__(self, subject: str, gate: Gate, work: Callable[[], object]) -> None:
        self.subject, self._gate, self._work = subject, gate, work
        self._bug: BaseException | None = None
        self.text = ""
        self._thread = threading.Thread(target=self._body, name=subject, daemon=True)
        self._thread.start()
        self._settle()

    def advance(self, steps: int) -> None:
        """See Run."""
        self._gate.allow(steps)
        self._settle()

    def kill(self, *, after: bool) -> None:
        """See Run."""
        self._gate.cut(after=after)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), f"{self.subject} does not die"
        self.ended, self.error, self.result = True, "retry", None

    def _settle(self) -> None:
        """Wait until the attempt ends, or waits at the gate (or for something else)."""
        with self._gate.changed:
            self._gate.changed.wait_for(lambda: self.ended or self._gate.blocked, BUSY)
        if self._bug is not None:
            raise self._bug

    def _body(self) -> None:
        try:
            self.result = self._work()
        except (ApplicationError, ActivityCancelled, WindlassError) as error:
            self.text = str(error)
            self.error = _kind(error)
        except BaseException as error:
            self._bug = error
        finally:
            with self._gate.changed:
                self.ended = True
                self._gate.changed.notify_all()


def _kind(error: BaseException) -> str:
    if isinstance(error, ApplicationError) and error.details:
        return str(error.details[0])
    return "retry"


class RealWorld(World):
    """One tenant with one group, on PostgreSQL, ClickHouse and SQLite."""

    def __init__(self, seed: Seed, servers: Servers) -> None:
        self.shape, self.servers = seed.shape, servers
        self.origin = Origin()
        self.name = f"model_{uuid.uuid4().hex[:10]}"
        self._open: list[psycopg.Connection[tuple[Any, ...]]] = []
        self._gates: list[Gate] = []
        self._hold = ExitStack()
        self._ref = SnapshotRef()
        self._pg = psycopg.connect(servers.postgres, autocommit=True)
        self._ch = clickhouse_connect.get_client(dsn=servers.clickhouse)
        self.setting = Setting(self.name, seed.shape, servers.postgres, servers.clickhouse)
        self._make(seed)
        self.campaign = self.setting.campaign(servers.ledger)

    def _make(self, seed: Seed) -> None:
        for statement in self.setting.source_ddl():
            self._pg.execute(sql.SQL(statement))
        for statement in self.setting.target_ddl():
            self._ch.command(statement)
        for row in seed.source:
            made = replace(row, version=_early(row.version))
            self._put(self._pg, made.key, made, stamp=_instant(made.version))
            self.origin.rows[row.key] = made
        self.origin.history.append(self.origin.image())
        for row in seed.live:
            self.ingest(replace(row, version=_early(row.version)))

    # what others do

    def write(self, key: int, row: Row | None, *, later: bool) -> None:
        """See World."""
        connection = psycopg.connect(self.servers.postgres) if later else self._pg
        stamp = connection.execute("SELECT now()").fetchone()
        assert stamp is not None
        made = row and replace(row, version=_micros(stamp[0]))
        self._put(connection, key, made, stamp=stamp[0])
        if later:
            self._open.append(connection)
            self.origin.begin(key, made)
        else:
            self.origin.write(key, made)

    def _put(
        self, connection: psycopg.Connection[Any], key: int, row: Row | None, stamp: datetime
    ) -> None:
        table = sql.SQL("{}.items").format(sql.Identifier(self.name))
        if row is None:
            connection.execute(sql.SQL("DELETE FROM {} WHERE k = %s").format(table), [key])
            return
        upsert = sql.SQL(
            "INSERT INTO {} VALUES (%s, 'acme', %s, %s, %s, %s) ON CONFLICT (k) DO UPDATE SET "
            "t = excluded.t, x = excluded.x, v = excluded.v, hidden = excluded.hidden"
        ).format(table)
        connection.execute(upsert, [key, BASE + timedelta(days=row.at), row.text, stamp, row.out])

    def commit(self) -> None:
        """See World."""
        connection = self._open.pop(0)
        connection.commit()
        connection.close()
        self.origin.commit()

    def ingest(self, row: Row) -> None:
        """See World."""
        at = BASE + timedelta(days=row.at)
        values = f"({row.key}, fromUnixTimestamp64Micro({_micros(at)}), {row.text}, "
        values += f"fromUnixTimestamp64Micro({row.version}))"
        self._ch.command(f"INSERT INTO {self.name}.items SETTINGS async_insert=0 VALUES {values}")

    # what is there

    def live(self) -> list[Row]:
        """See World. Physical rows, in no order."""
        found = self._ch.query(
            "SELECT k, toUnixTimestamp64Micro(t), x, toUnixTimestamp64Micro(v) "
            f"FROM {self.name}.items"
        ).result_rows
        day, base = 86_400_000_000, _micros(BASE)
        return [Row(k, (t - base) // day, x, v) for k, t, x, v in found]

    def staging(self) -> set[str]:
        """See World."""
        database = self.setting.staging
        found = self._ch.query(f"SELECT name FROM system.tables WHERE database = '{database}'")
        return {str(name) for (name,) in found.result_rows}

    def states(self) -> list[str]:
        """See World."""
        windows = self.setting.group.windows
        return [str(self.servers.ledger.window(one.id).state) for one in windows]

    # what the engine does

    def snapshot(self) -> None:
        """See World."""
        self.release()
        desk = self._desk(self.servers.clickhouse)
        attempt = desk.begin(self.campaign, f"{self.setting.group.id}/snapshot")
        held = self._hold.enter_context(desk.source.hold(attempt)).snapshot
        self._ref = SnapshotRef(held.id, held.horizon.isoformat(), held.taken_at.isoformat())

    def release(self) -> None:
        """See World."""
        self._hold.close()

    def load(self, window: Span) -> Run:
        """See World."""
        number = self.shape.windows.index(window)
        order = LoadInput(self.setting.ref, self.setting.group.windows[number].id, self._ref)
        return self._run(order.window, lambda desk: LoadActivities(desk).load(order))

    def publish(self, loads: Sequence[object]) -> Run:
        """See World."""
        work = self._work(loads, final=False)

        def deed(desk: Desk) -> None:
            PublishActivities(desk).guard(work)
            PublishActivities(desk).publish(work)

        return self._run("publish", deed)

    def settle(self, loads: Sequence[object], *, final: bool) -> Run:
        """See World."""
        work = self._work(loads, final=final)

        def deed(desk: Desk) -> str:
            settled: Settled = PublishActivities(desk).settle(work)
            return "again" if settled.again else settled.verdict

        return self._run("settle", deed)

    def _work(self, loads: Sequence[object], *, final: bool) -> GroupWork:
        done = [load for load in loads if isinstance(load, Load)]
        return GroupWork(self.setting.ref, tuple(done), self._ref, final)

    def _run(self, subject: str, deed: Callable[[Desk], object]) -> Run:
        gate = Gate(self.servers.clickhouse, self.setting.staging)
        self._gates.append(gate)
        environment = ActivityEnvironment()

        def work() -> object:
            return environment.run(deed, self._desk(gate.url))

        return RealRun(subject, gate, work)

    def _desk(self, clickhouse: str) -> Desk:
        return self.setting.desk(self.servers.ledger, clickhouse)

    def _books(self) -> BookActivities:
        return BookActivities(self._desk(self.servers.clickhouse), 2, 2)

    def park(self) -> None:
        """See World."""
        order = Trouble(self.setting.tenant, self.setting.group.id, "park", "given up")
        ActivityEnvironment().run(self._books().park, order)

    def cancel(self) -> None:
        """See World."""
        self.setting.order_cancel(self.servers.ledger)
        ActivityEnvironment().run(self._books().close_cancelled, self.setting.tenant)

    def close(self) -> None:
        """See World."""
        self.release()
        for gate in self._gates:
            gate.close()
        for connection in self._open:
            connection.close()
        for database in (self.name, self.setting.staging):
            self._ch.command(f"DROP DATABASE IF EXISTS {database} SYNC")
        self._pg.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(self.name)))
        self._pg.close()
        self._ch.close()


def _micros(instant: datetime) -> int:
    delta = instant.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return delta // timedelta(microseconds=1)


def _instant(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def _early(version: int) -> int:
    """A small version as an instant of long ago."""
    return _micros(BASE + timedelta(minutes=version))


def real(servers: Servers) -> Callable[[Seed], World]:
    """Makes worlds on these servers."""

    def make(seed: Seed) -> World:
        return RealWorld(seed, servers)

    return make
