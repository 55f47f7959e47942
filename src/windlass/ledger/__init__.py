"""The durable record of campaigns, windows, counts, orders and notes (docs/ledger.md).

`open_ledger(url)` gives a `SqlLedger`; SQLAlchemy is imported only then.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windlass.ledger.store import SqlLedger
    from windlass.ports import Clock


def open_ledger(url: str, clock: "Clock | None" = None) -> "SqlLedger":
    """Open `sqlite:///FILE` or `postgresql://…`, creating or migrating its tables.

    ConfigError: not such a URL, or a ledger of a later version; UnreachableError: no answer.
    """
    from windlass.ledger.opening import open_ledger as opened

    return opened(url, clock)
