"""Row texts and digests: the same text for the same row on both servers and on Arrow batches.

A row's text joins its fields' texts with `|`; NULL is `N`; text carries its length in front, so
no two different rows share a text. A digest is a count and the sum of row hashes: order-free, and
equal rows do not cancel each other out.
"""

from collections.abc import Callable, Sequence

from windlass.domain.schema import ColumnPair

Column = Callable[[str], str]
"""Gives the quoted reference for a column's name."""


def fill(template: str, reference: str) -> str:
    """A pair's template with the (quoted) column reference put in."""
    return template.replace("{c}", reference)


def source_row(pairs: Sequence[ColumnPair], column: Column) -> str:
    """The row's text in PostgreSQL."""
    return _balanced([fill(pair.source_text, column(pair.name)) for pair in pairs])


def target_row(pairs: Sequence[ColumnPair], column: Column) -> str:
    """The row's text in the ClickHouse table."""
    return _concat([fill(pair.target_text, column(pair.name)) for pair in pairs])


def arrow_texts(pairs: Sequence[ColumnPair], column: Column) -> list[str]:
    """The fields' texts over Arrow batches as ClickHouse's engine reads them.

    Columns of an extension type (uuid, json) are taken as what they are stored as."""
    return [fill(pair.arrow_text, column(pair.name)) for pair in pairs]


def target_values(pairs: Sequence[ColumnPair], column: Column) -> list[str]:
    """What tells the fields apart in the ClickHouse table, for `fast_digest`."""
    return [fill(pair.target_value, column(pair.name)) for pair in pairs]


def arrow_values(pairs: Sequence[ColumnPair], column: Column) -> list[str]:
    """The same over Arrow batches as ClickHouse's engine reads them."""
    return [fill(pair.arrow_value, column(pair.name)) for pair in pairs]


def source_hash(pairs: Sequence[ColumnPair], column: Column) -> str:
    """A row's hash in PostgreSQL: bigint, the head of the row text's MD5."""
    return f"('x'||left(md5({source_row(pairs, column)}),16))::bit(64)::bigint"


def target_hash(pairs: Sequence[ColumnPair], column: Column) -> str:
    """A row's hash in ClickHouse: Int64, equal to `source_hash` of an equal row."""
    return f"reinterpretAsInt64(reverse(substring(MD5({target_row(pairs, column)}),1,8)))"


def source_digest(pairs: Sequence[ColumnPair], column: Column) -> str:
    """Two PostgreSQL select items: rows, and the sum of hashes as text ('0' of no rows)."""
    return f"count(*), coalesce(sum({source_hash(pairs, column)}), 0)::text"


def target_digest(pairs: Sequence[ColumnPair], column: Column) -> str:
    """Two ClickHouse select items, equal to `source_digest` of equal rows."""
    return f"count(), toString(sum(toInt128({target_hash(pairs, column)})))"


def fast_digest(values: Sequence[str]) -> str:
    """Two ClickHouse select items over `target_values` or `arrow_values`: rows, and the sum of
    cityHash64 of the fields' values. Comparable only with itself."""
    return f"count(), toString(sum(toInt128(reinterpretAsInt64(cityHash64({', '.join(values)})))))"


def _concat(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else "concat(" + ", '|', ".join(texts) + ")"


def _balanced(texts: Sequence[str]) -> str:
    """Joined as a balanced tree: a chain of hundreds would copy, and nest, once per column."""
    if len(texts) == 1:
        return texts[0]
    middle = len(texts) // 2
    return f"({_balanced(texts[:middle])}||'|'||{_balanced(texts[middle:])})"
