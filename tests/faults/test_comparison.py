"""The suite's own judge: it sees what it must see."""

from tests.faults.shop import SHAPES, allowed_states, differences, state_of
from tests.faults.steps import classify

OLD = (1, "old", 10, 5)
NEW = (1, "new", 10, 6)
GONE = (2, "gone", 10, 5)
TABLES = {"card": [NEW], "mark": []}
BUCKET = ("card", 0, 100)


def test_lost_doubled_and_other_rows_are_told_apart() -> None:
    assert differences(TABLES, TABLES) == {"lost": 0, "doubled": 0, "other": 0}
    assert differences({"card": [], "mark": []}, TABLES)["lost"] == 1
    assert differences({"card": [NEW, NEW], "mark": []}, TABLES)["doubled"] == 1
    assert differences({"card": [NEW, OLD], "mark": []}, TABLES)["doubled"] == 1
    assert differences({"card": [NEW, GONE], "mark": []}, TABLES)["other"] == 1


def test_a_swap_allows_old_and_new_and_an_edge_old_below_new() -> None:
    before = {"card": [OLD, GONE], "mark": []}
    swap = allowed_states(BUCKET, before, TABLES, swap=True, shape=SHAPES[0])
    edge = allowed_states(BUCKET, before, TABLES, swap=False, shape=SHAPES[0])
    between = state_of([NEW, GONE], BUCKET)
    assert swap == {state_of([OLD, GONE], BUCKET), state_of([NEW], BUCKET)}
    assert edge == {*swap, between}
    assert allowed_states(BUCKET, before, TABLES, swap=False, shape=SHAPES[2]) is None


def test_steps_are_told_by_tag_and_kind() -> None:
    group = "windlass/c/db/group-20260101-20260220#1/abc"
    cases = {
        "swap": (group, "ALTER TABLE `db`.`card` REPLACE PARTITION ID '202601' FROM `s`.`x`"),
        "insert-live": (group, "INSERT INTO `db`.`card` (`a`) SELECT `a` FROM `s`.`x`"),
        "published": (group, "INSERT INTO `s`.`delta` (`a`) SELECT `a` FROM `s`.`x`"),
        "delete-live": (group, "DELETE FROM `db`.`card` WHERE 1"),
        "load-insert": ("windlass/c/db/20260101-20260110#1/abc", "INSERT INTO `s`.`rows` (`a`)"),
        "guard": ("windlass/c/db/group-20260101-20260220/guard#1", "SELECT 1"),
        "settle": ("windlass/c/db/group-20260101-20260220/settle#2", "SELECT 1"),
        "look": ("windlass/look", "SELECT 1"),
    }
    assert {step: classify(*said, "s").step for step, said in cases.items()} == {
        s: s for s in cases
    }
