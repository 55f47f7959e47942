"""Windlass as operators use it: `windlass run`, one process, against a worker that runs."""

from benchmarks.contestants.arena import Arena, CannotRun, Lap
from benchmarks.world import PULLING, Campaign


def empty(arena: Arena) -> Lap:
    """Into an empty live table, as all others load into one."""
    arena.world.command(f"truncate table {arena.table.live} sync")
    return _lap(arena, arena.world.run(arena.table))


def full(arena: Arena) -> Lap:
    """Over a live table that has all the rows: what a rebuild meets in practice."""
    if arena.world.value(f"select count() from {arena.table.live}") != arena.table.rows:
        arena.world.run(arena.table)
        arena.world.quiet()
    return _lap(arena, arena.world.run(arena.table))


def pulled(arena: Arena) -> Lap:
    """With the load path by which the target reads the source by itself."""
    if not arena.world.pulling:
        raise CannotRun("this version has no such load path")
    arena.world.command(f"truncate table {arena.table.live} sync")
    return _lap(arena, arena.world.run(arena.table, cluster=PULLING))


def _lap(arena: Arena, campaign: Campaign) -> Lap:
    arena.plan = campaign.facts.plan.tenants[0].table("score")
    rows = arena.check(campaign.facts.status.rows_loaded)
    return Lap(rows, campaign.seconds, {"command_seconds": campaign.command_seconds})
