"""How the ledger keeps domain values: the domain's own JSON."""

from windlass.domain.codec import dump, load

__all__ = ["dump", "load"]
