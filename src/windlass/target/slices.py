"""A live table's rows of some ranges, as the parts of a SELECT."""

from collections.abc import Sequence
from dataclasses import dataclass

from windlass.domain.dataset import Slice
from windlass.domain.schema import ColumnPair, TargetTable
from windlass.domain.window import Interval
from windlass.target.names import live_ref, quote, quoted
from windlass.target.times import within
from windlass.verify.canonical import fill as fill_template


@dataclass(frozen=True)
class View:
    """What statements about one slice of a live table are made from.

    `ranges` are the instants meant (the slice's interval unless told otherwise).
    """

    live: TargetTable
    piece: Slice
    pairs: Sequence[ColumnPair]
    ranges: Sequence[Interval]

    @classmethod
    def of(cls, live: TargetTable, piece: Slice, pairs: Sequence[ColumnPair]) -> "View":
        """The whole slice."""
        return cls(live, piece, pairs, (piece.interval,))

    @property
    def table(self) -> str:
        """The live table, qualified."""
        return live_ref(self.live)

    @property
    def final(self) -> str:
        """`FINAL` where counts are logical only with it."""
        return self.live.final

    @property
    def time(self) -> str:
        """The time column's name."""
        return self.piece.table.target_time

    @property
    def inside(self) -> str:
        """The condition `in the ranges`."""
        return within(self.live, self.time, self.ranges)

    @property
    def visible(self) -> str:
        """The condition that a staged row would be seen: not a tombstone."""
        return f"{quote(self.live.is_deleted)} = 0" if self.live.is_deleted else "1"

    @property
    def key(self) -> str:
        """The key columns, quoted, joined by commas."""
        return quoted(self.piece.table.key)

    def key_texts_of(self, alias: str) -> str:
        """The key columns' canonical texts over columns `<alias>.<name>`, joined by commas."""
        return ", ".join(
            fill_template(self.pair(name).target_text, f"{alias}.{quote(name)}")
            for name in self.piece.table.key
        )

    @property
    def key_texts(self) -> str:
        """The key columns' canonical texts under their own names, over columns `k.<name>`."""
        return ", ".join(
            f"{fill_template(self.pair(name).target_text, f'k.{quote(name)}')} AS {quote(name)}"
            for name in self.piece.table.key
        )

    @property
    def key_text_tuple(self) -> str:
        """The key columns' canonical texts as one tuple, over the live columns."""
        texts = [
            fill_template(self.pair(name).target_text, quote(name)) for name in self.piece.table.key
        ]
        return f"tuple({', '.join(texts)})"

    def pair(self, name: str) -> ColumnPair:
        """The column's pair; KeyError when the plan has none."""
        return {pair.name: pair for pair in self.pairs}[name]

    @property
    def content(self) -> str:
        """A hash of everything that comes from the source, the same in live and in staging."""
        names = [pair.name for pair in self.pairs]
        if self.live.is_deleted and self.live.is_deleted not in names:
            names.append(self.live.is_deleted)
        return f"cityHash64(tuple({quoted(names)}))"

    @property
    def sort_key(self) -> str:
        """The sorting key as one tuple."""
        return f"tuple({self.live.sorting_key})"

    @property
    def sort_hash(self) -> str:
        """A hash of the sorting key."""
        return f"cityHash64({self.sort_key})"

    @property
    def version(self) -> str:
        """The version column, quoted; `0` where there is none."""
        return quote(self.live.version) if self.live.version else "0"

    @property
    def identity(self) -> str:
        """128 bits that name a physical row by sorting key, version and content."""
        return f"({self.sort_hash}, sipHash64(tuple({self.version}, {self.content})))"
