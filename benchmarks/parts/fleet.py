"""A campaign over many tenants and thousands of windows: what it is like to look at, and how long
its histories get."""

import asyncio
import json
import time
from statistics import median
from typing import Any

from benchmarks import markdown
from benchmarks.data import Table
from benchmarks.machine import high_water_mib
from benchmarks.options import Options
from benchmarks.stats import Spread
from benchmarks.targets import Check, Target, number
from benchmarks.world import BenchError, World, say
from windlass.domain.states import State

TENANTS, DAYS, ROWS = 100, 50, 50_000
IN_FLIGHT = 2
EVERY = 5.0
"""Seconds between two looks."""
PATIENCE = 3_000.0
CALM = 7
"""Looks once all is done."""
TARGETS = {
    "plan": Target("`windlass plan` of 100 tenants x 50 windows", 10.0, unit="s"),
    "status": Target("`windlass status` of 5,000 windows", 1.0, unit="s"),
    "history": Target("longest workflow history of those, events", 10_000.0),
}


def measure(world: World, options: Options) -> dict[str, Any]:
    """`plan`, each `status` while windows run on the same cores and each `calm` one afterwards, and
    the campaign, in seconds; `histories` as events by workflow; the worker's MiB before and at
    most."""
    tenants = TENANTS if options.of_record else 4
    table = world.add(Table("fleet", ROWS, DAYS, tenants=tenants))
    pid = world.worker(per_tenant=IN_FLIGHT)
    words = [*world.place(table), "--window", "1d", "--redo"]
    plans = [world.windlass("plan", *words)[1] for _ in range(options.repeats(3))]
    started = high_water_mib(pid)
    world.windlass("run", *words, "--yes", "--detach", "--name", "fleet", codes=(3,))
    looks = _looks(world)
    calm = [world.windlass("status", "fleet")[1] for _ in range(CALM)]
    report = world.report("fleet")
    histories = asyncio.run(_histories(world.endpoints.temporal))
    world.drop(table)
    return {
        "tenants": tenants,
        "windows": report["windows_total"],
        "verdict": report["verdict"],
        "plan": plans,
        "status": looks,
        "calm": calm,
        "seconds": report["wall_seconds"],
        "histories": histories,
        "started_mib": started,
        "peak_mib": high_water_mib(pid),
    }


def _looks(world: World) -> list[float]:
    """How long each look took, until the campaign is over."""
    looks, deadline = list[float](), time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        text, seconds = world.windlass("status", "fleet", "-o", "json", codes=(0, 1, 3))
        looks.append(seconds)
        view = json.loads(text)
        if not len(looks) % 12:
            say(f"fleet: {view['windows_done']:,} of {view['windows_total']:,} windows")
        if State(view["state"]).final:
            return looks
        time.sleep(EVERY)
    raise BenchError(f"not over after {PATIENCE:.0f} s")


async def _histories(address: str) -> dict[str, int]:
    """Events of each workflow that the campaign had on the cluster."""
    from temporalio.client import Client

    client = await Client.connect(address.rsplit("//", maxsplit=1)[-1])
    found = [one async for one in client.list_workflows() if "fleet" in one.id]
    return {f"{one.id} {one.run_id}": one.history_length or 0 for one in found}


def render(result: dict[str, Any]) -> str:
    """What an operator waits for, and what stays small."""
    histories, calm = sorted(result["histories"].values()), result.get("calm")
    rows = [
        ["`windlass plan`, s", markdown.spread(Spread.of(result["plan"]))],
        *([["`windlass status`, s", markdown.spread(Spread.of(calm))]] if calm else []),
        [
            "`windlass status` while they run on the same cores, s",
            markdown.spread(Spread.of(result["status"])),
        ],
        ["the campaign, s", number(result["seconds"])],
        ["events in a history: median", f"{median(histories):,.0f}"],
        ["events in a history: most", f"{histories[-1]:,}"],
        ["worker, MiB: started", f"{result['started_mib']:.0f}"],
        ["worker, MiB: at most", f"{result['peak_mib']:.0f}"],
    ]
    what = (
        f"{result['tenants']} tenants, {result['windows']:,} windows of a day, few rows in each; "
        f"{IN_FLIGHT} windows a tenant and 8 in all at once; {result['verdict']}."
    )
    return f"{what}\n\n{markdown.table(('what', 'measured'), rows)}"


def checks(result: dict[str, Any]) -> list[Check]:
    """At full size only."""
    full = result["tenants"] == TENANTS
    figures: dict[str, float | None] = {
        "plan": median(result["plan"]),
        "status": median(result["calm"]) if result.get("calm") else None,
        "history": float(max(result["histories"].values())),
    }
    return [target.judge(figures[name] if full else None) for name, target in TARGETS.items()]
