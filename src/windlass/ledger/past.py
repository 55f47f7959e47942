"""How long windows took, for plans to learn from."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from windlass.domain.states import State
from windlass.ledger import tables as t
from windlass.ledger.base import Base
from windlass.ledger.database import reads

WINDOWS = 5_000
"""Windows of a cluster that are looked back to."""


class Past(Base):
    """What was loaded before, and how fast."""

    @reads
    def past(
        self, connection: Connection, dataset: str, cluster: str
    ) -> Mapping[str, Sequence[tuple[int, float]]]:
        """`{database: (rows, seconds) of its windows, the latest first}`, from the start until
        all was staged and proven."""
        w, c = t.windows.c, t.campaigns.c
        query = (
            select(w.database, w.rows_loaded, w.started_at, w.loaded_at)
            .join_from(t.windows, t.campaigns, c.name == w.campaign)
            .where(c.dataset == dataset, w.cluster == cluster, w.state == str(State.DONE))
            .where(w.started_at.is_not(None), w.loaded_at.is_not(None), w.rows_loaded > 0)
            .order_by(w.ended_at.desc(), w.id)
            .limit(WINDOWS)
        )
        found: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for row in connection.execute(query):
            seconds = (row.loaded_at - row.started_at).total_seconds()
            found[row.database].append((row.rows_loaded, seconds))
        return found
