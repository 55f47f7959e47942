"""Plans kept in a file, and whether the world is still the one that they were made for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from windlass.domain import codec
from windlass.domain.errors import PlanChangedError, RefusedError, UsageError
from windlass.domain.plan import Plan, TenantPlan

FORMAT = 1
"""Raised when a plan that an older Windlass saved can no longer be read."""


def write(file: Path, plan: Plan) -> None:
    """Save the plan: format, world and plan. It holds definitions and counts, no secret."""
    kept = {"format": FORMAT, "world": plan.world, "plan": json.loads(codec.dump(plan))}
    try:
        file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot write the plan: {error.strerror}",
            where=str(file),
            next_step="give --save a file in a folder that exists and is yours",
        ) from None


def read(file: Path) -> Plan:
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
    if plan.world != kept.get("world"):
        raise RefusedError(
            "the plan was changed after it was saved",
            where=str(file),
            next_step="plan again: windlass plan … --save FILE",
        )
    return plan


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


def refuse_changed(kept: Plan, fresh: Plan, file: Path) -> None:
    """PlanChangedError (exit 4) when the saved plan is no longer right, saying why not."""
    changed = list(changes(kept, fresh))
    if not changed:
        return
    raise PlanChangedError(
        "the world is no longer the one that the plan was made for",
        where=str(file),
        why="; ".join(changed),
        next_step="plan again, look at it, and run that: windlass plan … --save FILE",
    )


def changes(kept: Plan, fresh: Plan) -> Iterator[str]:
    """What is different, in an operator's words. Row counts may differ: they always do."""
    yield from _failures(fresh)
    yield from _lost_holds(kept, fresh)
    if kept.world != fresh.world:
        said = [*_config_changes(kept, fresh), *_tenant_changes(kept, fresh)]
        yield from said or ["config, definition, columns or target DDL changed"]


def _failures(fresh: Plan) -> Iterator[str]:
    for cluster in fresh.clusters:
        if cluster.failure:
            yield f"{cluster.cluster} cannot be asked: {cluster.failure}"


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
