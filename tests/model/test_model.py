"""The model under every interleaving; and each guard of the design, shown to be needed."""

from dataclasses import replace

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.design import Design
from tests.model.machine import Life
from tests.model.profiles import BOTH, STABLE, drive, long
from tests.model.pure import pure

pytestmark = pytest.mark.timeout(7200)


def life(design: Design) -> type[Life]:
    """The machine over the model of that design."""
    return type("ModelLife", (Life,), {"maker": staticmethod(pure(design))})


@BOTH
def test_every_interleaving_keeps_the_invariants(profile: str) -> None:
    short = settings(STABLE, max_examples=300, stateful_step_count=40)
    drive(life(Design()), short, long(20_000), profile)


@pytest.mark.slow
@pytest.mark.parametrize(
    "guard", ["sweeps", "asks", "repeats", "resumes", "counts_first", "buries", "catches_up"]
)
def test_each_guard_is_needed(guard: str) -> None:
    """Without it, some interleaving breaks an invariant: the machine can fail."""
    broken = life(replace(Design(), **{guard: False}))
    many = settings(
        STABLE,
        max_examples=50_000,
        stateful_step_count=40,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(broken, settings=many)
