"""`--cluster`, `--tenant`, `--window`: which part of a campaign an order is about."""

from collections.abc import Sequence
from typing import Annotated

import typer

from windlass.cli.request import nearest, tenants_of
from windlass.cli.session import Session
from windlass.cli.show.common import half_open, plural
from windlass.domain.errors import UsageError
from windlass.domain.record import Scope, StatusView, TenantView, WindowView
from windlass.domain.states import State

Campaign = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="Its name.")]
ClusterOption = Annotated[
    str | None, typer.Option("--cluster", metavar="C", help="Only this cluster's share.")
]
TenantOption = Annotated[
    str | None, typer.Option("--tenant", metavar="T", help="Only these tenants.")
]
WindowOnly = Annotated[
    str | None,
    typer.Option("--window", metavar="W", help="Only this window, and what is published with it."),
]


def chosen(
    session: Session,
    view: StatusView,
    cluster: str | None,
    tenant: str | None,
    window: str | None,
) -> tuple[Scope, ...]:
    """The scopes that the options mean; the whole campaign without any. `view` carries windows
    where `window` is given. UsageError: there is no such part, with the nearest name."""
    if cluster is not None and cluster not in [one.name for one in view.clusters]:
        raise UsageError(
            f"campaign {view.campaign} has no cluster {cluster!r}",
            next_step=nearest(cluster, [one.name for one in view.clusters]),
        )
    tenants = tenants_of(view, tenant) if tenant is not None else list(view.tenants)
    tenants = [one for one in tenants if cluster in {None, one.cluster}]
    if window is not None:
        return (_window(session, view, tenants, window),)
    if tenant is not None:
        _some(view, tenants, tenant, cluster)
        return tuple(Scope(view.campaign, one.cluster, one.database) for one in tenants)
    return (Scope(view.campaign, cluster or ""),)


def _some(
    view: StatusView, tenants: Sequence[TenantView], tenant: str, cluster: str | None
) -> None:
    if not tenants:
        raise UsageError(
            f"campaign {view.campaign} has no tenant {tenant!r} on {cluster}",
            next_step=f"windlass status {view.campaign} --tenants",
        )


def _window(session: Session, view: StatusView, tenants: Sequence[TenantView], name: str) -> Scope:
    one = find_window(view, tenants, name)
    together = sum(w.group == one.group and not w.replaced for t in tenants for w in t.windows)
    if together > 1:
        session.say(
            f"{one.id} is published together with {plural(together - 1, 'other window')}: the "
            "order is about all of them"
        )
    return Scope(view.campaign, one.cluster, one.database, one.id)


def find_window(view: StatusView, tenants: Sequence[TenantView], name: str) -> WindowView:
    """The window of that id, or of that end of one (`acme_voice/20260101-20260111`)."""
    live = [w for t in tenants for w in t.windows if not w.replaced]
    found = [w for w in live if w.id == name] or [w for w in live if w.id.endswith(f"/{name}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"{name!r} means {len(found)} windows of {view.campaign}",
            next_step=f"write it out, such as {found[0].id}",
        )
    cut = [w for t in tenants for w in t.windows if w.replaced and w.id == name]
    if cut:
        raise UsageError(
            f"window {name} was cut into smaller ones",
            where=half_open(cut[0].interval),
            next_step=f"windlass status {view.campaign} --windows",
        )
    known = [w.id for w in live]
    raise UsageError(f"there is no window {name!r} here", next_step=nearest(name, known))


def state_in(view: StatusView, scope: Scope) -> State:
    """The part's state; `view` carries windows."""
    if scope.window:
        return next(w.state for t in view.tenants for w in t.windows if w.id == scope.window)
    if scope.database:
        mine = (scope.cluster, scope.database)
        return next(t.state for t in view.tenants if (t.cluster, t.database) == mine)
    if scope.cluster:
        return next(c.state for c in view.clusters if c.name == scope.cluster)
    return view.state
