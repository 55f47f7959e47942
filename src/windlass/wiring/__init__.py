"""Where adapters meet the engine: builds them from the fleet, and speaks to Temporal."""

from windlass.wiring.adapters import SystemClock, open_fleet, open_ledger, target_of
from windlass.wiring.asking import ask, cancel, plan, pulse, start, workflow_id, workflow_state
from windlass.wiring.workers import run_worker

__all__ = [
    "SystemClock",
    "ask",
    "cancel",
    "open_fleet",
    "open_ledger",
    "plan",
    "pulse",
    "run_worker",
    "start",
    "target_of",
    "workflow_id",
    "workflow_state",
]
