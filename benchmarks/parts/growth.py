"""How time grows: with rows, with windows over the same rows, for plan and verify."""

from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import markdown
from benchmarks.data import Table
from benchmarks.options import Options
from benchmarks.stats import bend, line
from benchmarks.targets import Check, Target, number
from benchmarks.world import World, say

ROWS, BIG_ROWS = (250_000, 1_000_000, 2_000_000), (1_000_000, 5_000_000, 20_000_000)
WINDOWS, MORE_WINDOWS = (10, 100, 1_000), (10, 100, 1_000, 5_000)
WINDOWED_ROWS = 500_000
IN_FLIGHT = 8
WHATS = {
    "rebuild": "the campaign, snapshot to verified",
    "plan": "`windlass plan`",
    "verify": "`windlass verify`",
}
SLACK = 15.0
"""Per cent by which a point may be off the straight line: medians of a few laps lie that far apart
on a busy machine. The suite's own idea of linear."""
LINEAR = {
    "rebuild": Target("time against rows: farthest off a straight line", SLACK, unit="%"),
    "windows": Target("time against windows: farthest off a straight line", SLACK, unit="%"),
}


def measure(world: World, options: Options) -> dict[str, Any]:
    """`rows` `[{rows, rebuild, plan, verify}]` and `windows` `[{windows, seconds}]`, in seconds."""
    return {"rows": _by_rows(world, options), "windows": _by_windows(world, options)}


def _by_rows(world: World, options: Options) -> list[dict[str, float]]:
    sizes = [options.scaled(rows) for rows in (BIG_ROWS if options.big else ROWS)]
    tables = [world.add(Table(f"rows{size}", size)) for size in sizes]
    world.worker()
    laps = []
    for _ in range(options.repeats(2 if options.big else 3)):
        laps += [_lap(world, table) for table in tables]
    for table in tables:
        world.drop(table)
    return laps


def _lap(world: World, table: Table) -> dict[str, float]:
    """Each lap over an empty live table: the first one of each size would differ otherwise."""
    world.command(f"truncate table {table.live} sync")
    world.quiet()
    campaign = world.run(table)
    _, verify = world.windlass("verify", *world.place(table))
    _, plan = world.windlass("plan", *world.place(table), "--redo")
    say(f"growth: {table.rows:,} rows in {campaign.seconds:.1f} s, plan {plan:.1f}, {verify:.1f}")
    return {"rows": table.rows, "rebuild": campaign.seconds, "plan": plan, "verify": verify}


def _by_windows(world: World, options: Options) -> list[dict[str, float]]:
    table = world.add(Table("windows", options.scaled(WINDOWED_ROWS)))
    world.worker(per_tenant=IN_FLIGHT)
    laps = []
    for wanted in MORE_WINDOWS if options.big else WINDOWS:
        count = wanted if options.of_record else max(2, wanted // 10)
        for _ in range(1 if wanted > 100 else options.repeats(3)):
            world.command(f"truncate table {table.live} sync")
            campaign = world.run(table, "--window", "none", "--parts", str(count))
            windows = campaign.facts.status.windows_total
            laps.append({"windows": windows, "seconds": campaign.seconds})
            say(f"growth: {windows:,} windows in {campaign.seconds:.1f} s")
    world.drop(table)
    return laps


def points(laps: list[dict[str, float]], x: str, y: str) -> list[tuple[float, float]]:
    """(x, median of y), in order of x."""
    places = sorted({lap[x] for lap in laps})
    return [(place, median(lap[y] for lap in laps if lap[x] == place)) for place in places]


def render(result: dict[str, Any]) -> str:
    """Two tables and four plots."""
    return "\n\n".join([_rows_text(result), _windows_text(result)])


def _rows_text(result: dict[str, Any]) -> str:
    series = {what: points(result["rows"], "rows", what) for what in WHATS}
    head = ("rows", *(f"{text}, s" for text in WHATS.values()), "M rows/s, campaign")
    rows = [
        [
            f"{size:,.0f}",
            *(number(dict(series[what])[size]) for what in WHATS),
            number(size / seconds / 1e6),
        ]
        for size, seconds in series["rebuild"]
    ]
    fits = "; ".join(f"{WHATS[what]} {_fit(series[what], 1e6, 'million rows')}" for what in WHATS)
    plots = "\n".join(f"![{name}](performance/{name}.svg)" for name in ("rows", "plan", "verify"))
    return f"{markdown.table(head, rows)}\n\nStraight lines through it: {fits}.\n\n{plots}"


def _windows_text(result: dict[str, Any]) -> str:
    found = points(result["windows"], "windows", "seconds")
    rows = [[f"{count:,.0f}", number(seconds)] for count, seconds in found]
    table = markdown.table(("windows over the same rows", "the campaign, s"), rows)
    fit = _fit(found, 1, "window")
    text = f"{IN_FLIGHT} in flight. A straight line through it: {fit}."
    return f"{table}\n\n{text}\n\n![windows](performance/windows.svg)"


def _fit(found: list[tuple[float, float]], unit: float, name: str) -> str:
    if len(found) < 2:
        return "needs two sizes"
    fixed, slope = line(found)
    return f"{number(fixed)} s + {number(slope * unit)} s per {name}"


def checks(result: dict[str, Any]) -> list[Check]:
    """Straight lines."""
    found = {
        "rebuild": points(result["rows"], "rows", "rebuild"),
        "windows": points(result["windows"], "windows", "seconds"),
    }
    return [
        target.judge(bend(found[name]) * 100 if len(found[name]) > 2 else None)
        for name, target in LINEAR.items()
    ]


def draw(result: dict[str, Any], folder: Path) -> None:
    """A plot each."""
    from benchmarks import plots

    millions = {
        what: [(x / 1e6, y) for x, y in points(result["rows"], "rows", what)] for what in WHATS
    }
    for name, what in (("rows", "rebuild"), ("plan", "plan"), ("verify", "verify")):
        label = WHATS[what].replace("`", "")
        plots.lines(folder / f"{name}.svg", {label: millions[what]}, "million rows", "seconds")
    by_windows = {"the campaign": points(result["windows"], "windows", "seconds")}
    plots.lines(folder / "windows.svg", by_windows, "windows over the same rows", "seconds")
