"""Whether a campaign may begin: under a free name, where no other one is at work."""

from typing import Any

from sqlalchemy import Connection, Row, select

from windlass.domain.errors import OverlapError, RefusedError
from windlass.domain.naming import safe
from windlass.domain.plan import Plan
from windlass.domain.record import CampaignDraft
from windlass.domain.states import State
from windlass.ledger import tables as t


def refuse_overlap(
    connection: Connection,
    plan: Plan,
    but: str = "",
    only: set[tuple[str, str]] | None = None,
) -> None:
    """One statement inside the creating transaction: two operators cannot both pass. `but` is
    the campaign that the plan is of, where it has one already; `only` are the (cluster, database)
    that count (None: all that have something to do)."""
    wanted = {(p.tenant.cluster, p.tenant.database): p for p in plan.tenants if p.groups}
    if only is not None:
        wanted = {key: one for key, one in wanted.items() if key in only}
    interval, c = plan.request.interval, t.campaigns.c
    query = (
        select(t.campaigns, t.tenants.c.cluster, t.tenants.c.database)
        .join_from(t.campaigns, t.tenants, t.tenants.c.campaign == c.name)
        .where(
            c.dataset == plan.request.dataset.name,
            c.name != but,
            c.state.not_in([str(s) for s in State if s.final]),
            c.start_at < interval.end,
            c.end_at > interval.start,
            t.tenants.c.state != str(State.NOTHING_TO_DO),
        )
        .order_by(c.number)
    )
    for row in connection.execute(query):
        if (row.cluster, row.database) in wanted:
            raise _overlap(row)


def _overlap(row: Row[Any]) -> OverlapError:
    since = row.started_at or row.created_at
    return OverlapError(
        f"campaign {row.name} ({row.state}) already holds this tenant and range",
        where=f"{row.cluster}/{row.database} [{row.start_at:%Y-%m-%d %H:%M} .. "
        f"{row.end_at:%Y-%m-%d %H:%M}) UTC",
        why=f"{row.who} started it at {since:%Y-%m-%d %H:%M} UTC"
        + (f": {row.reason}" if row.reason else ""),
        next_step=f"windlass watch {row.name}, or windlass cancel {row.name} and run again",
    )


def free_name(connection: Connection, draft: CampaignDraft) -> str:
    """The draft's name, or the next one in its row. RefusedError: taken, or none at all."""
    taken = set(connection.scalars(select(t.campaigns.c.name)))
    if draft.name is None:
        tries = (f"{draft.default_name}-{n}" for n in range(2, len(taken) + 3))
        return next(n for n in (draft.default_name, *tries) if n not in taken)
    if draft.name != safe(draft.name):
        raise RefusedError(
            f"a campaign cannot be called {draft.name!r}",
            why="names are lower-case letters, digits and '-': they appear in ids",
            next_step=f"--name {safe(draft.name) or 'another'}",
        )
    if draft.name in taken:
        raise RefusedError(
            f"the name {draft.name} is taken",
            why="campaigns stay in the ledger for ever",
            next_step=f"--name {draft.name}-2, or none for a name of its own",
        )
    return draft.name
