"""The seams of the engine. The comments here are the contract; one conformance suite checks
each implementation against it.

All adapters are blocking and thread-safe: each call opens or borrows its own connection. All
raise only errors of `windlass.domain.errors`.
"""

from windlass.ports.basics import Clock, Pulse
from windlass.ports.checks import CheckOperator, CheckRun, CheckSchedule, EqualPart
from windlass.ports.control import ControlLedger, ControlOperator
from windlass.ports.ledger import HeldCounts, HeldRecord, Ledger
from windlass.ports.operators import LedgerReader, LedgerWriter
from windlass.ports.source import Counting, SnapshotHold, Source
from windlass.ports.target import Ask, Census, RunningDigest, Target
from windlass.ports.undo import KeepingTarget, UndoLedger, UndoReader

__all__ = [
    "Ask",
    "Census",
    "CheckOperator",
    "CheckRun",
    "CheckSchedule",
    "Clock",
    "ControlLedger",
    "ControlOperator",
    "Counting",
    "EqualPart",
    "HeldCounts",
    "HeldRecord",
    "KeepingTarget",
    "Ledger",
    "LedgerReader",
    "LedgerWriter",
    "Pulse",
    "RunningDigest",
    "SnapshotHold",
    "Source",
    "Target",
    "UndoLedger",
    "UndoReader",
]
