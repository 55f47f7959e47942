"""From a plan to a campaign: what is checked, asked and said before anything starts."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from windlass.cli import asking, saved
from windlass.cli.backend import Start
from windlass.cli.ending import ATTACHABLE, NOT_ALL, OK, conclude
from windlass.cli.failures import INTERRUPTED
from windlass.cli.follow import detached, follow
from windlass.cli.options import agreed
from windlass.cli.request import Words, expected_removals
from windlass.cli.session import Session
from windlass.cli.show.common import console, plural, print_json
from windlass.cli.show.plan import rows_to_load, to_go
from windlass.cli.show.unstarted import unstarted_json
from windlass.cli.superseding import end, runs, superseded
from windlass.domain.errors import (
    PlanChangedError,
    RefusedError,
    UnreachableError,
    UsageError,
)
from windlass.domain.plan import Guard, Plan
from windlass.domain.record import CampaignRecord
from windlass.domain.states import Mode
from windlass.domain.tenant import TenantPattern
from windlass.report.status import status_json

STALE = timedelta(minutes=5)
"""How long a question may stand before the plan that it is about is made anew and compared."""


@dataclass(frozen=True)
class Consent:
    """What the operator said beforehand."""

    name: str | None = None
    reason: str = ""
    yes: bool = False
    confirm: str | None = None
    detach: bool = False
    supersedes: str | None = None
    profile: bool = False
    world: str = ""


def plan_from_file(
    session: Session, file: Path, words: Words, consent: Consent
) -> tuple[Plan, Consent]:
    """The saved plan, if the world is still the one that it was made for, and its name and reason
    where none were typed. `--expect-removed` and `--accept-removal` may be said now; everything
    else is in the plan."""
    if replace(words, expected=(), accept=False) != Words():
        raise UsageError(
            "--plan says already what to do",
            why="a saved plan has its own clusters, tenants, range and options",
            next_step=f"windlass run --plan {file}, with --name, --reason, --yes, --detach, "
            "--expect-removed or --accept-removal at most",
        )
    read, fleet = saved.read(file), session.backend.fleet
    kept = read.plan
    dataset = fleet.dataset(kept.request.dataset.name)
    share = fleet.max_unexplained_removal(dataset.name)
    guard = replace(kept.request.guard, max_unexplained=share)
    asked = replace(kept.request, dataset=dataset, guard=guard)
    fresh = session.backend.plan(asked, session.say)
    saved.refuse_changed(kept, fresh, str(file))
    kept, news = saved.up_to_date(kept, fresh)
    for line in news:
        session.say(line)
    expected = expected_removals(words.expected, [t.name for t in dataset.tables])
    allowed = Guard(share, {**guard.expected, **expected}, guard.accept or words.accept)
    plan = replace(kept, request=replace(kept.request, guard=allowed))
    name, reason = consent.name or read.name or None, consent.reason or read.reason
    return plan, replace(consent, name=name, reason=reason)


def from_campaign_file(file: Path, given: Words, consent: Consent) -> tuple[Words, Consent]:
    """What the campaign file says, its name and reason where none were typed. `--expect-removed`
    and `--accept-removal` may be said now; everything else is in the file."""
    from windlass.cli import campaign_file

    campaign_file.refuse_more(file, replace(given, expected=(), accept=False), Words())
    read = campaign_file.read(file)
    words = read.words()
    words = replace(
        words, expected=(*words.expected, *given.expected), accept=words.accept or given.accept
    )
    name, reason = consent.name or read.name, consent.reason or read.reason
    return words, replace(consent, name=name, reason=reason, world=read.world or "")


def launch(session: Session, plan: Plan, consent: Consent) -> int:
    """Show the plan, ask, start, and stay until the end unless told to leave."""
    old = superseded(session, consent.supersedes) if consent.supersedes else None
    name = consent.name or asking.name_for(session, plan)
    asking.show(session, plan, console(err=session.as_json), name=name)
    _refuse_blind(plan)
    _refuse_another_world(plan, consent)
    _check_confirm(plan, name, consent)
    if not any(tenant.groups for tenant in plan.tenants):
        return _nothing(session, plan)
    asked = session.now()
    agreed(session, _question(plan, name, old), consent.yes)
    if session.now() - asked > STALE:
        _refuse_stale(session, plan)
    if old:
        end(session, old, name, consent.reason)
    try:
        campaign = session.backend.start(
            plan,
            Start(name, consent.reason, session.who(), session.typed, old.name if old else ""),
        )
    except KeyboardInterrupt:
        session.say(f"interrupted while starting: windlass status {name} tells whether it runs")
        return INTERRUPTED
    session.say(f"started {campaign}")
    return _detach(session, campaign) if consent.detach else _attach(session, campaign, consent)


def _refuse_blind(plan: Plan) -> None:
    """Nothing to start where no cluster could be asked."""
    failures = [c.failure for c in plan.clusters if c.failure]
    if failures and len(failures) == len(plan.clusters):
        raise UnreachableError(
            "no cluster could be asked: nothing was started",
            why=failures[0],
            next_step="windlass doctor",
        )
    known = [tenant.tenant for tenant in plan.tenants]
    for text in plan.request.canary:
        pattern = TenantPattern.parse(text)
        if failures and not any(pattern.matches(tenant) for tenant in known):
            raise RefusedError(
                f"no canary is known by {text!r}: nothing was started",
                why=failures[0],
                next_step="have every cluster answer (windlass doctor), or choose other canaries",
            )


def _refuse_another_world(plan: Plan, consent: Consent) -> None:
    """A campaign file that was reviewed against one world is not run in another."""
    if consent.world and consent.world != plan.world:
        raise PlanChangedError(
            "the world is no longer the one that the campaign file was reviewed against",
            why=f"world is {plan.world}, the file says {consent.world}: the config, the servers, "
            "the tenants, columns or target DDL changed, or what the file itself asks for",
            next_step=f"look at the plan above; if it is right, write world: {plan.world} in the "
            "file, and run it again",
        )


def _refuse_stale(session: Session, plan: Plan) -> None:
    """The question stood for long: what was shown must still be so."""
    fresh = session.backend.plan(plan.request, session.say)
    saved.refuse_changed(plan, fresh, "what was shown")


def _check_confirm(plan: Plan, name: str, consent: Consent) -> None:
    """Deleting wants the campaign's name and the number of rows, whoever says yes."""
    if plan.request.mode is not Mode.DELETE:
        if consent.confirm is not None:
            raise UsageError("--confirm is for --mode delete", next_step="leave it out")
        return
    rows = sum(sum(to_go(plan, tenant).values()) for tenant in plan.tenants)
    wanted = f"{name}:{rows}"
    if rows and consent.confirm != wanted:
        given = f"--confirm {consent.confirm} does not match" if consent.confirm else ""
        raise RefusedError(
            f"deleting {rows:,} live rows wants a confirmation",
            why=given or "--mode delete loads nothing in their place",
            next_step=f"--confirm {wanted}",
        )


