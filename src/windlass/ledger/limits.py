"""Operators' limits: set with who and why, and shown as what holds a cluster back."""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select, update

from windlass.domain.errors import RefusedError
from windlass.domain.orders import LimitChange
from windlass.domain.record import Scope
from windlass.domain.states import State
from windlass.ledger import states
from windlass.ledger import tables as t
from windlass.ledger.base import Base, campaign_row, put
from windlass.ledger.database import writes
from windlass.ledger.journal import insert_action, limits_of

OURS = "an operator's limit: "
"""How a cluster's `limited_by` begins where an operator said so."""


class Limits(Base):
    """The port ControlOperator's part about limits."""

    @writes
    def limit(
        self,
        connection: Connection,
        scopes: Sequence[Scope],
        limits: Mapping[str, int | None],
        who: str,
        why: str,
    ) -> list[LimitChange]:
        """Set the limits of each scope, over those set before; None lifts one."""
        changes = []
        for scope in scopes:
            campaign_row(connection, scope.campaign, lock=True)
            _refuse_ended(connection, scope)
            before = limits_of(connection, scope)
            merged = {**before, **limits}
            after = {name: value for name, value in merged.items() if value is not None}
            key = {
                "campaign": scope.campaign,
                "cluster": scope.cluster,
                "database": scope.database,
            }
            put(connection, t.limits, key, {"value": json.dumps(after)})
            ends = (_text(before), _text(after))
            insert_action(connection, scope, "limit", who, why, *ends, self._clock.now())
            changes.append(LimitChange(scope, before, after))
        for name in dict.fromkeys(scope.campaign for scope in scopes):
            show_limits(connection, name)
        return changes


def _refuse_ended(connection: Connection, scope: Scope) -> None:
    state = states.state_of(connection, states.level(scope))
    if state.final and state is not State.PARKED:
        raise RefusedError(
            f"{scope} is {state}: a limit changes nothing there",
            next_step=f"windlass status {scope.campaign}",
        )


def show_limits(connection: Connection, campaign: str) -> None:
    """Say on each cluster what operators limit there, unless something else holds it back."""
    of = t.campaign_clusters
    for row in connection.execute(select(of).where(of.c.campaign == campaign)).all():
        if row.limited_by and not row.limited_by.startswith(OURS):
            continue
        whole, own = Scope(campaign), Scope(campaign, row.cluster)
        text = _text({**limits_of(connection, whole), **limits_of(connection, own)}, "")
        where = (of.c.campaign == campaign, of.c.cluster == row.cluster)
        said = f"{OURS}{text}" if text else ""
        connection.execute(update(of).where(*where).values(limited_by=said))


def _text(limits: Mapping[str, int], none: str = "no limit") -> str:
    """`windows=3 rows_per_second=50000`."""
    return " ".join(f"{name}={value}" for name, value in sorted(limits.items())) or none
