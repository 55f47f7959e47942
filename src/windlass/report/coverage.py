"""Who was found, and what became of each: nobody that discovery found goes missing."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from windlass.domain.plan import Skipped
from windlass.domain.record import ClusterView, StatusView, TenantView
from windlass.domain.states import Health, State, Verdict
from windlass.report.words import listed, number, plural

KINDS = ("done", "running", "waiting", "parked", "cancelled", "nothing_to_do", "left_out")
"""What a tenant that was found may be; each is exactly one of these."""
KIND_OF = {
    State.DONE: "done",
    State.RUNNING: "running",
    State.PARTIAL: "running",
    State.PAUSING: "running",
    State.CANCELLING: "running",
    State.QUEUED: "waiting",
    State.PAUSED: "waiting",
    State.PARKED: "parked",
    State.UNKNOWN: "parked",
    State.CANCELLED: "cancelled",
    State.NOTHING_TO_DO: "nothing_to_do",
}
SHOWN = 40
"""Names in one row."""


@dataclass(frozen=True)
class Coverage:
    """How many tenants discovery found, and how many of them are what. `unverified` are those
    done without a verdict that proves it; `unknown_clusters` could not be asked at all."""

    found: int
    done: int = 0
    running: int = 0
    waiting: int = 0
    parked: int = 0
    cancelled: int = 0
    nothing_to_do: int = 0
    left_out: int = 0
    unverified: int = 0
    unknown_clusters: tuple[str, ...] = ()

    @property
    def accounted(self) -> int:
        """All that are accounted for."""
        return sum(getattr(self, kind) for kind in KINDS)

    @property
    def complete(self) -> bool:
        """Whether that is everybody there is, on every cluster."""
        return self.accounted == self.found and not self.unknown_clusters

    def __str__(self) -> str:
        """`98 tenants found: 91 done, 3 running, 4 left out`."""
        named = {kind: getattr(self, kind) for kind in KINDS}
        told = [f"{n:,} {kind.replace('_', ' ')}" for kind, n in named.items() if n]
        said = f"{plural(self.found, 'tenant')} found" + (f": {', '.join(told)}" if told else "")
        if self.unverified:
            said += f"; {self.unverified:,} of those done not verified"
        if self.unknown_clusters:
            said += f"; unknown: {', '.join(self.unknown_clusters)}"
        return said


def coverage(view: StatusView) -> Coverage:
    """Of the whole campaign."""
    parts = [cluster_coverage(one, _left_out(view, one)) for one in view.clusters]
    sums = {kind: sum(getattr(one, kind) for one in parts) for kind in KINDS}
    unknown = tuple(one.name for one in view.clusters if one.state is State.UNKNOWN)
    found, unverified = (sum(getattr(one, n) for one in parts) for n in ("found", "unverified"))
    return Coverage(found, unverified=unverified, unknown_clusters=unknown, **sums)


def cluster_coverage(cluster: ClusterView, left: Iterable[Skipped]) -> Coverage:
    """Of one cluster. Each name counts once: one that stands twice hides no other."""
    kinds = {_key(t): KIND_OF[t.state] for t in cluster.tenants}
    for one in left:
        kinds.setdefault((one.customer, one.profile), "left_out")
    counts = Counter(kinds.values())
    named = {kind: counts[kind] for kind in KINDS}
    found = sum(named.values()) if cluster.found is None else cluster.found
    unverified = sum(t.state is State.DONE and not verified(t) for t in cluster.tenants)
    return Coverage(found, unverified=unverified, unknown_clusters=(), **named)


def gaps(view: StatusView) -> list[str]:
    """The proof: where what discovery counted differs from those accounted for, a line each;
    empty where nobody is missing."""
    found = []
    for cluster in view.clusters:
        told = cluster_coverage(cluster, _left_out(view, cluster))
        if told.accounted != told.found:
            said = f"{number(told.found)} tenants found, {number(told.accounted)} accounted for"
            found.append(f"{cluster.name}: {said}")
    return found


def coverage_json(told: Coverage) -> dict[str, Any]:
    """As `status` and `report` print it; the numbers from `done` to `left_out` add up to
    `accounted`."""
    return {
        "found": told.found,
        **{kind: getattr(told, kind) for kind in KINDS},
        "unverified": told.unverified,
        "unknown_clusters": list(told.unknown_clusters),
        "accounted": told.accounted,
        "complete": told.complete,
    }


def verified(tenant: TenantView) -> bool:
    """Done, and every window verified; without windows all of it was verified before."""
    return tenant.state is State.DONE and tenant.verdict in {None, Verdict.VERIFIED}


@dataclass(frozen=True)
class ClusterLog:
    """One cluster as a log tells it: `lines` are (who, status, notes); none where nothing needs
    telling beyond `status` and `notes`."""

    name: str
    found: str
    status: str
    notes: str
    lines: tuple[tuple[str, str, str], ...] = ()

    @property
    def title(self) -> str:
        """`voice-prod (14/17 complete, 3 in progress)`."""
        return f"{self.name} ({self.status})"


def cluster_logs(view: StatusView) -> list[ClusterLog]:
    """Every cluster, in order: those that are complete in one line, of the others each tenant
    that is not."""
    return [_cluster_log(one, _left_out(view, one)) for one in view.clusters]


def _cluster_log(cluster: ClusterView, left: list[Skipped]) -> ClusterLog:
    if cluster.state is State.UNKNOWN:
        why = cluster.note.partition("\n")[0]
        return ClusterLog(cluster.name, "?", "unknown", f"discovery failed: {why}")
    told = cluster_coverage(cluster, left)
    work = [t for t in cluster.tenants if t.state is not State.NOTHING_TO_DO]
    if not work:
        idle = "no data in range" if cluster.tenants else "no tenant asked for"
        left_out = _aside(replace(told, nothing_to_do=0))
        notes = "; ".join([idle if told.found else "no tenant found", *left_out])
        return ClusterLog(cluster.name, number(told.found), "nothing to do", notes)
    complete = [t for t in work if verified(t)]
    rest = [t for t in work if not verified(t)]
    notes = "; ".join(_aside(told))
    status = ", ".join([f"{len(complete):,}/{len(work):,} complete", *_rest(rest)])
    quiet = [t for t in cluster.tenants if t.state is State.NOTHING_TO_DO]
    lines = tuple(_lines(complete, rest, quiet)) if rest else ()
    return ClusterLog(cluster.name, number(told.found), status, notes, lines)


def _rest(rest: list[TenantView]) -> Iterator[str]:
    kinds = Counter("unverified" if t.state is State.DONE else KIND_OF[t.state] for t in rest)
    names = {"running": "in progress"}
    return (f"{n:,} {names.get(kind, kind)}" for kind, n in kinds.items())


def _aside(told: Coverage) -> list[str]:
    """Those of whom nothing was wanted."""
    idle = f"{told.nothing_to_do:,} without data in range" if told.nothing_to_do else ""
    left = f"{told.left_out:,} left out" if told.left_out else ""
    return [text for text in (idle, left) if text]


def _lines(
    complete: list[TenantView], rest: list[TenantView], quiet: list[TenantView]
) -> Iterator[tuple[str, str, str]]:
    if complete:
        yield plural(len(complete), "tenant"), "complete", listed(map(_name, complete), SHOWN)
    for tenant in rest:
        done = f" {tenant.windows_done}/{tenant.windows_total}"
        status = f"{tenant.state}{done * (tenant.state is State.PARTIAL)}"
        if tenant.state is State.DONE:
            status = str(tenant.verdict)
        yield _name(tenant), status.replace("_", " "), _notes(tenant)
    if quiet:
        yield plural(len(quiet), "tenant"), "nothing to do", listed(map(_name, quiet), SHOWN)


def _notes(tenant: TenantView) -> str:
    """`window 2/10 done, 1,000 of 9,000 rows, attempt 1, healthy`, and its note."""
    told = [
        f"{tenant.windows_done:,}/{tenant.windows_total:,} windows done",
        f"{number(tenant.rows_loaded)} of {number(tenant.rows_planned)} rows",
    ]
    if tenant.attempts:
        told.append(f"attempt {tenant.attempts}")
    if not tenant.state.final and (tenant.attempts or tenant.health is not Health.HEALTHY):
        told.append(str(tenant.health))
    note = tenant.note.partition("\n")[0]
    return ", ".join(told) + (f". {note}" if note else "")


def _name(tenant: TenantView) -> str:
    return "/".join(part for part in _key(tenant) if part)


def _key(tenant: TenantView) -> tuple[str, str]:
    return tenant.customer, tenant.profile


def _left_out(view: StatusView, cluster: ClusterView) -> list[Skipped]:
    return [one for one in view.skipped if one.cluster == cluster.name]
