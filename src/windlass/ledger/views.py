"""What people look at: how a campaign stands, and everything that its report is written from."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from windlass.domain.plan import Skipped
from windlass.domain.record import (
    CampaignFacts,
    ClusterView,
    StatusView,
    StepRecord,
    TenantView,
    WindowView,
)
from windlass.domain.states import Health, Mode, State, Verdict
from windlass.domain.window import Interval
from windlass.ledger import tables as t
from windlass.ledger import undo_tables as u
from windlass.ledger.base import Base, campaign_row, window_row
from windlass.ledger.campaigns import record, stored_plan
from windlass.ledger.canaries import waiting_for
from windlass.ledger.chapters import actions, counts, events, notes, queries, step, steps
from windlass.ledger.database import reads
from windlass.ledger.undo import groups_of

RECENT = timedelta(seconds=10)
"""The stretch that the rate of a running campaign is taken over."""
WORST = (Verdict.MISMATCH, Verdict.UNVERIFIED, Verdict.VERIFIED)


@dataclass(frozen=True)
class Look:
    """One reading of a campaign's windows at one instant."""

    campaign: Row[Any]
    now: datetime
    rows: Sequence[Row[Any]]

    @property
    def live(self) -> list[Row[Any]]:
        """Windows that were not cut again."""
        return [row for row in self.rows if not row.replaced]

    def view(self, row: Row[Any]) -> WindowView:
        """The domain's word for a window's row."""
        until = row.ended_at or self.now
        seconds = (until - row.started_at).total_seconds() if row.started_at else None
        return WindowView(
            id=row.id,
            campaign=row.campaign,
            cluster=row.cluster,
            database=row.database,
            group=row.group_id,
            interval=Interval(row.start_at, row.end_at),
            state=State(row.state),
            verdict=Verdict(row.verdict) if row.verdict else None,
            attempts=row.attempts,
            rows_planned=row.rows_planned,
            rows=rows_of(row),
            seconds=seconds,
            started_at=row.started_at,
            ended_at=row.ended_at,
            parent=row.parent,
            note=row.note,
            replaced=row.replaced,
            undone_at=row.undone_at,
            loaded_at=row.loaded_at,
        )

    def rate(self) -> float:
        """Rows a second: lately while it runs, over all its time once it ended."""
        started, ended = self.campaign.started_at, self.campaign.ended_at
        if started is None:
            return 0.0
        if ended is not None:
            return _overall(self.live, ended - started)
        stretch = max(timedelta(seconds=1), min(RECENT, self.now - started))
        return sum(self._recent(row, stretch) for row in self.live)

    def eta(self, rate: float) -> float | None:
        """Seconds until the rest is loaded at this rate; None where nothing tells."""
        if State(self.campaign.state).final or self.campaign.started_at is None:
            return None
        left = sum(
            max(0, row.rows_planned - rows_of(row))
            for row in self.live
            if not State(row.state).final and row.loaded_at is None
        )
        rate = rate or _overall(self.live, self.now - self.campaign.started_at)
        return left / rate if rate > 0 else None

    def _recent(self, row: Row[Any], stretch: timedelta) -> float:
        """One window's share of the present rate."""
        if row.loaded_at is not None and row.started_at is not None:
            inside = row.loaded_at - max(row.started_at, self.now - stretch)
            length = max(row.loaded_at - row.started_at, timedelta(microseconds=1))
            share = max(0.0, inside / length)
            return float(row.rows_loaded * share / stretch.total_seconds())
        if row.seen_at is None or self.now - row.seen_at > RECENT or row.state != State.RUNNING:
            return 0.0
        seconds = (row.seen_at - row.before_at).total_seconds()
        return float((row.seen_rows - row.before_rows) / seconds) if seconds > 0 else 0.0


