"""One campaign of one tenant, and the few moves that most tests begin with."""

from tests.ledger.world import (
    HandClock,
    acme,
    draft,
)
from windlass.domain.record import Scope
from windlass.domain.results import TableLoad
from windlass.domain.states import State
from windlass.ledger.store import SqlLedger

VOICE = "acme_voice"
C = "acme-jan-feb-2026"
W1, W2 = f"{C}/{VOICE}/20260101-20260111", f"{C}/{VOICE}/20260111-20260121"
G1, G2 = f"{C}/{VOICE}/group-20260101-20260111", f"{C}/{VOICE}/group-20260111-20260121"
CAMPAIGN, CLUSTER, TENANT = Scope(C), Scope(C, "voice-prod"), Scope(C, "voice-prod", VOICE)


def states(ledger: SqlLedger) -> tuple[str, str, str, list[str]]:
    """Campaign, cluster, tenant, windows."""
    view = ledger.status(windows=True)
    one = view.clusters[0].tenants[0]
    return view.state, view.clusters[0].state, one.state, [w.state for w in one.windows]


def work(ledger: SqlLedger, clock: HandClock, window: str, rows: int = 1000) -> int:
    """Load a window in ten seconds."""
    attempt = ledger.begin_attempt(C, window)
    ledger.window_started(window, attempt)
    clock.turn(10)
    ledger.window_loaded(window, rows, [TableLoad("scorecard", rows, 10)])
    return attempt


def opened(ledger: SqlLedger) -> None:
    ledger.create_campaign(draft(), acme())
    ledger.cluster_state(C, "voice-prod", State.RUNNING)
    ledger.tenant_state(C, "voice-prod", VOICE, State.RUNNING)
