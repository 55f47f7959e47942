"""Columns are matched by name, and what stands in the way is said in words."""

import re

import pytest

from windlass.domain.schema import SourceColumn, TargetColumn
from windlass.verify.pairs import UnprovenPairError, match, pair

from .case import Case
from .cases import CASES


def test_columns_match_by_exact_name() -> None:
    found = match(
        [SourceColumn("id", "uuid"), SourceColumn("Name", "text"), SourceColumn("x", "text")],
        [TargetColumn("name", "String"), TargetColumn("id", "UUID")],
    )
    assert [one.name for one in found.pairs] == ["id"]
    assert found.left_out == ("Name", "x")
    [refusal] = found.refusals
    assert refusal.startswith("target column name (String) has no source column of that name")


@pytest.mark.parametrize("kind", ["MATERIALIZED", "ALIAS", "EPHEMERAL"])
def test_computed_columns_are_never_inserted(kind: str) -> None:
    found = match([SourceColumn("n", "text")], [TargetColumn("n", "String", kind, "'x'")])
    assert (found.pairs, found.left_out, found.refusals) == ((), ("n",), ())
    assert match([], [TargetColumn("n", "String", kind, "'x'")]).refusals == ()


def test_a_default_fills_in_only_where_the_source_has_nothing() -> None:
    target = [TargetColumn("n", "String", "DEFAULT", "'x'")]
    assert match([], target).refusals == ()
    assert len(match([SourceColumn("n", "text")], target).pairs) == 1


def test_each_problem_is_one_refusal() -> None:
    found = match(
        [SourceColumn("a", "integer"), SourceColumn("a", "boolean"), SourceColumn("m", "jsonb")],
        [TargetColumn("a", "UUID"), TargetColumn("m", "Map(String, String)")],
    )
    assert [re.sub(r"[:(].*", "", one).strip() for one in found.refusals] == [
        "the source gives column a more than once",
        "column a",
        "column m",
    ]
    assert "order and repeated keys" in found.refusals[2]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("integer", "DateTime"),
        ("text", "Int32"),
        ("text", "DateTime64(6)"),
        ("numeric", "Float32"),
        ("double precision", "Decimal(10, 2)"),
        ("double precision", "Int64"),
        ("integer", "Array(Int32)"),
        ("integer[]", "Array(Array(Int32))"),
        ("integer[]", "Int32"),
        ("jsonb", "JSON"),
        ("jsonb", "Nullable(JSON)"),
        ("jsonb", "Map(String, String)"),
        ("point", "Tuple(Float64, Float64)"),
        ("inet", "UInt32"),
        ("bytea", "UUID"),
        ("interval", "IntervalDay"),
        ("bigint", "AggregateFunction(sum, Int64)"),
        ("bigint", "SimpleAggregateFunction(sum, Int64)"),
        ("text", "Variant(String, Int64)"),
        ("text", "no type("),
        ("timestamp with time zone", "Date"),
        ("app.some_domain", "Int32"),
    ],
)
def test_pairs_outside_the_table_are_refused(source: str, target: str) -> None:
    with pytest.raises(UnprovenPairError, match="is not a proven pair") as caught:
        pair(SourceColumn("c", source), TargetColumn("c", target))
    assert "cast it in the SELECT" in str(caught.value)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_templates_pass_any_client_unchanged(case: Case) -> None:
    """No placeholder of any driver, no brace but the column's."""
    found = pair(SourceColumn("c", case.source), TargetColumn("c", case.target))
    for template in (found.read, found.source_text, found.target_text, found.arrow_text):
        assert not re.search(r"[{}%?\\]", template.replace("{c}", ""))
    assert not re.search(r"[{}%?]", found.hazard.replace("{c}", ""))
    assert bool(found.hazard) == bool(found.hazard_reason)


def test_a_source_that_cannot_be_null_has_no_null_hazard() -> None:
    target = TargetColumn("c", "Int32")
    assert pair(SourceColumn("c", "integer", nullable=False), target).hazard == ""
    assert "null" in pair(SourceColumn("c", "integer"), target).hazard
    maybe = TargetColumn("c", "LowCardinality(Nullable(Int32))")
    assert pair(SourceColumn("c", "integer"), maybe).hazard == ""
