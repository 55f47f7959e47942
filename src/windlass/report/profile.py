"""Where a campaign's time went: seconds per stage, by window and table, and by publish group.

Stages overlap, as one batch is read while another is sent: they add up to more than the clock's.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from windlass.domain.record import TIMES, CampaignFacts, StepRecord

_LOAD = f"{TIMES}load "
_WALL = ("count", "stream", "sample")
"""The stages of a load that follow each other; what is left of its time is control."""
STAGES = (
    "count",
    "read",
    "convert",
    "send",
    "insert",
    "fingerprint",
    "sample",
    "guard",
    "keep",
    "publish",
    "settle",
    "control",
)
"""In the order in which a row meets them. `read` is waiting for PostgreSQL and taking its rows,
`send` handing bytes to the network or waiting for the server to take them, `insert` the server's
work after the last byte, `count` the counts of the source and of staging."""


def profile(facts: CampaignFacts) -> dict[str, Any]:
    """`windows`: seconds per window, table and stage; `groups`: per publish group and stage;
    `total`: all of them per stage. Of each, the try that went through last."""
    times = [one for one in facts.steps if one.step.startswith(TIMES)]
    windows = [_window(one) for one in times if one.step.startswith(_LOAD)]
    groups = _groups(one for one in times if not one.step.startswith(_LOAD))
    return {"windows": windows, "groups": groups, "total": total([*windows, *groups])}


def _window(step: StepRecord) -> dict[str, Any]:
    seconds = {name: float(value) for name, value in step.facts.items() if name != "rows"}
    rest = seconds["seconds"] - sum(seconds.get(name, 0.0) for name in _WALL)
    seconds["control"] = round(max(0.0, rest), 3)
    window = step.step.removeprefix(_LOAD)
    return {"window": window, "table": step.table, "rows": step.facts.get("rows", 0), **seconds}


def _groups(steps: Iterable[StepRecord]) -> list[dict[str, Any]]:
    last: dict[str, dict[str, Mapping[str, Any]]] = {}
    for step in steps:
        last.setdefault(step.group, {})[step.step.removeprefix(TIMES)] = step.facts
    return [_group(name, found) for name, found in last.items()]


def _group(name: str, steps: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    stages = total(_stages(step, facts) for step, facts in steps.items())
    whole = sum(float(facts["seconds"]) for facts in steps.values())
    return {"group": name, **stages, "seconds": round(whole, 3)}


def _stages(step: str, facts: Mapping[str, Any]) -> dict[str, float]:
    """A step's own stages; what is left of it is the step's, or, of publishing, control."""
    seconds = {name: float(value) for name, value in facts.items() if name != "seconds"}
    rest = max(0.0, float(facts["seconds"]) - sum(seconds.values()))
    return {**seconds, "control" if step == "publish" else step: rest}


def total(parts: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Seconds per stage over all of them."""
    summed: Counter[str] = Counter()
    for part in parts:
        summed.update({name: part[name] for name in STAGES if name in part})
    return {name: round(summed[name], 3) for name in STAGES if name in summed}


def per_window(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The windows, their tables taken together, in the order in which they were loaded."""
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for one in found["windows"]:
        parts.setdefault(one["window"], []).append(one)
    return [{"window": window, **total(some)} for window, some in parts.items()]
