"""Buckets of keys: the same bucket for the same key on both servers.

Where time tells rows no further apart (millions of rows within one microsecond), a hash of the
key's canonical text does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from windlass.domain.schema import ColumnPair
from windlass.verify.canonical import Column, source_row, target_row


@dataclass(frozen=True)
class KeyBucket:
    """The rows whose key hashes to `number` out of `of`."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"keys {self.number}/{self.of}"


def source_bucket(keys: Sequence[ColumnPair], column: Column, of: int) -> str:
    """The bucket's number in PostgreSQL."""
    return f"mod(('x'||left(md5({source_row(keys, column)}),8))::bit(32)::bigint, {of})"


def target_bucket(keys: Sequence[ColumnPair], column: Column, of: int) -> str:
    """The same number in ClickHouse."""
    return f"reinterpretAsUInt32(reverse(substring(MD5({target_row(keys, column)}),1,4))) % {of}"


def key_pairs(pairs: Sequence[ColumnPair], key: Sequence[str]) -> list[ColumnPair]:
    """The key columns' pairs, in the key's order."""
    by_name = {pair.name: pair for pair in pairs}
    return [by_name[name] for name in key]
