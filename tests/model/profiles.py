"""How long the machines run: a bounded, stable profile for every day, and a long one with a seed
of its own each time, which it prints."""

import os
import random

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Life

STABLE = settings(
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

BOTH = pytest.mark.parametrize("profile", ["short", pytest.param("long", marks=pytest.mark.slow)])
"""`short` runs everywhere; `long` with the slow tests."""


def drawn() -> int:
    """The seed of this run: WINDLASS_MODEL_SEED, else a new one."""
    return int(os.environ.get("WINDLASS_MODEL_SEED", "") or random.SystemRandom().getrandbits(32))


def long(examples: int, steps: int = 50) -> settings:
    """Many examples, none like yesterday's. WINDLASS_MODEL_EXAMPLES overrides how many."""
    wanted = int(os.environ.get("WINDLASS_MODEL_EXAMPLES", "") or examples)
    return settings(STABLE, derandomize=False, max_examples=wanted, stateful_step_count=steps)


def drive(machine: type[Life], short: settings, many: settings, profile: str) -> None:
    """Run the machine by that profile."""
    if profile == "short":
        run_state_machine_as_test(machine, settings=short)
        return
    number = drawn()
    print(f"WINDLASS_MODEL_SEED={number}")  # noqa: T201
    run_state_machine_as_test(seed(number)(machine), settings=many)
