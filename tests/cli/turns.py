"""Turns of events: what a fleet without servers goes through while a command waits."""

from collections.abc import Callable
from dataclasses import replace

from tests.cli.world import Cli
from windlass.domain.plan import TenantPlan
from windlass.domain.results import TableCounts
from windlass.domain.states import State, Verdict


def finish(cli: Cli, campaign: str, verdict: Verdict = Verdict.VERIFIED) -> Callable[[], None]:
    """A turn of events: every window of the campaign is published with that verdict."""

    def happen() -> None:
        ledger = cli.backend.ledger
        plan = ledger.campaign_plan(campaign)
        for cluster in plan.clusters:
            ledger.cluster_state(campaign, cluster.cluster, State.RUNNING)
            for tenant in (t for t in cluster.tenants if t.groups):
                _finish_tenant(cli, campaign, tenant, verdict)
            ledger.cluster_closed(campaign, cluster.cluster)

    return happen


def _finish_tenant(cli: Cli, campaign: str, tenant: TenantPlan, verdict: Verdict) -> None:
    ledger, who = cli.backend.ledger, tenant.tenant
    ledger.tenant_state(campaign, who.cluster, who.database, State.RUNNING)
    for number, group in enumerate(tenant.groups):
        for window in group.windows:
            ledger.window_started(window.id, ledger.begin_attempt(campaign, window.id))
            cli.clock.turn(1)
            ledger.window_loaded(window.id, window.rows)
        counts = [_counts(tenant, name, verdict, first=number == 0) for name in tenant.rows]
        ledger.group_done(group.id, counts, verdict, group.rows)
    ledger.tenant_rolled_up(campaign, who.cluster, who.database)


def _counts(tenant: TenantPlan, name: str, verdict: Verdict, *, first: bool) -> TableCounts:
    """All of the tenant's rows in its first group, none in the others."""
    before = tenant.before[name] if first else 0
    kept = tenant.rows[name] if first else 0
    gone = tenant.excluded.get("appeal_requests", {}).get(name, 0) if first else 0
    counts = TableCounts(name, before, before, kept, kept, {"appeal_requests": gone}, path="swap")
    return replace(counts, verdict=verdict, unexplained=0 if verdict is Verdict.VERIFIED else 3)
