"""The worker looks at what is kept at once, goes on after a failure, and ends at once."""

import threading
import time
from typing import Any, cast

import pytest

from windlass.domain.errors import UnreachableError
from windlass.domain.undo import KeptRecord
from windlass.engine.activities.desk import Desk
from windlass.engine.worker.housekeeping import house_kept


class Ledger:
    """Counts looks; the first one finds nobody."""

    def __init__(self, hang: bool = False) -> None:
        self.looks, self.hang = 0, hang
        self.twice, self.free = threading.Event(), threading.Event()

    def kept_on(self, cluster: str = "") -> list[KeptRecord]:
        self.looks += 1
        if self.hang:
            self.twice.set()
            self.free.wait(60)
        if self.looks == 1:
            raise UnreachableError("the ledger does not answer")
        self.twice.set()
        return []


def desk(ledger: Ledger) -> Desk:
    nobody = cast(Any, None)
    return Desk("voice-prod", nobody, nobody, cast(Any, ledger), nobody)


def test_a_look_that_fails_is_followed_by_another() -> None:
    ledger = Ledger()
    with house_kept(desk(ledger), every=0.01):
        assert ledger.twice.wait(30)
    seen = ledger.looks
    time.sleep(0.05)
    assert ledger.looks == seen


@pytest.mark.timeout(30)
def test_a_look_that_hangs_does_not_hold_up_the_end() -> None:
    ledger = Ledger(hang=True)
    with house_kept(desk(ledger), every=0.01):
        assert ledger.twice.wait(20)
    ledger.free.set()
