"""Verifications: how far each has come, and those that run by themselves."""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from windlass.domain.codec import dump, load
from windlass.domain.dataset import digest_of
from windlass.domain.errors import RefusedError, UsageError
from windlass.domain.results import TableVerification
from windlass.domain.states import State, Verdict
from windlass.domain.window import Interval
from windlass.ledger import check_tables as c
from windlass.ledger import tables as t
from windlass.ledger.base import Base, put
from windlass.ledger.database import reads, writes
from windlass.ledger.requests import error_of
from windlass.ports.checks import CheckRun, CheckSchedule, EqualPart


class Checks(Base):
    """The ports CheckLedger and CheckOperator."""

    @writes
    def part_equal(
        self, connection: Connection, request: str, database: str, table: str, part: EqualPart
    ) -> None:
        """That part of the table was found equal."""
        key = {"request": request, "database": database, "table_name": table}
        values = {
            "end_at": part.interval.end,
            "source_rows": part.source_rows,
            "target_rows": part.target_rows,
            "snapshot_at": part.snapshot,
        }
        put(connection, c.verify_parts, {**key, "start_at": part.interval.start}, values)

    @reads
    def equal_parts(
        self, connection: Connection, request: str, database: str, table: str
    ) -> list[EqualPart]:
        """The parts of the table that were found equal, in order."""
        of = c.verify_parts.c
        query = select(c.verify_parts).where(
            of.request == request, of.database == database, of.table_name == table
        )
        return [
            EqualPart(Interval(r.start_at, r.end_at), r.source_rows, r.target_rows, r.snapshot_at)
            for r in connection.execute(query.order_by(of.start_at))
        ]

    @writes
    def table_checked(
        self, connection: Connection, request: str, outcome: TableVerification
    ) -> None:
        """The table is done."""
        key = {"request": request, "database": outcome.database, "table_name": outcome.table}
        put(connection, c.verify_tables, key, {"value": dump(outcome), "at": self._clock.now()})

    @reads
    def checked_tables(self, connection: Connection, request: str) -> list[TableVerification]:
        """The tables that are done."""
        of = c.verify_tables.c
        query = select(of.value).where(of.request == request).order_by(of.at)
        return [load(TableVerification, value) for value in connection.scalars(query)]

    @writes
    def save_check(self, connection: Connection, schedule: CheckSchedule) -> None:
        """Keep it. RefusedError: the name is taken on that cluster."""
        key = {"name": schedule.name, "cluster": schedule.cluster}
        if _schedule(connection, **key) is not None:
            raise RefusedError(
                f"a verification called {schedule.name!r} is scheduled on {schedule.cluster}",
                next_step=f"choose another --name, or windlass verify --unschedule {schedule.name}",
            )
        values = {
            "question": schedule.question,
            "every_seconds": int(schedule.every.total_seconds()),
            "who": schedule.who,
            "command": schedule.command,
            "created_at": self._clock.now(),
            "ended_at": None,
        }
        put(connection, c.verify_schedules, key, values)

    @writes
    def end_check(self, connection: Connection, name: str, cluster: str) -> None:
        """It runs no more; its runs stay on record."""
        of = c.verify_schedules.c
        where = (of.name == name, of.cluster == cluster, of.ended_at.is_(None))
        ended = update(c.verify_schedules).where(*where).values(ended_at=self._clock.now())
        if connection.execute(ended).rowcount == 0:
            raise _no_schedule(name, cluster)

    @reads
    def checks(self, connection: Connection) -> list[CheckSchedule]:
        """Schedules that run, by name."""
        of = c.verify_schedules.c
        query = select(c.verify_schedules).where(of.ended_at.is_(None))
        return [
            CheckSchedule(
                r.name, r.cluster, r.question, timedelta(seconds=r.every_seconds), r.who, r.command
            )
            for r in connection.execute(query.order_by(of.name, of.cluster))
        ]

    @writes
    def begin_check(self, connection: Connection, schedule: str, cluster: str, token: str) -> str:
        """The request of the schedule's next run, its seed drawn from `token`."""
        request, seed = f"verify-{digest_of(['run', token])[:12]}", digest_of(["seed", token])[:8]
        known = select(t.requests.c.id).where(t.requests.c.id == request)
        if connection.scalar(known) is not None:
            return request
        row = _schedule(connection, schedule, cluster)
        if row is None:
            raise _no_schedule(schedule, cluster)
        now = self._clock.now()
        asked = {"payload": _pinned(row.question, seed, now), "state": str(State.QUEUED)}
        begun = {"id": request, "kind": "verify", "cluster": cluster, "created_at": now}
        connection.execute(insert(t.requests).values(**begun, **asked))
        run = {"request": request, "schedule": schedule, "cluster": cluster, "seed": seed}
        connection.execute(insert(c.verify_runs).values(**run, begun_at=now))
        return request

    @reads
    def check_runs(
        self, connection: Connection, name: str, cluster: str, limit: int = 1
    ) -> list[CheckRun]:
        """Its runs, the latest first."""
        of, asked = c.verify_runs.c, t.requests.c
        query = (
            select(c.verify_runs, asked.answer, asked.error, asked.finished_at)
            .join(t.requests, asked.id == of.request)
            .where(of.schedule == name, of.cluster == cluster)
            .order_by(of.begun_at.desc(), of.request)
        )
        return [_run(row) for row in connection.execute(query.limit(limit))]


def _pinned(question: str, seed: str, now: datetime) -> str:
    """The schedule's question for one run: its seed, and its range where that is relative. From
    then on it stays the same, whoever takes the run up again."""
    asked = json.loads(question)
    if last := asked.get("last_seconds"):
        end = now.replace(second=0, microsecond=0)
        begun = end - timedelta(seconds=last)
        asked["request"]["interval"] = {"start": begun.isoformat(), "end": end.isoformat()}
    return json.dumps({**asked, "seed": seed})


def _run(row: Row[Any]) -> CheckRun:
    tables = load(tuple[TableVerification, ...], row.answer) if row.answer else ()
    return CheckRun(
        schedule=row.schedule,
        cluster=row.cluster,
        request=row.request,
        seed=row.seed,
        begun_at=row.begun_at,
        ended_at=row.finished_at,
        verdict=_worst(tables) if row.answer else None,
        error=str(error_of(row.error)) if row.error else "",
        tables=tables,
    )


def _worst(tables: tuple[TableVerification, ...]) -> Verdict:
    verdicts = {one.verdict for one in tables}
    for verdict in (Verdict.MISMATCH, Verdict.UNVERIFIED):
        if verdict in verdicts:
            return verdict
    return Verdict.VERIFIED


def _schedule(connection: Connection, name: str, cluster: str) -> Row[Any] | None:
    of = c.verify_schedules.c
    where = (of.name == name, of.cluster == cluster, of.ended_at.is_(None))
    return connection.execute(select(c.verify_schedules).where(*where)).first()


def _no_schedule(name: str, cluster: str) -> UsageError:
    return UsageError(
        f"no verification called {name!r} is scheduled on {cluster}",
        next_step="windlass verify --schedules lists them",
    )
