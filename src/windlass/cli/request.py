"""`CLUSTERS TENANTS START END` and their options, turned into a request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from windlass.cli.show.common import clock, plural
from windlass.domain.errors import UsageError
from windlass.domain.plan import Guard, Plan, Request
from windlass.domain.record import StatusView, TenantView
from windlass.domain.states import Mode
from windlass.domain.tenant import Tenant, TenantPattern
from windlass.domain.window import Interval
from windlass.planner import parse

if TYPE_CHECKING:
    from windlass.settings import Fleet

CLUSTERS = typer.Argument(metavar="CLUSTERS", help="Comma list, globs, or all.")
TENANTS = typer.Argument(
    metavar="TENANTS", help="[cluster/]customer[/profile], comma list, globs, or all."
)
START = typer.Argument(metavar="START", help="First instant: 2026-01-31 or RFC 3339; UTC.")
END = typer.Argument(metavar="END", help="The instant after the last.")

ClustersArgument = Annotated[str, CLUSTERS]
TenantsArgument = Annotated[str, TENANTS]
StartArgument = Annotated[str, START]
EndArgument = Annotated[str, END]
DatasetOption = Annotated[
    str | None, typer.Option("--dataset", metavar="D", help="May be left out when there is one.")
]
ModeOption = Annotated[
    Mode,
    typer.Option(
        "--mode", help="replace: equal to the source; append: insert only; delete: clear the range."
    ),
]
WindowOption = Annotated[
    str, typer.Option("--window", metavar="SPAN", help="auto (equal volume), 10d, 1d, 6h or none.")
]
PartsOption = Annotated[
    int | None, typer.Option("--parts", metavar="N", help="Cut the range into N equal slices.")
]
ExceptOption = Annotated[
    list[str] | None,
    typer.Option("--except", metavar="GLOB", help="Tenants to leave out; may be repeated."),
]
RedoOption = Annotated[
    bool, typer.Option("--redo", help="Do again what is verified and still holds, too.")
]
CampaignArgument = Annotated[
    str | None, typer.Argument(metavar="[CAMPAIGN]", help="The latest one when left out.")
]


@dataclass(frozen=True)
class Words:
    """What an operator typed, as typed."""

    clusters: str | None = None
    tenants: str | None = None
    start: str | None = None
    end: str | None = None
    dataset: str | None = None
    mode: Mode = Mode.REPLACE
    window: str = "auto"
    parts: int | None = None
    excepted: Sequence[str] = ()
    redo: bool = False
    expected: Sequence[str] = ()
    accept: bool = False
    canary: Sequence[str] = ()
    priority: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True)
class Asked:
    """A request, and what an operator should know about how it was read."""

    request: Request
    notes: tuple[str, ...] = ()


def understand(words: Words, fleet: "Fleet", now: datetime) -> Asked:
    """The request. UsageError (exit 2) for whatever makes no sense, the nearest name with it."""
    given, tenants, start, end = _positional(words)
    clusters = fleet.select(listed(given, "CLUSTERS"))
    dataset = fleet.dataset(words.dataset)
    interval, notes = _capped(parse.interval(start, end, now), now)
    request = Request(
        dataset=dataset,
        clusters=clusters,
        tenants=_patterns(tenants),
        interval=interval,
        mode=words.mode,
        window=parse.window_spec(words.window, _parts(words.parts), interval),
        parts=_parts(words.parts),
        excepted=tuple(one for text in words.excepted for one in _patterns(text)),
        redo=words.redo,
        guard=Guard(
            max_unexplained=fleet.max_unexplained_removal(dataset.name),
            expected=expected_removals(words.expected, [t.name for t in dataset.tables]),
            accept=words.accept,
        ),
        canary=tuple(words.canary),
        priority=tuple(words.priority),
    )
    return Asked(request, notes)


def _positional(words: Words) -> tuple[str, str, str, str]:
    texts = (words.clusters, words.tenants, words.start, words.end)
    for name, text in zip(("CLUSTERS", "TENANTS", "START", "END"), texts, strict=True):
        if not text:
            raise UsageError(
                f"{name} is missing",
                next_step="give CLUSTERS TENANTS START END: voice-prod acme 2026-01-01 2026-02-01",
            )
    clusters, tenants, start, end = (text or "" for text in texts)
    return clusters, tenants, start, end


def listed(text: str, what: str) -> tuple[str, ...]:
    """A comma list without blanks. UsageError when a name is missing."""
    names = tuple(part.strip() for part in text.split(","))
    if not all(names):
        raise UsageError(
            f"{what} {text!r} has an empty name in it",
            next_step="separate names with single commas, or write all",
        )
    return names


def _patterns(text: str) -> tuple[str, ...]:
    parse.patterns(text)
    return tuple(part.strip() for part in text.split(","))


def _parts(parts: int | None) -> int:
    """0 when none were asked for; a 0 that was typed is as wrong as any other."""
    return 0 if parts is None else parts or -1


def _capped(interval: Interval, now: datetime) -> tuple[Interval, tuple[str, ...]]:
    """END at most now, on a full second; what comes later is left as it is."""
    if interval.end <= now:
        return interval, ()
    end = now.replace(microsecond=0)
    if end <= interval.start:
        raise UsageError(
            "nothing of the range has passed yet",
            why=f"it is {clock(now)} UTC now",
            next_step="give an earlier START",
        )
    note = f"END {clock(interval.end)} lies in the future: capped at now, {clock(end)} UTC"
    return Interval(interval.start, end), (note,)


def expected_removals(texts: Sequence[str], tables: Sequence[str]) -> Mapping[str, int]:
    """`{table: rows}` of `--expect-removed T=N`. UsageError for another shape or table."""
    return dict(_expected(text, tables) for text in texts)


def _expected(text: str, tables: Sequence[str]) -> tuple[str, int]:
    table, _, number = text.partition("=")
    digits = number.replace(",", "").replace("_", "")
    if not digits.isdecimal():
        raise UsageError(
            f"--expect-removed {text!r} makes no sense",
            next_step=f"write TABLE=ROWS, such as --expect-removed {tables[0]}=31503",
        )
    if table not in tables:
        raise UsageError(
            f"--expect-removed {text!r}: the dataset has no table {table!r}",
            next_step=nearest(table, tables),
        )
    return table, int(digits)


def nearest(name: str, known: Sequence[str]) -> str:
    """A next step: the name that was probably meant, or all that there are (at most 20)."""
    near = get_close_matches(name, known, 1) or [k for k in known if name and name in k][:1]
    if near:
        return f"did you mean {near[0]}?"
    shown = ", ".join(known[:20]) + (" …" if len(known) > 20 else "")
    return f"there are: {shown}" if known else "there are none"


def check_tenants(plan: Plan) -> None:
    """Refuse patterns that match no tenant that was found (a typo must not pass for nothing to
    do, and in `--except` it would rebuild the very tenant that was to be left alone). Where a
    cluster could not be asked, nothing is refused."""
    if any(cluster.failure for cluster in plan.clusters):
        return
    found = [t.tenant for t in plan.tenants]
    found += [
        Tenant(s.cluster, s.customer, s.profile, "")
        for c in plan.clusters
        for s in c.skipped
        if not s.target_only
    ]
    for text in plan.request.tenants:
        _check_pattern(text, found, "no tenant matches")
    for text in plan.request.excepted:
        _check_pattern(text, found, "--except: no tenant matches")
    for text, _ in plan.request.priority:
        _check_pattern(text, found, "priority: no tenant matches")
    for text in plan.request.canary:
        _check_pattern(text, [t.tenant for t in plan.tenants], "canary: no tenant chosen matches")


def _check_pattern(text: str, found: Sequence[Tenant], what: str) -> None:
    pattern = TenantPattern.parse(text)
    if any(pattern.matches(tenant) for tenant in found):
        return
    where = sorted({t.cluster for t in found})
    if not found:
        raise UsageError(
            f"{what} {text!r}",
            why="the dataset's tenants: query finds nobody in the source",
            next_step="look at what the source holds, or correct `tenants:` in the fleet file",
        )
    raise UsageError(
        f"{what} {text!r}",
        why=f"{plural(len(found), 'tenant')} found on {', '.join(where)}",
        next_step=_nearest_tenant(pattern, found),
    )


def _nearest_tenant(pattern: TenantPattern, found: Sequence[Tenant]) -> str:
    of_customer = [t for t in found if t.customer == pattern.customer]
    if of_customer and pattern.profile != "*":
        profiles = sorted({f"{t.customer}/{t.profile}" for t in of_customer})
        return nearest(f"{pattern.customer}/{pattern.profile}", profiles)
    return nearest(pattern.customer, sorted({t.customer for t in found}))


def tenants_of(view: StatusView, text: str) -> list[TenantView]:
    """The campaign's tenants that the patterns mean. UsageError where they mean none."""
    found = [Tenant(t.cluster, t.customer, t.profile, t.database) for t in view.tenants]
    for one in _patterns(text):
        _check_pattern(one, found, f"campaign {view.campaign}: no tenant matches")
    meant = parse.patterns(text)
    return [
        view
        for view, tenant in zip(view.tenants, found, strict=True)
        if any(pattern.matches(tenant) for pattern in meant)
    ]
