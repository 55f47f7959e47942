"""Keys told apart: missing, extra, different, attributed, doubled."""

import pyarrow as pa

from windlass.verify.keys import diff, gather

SOURCE = pa.table(
    {
        "a": ["1", "2", "3", "4", "5", "9"],
        "b": ["x"] * 6,
        "hash": [10, 20, 30, 40, 50, 90],
        "excluded": [None, None, None, "appeals", "appeals", None],
    }
)
TARGET = pa.table(
    {"a": ["1", "2", "4", "6", "9", "9"], "b": ["x"] * 6, "hash": [10, 21, 40, 60, 90, 90]}
)
KEY = ("a", "b")


def ones(table: pa.Table) -> list[str]:
    return sorted(table["a"].to_pylist())


def test_every_kind_is_told_apart() -> None:
    found = diff(SOURCE, TARGET, KEY)
    assert (ones(found.missing), ones(found.different), ones(found.extra)) == (["3"], ["2"], ["6"])
    assert found.attributed.to_pylist() == [{"a": "4", "b": "x", "excluded": "appeals"}]
    assert found.doubled.to_pylist() == [{"a": "9", "b": "x", "copies": 2}]
    assert (found.duplicates, found.rows) == (1, 5)
    assert found.attributed_counts() == {"appeals": 1}
    assert ones(found.names(KEY)) == ["2", "3", "4", "6", "9"]


def test_some_keys_of_a_difference() -> None:
    some = diff(SOURCE, TARGET, KEY).only(pa.table({"a": ["4", "9"], "b": ["x", "x"]}), KEY)
    assert (some.rows, some.duplicates) == (2, 1)
    assert some.attributed_counts() == {"appeals": 1}
    none = diff(SOURCE, TARGET, KEY).only(pa.table({"a": ["4"], "b": ["y"]}), KEY)
    assert none.rows == 0


def test_excluded_rows_that_are_rightly_absent_are_let_go_as_they_pass() -> None:
    kept = gather(SOURCE.to_batches(max_chunksize=2), TARGET, KEY)
    assert sorted(kept["a"].to_pylist()) == ["1", "2", "3", "4", "9"]
    assert diff(kept, TARGET, KEY).rows == diff(SOURCE, TARGET, KEY).rows
    nothing = gather([], TARGET, KEY)
    assert diff(nothing, TARGET, KEY).extra.num_rows == 5
