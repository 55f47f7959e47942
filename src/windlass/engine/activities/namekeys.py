"""Naming the keys that differ: what kind, which columns, and why, as far as the source can tell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from windlass.domain.dataset import Slice
from windlass.domain.results import KeyDifference
from windlass.engine.activities.compare import Comparer
from windlass.engine.activities.lookagain import Judged
from windlass.verify.keys import KeyDiff
from windlass.verify.readable import readable

if TYPE_CHECKING:
    import pyarrow as pa

Key = tuple[str, ...]
FLYING = "changed at the source meanwhile"
ELSEWHERE = "it is live under another time"


@dataclass(frozen=True)
class _Named:
    """One row that differs, before its columns are known."""

    judged: Judged
    kind: str
    key: Key
    reason: str = ""
    flying: bool = False


class Namer:
    """Names at most `limit` keys of a table: what is wrong before what is in flight."""

    def __init__(self, comparer: Comparer, piece: Slice, limit: int, values: bool) -> None:
        self._with, self._piece, self._limit, self._values = comparer, piece, limit, values
        self._pairs = {pair.name: pair for pair in comparer.pairs}

    def named(self, judged: Sequence[Judged]) -> tuple[KeyDifference, ...]:
        """The keys by kind, each in order of time."""
        moved = {key for one in judged for key in self._keys(one.wrong.extra)}
        picked = list(islice(self._all(judged, moved), self._limit))
        columns = self._columns([one for one in picked if one.kind == "different"])
        return tuple(self._difference(one, columns.get(one.key, {})) for one in picked)

    def _all(self, judged: Sequence[Judged], moved: set[Key]) -> Iterator[_Named]:
        for kind in ("missing", "different", "extra"):
            for one in judged:
                yield from self._of(one, one.wrong, kind, moved)
        for one in judged:
            for kind in ("missing", "different", "extra"):
                for found in self._of(one, one.flying, kind, set()):
                    yield replace(found, reason=FLYING, flying=True)

    def _of(self, one: Judged, keys: KeyDiff, kind: str, moved: set[Key]) -> Iterator[_Named]:
        match kind:
            case "missing":
                for key in self._keys(keys.missing):
                    yield _Named(one, kind, key, ELSEWHERE if key in moved else "")
            case "different":
                yield from (_Named(one, kind, key) for key in self._keys(keys.different))
            case _:
                yield from self._extra(one, keys)

    def _extra(self, one: Judged, keys: KeyDiff) -> Iterator[_Named]:
        for key in self._keys(keys.extra):
            yield _Named(one, "extra", key, one.reason(key))
        for row in keys.doubled.to_pylist():
            reason = f"the target has {row['copies']} rows of this key"
            yield _Named(one, "extra", self._key(row), reason)
        for row in keys.attributed.to_pylist():
            yield _Named(one, "extra", self._key(row), row["excluded"])

    def _keys(self, table: "pa.Table") -> list[Key]:
        return [self._key(row) for row in table.to_pylist()]

    def _key(self, row: dict[str, Any]) -> Key:
        return tuple(row[name] for name in self._piece.table.key)

    def _difference(self, one: _Named, columns: dict[str, tuple[str, str]]) -> KeyDifference:
        names = self._piece.table.key
        return KeyDifference(
            one.kind,
            {n: readable(self._pairs[n], text) for n, text in zip(names, one.key, strict=True)},
            tuple(columns),
            one.reason,
            one.flying,
            columns if self._values else {},
        )

    def _columns(self, different: Sequence[_Named]) -> dict[Key, dict[str, tuple[str, str]]]:
        """By key, `{column: (source, target)}` of those that differ, as they are now in the
        target, and in the snapshot for the source."""
        found: dict[Key, dict[str, tuple[str, str]]] = {}
        for interval in dict.fromkeys(one.judged.found.interval for one in different):
            keys = [one.key for one in different if one.judged.found.interval == interval]
            found |= self._texts(replace(self._piece, interval=interval), keys)
        return found

    def _texts(self, piece: Slice, keys: Sequence[Key]) -> dict[Key, dict[str, tuple[str, str]]]:
        import pyarrow as pa

        names = self._piece.table.key
        asked = pa.table({n: [key[at] for key in keys] for at, n in enumerate(names)})
        it = self._with
        source = it.source.texts(piece, it.pairs, asked, it.attempt, it.snapshot)
        target = it.target.texts(it.live, piece, it.pairs, asked, it.attempt)
        it.pulse(0)
        there = {self._key(row): row for row in source.to_pylist()}
        return {
            key: self._apart(there[key], row)
            for row in target.to_pylist()
            for key in [self._key(row)]
            if key in there
        }

    def _apart(self, one: dict[str, str], other: dict[str, str]) -> dict[str, tuple[str, str]]:
        return {
            name: (readable(pair, one[name]), readable(pair, other[name]))
            for name, pair in self._pairs.items()
            if one[name] != other[name]
        }
