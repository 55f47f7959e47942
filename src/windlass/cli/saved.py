"""Plans kept in a file, and whether the world is still the one that they were made for."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from windlass.domain import codec
from windlass.domain.dataset import digest_of
from windlass.domain.errors import PlanChangedError, RefusedError, UsageError
from windlass.domain.plan import ClusterPlan, Plan, Skipped, TenantPlan

FORMAT = 2
"""Raised when a plan that an older Windlass saved can no longer be read."""


@dataclass(frozen=True)
class Kept:
    """A plan as it was saved, with the name and reason that its campaign file gave ('' none)."""

    plan: Plan
    name: str = ""
    reason: str = ""


def write(file: Path, plan: Plan, name: str = "", reason: str = "") -> None:
    """Save the plan: format, world, plan, name and reason. It holds definitions and counts, no
    secret."""
    told = json.loads(codec.dump(plan))
    kept = {
        "format": FORMAT,
        "world": plan.world,
        "name": name,
        "reason": reason,
        "digest": digest_of(told),
        "plan": told,
    }
    try:
        file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write the plan: {error.strerror}",
            where=str(file),
            next_step="give --save a file in a folder that exists and is yours",
        ) from None


def read(file: Path) -> Kept:
    """The plan that `write` saved. UsageError for anything else, RefusedError (exit 4) for
    another format or a plan that was edited."""
    kept = _parsed(file)
    if kept.get("format") != FORMAT:
        raise RefusedError(
            f"the plan has format {kept.get('format')}, this Windlass reads {FORMAT}",
            where=str(file),
            next_step="plan again: windlass plan … --save FILE",
        )
    try:
        plan = codec.load(Plan, json.dumps(kept["plan"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "not a plan that windlass plan --save wrote",
            where=str(file),
            why=str(error).splitlines()[0] if str(error) else type(error).__name__,
            next_step="plan again: windlass plan … --save FILE",
        ) from None
    if plan.world != kept.get("world") or digest_of(kept["plan"]) != kept.get("digest"):
        raise RefusedError(
            "the plan was changed after it was saved",
            where=str(file),
            next_step="plan again: windlass plan … --save FILE",
        )
    return Kept(plan, str(kept.get("name") or ""), str(kept.get("reason") or ""))


def _parsed(file: Path) -> dict[str, Any]:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"cannot read the plan: {error.strerror}",
            where=str(file),
            next_step="windlass plan … --save FILE writes one",
        ) from None
    except ValueError:
        kept = None
    if not isinstance(kept, dict):
        raise UsageError(
            "not a plan that windlass plan --save wrote",
            where=str(file),
            next_step="windlass plan … --save FILE writes one",
        )
    return kept


def refuse_changed(kept: Plan, fresh: Plan, where: str) -> None:
    """PlanChangedError (exit 4) when the plan that was made is no longer right, saying why not."""
    changed = list(changes(kept, fresh))
    if not changed:
        return
    raise PlanChangedError(
        "the world is no longer the one that the plan was made for",
        where=where,
        why="; ".join(changed),
        next_step="plan again, look at it, and run that: windlass plan … --save FILE",
    )


def up_to_date(kept: Plan, fresh: Plan) -> tuple[Plan, list[str]]:
    """The saved plan with those left out who are left out now, and what is new about them. Nothing
    is done to them, but the campaign's record accounts for everybody."""
    now = {one.cluster: one for one in fresh.clusters}
    shares = tuple(
        replace(one, skipped=now[one.cluster].skipped, found=now[one.cluster].found)
        for one in kept.clusters
    )
    return replace(kept, clusters=shares), list(_left_out_changes(kept.clusters, fresh.clusters))


def _left_out_changes(
    before: tuple[ClusterPlan, ...], after: tuple[ClusterPlan, ...]
) -> Iterator[str]:
    was = {_name(one): one for share in before for one in share.skipped}
    is_ = {_name(one): one for share in after for one in share.skipped}
    for name in sorted(is_.keys() - was.keys()):
        yield f"{name} is new since the plan, and left out: {is_[name].reason}"
    for name in sorted(was.keys() - is_.keys()):
        yield f"{name}, which the plan left out, is gone"


def _name(one: Skipped) -> str:
    return "/".join(part for part in (one.cluster, one.customer, one.profile) if part)


def changes(kept: Plan, fresh: Plan) -> Iterator[str]:
    """What is different, in an operator's words. Row counts may differ: they always do."""
    yield from _failures(fresh)
    yield from _answers_now(kept, fresh)
    yield from _lost_holds(kept, fresh)
    if kept.world != fresh.world:
        said = [*_config_changes(kept, fresh), *_tenant_changes(kept, fresh)]
        yield from said or ["config, definition, columns or target DDL changed"]


def _failures(fresh: Plan) -> Iterator[str]:
    for cluster in fresh.clusters:
        if cluster.failure:
            yield f"{cluster.cluster} cannot be asked: {cluster.failure}"


def _answers_now(kept: Plan, fresh: Plan) -> Iterator[str]:
    """A cluster that was unknown is not left out for that any more."""
    unknown = {one.cluster for one in kept.clusters if one.failure}
    for cluster in fresh.clusters:
        if cluster.cluster in unknown and not cluster.failure:
            yield f"{cluster.cluster} could not be asked for the plan, and can be now"


def _config_changes(kept: Plan, fresh: Plan) -> Iterator[str]:
    before, after = kept.request, fresh.request
    if before.dataset != after.dataset:
        names = [t.name for t in after.dataset.tables if t not in before.dataset.tables] or [
            after.dataset.name
        ]
        yield f"the definition of {', '.join(names)} changed in the config"
    if before.guard.max_unexplained != after.guard.max_unexplained:
        yield (
            f"max_unexplained_removal is {after.guard.max_unexplained}, "
            f"was {before.guard.max_unexplained}"
        )
    was = {one.cluster: one.servers for one in kept.clusters}
    for one in fresh.clusters:
        if not one.failure and one.servers != was.get(one.cluster, one.servers):
            yield f"{one.cluster} has another source or target than planned for"


def _tenant_changes(kept: Plan, fresh: Plan) -> Iterator[str]:
    before = {str(t.tenant): t for t in kept.tenants}
    after = {str(t.tenant): t for t in fresh.tenants}
    for name in after.keys() - before.keys():
        yield f"tenant {name} is new"
    for name in before.keys() - after.keys():
        yield f"tenant {name} is gone"
    for name in before.keys() & after.keys():
        yield from _table_changes(before[name], after[name])


def _table_changes(before: TenantPlan, after: TenantPlan) -> Iterator[str]:
    if before.tenant.database != after.tenant.database:
        yield f"{before.tenant} is in {after.tenant.database} now"
    for was in before.tables:
        now = next((t for t in after.tables if t.table == was.table), None)
        where = f"{before.tenant.database}.{was.table}"
        if now and now.create_hash != was.create_hash:
            yield f"the DDL of {where} changed"
        elif now and now.columns != was.columns:
            yield f"the columns of {where} changed"


def _lost_holds(kept: Plan, fresh: Plan) -> Iterator[str]:
    """Windows that the saved plan leaves out because they were verified, and no longer are."""
    now = {
        (str(t.tenant), held.campaign, held.interval): held
        for t in fresh.tenants
        for held in t.held
    }
    for tenant in kept.tenants:
        for held in tenant.held:
            found = now.get((str(tenant.tenant), held.campaign, held.interval))
            if held.holds and not (found and found.holds):
                why = found.reason if found else "its record is gone"
                yield f"{tenant.tenant} {held.interval} of {held.campaign} no longer holds: {why}"
