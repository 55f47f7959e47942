"""What an undo carries through workflow history: ids, who and why."""

from dataclasses import dataclass

from windlass.domain.undo import UndoOrder
from windlass.engine.payloads import TenantRef


@dataclass(frozen=True)
class UndoInput:
    """Undo these publish groups of one tenant, as the ledger of that id has them."""

    tenant: TenantRef
    ledger: str
    groups: tuple[str, ...]
    order: UndoOrder


@dataclass(frozen=True)
class UndoStep:
    """One group of an undo."""

    tenant: TenantRef
    group: str
    order: UndoOrder


@dataclass(frozen=True)
class GroupOutcome:
    """How the undo of one group ended, in an operator's words; `undone` False: it did not."""

    group: str
    undone: bool
    text: str


@dataclass(frozen=True)
class UndoResult:
    """How a tenant's undo ended. `refused` says why nothing was touched ('' it was not)."""

    outcomes: tuple[GroupOutcome, ...] = ()
    refused: str = ""
