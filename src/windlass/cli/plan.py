"""`windlass plan`: what a rebuild would do, and why."""

from pathlib import Path
from typing import Annotated

import typer

from windlass.cli import asking, saved
from windlass.cli.command import command
from windlass.cli.options import FileOption
from windlass.cli.request import (
    CLUSTERS,
    END,
    START,
    TENANTS,
    DatasetOption,
    ExceptOption,
    ModeOption,
    PartsOption,
    RedoOption,
    WindowOption,
    Words,
)
from windlass.cli.session import Session
from windlass.cli.show.common import console, print_json
from windlass.domain.plan import Plan
from windlass.domain.states import Mode


@command(
    "windlass plan voice-prod acme,acme-sandbox 2026-01-01 2026-02-20",
    "windlass plan all all 2026-01-01 2026-02-01 --except 'acme/*' --window 5d",
    "windlass plan voice-prod acme 2026-01-01 2026-02-20 --save acme.json -o json",
    "windlass plan -f campaign.yaml",
)
def app(
    session: Session,
    clusters: Annotated[str | None, CLUSTERS] = None,
    tenants: Annotated[str | None, TENANTS] = None,
    start: Annotated[str | None, START] = None,
    end: Annotated[str | None, END] = None,
    dataset: DatasetOption = None,
    mode: ModeOption = Mode.REPLACE,
    window: WindowOption = "auto",
    parts: PartsOption = None,
    excepted: ExceptOption = None,
    redo: RedoOption = False,
    file: FileOption = None,
    stages: Annotated[
        bool, typer.Option("--stages", help="Print the stages of every publish group, too.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option("--save", metavar="FILE", help="Keep the plan for `windlass run --plan`."),
    ] = None,
) -> int:
    """Show what a rebuild would do, and why. Changes nothing.

    Tenants found and left out, rows live and to load, rows that will go and which exclusion
    explains them, windows, how each table becomes visible and what readers see meanwhile, how
    long it should take and on what evidence. Exits 1 when a cluster could not be asked.
    """
    words = Words(
        clusters, tenants, start, end, dataset, mode, window, parts, tuple(excepted or ()), redo
    )
    name, reason, world = "", "", ""
    if file:
        from windlass.cli import campaign_file

        campaign_file.refuse_more(file, words, Words())
        read = campaign_file.read(file)
        words = read.words()
        name, reason, world = read.name or "", read.reason, read.world or ""
    plan = asking.ask_plan(session, words)
    if world and world != plan.world:
        session.say(f"world is {plan.world}, {file} says {world}: windlass run refuses it so")
    if save:
        saved.write(save, plan, name, reason)
        session.say(f"saved: windlass run --plan {save}")
    _show(session, plan, stages=stages)
    return 1 if any(cluster.failure for cluster in plan.clusters) else 0


def _show(session: Session, plan: Plan, *, stages: bool) -> None:
    if not session.as_json:
        asking.show(session, plan, console(), stages=stages)
        return
    from windlass.cli.show.plan import plan_json

    print_json(plan_json(plan, asking.name_for(session, plan), asking.at_once(session)))
