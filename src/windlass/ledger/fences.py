"""Attempt numbers as a fence."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, insert, select

from windlass.domain.attempt import Attempt
from windlass.domain.states import State
from windlass.ledger import tables as t
from windlass.ledger.base import Base, campaign_row, group_row
from windlass.ledger.database import reads, writes

OVER = {str(State.DONE), str(State.PARKED), str(State.CANCELLED)}
"""States of a window that no attempt may begin at any more."""


# Asked several times a window: statements that stand need not be put together each time.
_A, _W = t.attempts.c, t.windows.c
_OVERTAKEN = (
    select(_A.number)
    .where(_A.subject == bindparam("subject"), _A.number > bindparam("number"))
    .union_all(select(_W.attempts).where(_W.id == bindparam("subject"), _W.state.in_(sorted(OVER))))
    .limit(1)
)
_STATES = (
    select(_W.state).where(_W.group_id == bindparam("group"), _W.replaced.is_(False)).distinct()
)


class Fences(Base):
    """Which attempts still count."""

    @reads
    def overtaken(self, connection: Connection, attempt: Attempt) -> bool:
        """Whether a later attempt at its subject has begun, it was retired, or its window is
        over."""
        asked = {"subject": attempt.subject, "number": attempt.number}
        return connection.scalar(_OVERTAKEN, asked) is not None

    @reads
    def over(self, connection: Connection, group: str) -> bool:
        """Whether every window of the group is done, parked, cancelled, or was cut again."""
        return set(connection.scalars(_STATES, {"group": group})) <= OVER

    @writes
    def retire(self, connection: Connection, group: str) -> list[Attempt]:
        """Every attempt at the group, its windows and its steps is over; returns them."""
        campaign_row(connection, group_row(connection, group).campaign, lock=True)
        return self._retire(connection, t.attempts.c.group_id == group)

    @writes
    def retire_tenant(
        self, connection: Connection, campaign: str, cluster: str, database: str
    ) -> list[Attempt]:
        """The same for every group of the tenant that is not done."""
        campaign_row(connection, campaign, lock=True)
        w = t.windows.c
        unfinished = select(w.group_id).where(
            w.campaign == campaign,
            w.cluster == cluster,
            w.database == database,
            w.state != str(State.DONE),
        )
        return self._retire(connection, t.attempts.c.group_id.in_(unfinished))

    def _retire(self, connection: Connection, which: ColumnElement[bool]) -> list[Attempt]:
        """Give each subject a number that nobody holds."""
        rows = connection.execute(select(t.attempts).where(which).order_by(t.attempts.c.number))
        found = rows.all()
        last: dict[str, dict[str, Any]] = {
            row.subject: {
                "subject": row.subject,
                "number": row.number + 1,
                "campaign": row.campaign,
                "group_id": row.group_id,
                "begun_at": self._clock.now(),
            }
            for row in found
        }
        if last:
            connection.execute(insert(t.attempts), list(last.values()))
        return [Attempt(row.campaign, row.subject, row.number) for row in found]
