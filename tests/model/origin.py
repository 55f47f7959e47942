"""The model's source: rows, transactions that stay open for a while, and what was true when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.model.shape import Row, Span

Image = Mapping[int, Row]
"""The committed rows by key."""


@dataclass
class Transaction:
    """Writes that nobody sees yet; `begun` is when their versions may start."""

    begun: int
    writes: dict[int, Row | None] = field(default_factory=dict)


@dataclass
class Origin:
    """A table in PostgreSQL, with the history of what it held."""

    rows: dict[int, Row] = field(default_factory=dict)
    clock: int = 100
    open: list[Transaction] = field(default_factory=list)
    history: list[Image] = field(default_factory=list)

    def tick(self) -> int:
        """A new instant."""
        self.clock += 1
        return self.clock

    @property
    def locked(self) -> set[int]:
        """Keys that an open transaction has written."""
        return {key for one in self.open for key in one.writes}

    @property
    def horizon(self) -> int:
        """From here on rows may carry versions that a snapshot of now does not show."""
        return min([one.begun for one in self.open], default=self.clock)

    def write(self, key: int, row: Row | None) -> None:
        """A transaction of its own."""
        self._apply({key: row})

    def begin(self, key: int, row: Row | None) -> None:
        """A write that is committed later."""
        self.open.append(Transaction(self.clock, {key: row}))

    def commit(self) -> None:
        """The oldest open transaction commits."""
        self._apply(self.open.pop(0).writes)

    def _apply(self, writes: Mapping[int, Row | None]) -> None:
        for key, row in writes.items():
            self.rows.pop(key, None)
            if row is not None:
                self.rows[key] = row
        self.history.append(dict(self.rows))

    def image(self) -> Image:
        """What is committed now."""
        return dict(self.rows)

    def kept(self, span: Span, image: Image | None = None) -> list[Row]:
        """Rows of the span that no exclusion keeps out, as the target holds them."""
        rows = (self.rows if image is None else image).values()
        return [row.kept for row in rows if span.holds(row.at) and not row.out]

    def changed(self, since: int, span: Span) -> dict[int, bool]:
        """Keys with a version from then on, and whether their row belongs to the span."""
        found = [row for row in self.rows.values() if row.version >= since]
        return {row.key: span.holds(row.at) and not row.out for row in found}

    def values(self, key: int, span: Span, since: int) -> Iterator[Row | None]:
        """All that the key was in the span, from the `since`-th entry of the history on."""
        for image in self.history[since:]:
            row = image.get(key)
            yield row.kept if row and span.holds(row.at) and not row.out else None
