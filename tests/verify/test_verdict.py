"""What must not be published raises, with the figures and what to type."""

import pytest

from windlass.domain.errors import MismatchError, RemovalGuardError, UnrepresentableError
from windlass.domain.plan import Guard
from windlass.domain.results import Digest, Removed, SliceCount
from windlass.verify.verdict import guard, judge_hazards, judge_read, judge_staged


def judge_load(source: SliceCount, read: Digest, staged: Digest, *, where: str = "") -> None:
    """All judgements of one window, in their order."""
    judge_hazards(source, where=where)
    judge_read(source, read, staged.rows, where=where)
    judge_staged(read, staged, where=where)


def test_equal_rows_pass() -> None:
    judge_load(SliceCount(2), Digest(2, "7"), Digest(2, "7"), where="w")


@pytest.mark.parametrize(
    ("kept", "read", "staged", "says"),
    [
        (3, Digest(2, "7"), Digest(2, "7"), "the snapshot counts 3 rows, 2 were read"),
        (1, Digest(2, "7"), Digest(2, "7"), "does not count"),
        (2, Digest(2, "7"), Digest(1, "7"), "2 rows were read, staging holds 1"),
        (2, Digest(2, "7"), Digest(2, "8"), "2 rows with fingerprint 7 read, 2 with 8 staged"),
    ],
)
def test_a_difference_is_a_mismatch(kept: int, read: Digest, staged: Digest, says: str) -> None:
    with pytest.raises(MismatchError, match=says) as caught:
        judge_load(SliceCount(kept), read, staged, where="acme window scorecard")
    assert caught.value.where == "acme window scorecard"
    assert "run it again" in caught.value.next_step
    assert "staging was not published" in caught.value.why


def test_hazards_come_before_the_mismatch_they_cause() -> None:
    count = SliceCount(2, hazards={"tags": 1200, "n": 0, "at": 1})
    with pytest.raises(UnrepresentableError) as caught:
        judge_load(count, Digest(1), Digest(1))
    assert "at (1 rows), tags (1,200 rows)" in caught.value.what
    assert " n " not in caught.value.what


def test_each_stage_can_be_judged_by_itself() -> None:
    judge_hazards(SliceCount(2, hazards={"n": 0}))
    with pytest.raises(UnrepresentableError):
        judge_hazards(SliceCount(2, hazards={"n": 1}))
    judge_read(SliceCount(2, hazards={"n": 1}), Digest(2, "7"), 2)
    with pytest.raises(MismatchError, match="staging holds 3"):
        judge_read(SliceCount(2), Digest(2, "7"), 3)
    judge_staged(Digest(2, "7"), Digest(2, "7"))
    with pytest.raises(MismatchError):
        judge_staged(Digest(2, "7"), Digest(1, "7"))


def _removed(before: int, deleted: int = 0, unexplained: int = 0, **more: int) -> Removed:
    gone = deleted + unexplained + more.get("appeals", 0)
    attributed = {name: rows for name, rows in more.items() if name == "appeals"}
    return Removed(
        before, before, gone, attributed, deleted, more.get("duplicates", 0), unexplained
    )


def test_what_exclusions_and_duplicates_explain_is_let_through() -> None:
    guard("score", _removed(100, appeals=90, duplicates=50), Guard())


def test_one_percent_may_go_and_a_row_more_may_not() -> None:
    guard("score", _removed(1000, deleted=5, unexplained=5), Guard())
    with pytest.raises(RemovalGuardError) as caught:
        guard("score", _removed(1000, deleted=6, unexplained=5, appeals=20), Guard())
    text = str(caught.value)
    assert "11 of 1,000 rows of score would go" in text
    assert "deleted at the source 6; unexplained 5; explained by appeals 20" in text
    assert "--expect-removed score=31" in text
    assert "--accept-removal" in text


@pytest.mark.parametrize("number", [11, 31])
def test_the_expected_number_releases(number: int) -> None:
    removed = _removed(1000, deleted=6, unexplained=5, appeals=20)
    guard("score", removed, Guard(expected={"score": number}))


def test_another_number_or_another_table_does_not() -> None:
    removed = _removed(1000, deleted=11)
    with pytest.raises(RemovalGuardError, match="--expect-removed said 12"):
        guard("score", removed, Guard(expected={"score": 12}))
    with pytest.raises(RemovalGuardError):
        guard("score", removed, Guard(expected={"scorecard": 11}))
    guard("score", removed, Guard(accept=True))


def test_an_expected_number_is_shared_by_the_campaigns_groups() -> None:
    removed = _removed(1000, deleted=11)
    guard("score", removed, Guard(expected={"score": 31}), elsewhere=20)
    with pytest.raises(RemovalGuardError):
        guard("score", removed, Guard(expected={"score": 30}), elsewhere=20)


def test_an_empty_source_always_needs_the_operators_word() -> None:
    removed = _removed(3, deleted=3)
    with pytest.raises(RemovalGuardError, match="the source is empty where score has 3 rows"):
        guard("score", removed, Guard(max_unexplained=1.0), source_rows=0)
    guard("score", removed, Guard(max_unexplained=1.0), source_rows=1)
    guard("score", removed, Guard(expected={"score": 3}), source_rows=0)
    guard("score", _removed(0), Guard(), source_rows=0)


def test_a_source_that_exclusions_emptied_is_not_held() -> None:
    guard("score", _removed(3, appeals=3), Guard(), source_rows=0)
