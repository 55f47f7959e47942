"""How well a cluster's servers are, in figures of their own; and what that lets campaigns do."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """One figure of a server. `name` is its key under `limits.health`, and begins with the
    server; `where` says what it was found at ('' the server as a whole)."""

    name: str
    value: float
    where: str = ""

    @property
    def words(self) -> str:
        """`clickhouse parts 212`."""
        return f"{self.name.replace('_', ' ')} {amount(self.name, self.value)}"


@dataclass(frozen=True)
class Threshold:
    """From where on a figure has campaigns slow down, and from where on nothing begins."""

    slow: float
    stop: float


Thresholds = Mapping[str, Threshold]
"""By the readings' names; a reading without one is not judged."""


@dataclass(frozen=True)
class Course:
    """What a cluster's health allows at the moment: windows at once, and rows a second of each
    worker (None: as many as it likes).

    `cause` is what limits ('' nothing does), as it is shown, and `name` the reading that it is
    about. `over` counts looks in a row with something over its threshold, `calm` looks without
    since the last change; `patience` is how many calm ones another window takes. `peak` is the
    rate when it began, `least` the fewest windows since then. `spared` are databases whose
    windows struggle: they get one at a time; `blocks` by how much smaller theirs are than usual.
    """

    windows: int
    rows_per_second: int | None = None
    cause: str = ""
    name: str = ""
    over: int = 0
    calm: int = 0
    patience: int = 2
    peak: int = 0
    least: int = 0
    spared: tuple[str, ...] = ()
    blocks: tuple[tuple[str, int], ...] = ()

    @property
    def holds(self) -> bool:
        """Whether it says anything at all."""
        return self.limited or bool(self.spared or self.blocks)

    @property
    def limited(self) -> bool:
        """Whether anything is held back."""
        return bool(self.cause)


@dataclass(frozen=True)
class Judged:
    """A reading over its threshold; `limit` is the one that it crossed."""

    reading: Reading
    limit: float
    stop: bool

    @property
    def words(self) -> str:
        """`clickhouse parts 212 >= 200`."""
        return f"{self.reading.words} >= {amount(self.reading.name, self.limit)}"


def amount(name: str, value: float) -> str:
    """The figure with its unit, as the reading of that name has it."""
    if name.endswith("_memory"):
        return f"{value:.0%}"
    if name.endswith(("_lag", "_delay", "_latency", "_insert")):
        return f"{value:.1f} s" if value < 10 else f"{value:,.0f} s"
    return f"{value:,.0f}"


def shown(course: Course, most: int) -> str:
    """What holds a cluster of so many windows back: `clickhouse parts 212 >= 200; 3 of 8
    windows`; '' nothing."""
    return f"{course.cause}; {course.windows} of {most} windows" if course.limited else ""
