"""`windlass undo`: put back what a campaign replaced."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from windlass.cli.command import command
from windlass.cli.options import ReasonOption, YesOption, agreed
from windlass.cli.request import nearest, tenants_of
from windlass.cli.session import Session
from windlass.cli.show.common import Column, console, half_open, iso, plural, print_json, table
from windlass.cli.temporal_undo import by_tenant
from windlass.domain.errors import RefusedError, UsageError
from windlass.domain.record import StatusView
from windlass.domain.undo import GroupUndo, UndoOrder

if TYPE_CHECKING:
    from windlass.engine.payloads.orders import UndoResult

DONE, FAILED, REFUSED = 0, 1, 4


@command(
    "windlass undo acme-jan-2026",
    "windlass undo acme-jan-2026 --tenant acme/voice --reason 'wrong exclusion' --yes",
)
def app(
    session: Session,
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Its name.")],
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="T", help="Only these tenants.")
    ] = None,
    window: Annotated[
        str | None,
        typer.Option("--window", metavar="W", help="Only the publish group that holds it."),
    ] = None,
    reason: ReasonOption = "",
    yes: YesOption = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also where live changed since: that is lost then."),
    ] = False,
) -> int:
    """Put back the partitions that a campaign replaced, as they were before it.

    Only what was published by whole partitions can be undone, for as long as it is kept
    (undo_retention, 7 days unless configured), and only while live is what the campaign left.
    Exit codes: 0 undone; 1 not all of it; 4 refused: nothing was touched.
    """
    view = session.backend.ledger.status(campaign)
    if not view.state.final:
        raise RefusedError(
            f"{view.campaign} is {view.state}: it can be undone once it has ended",
            next_step=f"windlass watch {view.campaign}, or windlass cancel {view.campaign}",
        )
    chosen = _chosen(session, view, tenant, window)
    todo = _todo(session, view, chosen)
    if not todo:
        return _over(session, view, chosen)
    agreed(session, _question(view, todo, force), yes)
    order = UndoOrder(uuid4().hex, session.who(), reason, force)
    results = session.backend.undo(view.campaign, view.dataset, todo, order, session.say)
    return _ended(session, view, todo, results)


def _chosen(
    session: Session, view: StatusView, tenant: str | None, window: str | None
) -> list[GroupUndo]:
    """The publish groups that the options mean."""
    groups = session.backend.ledger.undo_groups(view.campaign)
    if tenant:
        meant = {(t.cluster, t.database) for t in tenants_of(view, tenant)}
        groups = [one for one in groups if (one.cluster, one.database) in meant]
    return _with_window(session, groups, window) if window else groups


def _with_window(session: Session, groups: list[GroupUndo], window: str) -> list[GroupUndo]:
    found = [one for one in groups if window in one.windows]
    if not found:
        known = [name for one in groups for name in one.windows]
        raise UsageError(f"there is no window {window!r} here", next_step=nearest(window, known))
    others = len(found[0].windows) - 1
    if others:
        session.say(
            f"{window} was published together with {plural(others, 'other window')}: they go "
            f"back together, {half_open(found[0].interval)}"
        )
    return found


def _todo(session: Session, view: StatusView, groups: Sequence[GroupUndo]) -> list[GroupUndo]:
    """What is left to undo. RefusedError where some of it cannot be."""
    touched = [one for one in groups if one.settled or one.kept]
    left = [one for one in touched if not one.undone]
    bad = [one for one in left if one.why_not]
    if bad:
        raise _impossible(view, left, bad)
    return left


def _impossible(
    view: StatusView, left: Sequence[GroupUndo], bad: Sequence[GroupUndo]
) -> RefusedError:
    fine = [one for one in left if not one.why_not]
    told = "; ".join(f"{half_open(one.interval)} {one.why_not}" for one in bad[:3])
    more = f"; and {len(bad) - 3} more" if len(bad) > 3 else ""
    return RefusedError(
        f"{len(bad)} of {plural(len(left), 'publish group')} cannot be undone",
        where=view.campaign,
        why=told + more,
        next_step=f"undo what can be, by its window: windlass undo {view.campaign} --window "
        f"{fine[0].windows[0]}"
        if fine
        else "put the source or the config right, and run the range again",
    )


def _over(session: Session, view: StatusView, groups: Sequence[GroupUndo]) -> int:
    """Nothing is left to do: undone before, or never published."""
    undone = [one for one in groups if one.undone]
    if not undone:
        raise RefusedError(
            "there is nothing to undo",
            where=view.campaign,
            why="none of it was published",
            next_step=f"windlass status {view.campaign} --windows",
        )
    if session.as_json:
        print_json(_json(view, [(one, "undone", _before(one)) for one in undone]))
    session.say(f"undone already: {_before(undone[0])}")
    return DONE


def _before(one: GroupUndo) -> str:
    if one.undo is None or one.undo.ended_at is None:
        return ""
    return f"{one.undo.ended_at:%Y-%m-%d %H:%M} UTC by {one.undo.order.who}"


def _question(view: StatusView, todo: Sequence[GroupUndo], force: bool) -> str:
    partitions = sum(len(record.kept.before) for one in todo for record in one.kept)
    tenants = len(by_tenant(todo))
    lost = " What was written there since is lost." if force else ""
    return (
        f"Put back {plural(partitions, 'partition')} of {plural(tenants, 'tenant')} that "
        f"{view.campaign} replaced?{lost}"
    )


Line = tuple[GroupUndo, str, str]


def _ended(
    session: Session,
    view: StatusView,
    todo: Sequence[GroupUndo],
    results: "Sequence[UndoResult]",
) -> int:
    lines = list(_lines(todo, results))
    if session.as_json:
        print_json(_json(view, lines))
    else:
        _print(lines)
    states = {state for _, state, _ in lines}
    if states == {"undone"}:
        session.say(f"{view.campaign}: undone, and equal to what was kept")
        return DONE
    return REFUSED if states == {"refused"} else FAILED


def _lines(todo: Sequence[GroupUndo], results: "Sequence[UndoResult]") -> Iterator[Line]:
    """Each group with what became of it."""
    for mine, result in zip(by_tenant(todo).values(), results, strict=True):
        told = {one.group: one for one in result.outcomes}
        for group in mine:
            outcome = told.get(group.group)
            if outcome is None:
                yield group, "refused", result.refused
            else:
                yield group, "undone" if outcome.undone else "failed", outcome.text


def _print(lines: Sequence[Line]) -> None:
    columns = [Column("tenant"), Column("range"), Column(""), Column("what")]
    rows = (
        (f"{g.cluster}/{g.database}", half_open(g.interval), state, text)
        for g, state, text in lines
    )
    console().print(table(columns, rows))


def _json(view: StatusView, lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "campaign": view.campaign,
        "undone": all(state == "undone" for _, state, _ in lines),
        "groups": [
            {
                "cluster": one.cluster,
                "database": one.database,
                "group": one.group,
                "start": iso(one.interval.start),
                "end": iso(one.interval.end),
                "windows": list(one.windows),
                "state": state,
                "text": text,
            }
            for one, state, text in lines
        ],
    }