def _question(plan: Plan, name: str, old: CampaignRecord | None) -> str:
    going = sum(sum(to_go(plan, tenant).values()) for tenant in plan.tenants)
    todo = sum(bool(tenant.groups) for tenant in plan.tenants)
    load = "" if plan.request.mode is Mode.DELETE else f"load {rows_to_load(plan):,} rows, "
    return (
        f"Start {name}: {plan.request.mode}, {load}remove {going:,}, "
        f"{plural(plan.total_windows, 'window')} of {plural(todo, 'tenant')}?"
        + (f" Campaign {old.name} ({old.state}) is cancelled for it." if runs(old) else "")
    )


def _nothing(session: Session, plan: Plan) -> int:
    """Nothing is started: all of it is verified already, or empty on both sides."""
    held = any(one.holds for tenant in plan.tenants for one in tenant.held)
    if session.as_json:
        print_json(unstarted_json(plan))
    unknown = any(cluster.failure for cluster in plan.clusters)
    why = (
        "everything is verified already; --redo does it again"
        if held
        else ("source and target are empty in the range")
    )
    where = " where one could look" if unknown else ""
    session.say(f"nothing to do{where}: {why}")
    for cluster in plan.clusters:
        if cluster.failure:
            session.say(f"{cluster.cluster} is unknown: {cluster.failure}")
    return NOT_ALL if unknown else OK


def _detach(session: Session, campaign: str) -> int:
    if session.as_json:
        print_json(status_json(session.backend.ledger.status(campaign)))
    detached(session, campaign)
    return ATTACHABLE


def _attach(session: Session, campaign: str, consent: Consent) -> int:
    try:
        follow(session, campaign)
    except KeyboardInterrupt:
        detached(session, campaign)
        return INTERRUPTED
    return conclude(session, campaign, profile=consent.profile)
