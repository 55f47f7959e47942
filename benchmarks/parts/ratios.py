"""Windlass against other ways to move the same rows, in turn, several times over."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import interrupt, markdown
from benchmarks.contestants import CONTESTANTS, load_path, windlass_run
from benchmarks.contestants.arena import Arena, Contestant
from benchmarks.data import Table
from benchmarks.options import Options
from benchmarks.stats import Spread, fastest, ratios
from benchmarks.targets import Check, Target
from benchmarks.world import World, say

OURS = ("windlass", "windlass-again", "windlass-pull", "load", "load-bare")
CEILING = ("copy-adbc", "copy-psycopg")
TARGETS = {
    "pull": Target("verified end to end ÷ ClickHouse's own pull", 1.15, True, "x", 1.3),
    "bare": Target("load path verified ÷ not verified", 0.92, True, "x"),
    "ceiling": Target("verified end to end ÷ the COPY ceiling", 0.60, True, "x", 0.75),
    "script": Target("verified end to end ÷ the psycopg script", 6.0, True, "x"),
}
HEAD = ("way", "M rows/s", "Windlass ÷ this", "of the rows", "remark")


def measure(world: World, options: Options) -> dict[str, Any]:
    """`laps` `{key: [{round, rows, seconds, …}]}`, `failed` `{key: reason}`, `profile` of one
    more campaign, as its report has it."""
    arena = Arena(world, world.add(Table("ratios", options.rows)))
    world.worker()
    say("ratios: a first campaign, which does not count")
    windlass_run.empty(arena)
    load_path.verified(arena)
    laps: dict[str, list[dict[str, Any]]] = {}
    failed: dict[str, str] = {}
    for number in range(options.rounds):
        for contestant in order(number):
            if contestant.key not in failed:
                _lap(arena, contestant, number, laps, failed)
    profile = _profile_of(arena)
    world.drop(arena.table)
    return {"rows": options.rows, "laps": laps, "failed": failed, "profile": profile}


def _profile_of(arena: Arena) -> object:
    """Where the time of one more campaign goes; None where this version cannot tell."""
    if not arena.world.profiling:
        return None
    arena.world.command(f"truncate table {arena.table.live} sync")
    campaign = arena.world.run(arena.table, *arena.world.profiling)
    return arena.world.report(campaign.name).get("profile")


def order(number: int) -> list[Contestant]:
    """Another one begins in each round, so that nobody always runs after the same one."""
    start = number % len(CONTESTANTS)
    return [*CONTESTANTS[start:], *CONTESTANTS[:start]]


def _lap(
    arena: Arena,
    contestant: Contestant,
    number: int,
    laps: dict[str, list[dict[str, Any]]],
    failed: dict[str, str],
) -> None:
    """One way, once. What fails is told, and does not keep the others from running."""
    arena.world.quiet()
    arena.share = contestant.share
    try:
        lap = contestant.go(arena)
    except Exception as error:
        interrupt.check()
        failed[contestant.key] = _reason(error)
        say(f"round {number + 1}: {contestant.key} {failed[contestant.key]}")
        return
    laps.setdefault(contestant.key, []).append({"round": number, **asdict(lap)})
    say(f"round {number + 1}: {contestant.key} {lap.rate / 1e6:.3f} M rows/s")


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:240]


def rates(result: Mapping[str, Any], key: str) -> dict[int, float]:
    """Rows per second by round."""
    return {lap["round"]: lap["rows"] / lap["seconds"] for lap in result["laps"].get(key, ())}


def ceiling(result: Mapping[str, Any]) -> dict[int, float]:
    """The faster reader of each round."""
    return fastest(*(rates(result, key) for key in CEILING))


def compared(result: Mapping[str, Any]) -> dict[str, Spread]:
    """The ratios that have targets."""
    windlass = rates(result, "windlass")
    pairs = {
        "pull": (windlass, rates(result, "pull")),
        "bare": (rates(result, "load"), rates(result, "load-bare")),
        "ceiling": (windlass, ceiling(result)),
        "script": (windlass, rates(result, "script")),
    }
    found = {name: ratios(ours, theirs) for name, (ours, theirs) in pairs.items()}
    return {name: Spread.of(figures) for name, figures in found.items() if figures}


def checks(result: dict[str, Any]) -> list[Check]:
    """The four ratios."""
    found = compared(result)
    return [t.judge(found[n].median if n in found else None) for n, t in TARGETS.items()]


def render(result: dict[str, Any]) -> str:
    """A row for each way, then where the time of a campaign went."""
    rows = [_row(result, contestant) for contestant in CONTESTANTS]
    rows.append(_measured("**the ceiling**: the faster of the two", result, ceiling(result)))
    commands = [lap["extra"]["command_seconds"] for lap in result["laps"].get("windlass", ())]
    text = [f"{result['rows']:,} rows; median (least – most) over the rounds.", ""]
    text += ["![rates, as multiples](performance/ratios.svg)", "", markdown.table(HEAD, rows)]
    if commands:
        whole = markdown.spread(Spread.of(commands))
        text += ["", f"The whole command `windlass run`, with the plan: {whole} s."]
    return "\n".join([*text, *_profile(result.get("profile"))])


def _row(result: dict[str, Any], contestant: Contestant) -> list[str]:
    found = rates(result, contestant.key)
    row = _measured(contestant.label, result, found)
    reason = result["failed"].get(contestant.key, "").removeprefix("CannotRun: ")
    if not found:
        return [*row[:4], f"not run: {reason}" if reason else row[4]]
    if contestant.share < 1:
        row[3] = f"{contestant.share:.0%}, scaled"
    row[4] = f"{len(found)} rounds, then: {reason}" if reason else REMARKS.get(contestant.key, "")
    return row


REMARKS = {
    "script": "server-side cursor, `fetchmany`, `client.insert`",
    "sling": "1.4.11, the last whose wheel has the program inside; whole command",
    "dlt": "its ClickHouse destination needs the native protocol, which the local stack lacks: "
    "`sql_table(backend='pyarrow')` into a destination function that posts Parquet",
    "load": "one window, one stream",
    "load-bare": "one window, one stream",
}


def _measured(label: str, result: dict[str, Any], found: dict[int, float]) -> list[str]:
    if not found:
        return [label, "", "", "", "not measured"]
    against = ratios(rates(result, "windlass"), found)
    shown = markdown.spread(Spread.of(against)) if against else ""
    return [label, markdown.spread(Spread.of(list(found.values())), 1e-6), shown, "all", ""]


def _profile(found: object) -> list[str]:
    from benchmarks import profile

    return ["", *profile.render(found)] if found else []


def draw(result: dict[str, Any], folder: Path) -> None:
    """Everybody's rate over that of ClickHouse's own pull in the same round."""
    from benchmarks import plots

    spreads, ours = {}, []
    for contestant in CONTESTANTS:
        label = contestant.label.replace("`", "")
        if found := ratios(rates(result, contestant.key), rates(result, "pull")):
            spreads[label] = Spread.of(found)
            ours += [label] if contestant.key in OURS else []
    if spreads:
        unit = "rows per second, as a multiple of ClickHouse's own pull"
        plots.bars(folder / "ratios.svg", spreads, ours, unit)