class Views(Base):
    """Reading for people."""

    @reads
    def status(
        self, connection: Connection, campaign: str | None = None, *, windows: bool = False
    ) -> StatusView:
        """How a campaign stands; `windows` fills in every tenant's windows."""
        return self._status(connection, campaign_row(connection, campaign), windows)

    @reads
    def window(self, connection: Connection, window: str) -> WindowView:
        """One window."""
        row = window_row(connection, window)
        look = self._look(connection, campaign_row(connection, row.campaign), window)
        return look.view(look.rows[0])

    @reads
    def steps(self, connection: Connection, group: str) -> list[StepRecord]:
        """The group's publish steps, oldest first."""
        query = select(t.steps).where(t.steps.c.group_id == group).order_by(t.steps.c.begun_at)
        return [step(row) for row in connection.execute(query)]

    @reads
    def facts(self, connection: Connection, campaign: str | None = None) -> CampaignFacts:
        """Everything that a report is written from, as of one instant."""
        row = campaign_row(connection, campaign)
        ledger = select(t.meta.c.value).where(t.meta.c.name == "ledger_id")
        return CampaignFacts(
            ledger_id=str(connection.scalar(ledger)),
            campaign=record(row),
            plan=stored_plan(connection, row.name),
            status=self._status(connection, row, True),
            counts=counts(connection, row.name),
            steps=steps(connection, row.name),
            events=events(connection, row.name),
            notes=notes(connection, row.name),
            actions=actions(connection, row.name),
            queries=queries(connection, row.name),
            undo=tuple(groups_of(connection, row.name)),
        )

    def _look(self, connection: Connection, campaign: Row[Any], window: str = "") -> Look:
        w, p = t.windows, t.progress.c
        query = (
            select(
                w,
                p.rows.label("seen_rows"),
                p.at.label("seen_at"),
                p.before_rows,
                p.before_at,
                u.undos.c.ended_at.label("undone_at"),
            )
            .join_from(
                w,
                t.progress,
                and_(p.window_id == w.c.id, w.c.state == str(State.RUNNING)),
                isouter=True,
            )
            .join(u.undos, u.undos.c.group_id == w.c.group_id, isouter=True)
            .where(w.c.campaign == campaign.name)
            .order_by(w.c.start_at, w.c.end_at.desc())
        )
        if window:
            query = query.where(w.c.id == window)
        return Look(campaign, self._clock.now(), connection.execute(query).all())

    def _status(self, connection: Connection, row: Row[Any], windows: bool) -> StatusView:
        look = self._look(connection, row)
        clusters = _clusters(connection, look, windows)
        live, rate = look.live, look.rate()
        return StatusView(
            campaign=row.name,
            dataset=row.dataset,
            mode=Mode(row.mode),
            interval=Interval(row.start_at, row.end_at),
            reason=row.reason,
            state=State(row.state),
            note=row.note,
            verdict=worst(live),
            created_at=row.created_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
            eta_seconds=look.eta(rate),
            limited_by=_limited_by(clusters),
            rows_planned=sum(one.rows_planned for one in live),
            rows_loaded=sum(map(rows_of, live)),
            rows_per_second=rate,
            windows_total=len(live),
            windows_done=sum(one.state == State.DONE for one in live),
            clusters=clusters,
            skipped=_skipped(connection, row.name),
            undone_at=max((one.undone_at for one in live if one.undone_at), default=None),
            windows_undone=sum(one.undone_at is not None for one in live),
            supersedes=row.supersedes,
            superseded_by=_superseded_by(connection, row.name),
        )


def _limited_by(clusters: Sequence[ClusterView]) -> str:
    """What holds the campaign back; of several clusters with the name of each that is."""
    if len(clusters) == 1:
        return clusters[0].limited_by
    said: dict[str, list[str]] = defaultdict(list)
    for one in clusters:
        if one.limited_by:
            said[one.limited_by].append(one.name)
    if len(said) == 1 and all(one.limited_by for one in clusters):
        return next(iter(said))
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in said.items())


