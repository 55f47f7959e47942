"""Which shard a row belongs on, by the sharding key that the engine itself evaluates.

The batch is written as an Arrow stream and read back by the in-process engine with the live
columns' types: exactly the conversion that an INSERT of the same stream makes.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.domain.errors import PlanError, WindlassError
from windlass.domain.schema import Shards, TargetColumn, TargetTable
from windlass.target import ddl
from windlass.target.arrowstream import stored
from windlass.target.chdbdigest import arrow_of
from windlass.target.client import fill
from windlass.target.names import literal, quote

if TYPE_CHECKING:
    import pyarrow as pa

_NAMES = ("name", "quoted")
_NUMBER = "__windlass_row"
_SHARD = "__windlass_shard"
_ROUTE = """
SELECT $number, toUInt16(arrayElement([$slots], 1 + to$unsigned($key) % $weights)) AS $shard
FROM (SELECT $columns FROM file($path, 'ArrowStream', $structure))
ORDER BY $number SETTINGS session_timezone = $zone
"""
_TYPE = "DESCRIBE (SELECT $key AS x FROM (SELECT $columns FROM null($structure)))"
_UNSIGNED = re.compile(r"^(?:LowCardinality\()?U?(Int(?:8|16|32|64))\)?$")


@dataclass(frozen=True)
class Router:
    """Deals batches out to the shards of a live table: `{position of the shard: its rows}`.

    Without a steady key any shard is right; rows are dealt out batch by batch, in turn.
    """

    live: TargetTable
    shards: Shards

    def deal(self, batches: "Iterator[pa.RecordBatch]") -> Iterator[tuple[int, "pa.RecordBatch"]]:
        """Each batch's rows, with the position of the shard that they go to."""
        for turn, batch in enumerate(batches):
            if not batch.num_rows:
                continue
            if not self.shards.steady:
                yield self._turns[turn % len(self._turns)], batch
                continue
            yield from split(batch, self.places(batch))

    def places(self, batch: "pa.RecordBatch") -> "pa.Array":
        """The position of the shard of each row of the batch."""
        import pyarrow as pa

        if len(set(self._turns)) == 1:
            return pa.array([self._turns[0]] * batch.num_rows, pa.uint16())
        sent = self._sent(batch.schema.names)
        plain = stored(batch.select(sent))
        numbered = pa.Table.from_batches([plain]).append_column(
            _NUMBER, pa.array(range(batch.num_rows), pa.uint32())
        )
        with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
            path = Path(folder) / "rows.arrow"
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, numbered.schema) as to:
                to.write_table(numbered)
            found = arrow_of(self._statement(sent, str(path)))
        return found[_SHARD].combine_chunks()

    def check(self, sent: Sequence[str]) -> None:
        """PlanError where the key cannot be evaluated from rows that have these columns."""
        if self.shards.steady and len(set(self._turns)) > 1:
            _ = self._unsigned(tuple(self._sent(sent)))

    @cached_property
    def _turns(self) -> list[int]:
        """Positions of shards, each as often as it weighs: what the key's remainder picks."""
        members = self.shards.members
        return [at for at, one in enumerate(members) for _ in range(one.weight)] or [0]

    def _statement(self, sent: Sequence[str], path: str) -> str:
        return fill(
            _ROUTE,
            number=_NUMBER,
            slots=", ".join(str(at) for at in self._turns),
            unsigned=self._unsigned(tuple(sent)),
            key=f"({self.shards.key})",
            weights=len(self._turns),
            shard=_SHARD,
            columns=self._columns(sent, _NUMBER),
            path=literal(path),
            structure=literal(self._structure(sent, f"{_NUMBER} UInt32")),
            zone=literal(self.shards.zone),
        )

    def _unsigned(self, sent: tuple[str, ...]) -> str:
        """The unsigned type as wide as the key: the server takes the remainder of that."""
        statement = fill(
            _TYPE,
            key=f"({self.shards.key})",
            columns=self._columns(sent, "__windlass_none"),
            structure=literal(self._structure(sent, "__windlass_none UInt8")),
        )
        try:
            kind = str(arrow_of(statement)["type"][0])
        except WindlassError as error:
            raise self._unknown(error.why) from None
        match = _UNSIGNED.match(kind)
        if not match:
            raise self._unknown(f"it gives {kind}, not an integer")
        return f"U{match.group(1)}"

    def _columns(self, sent: Sequence[str], number: str) -> str:
        """The sent columns, and the computed ones that the key is made from."""
        computed = [
            f"CAST(({one.default_expression}) AS {one.type}) AS {quote(one.name)}"
            for one in self._needed
            if one.name not in sent
        ]
        return ", ".join([quote(number), *map(quote, sent), *computed])

    def _structure(self, sent: Sequence[str], last: str) -> str:
        kinds = {one.name: one.type for one in self.live.columns}
        return ", ".join([*(f"{quote(name)} {kinds[name]}" for name in sent), last])

    def _sent(self, names: Sequence[str]) -> list[str]:
        """Those of the batch's columns that the key is made from."""
        needed = {one.name for one in self._needed}
        found = [name for name in names if name in needed]
        for one in self._needed:
            if one.name not in found and not one.default_expression:
                raise self._unknown(f"the source gives no column {one.name}")
        return found

    @cached_property
    def _needed(self) -> list[TargetColumn]:
        """The columns that the key is made from, computed ones with what they are made from."""
        found: dict[str, TargetColumn] = {}
        texts = [self.shards.key]
        while texts:
            for word in ddl.tokens(texts.pop()):
                column = self.live.column(word.text) if word.kind in _NAMES else None
                if column and column.name not in found:
                    found[column.name] = column
                    texts.append(column.default_expression)
        return list(found.values())

    def _unknown(self, why: str) -> PlanError:
        return PlanError(
            "the sharding key cannot be evaluated",
            where=f"{self.live.database}.{self.live.name}, key {self.shards.key}",
            why=why,
            next_step="shard by an expression over columns that the source gives",
        )


def split(batch: "pa.RecordBatch", places: "pa.Array") -> Iterator[tuple[int, "pa.RecordBatch"]]:
    """The batch's rows by place, in their order."""
    import pyarrow.compute as pc

    for place in sorted(pc.unique(places).to_pylist()):
        yield place, batch.filter(pc.equal(places, place))
