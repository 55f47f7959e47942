"""What every way to move the rows is given, and what it gives back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.data import Table
from benchmarks.world import BenchError, World

if TYPE_CHECKING:
    from windlass.domain.plan import TablePlan


class CannotRun(BenchError):
    """This way cannot be gone here; the reason goes into the table."""


@dataclass(frozen=True)
class Lap:
    """Rows moved in that many seconds; `extra` are further figures, such as `command_seconds`."""

    rows: int
    seconds: float
    extra: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Rows per second."""
        return self.rows / self.seconds


@dataclass
class Arena:
    """The stack and the table. The first campaign brings the `plan`."""

    world: World
    table: Table
    share: float = 1.0
    plan: "TablePlan | None" = None

    @property
    def expected(self) -> int:
        """About how many rows the share has: the split is by time."""
        return round(self.table.rows * self.share)

    @contextmanager
    def landing(self, name: str) -> Iterator[str]:
        """A table like the live one, empty, for one lap; afterwards it must hold the rows."""
        table = f"{self.table.database}.{name}"
        self.world.command(f"drop table if exists {table} sync")
        self.world.command(self.table.target_sql(table))
        try:
            yield table
            self.check(int(self.world.value(f"select count() from {table}")))
        finally:
            self.world.command(f"drop table if exists {table} sync")

    def check(self, rows: int) -> int:
        """BenchError unless that is how many rows should have come (one more or less where the
        share cuts between two)."""
        if abs(rows - self.expected) > (self.share < 1):
            raise BenchError(f"{rows:,} rows came, {self.expected:,} should have")
        return rows


@dataclass(frozen=True)
class Contestant:
    """One way: its key, what it is called, how to go it, and on which share of the rows."""

    key: str
    label: str
    go: Callable[[Arena], Lap]
    share: float = 1.0