def _superseded_by(connection: Connection, campaign: str) -> str:
    of = t.campaigns.c
    query = select(of.name).where(of.supersedes == campaign).order_by(of.number.desc()).limit(1)
    return connection.scalar(query) or ""


def rows_of(row: Row[Any]) -> int:
    """Rows loaded so far; those of a running attempt by its progress."""
    running = row.loaded_at is None and row.seen_rows is not None
    return int(row.seen_rows if running else row.rows_loaded)


def worst(rows: Sequence[Row[Any]]) -> Verdict | None:
    """The worst verdict of these windows; None while none has one."""
    seen = {row.verdict for row in rows}
    return next((verdict for verdict in WORST if verdict in seen), None)


def _overall(rows: Sequence[Row[Any]], time: timedelta) -> float:
    seconds = time.total_seconds()
    return sum(map(rows_of, rows)) / seconds if seconds > 0 else 0.0


def _clusters(connection: Connection, look: Look, windows: bool) -> tuple[ClusterView, ...]:
    by_tenant: Mapping[tuple[str, str], list[Row[Any]]] = defaultdict(list)
    for row in look.rows:
        by_tenant[row.cluster, row.database].append(row)
    of = t.tenants
    hold = _hold(connection, look.campaign)
    tenants = [
        _tenant(row, look, by_tenant[row.cluster, row.database], windows, hold)
        for row in connection.execute(
            select(of).where(of.c.campaign == look.campaign.name).order_by(of.c.position)
        )
    ]
    at = t.campaign_clusters
    rows = connection.execute(
        select(at).where(at.c.campaign == look.campaign.name).order_by(at.c.position)
    )
    return tuple(
        _cluster(row, [x for x in tenants if x.cluster == row.cluster], hold) for row in rows
    )


def _hold(connection: Connection, campaign: Row[Any]) -> str:
    """Why tenants that are no canaries do not begin ('' they may)."""
    ended = State(campaign.state).final
    return "" if ended else waiting_for(connection, campaign.name)


def _waits(state: State, canary: bool, hold: str) -> bool:
    return bool(hold) and not canary and state is State.QUEUED


def _cluster(row: Row[Any], tenants: list[TenantView], hold: str) -> ClusterView:
    ended = {State.DONE, State.NOTHING_TO_DO}
    held = any(_waits(one.state, one.canary, hold) for one in tenants)
    return ClusterView(
        name=row.cluster,
        state=State(row.state),
        note=row.note,
        limited_by="; ".join(one for one in (hold * held, row.limited_by) if one),
        tenants_total=len(tenants),
        tenants_done=sum(tenant.state in ended for tenant in tenants),
        tenants=tuple(tenants),
        found=row.found,
    )


def _tenant(
    row: Row[Any], look: Look, members: list[Row[Any]], windows: bool, hold: str
) -> TenantView:
    live = [one for one in members if not one.replaced]
    held = _waits(State(row.state), row.canary, hold)
    return TenantView(
        cluster=row.cluster,
        customer=row.customer,
        profile=row.profile,
        database=row.database,
        state=State(row.state),
        health=Health(row.health),
        note="; ".join(one for one in (hold * held, row.note) if one),
        windows_total=len(live),
        windows_done=sum(one.state == State.DONE for one in live),
        attempts=max((one.attempts for one in live), default=0),
        rows_planned=sum(one.rows_planned for one in live),
        rows_loaded=sum(map(rows_of, live)),
        estimate_seconds=row.estimate_seconds,
        started_at=row.started_at,
        ended_at=row.ended_at,
        windows=tuple(map(look.view, members)) if windows else (),
        verdict=worst(live),
        canary=row.canary,
        priority=row.priority,
    )


def _skipped(connection: Connection, campaign: str) -> tuple[Skipped, ...]:
    of = t.skipped
    query = select(of).where(of.c.campaign == campaign).order_by(of.c.position)
    return tuple(
        Skipped(r.cluster, r.customer, r.profile, r.reason) for r in connection.execute(query)
    )
