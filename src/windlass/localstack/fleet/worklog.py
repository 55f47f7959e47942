"""The fleet demo's report as the work log of 2026-02-22: the log's tables, then the troubles."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from windlass.localstack.fleet.timetable import Kind

_SHOWN = 5


def markdown(made: Mapping[str, Any], day: datetime) -> str:
    """The work log that nobody had to write."""
    parts = (_head, _clusters, _open, _struggled, _sizes, _client, _troubles, _proof)
    lines = [f"# Project Log - {day:%Y-%m-%d}", ""]
    for part in parts:
        lines += [*part(made), ""]
    return "\n".join(lines)


_CONFIG = re.compile(r"--config \S+ ")


def _head(made: Mapping[str, Any]) -> Iterator[str]:
    minutes = f"{made['wall_seconds'] / 60:.1f} minutes"
    yield "## Progress"
    yield ""
    verified = f"{made['windows_verified']:,} of {made['windows']:,} windows verified"
    rows = f"{made['rows_loaded']:,} rows of {len(made['tenants'])} customers"
    yield f"- {rows} in {minutes}, by nobody"
    yield f"- {verified}"
    yield f"- Scale {made['scale']:g} of the log's volumes, seed {made['seed']}"
    for one in made["campaigns"]:
        command = _CONFIG.sub("", one["command"])
        yield f"- `{command}`: {one['state']}, {one['verdict']}, {one['seconds']} s"


def _clusters(made: Mapping[str, Any]) -> Iterator[str]:
    yield "## Backfill Verification Results"
    yield ""
    yield "| Cluster | Customers | Backfill Status | Notes |"
    yield "|---------|-----------|-----------------|-------|"
    for one in made["clusters"]:
        status = f"{one['done']}/{one['customers']} complete" if one["customers"] else "N/A"
        yield f"| {one['name']} | {one['customers']} | {status} | {_note(one)} |"


def _note(one: Mapping[str, Any]) -> str:
    if not one["customers"]:
        return "No data in range"
    longest = f"{one['longest']} took {one['longest_seconds']} s"
    plural = "" if one["windows"] == 1 else "s"
    return f"{one['rows_loaded']:,} rows in {one['windows']} window{plural}; {longest}"


def _open(made: Mapping[str, Any]) -> Iterator[str]:
    """The complete ones in a row, the others each."""
    for cluster in made["clusters"]:
        mine = [t for t in made["tenants"] if t["cluster"] == cluster["name"]]
        plain = [t for t in mine if t["state"] == "done" and not t["cuts"] and t["attempts"] <= 1]
        told = [t for t in mine if t not in plain]
        if not mine:
            continue
        yield f"### {cluster['name']} ({cluster['done']}/{cluster['customers']} complete)"
        yield ""
        yield "| Customer | Status | Notes |"
        yield "|----------|--------|-------|"
        if plain:
            some = ", ".join(t["customer"] for t in plain[:6]) + (", …" if len(plain) > 6 else "")
            plural = "" if len(plain) == 1 else "s"
            yield f"| {len(plain)} customer{plural} | Complete | at the first attempt: {some} |"
        for one in told:
            windows = f"{one['windows_done']}/{one['windows_total']} windows"
            notes = f"{windows}, attempts {one['attempts']}"
            notes += f", {one['cuts']} window{'s' * (one['cuts'] > 1)} cut" if one["cuts"] else ""
            yield f"| {one['customer']} | {one['state']} | {notes}, {one['seconds']} s |"
        yield ""
    steady = made["steady"]
    figures = f"{steady.get('windows')} window, attempt {steady.get('attempts')}"
    judged = "left alone" if steady["untouched"] else "TOUCHED"
    yield f"{steady['customer']}: {figures}, {steady.get('seconds')} s, {judged}."


def _struggled(made: Mapping[str, Any]) -> Iterator[str]:
    yield "## Struggling Workflows — Analysis and Resolution"
    yield ""
    yield "| Customer | Cluster | Scorecards | Scores | Attempts | Action |"
    yield "|----------|---------|------------|--------|----------|--------|"
    for one in made["struggling"]:
        figures = f"{one.get('scorecards', 0):,} | {one.get('scores', 0):,}"
        figures += f" | {one.get('attempts', 0)}"
        action = "; ".join(one.get("cuts", [])) or "none"
        yield f"| {one['customer']} | {one['cluster']} | {figures} | {action} |"


def _sizes(made: Mapping[str, Any]) -> Iterator[str]:
    yield "### Window Size Selection"
    yield ""
    yield "Compared against known baselines:"
    for one in made["baselines"]:
        here = f"{one['here']:,} here, 1-day windows" if one["here"] else "of another fleet"
        log = f"{one['log_scorecards_a_day']:,} scorecards a day in the log"
        yield f"- {one['customer']} ({log}; {here})"
    yield ""
    yield "Selected from the rate that was seen:"
    for one in made["struggling"]:
        pieces = one.get("pieces", [])
        lengths = ", ".join(f"{length:g}" for length in sorted({p["days"] for p in pieces}))
        cut = f"{len(pieces)} windows of {lengths} days" if pieces else "not cut"
        daily = f"{one.get('scorecards_a_day', 0):,} scorecards a day"
        yield f"- {one['customer']} ({daily}) → {cut}"


def _client(made: Mapping[str, Any]) -> Iterator[str]:
    yield "### The client that went away"
    yield ""
    for one in made["troubles"]:
        if one["kind"] == Kind.CLIENT:
            ended = next((c for c in made["campaigns"] if c["name"] == one["where"]), None)
            yield f"- {one['at']} {one['what']}"
            if ended:
                rows = f"{ended['rows_loaded']:,} rows"
                yield f"- `windlass watch {one['where']}` took it up again, and ended with exit"
                yield f"  code {ended['watch_exit']}: {ended['state']}, {rows}"


def _troubles(made: Mapping[str, Any]) -> Iterator[str]:
    yield "## Troubles, and how each was overcome"
    yield ""
    yield "| At | Trouble | Where | What it did | What the ledger says |"
    yield "|----|---------|-------|-------------|----------------------|"
    for one in made["troubles"]:
        shown = one["answers"][:_SHOWN]
        more = len(one["answers"]) - len(shown)
        said = "<br>".join([*shown, *([f"and {more} more"] if more > 0 else [])]) or "—"
        place = one["where"] + (f" ({one['cluster']})" if one["cluster"] else "")
        yield f"| {one['at'] or '—'} | {one['kind']} | {place} | {one['what']} | {said} |"


def _proof(made: Mapping[str, Any]) -> Iterator[str]:
    yield "## Proof"
    yield ""
    yield f"- Windows verified: {made['windows_verified']:,} of {made['windows']:,}"
    differing = ", ".join(made["differing"]) or "none"
    yield f"- Tables that differ between source and target in rows or sums: {differing}"
    yield f"- Rows outside the range untouched: {'yes' if made['outside_untouched'] else 'NO'}"
    starts = ", ".join(f"{name} {count}" for name, count in made["workers_started"].items())
    yield f"- Worker processes started: {starts}"
