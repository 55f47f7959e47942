"""Names: a campaign's default name, and its plan's ids under the name that it got."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, timedelta
from itertools import takewhile

from windlass.domain.plan import ClusterPlan, GroupPlan, Plan, TenantPlan
from windlass.domain.states import Mode
from windlass.domain.tenant import TenantPattern
from windlass.domain.window import Interval

LONGEST = 60


def campaign_name(
    tenants: Sequence[str],
    interval: Interval,
    mode: Mode = Mode.REPLACE,
    *,
    clusters: Sequence[str] = (),
    dataset: str = "",
) -> str:
    """A default name out of [a-z0-9-], at most 60 long, such as `mutualofomaha-jan-feb-2026`.

    Says the customers' common name; for unrelated ones cluster and dataset.
    """
    who = _customers(tenants) or safe("-".join([*clusters[:2], dataset])) or "campaign"
    what = "" if mode is Mode.REPLACE else f"-{mode}"
    when = _range(interval)
    return f"{who[: LONGEST - len(when) - len(what) - 1].strip('-')}-{when}{what}"


def safe(text: str) -> str:
    """The text in [a-z0-9-]."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def bind(plan: Plan, campaign: str) -> Plan:
    """The plan with window and group ids that start with the campaign's name, whatever they
    started with.

    Where two clusters of the plan have the same database, the cluster comes second, so that
    every id is found once.
    """
    seen = Counter(tenant.tenant.database for tenant in plan.tenants)
    shared = {database for database, times in seen.items() if times > 1}
    return replace(plan, clusters=tuple(_bind_cluster(c, campaign, shared) for c in plan.clusters))


def _bind_cluster(cluster: ClusterPlan, campaign: str, shared: set[str]) -> ClusterPlan:
    tenants = []
    for tenant in cluster.tenants:
        head = campaign
        if tenant.tenant.database in shared:
            head = f"{campaign}/{cluster.cluster}"
        tenants.append(_bind_tenant(tenant, head))
    return replace(cluster, tenants=tuple(tenants))


def _bind_tenant(tenant: TenantPlan, head: str) -> TenantPlan:
    database = tenant.tenant.database
    groups = tuple(_bind_group(group, head, database) for group in tenant.groups)
    return replace(tenant, groups=groups)


def rebind(group: GroupPlan, old: str, database: str) -> GroupPlan:
    """The group under the head that the id of the old group has."""
    at = f"/{old}".rfind(f"/{database}/")
    return _bind_group(group, old[: max(0, at - 1)], database)


def _bind_group(group: GroupPlan, head: str, database: str) -> GroupPlan:
    windows = tuple(replace(w, id=_rebase(w.id, head, database)) for w in group.windows)
    return replace(group, id=_rebase(group.id, head, database), windows=windows)


def _rebase(old: str, head: str, database: str) -> str:
    """The id from its database on, under another head."""
    at = f"/{old}".rfind(f"/{database}/")
    return f"{head}/{old[at:] if at >= 0 else old}"


def _customers(patterns: Iterable[str]) -> str:
    """The name that the customers share; of two unrelated ones both; else ''."""
    names = [safe(TenantPattern.parse(p).customer.partition("*")[0]) for p in patterns]
    if not names or not all(names):
        return ""
    shared = _shared([name.split("-") for name in names])
    if shared:
        return "-".join(shared)
    distinct = list(dict.fromkeys(names))
    return "-".join(distinct) if len(distinct) <= 2 else ""


def _shared(names: list[list[str]]) -> list[str]:
    columns = zip(*names, strict=False)
    return [words[0] for words in takewhile(lambda words: len(set(words)) == 1, columns)]


def _range(interval: Interval) -> str:
    """`jan-feb-2026`, `jan-2026`, `19-feb-2026`, `dec-2025-jan-2026`."""
    first = interval.start.astimezone(UTC)
    last = interval.end.astimezone(UTC) - timedelta(microseconds=1)
    one, other = first.strftime("%b").lower(), last.strftime("%b").lower()
    if first.date() == last.date():
        return f"{first.day}-{one}-{first.year}"
    if first.year != last.year:
        return f"{one}-{first.year}-{other}-{last.year}"
    return f"{one}-{first.year}" if one == other else f"{one}-{other}-{first.year}"
