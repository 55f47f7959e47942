"""Canonical texts as an operator reads them."""

import pytest

from windlass.domain.schema import SourceColumn, TargetColumn
from windlass.verify.pairs import pair
from windlass.verify.readable import readable


@pytest.mark.parametrize(
    ("source", "target", "text", "said"),
    [
        ("bigint", "Int64", "-42", "-42"),
        ("text", "String", "5:a:b|c", "a:b|c"),
        ("text", "Nullable(String)", "N", "NULL"),
        ("text", "Nullable(String)", "1:N", "N"),
        ("timestamp", "DateTime64(6)", "1767225600000001", "2026-01-01T00:00:00.000001Z"),
        ("timestamp with time zone", "DateTime64(6)", "infinity", "infinity"),
        ("date", "Date32", "-1", "1969-12-31"),
        ("numeric(12,2)", "Decimal(12, 2)", "1.5", "1.5"),
        ("text[]", "Array(String)", "[1:a,1:b]", "[1:a,1:b]"),
    ],
)  # fmt: skip
def test_values_read_as_they_were_written(source: str, target: str, text: str, said: str) -> None:
    made = pair(SourceColumn("c", source), TargetColumn("c", target))
    assert readable(made, text) == said
