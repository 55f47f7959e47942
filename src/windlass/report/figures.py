"""A campaign's figures per table, summed over its groups: before - removed + loaded = after."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from windlass.domain.plan import TenantPlan
from windlass.domain.record import CampaignFacts, GroupCounts
from windlass.domain.states import State, Verdict
from windlass.report.coverage import gaps

WORST = (Verdict.MISMATCH, Verdict.UNVERIFIED, Verdict.VERIFIED)


@dataclass(frozen=True)
class Figures:
    """One table of one tenant. `raw` are physical rows before, where they differ from the
    logical ones; `note` says why nothing was run, `reasons` why it is not verified. `in_flight`
    keys were on the move when they were compared; what was written to the source before
    `exact_as_of` is in the range."""

    cluster: str
    database: str
    table: str
    before: int
    removed: int
    loaded: int
    after: int
    attributed: Mapping[str, int] = field(default_factory=dict)
    deleted: int = 0
    duplicates: int = 0
    unexplained: int = 0
    raw: int | None = None
    verdict: Verdict = Verdict.VERIFIED
    path: str = ""
    note: str = ""
    in_flight: int = 0
    exact_as_of: datetime | None = None
    reasons: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """The verdict, or why nothing had to be proven."""
        return self.note or str(self.verdict)

    @property
    def delta(self) -> int:
        """Rows after minus rows before."""
        return self.after - self.before

    @property
    def added(self) -> int:
        """Rows after that were not there before: what is new at the source."""
        gone = sum(self.attributed.values()) + self.deleted + self.duplicates + self.unexplained
        return max(0, self.delta + gone)

    @property
    def empty(self) -> bool:
        """Nothing before, nothing after."""
        return not (self.before or self.removed or self.loaded or self.after)


def figures(facts: CampaignFacts) -> tuple[Figures, ...]:
    """Every table of every tenant that has counts, or had nothing to count, in the plan's order."""
    counted: dict[tuple[str, str], dict[str, list[GroupCounts]]] = {}
    for one in facts.counts:
        tenant = counted.setdefault((one.cluster, one.database), {})
        tenant.setdefault(one.counts.table, []).append(one)
    return tuple(row for plan in facts.plan.tenants for row in _tenant(facts, plan, counted))


def _tenant(
    facts: CampaignFacts,
    plan: TenantPlan,
    counted: Mapping[tuple[str, str], Mapping[str, Sequence[GroupCounts]]],
) -> Iterator[Figures]:
    """A tenant without groups has nothing to do, or is held: its live rows stay as they were."""
    key = (plan.tenant.cluster, plan.tenant.database)
    for table in facts.plan.request.dataset.tables:
        groups = counted.get(key, {}).get(table.name, ())
        if groups:
            yield summed(*key, table.name, groups)
        elif not plan.groups:
            rows = plan.before.get(table.name, 0)
            yield Figures(*key, table.name, rows, 0, 0, rows, note=_why_idle(plan))


def summed(cluster: str, database: str, table: str, groups: Sequence[GroupCounts]) -> Figures:
    """One table's groups as one line."""
    counts = [one.counts for one in groups]
    attributed: Counter[str] = Counter()
    for one in counts:
        attributed.update(one.attributed)
    raw = [one.before if one.raw is None else one.raw for one in counts]
    return Figures(
        cluster=cluster,
        database=database,
        table=table,
        before=sum(one.before for one in counts),
        removed=sum(one.removed for one in counts),
        loaded=sum(one.loaded for one in counts),
        after=sum(one.after for one in counts),
        attributed=dict(attributed),
        deleted=sum(one.deleted for one in counts),
        duplicates=sum(one.duplicates for one in counts),
        unexplained=sum(one.unexplained for one in counts),
        raw=None if all(one.raw is None for one in counts) else sum(raw),
        verdict=worst(one.verdict for one in counts),
        path=", ".join(dict.fromkeys(one.path for one in counts if one.path)),
        in_flight=sum(one.in_flight for one in counts),
        exact_as_of=min((c.exact_as_of for c in counts if c.exact_as_of), default=None),
        reasons=tuple(dict.fromkeys(one.reason for one in counts if one.reason)),
    )


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them; verified for none."""
    return min(verdicts, key=WORST.index, default=Verdict.VERIFIED)


def green(facts: CampaignFacts, tables: tuple[Figures, ...]) -> bool:
    """Done (or nothing to do), every window and table verified, and nobody missing."""
    proven = worst(row.verdict for row in tables) is Verdict.VERIFIED
    ended = facts.status.state in {State.DONE, State.NOTHING_TO_DO}
    whole = not gaps(facts.status)
    return ended and proven and whole and facts.status.verdict in {None, Verdict.VERIFIED}


def _why_idle(plan: TenantPlan) -> str:
    if any(held.holds for held in plan.held):
        names = ", ".join(dict.fromkeys(held.campaign for held in plan.held if held.holds))
        return f"verified before by {names}"
    return "nothing to do"
