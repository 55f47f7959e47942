"""The model's ClickHouse: one live table, staging tables by name, one statement at a time."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.model.shape import Row, Shape


class GoneError(Exception):
    """A statement named a staging table that was dropped."""


@dataclass
class TableServer:
    """Every method is one statement: it happens whole, or raises and nothing happens."""

    shape: Shape
    live: list[Row] = field(default_factory=list)
    staging: dict[str, list[Row]] = field(default_factory=dict)

    def create(self, name: str) -> None:
        """A staging table, afresh."""
        self.staging[name] = []

    def need(self, name: str) -> list[Row]:
        """Its rows. GoneError: it was dropped."""
        if name not in self.staging:
            raise GoneError(name)
        return self.staging[name]

    def insert(self, name: str, rows: Iterable[Row]) -> None:
        """INSERT into staging."""
        self.need(name).extend(rows)

    def insert_live(self, source: str, rows: Iterable[Row]) -> None:
        """INSERT into live out of a staging table."""
        self.need(source)
        self.live.extend(rows)

    def remove(self, note: str, rows: Iterable[Row]) -> None:
        """Delete from live the physical rows that a note of the attempt lists."""
        self.need(note)
        going = set(rows)
        self.live = [row for row in self.live if row not in going]

    def remove_where(self, fence: str, going: Callable[[Row], bool]) -> None:
        """Delete by range: names no staging, so the fence is looked at first."""
        self.need(fence)
        self.live = [row for row in self.live if not going(row)]

    def drop(self, fence: str, partition: int) -> None:
        """DROP PARTITION, of the same kind."""
        self.remove_where(fence, lambda row: self.shape.partition(row) == partition)

    def replace(self, source: str, partition: int) -> None:
        """REPLACE PARTITION."""
        rows = [row for row in self.need(source) if self.shape.partition(row) == partition]
        kept = [row for row in self.live if self.shape.partition(row) != partition]
        self.live = kept + rows

    def replace_half(self, source: str, partition: int) -> None:
        """What a server killed in REPLACE was seen to come back with: old and new together."""
        rows = self.need(source)
        self.live += [row for row in rows if self.shape.partition(row) == partition]

    def move(self, source: str, partition: int) -> None:
        """MOVE PARTITION into live."""
        rows = self.need(source)
        self.live += [row for row in rows if self.shape.partition(row) == partition]
        self.staging[source] = [r for r in rows if self.shape.partition(r) != partition]

    def sweep(self, prefix: str) -> None:
        """Drop an attempt's tables."""
        for name in [name for name in self.staging if name.startswith(prefix)]:
            del self.staging[name]

    @property
    def seen(self) -> list[Row]:
        """What readers see."""
        return self.shape.seen(self.live)
