"""A minute of the fault suite: one campaign each of a few faults, side by side on one stack."""

import threading
from pathlib import Path

import pytest

from tests.faults.deck import DECK
from tests.faults.lane import Lane
from tests.faults.run import Result
from tests.faults.suite import perform
from windlass.localstack.stack import Endpoints

FEW = (
    ("reply of ClickHouse lost", "swap, drop"),
    ("reply of ClickHouse lost", "delete-live, drop"),
    ("worker killed (SIGKILL)", "insert-live, answered"),
    ("disk full (243)", "insert-live"),
    ("PostgreSQL backend terminated", "COPY"),
    ("worker killed (SIGKILL)", "swap, sent"),
)


def seed_of(family: str, name: str) -> int:
    """A seed that draws that fault."""
    return next(n for n, one in enumerate(DECK) if (one.family, one.name) == (family, name))


@pytest.mark.timeout(900)
def test_a_few_faults(local_stack: Endpoints, tmp_path: Path) -> None:
    found: list[Result] = []

    def lane(number: int) -> None:
        made = Lane(local_stack, tmp_path / f"t{number}", f"t{number}")
        try:
            made.hire("a").await_ready()
            for family, name in FEW[number::2]:
                found.append(perform(seed_of(family, name), made))
        finally:
            made.close()

    lanes = [threading.Thread(target=lane, args=(number,)) for number in range(2)]
    for one in lanes:
        one.start()
    for one in lanes:
        one.join()
    assert len(found) == len(FEW)
    assert [one for one in found if not one.good] == []
    assert any(one.struck for one in found)


def test_at_least_fifty_of_three_hundred_runs_restart_a_part() -> None:
    drawn = [DECK[seed % len(DECK)] for seed in range(1, 301)]
    assert sum(one.rough for one in drawn) >= 50
