"""The ledger in a database: every part in one object."""

from sqlalchemy import Connection, select

from windlass.ledger import tables as t
from windlass.ledger.campaigns import Campaigns
from windlass.ledger.checks import Checks
from windlass.ledger.control import Control
from windlass.ledger.database import reads
from windlass.ledger.fences import Fences
from windlass.ledger.held import Held
from windlass.ledger.helm import Helm
from windlass.ledger.journal import Journal
from windlass.ledger.limits import Limits
from windlass.ledger.notices import Notices
from windlass.ledger.past import Past
from windlass.ledger.requests import Requests
from windlass.ledger.undo import Undo
from windlass.ledger.views import Views
from windlass.ledger.work import Work


class SqlLedger(
    Requests,
    Campaigns,
    Work,
    Journal,
    Held,
    Past,
    Views,
    Undo,
    Checks,
    Fences,
    Control,
    Limits,
    Helm,
    Notices,
):
    """The ports Ledger, LedgerReader and LedgerWriter on SQLite or PostgreSQL; thread-safe."""

    @reads
    def ledger_id(self, connection: Connection) -> str:
        """This ledger's own UUID."""
        return str(connection.scalar(select(t.meta.c.value).where(t.meta.c.name == "ledger_id")))

    @property
    def where(self) -> str:
        """Its URL without the password."""
        return self._db.where

    def close(self) -> None:
        """Give the connections back."""
        self._db.close()
