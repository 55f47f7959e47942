"""What plans learn from: how long windows took."""

from tests.ledger.steps import G1, VOICE, W1, opened, work
from tests.ledger.world import HandClock, counted
from windlass.domain.states import Verdict
from windlass.ledger.store import SqlLedger


def test_windows_are_remembered_until_all_was_staged(ledger: SqlLedger, clock: HandClock) -> None:
    """Waiting for the rest of the group is not the window's time."""
    opened(ledger)
    work(ledger, clock, W1, rows=18000)
    assert ledger.past("scorecards", "voice-prod") == {}
    clock.turn(500)
    ledger.group_done(G1, [counted()], Verdict.VERIFIED, 18000)
    assert ledger.past("scorecards", "voice-prod") == {VOICE: [(18000, 10.0)]}
    assert ledger.past("scorecards", "east") == {}
    assert ledger.past("calls", "voice-prod") == {}
