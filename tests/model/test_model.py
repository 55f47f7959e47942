"""The model under every interleaving; and each guard of the design, shown to be needed."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.design import Design
from tests.model.machine import Life
from tests.model.pure import pure

QUICK = settings(
    max_examples=400,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def life(design: Design) -> type[Life]:
    """The machine over the model of that design."""
    return type("ModelLife", (Life,), {"maker": staticmethod(pure(design))})


def test_every_interleaving_keeps_the_invariants() -> None:
    run_state_machine_as_test(life(Design()), settings=QUICK)


BROKEN = ["sweeps", "asks", "repeats", "resumes", "counts_first", "buries", "catches_up"]


@pytest.mark.parametrize("guard", BROKEN)
def test_each_guard_is_needed(guard: str) -> None:
    broken = life(replace(Design(), **{guard: False}))
    many = settings(QUICK, max_examples=20_000, phases=[Phase.generate], report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(broken, settings=many)
