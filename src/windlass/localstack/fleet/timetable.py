"""The troubles of one run of the fleet demo, drawn from its seed. Pure.

A trouble waits for its `moment` (what must be going on for it to hurt), then `after` seconds more,
and lasts `seconds`. Nothing in the engine knows of it.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from windlass.localstack.fleet.scenario import STRUGGLED


class Kind(StrEnum):
    """What goes wrong."""

    THROTTLE = "source throttled"
    KILL = "worker killed (SIGKILL)"
    STOP = "worker stopped (SIGSTOP)"
    PARTS = "foreign inserts, merges stopped"
    CUT = "connections cut"
    CLIENT = "client killed (SIGKILL)"


@dataclass(frozen=True)
class Trouble:
    """`where`: the customer, worker or campaign that it hits."""

    kind: Kind
    where: str
    after: float
    seconds: float = 0.0


_CREWS = ("us-east", "us-west")
"""Workers that troubles come upon: those with the most to do, but for the steady one's."""


def timetable(seed: int) -> tuple[Trouble, ...]:
    """All troubles of a run. The steady customer's worker is left alone: what is to be seen is
    that Windlass leaves a long window alone."""
    dice = Random(f"troubles {seed}")
    # The parts of one worker's campaigns come one after the other, so that each is told apart.
    killed, stopped = dice.sample(_CREWS, 2)
    cut = dice.choice([killed, stopped])
    troubles = [Trouble(Kind.THROTTLE, name, 0.0) for name in STRUGGLED]
    troubles += [
        Trouble(Kind.CLIENT, "us-east-whole-range", dice.uniform(3, 15)),
        Trouble(Kind.KILL, killed, dice.uniform(2, 12)),
        Trouble(Kind.STOP, stopped, dice.uniform(25, 40), dice.uniform(20, 30)),
        Trouble(Kind.PARTS, "oportun", dice.uniform(1, 6), dice.uniform(10, 20)),
        Trouble(Kind.CUT, cut, dice.uniform(12, 22)),
    ]
    return tuple(troubles)
