"""`windlass split`: cut what is left to do into smaller windows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from windlass.cli.command import command
from windlass.cli.ending import ATTACHABLE, OK
from windlass.cli.options import ReasonOption
from windlass.cli.scopes import Campaign, TenantOption, chosen
from windlass.cli.session import Session
from windlass.cli.show.common import Column, console, plural, print_json, table
from windlass.domain.errors import RefusedError, UsageError
from windlass.domain.plan import GroupPlan, Plan
from windlass.domain.record import Scope, StatusView, TenantView
from windlass.domain.states import State

if TYPE_CHECKING:
    from windlass.engine.payloads import CutOrder

PATIENCE, EVERY = 60.0, 0.3
"""Seconds that the command waits until the worker has cut, and between two looks."""
OVER = {State.DONE, State.CANCELLED, State.CANCELLING}
Made = tuple[Scope, GroupPlan, Sequence[GroupPlan]]
"""A group's part, the group, and what it would be cut into."""


@command(
    "windlass split acme-jan-feb-2026 --window acme_voice/20260101-20260220 --into 5d",
    "windlass split acme-jan-feb-2026 --tenant acme/voice --reason 'times out'",
)
def app(
    session: Session,
    campaign: Campaign,
    tenant: TenantOption = None,
    window: Annotated[
        str | None, typer.Option("--window", metavar="W", help="Only this window.")
    ] = None,
    into: Annotated[
        str | None,
        typer.Option("--into", metavar="SPAN", help="Pieces such as 5d, 6h; else by the rate."),
    ] = None,
    reason: ReasonOption = "",
) -> int:
    """Cut windows that are not published yet into smaller ones.

    What is in flight of them is cancelled and proven dead first. The pieces begin anew, with
    attempts of their own, and name the window that they were cut from. Without `--into` a piece
    should take ten minutes at the rate that was seen; parked windows run again. The command
    waits up to a minute for that (exit code 3 if it takes longer: it goes on by itself).
    """
    length = _span(into) if into is not None else None
    view = session.backend.ledger.status(campaign, windows=True)
    if tenant is None and window is None:
        raise UsageError("which windows shall be cut?", next_step="give --tenant T, or --window W")
    made = _made(session, view, chosen(session, view, None, tenant, window), length)
    cuts = _cuts(session, made, length, reason)
    session.backend.split(view.campaign, cuts)
    whole = _wait(session, view.campaign, made)
    return _tell(session, view, made, whole)


def _span(text: str) -> timedelta:
    from windlass.planner.parse import span

    try:
        return span(text)
    except UsageError:
        raise UsageError(
            f"--into {text!r} makes no sense", next_step="write a length such as 10d, 1d or 6h"
        ) from None


def _made(
    session: Session, view: StatusView, scopes: Sequence[Scope], length: timedelta | None
) -> list[Made]:
    """What would come of it, said before anything is touched. RefusedError: nothing."""
    plan = session.backend.ledger.campaign_plan(view.campaign)
    made: list[Made] = []
    errors: list[RefusedError] = []
    for scope in scopes:
        tenant = next(
            t for t in view.tenants if (t.cluster, t.database) == (scope.cluster, scope.database)
        )
        for group in _groups(plan, tenant, scope):
            try:
                made.append((scope, group, _pieces(session, plan, scope, group, length)))
            except RefusedError as error:
                errors.append(error)
    if not made:
        raise errors[0] if errors else _over(view, scopes)
    return made


def _over(view: StatusView, scopes: Sequence[Scope]) -> RefusedError:
    return RefusedError(
        "nothing is left to cut",
        where=str(scopes[0]),
        why="it is published, or was cancelled",
        next_step=f"windlass status {view.campaign} --windows",
    )


def _groups(plan: Plan, tenant: TenantView, scope: Scope) -> list[GroupPlan]:
    """The tenant's groups that are not over; the window's where one is named."""
    states = {w.group: w.state for w in tenant.windows if not w.replaced}
    mine = next(
        t
        for t in plan.tenants
        if (t.tenant.cluster, t.tenant.database) == (tenant.cluster, tenant.database)
    )
    left = [g for g in mine.groups if states.get(g.id, State.DONE) not in OVER]
    if scope.window:
        return [g for g in left if scope.window in {w.id for w in g.windows}]
    return left


def _pieces(
    session: Session, plan: Plan, scope: Scope, group: GroupPlan, length: timedelta | None
) -> Sequence[GroupPlan]:
    from windlass.engine.activities.cutting import cut

    tenant = next(
        t
        for t in plan.tenants
        if (t.tenant.cluster, t.tenant.database) == (scope.cluster, scope.database)
    )
    rate = session.backend.ledger.rate(scope.cluster, scope.database)
    seen = rate[0] if rate else None
    mode = plan.request.mode
    return cut(tenant, group, mode, window=scope.window, into=length, rate=seen)


def _cuts(
    session: Session, made: Sequence[Made], length: timedelta | None, reason: str
) -> "Mapping[str, Sequence[CutOrder]]":
    from windlass.engine.payloads import CutOrder

    found: dict[str, list[CutOrder]] = defaultdict(list)
    seconds = length.total_seconds() if length else 0.0
    for scope, group, _ in made:
        order = CutOrder(scope.database, group.id, scope.window, seconds, session.who(), reason)
        found[scope.cluster].append(order)
    return found


def _wait(session: Session, campaign: str, made: Sequence[Made]) -> bool:
    """Until all of it is cut, or patience has an end: whether it is."""
    wanted = {w.id for _, _, groups in made for one in groups for w in one.windows}
    until = session.now().timestamp() + PATIENCE
    while True:
        view = session.backend.ledger.status(campaign, windows=True)
        if wanted <= {w.id for t in view.tenants for w in t.windows if not w.replaced}:
            return True
        if session.now().timestamp() > until:
            return False
        session.wait(EVERY)


def _tell(session: Session, view: StatusView, made: Sequence[Made], whole: bool) -> int:
    before = sum(len(group.windows) for _, group, _ in made)
    after = sum(len(one.windows) for _, _, groups in made for one in groups)
    if session.as_json:
        shown = {"campaign": view.campaign, "windows_before": before, "windows_after": after}
        print_json(shown | {"groups": [_json(one) for one in made]})
        return OK if whole else ATTACHABLE
    columns = [Column("group"), Column("windows", number=True), Column("becomes")]
    rows = (
        (
            group.id,
            len(group.windows),
            ", ".join(w.id.rpartition("/")[2] for o in to for w in o.windows),
        )
        for _, group, to in made
    )
    console().print(table(columns, rows))
    head = f"{plural(before, 'window')} {'are now' if whole else 'will be'} {after:,}"
    when = "" if whole else ", once nothing of them is in flight; it goes on by itself"
    session.say(f"{head}{when}: windlass watch {view.campaign}")
    return OK if whole else ATTACHABLE


def _json(made: Made) -> dict[str, Any]:
    scope, group, groups = made
    return {
        "cluster": scope.cluster,
        "database": scope.database,
        "group": group.id,
        "windows": [w.id for w in group.windows],
        "becomes": [w.id for one in groups for w in one.windows],
    }
