"""What was kept and what was undone: recorded once, told everywhere, relied on no more."""

from dataclasses import replace

import pytest

from tests.ledger.steps import CLUSTER, G1, G2, VOICE, W1, W2, C, opened, work
from tests.ledger.world import HandClock, days
from windlass.domain.record import Scope
from windlass.domain.results import Digest
from windlass.domain.states import Path, State, Verdict
from windlass.domain.undo import KeptRecord, KeptTable, UndoOrder
from windlass.domain.window import Interval
from windlass.ledger.store import SqlLedger
from windlass.planner.undo import why_no_undo
from windlass.ports import HeldCounts

BEFORE = {"202601": Digest(10, "-5")}
ORDER = UndoOrder("order-1", "jo@desk", "wrong range")


def record(clock: HandClock, table: str = "scorecard", name: str = "kept_a") -> KeptRecord:
    kept = KeptTable(name, BEFORE, 1000)
    return KeptRecord(G1, table, "voice-prod", VOICE, kept, clock.now())


def done(ledger: SqlLedger, clock: HandClock) -> None:
    """Both groups verified, both tables of the first one kept."""
    opened(ledger)
    for window, group in ((W1, G1), (W2, G2)):
        work(ledger, clock, window)
        ledger.group_done(group, [], Verdict.VERIFIED, 1000)
        ledger.record_verified("def", {window: {"scorecard": HeldCounts(1, "v", 1)}})
    for table in ("scorecard", "score"):
        ledger.record_kept(record(clock, table))
        ledger.record_after(G1, table, {"202601": Digest(9, "7")})


def test_what_the_first_attempt_kept_stands(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    first = ledger.record_kept(record(clock))
    clock.turn(60)
    late = replace(record(clock, name="kept_b"), kept=KeptTable("kept_b", {}, 5))
    assert ledger.record_kept(late) == first
    assert ledger.kept(G1) == [first]
    assert first.kept == KeptTable("kept_a", BEFORE, 1000)
    ledger.record_after(G1, "scorecard", {"202601": Digest(9, "7")})
    assert ledger.kept(G1)[0].after == {"202601": Digest(9, "7")}


def test_dropped_tables_are_not_listed_again(ledger: SqlLedger, clock: HandClock) -> None:
    done(ledger, clock)
    assert [one.table for one in ledger.kept_on("voice-prod")] == ["score", "scorecard"]
    assert ledger.kept_on("chat-prod") == []
    ledger.record_kept_dropped(G1, "score", "older than undo_retention")
    assert [one.table for one in ledger.kept_on("voice-prod")] == ["scorecard"]
    (first, _) = ledger.undo_groups(C)
    assert "older than undo_retention" in first.why_not
    assert first.bytes == 1000


def test_groups_say_whether_they_can_be_undone(ledger: SqlLedger, clock: HandClock) -> None:
    done(ledger, clock)
    first, second = ledger.undo_groups(C)
    assert (first.group, first.settled, first.why_not, first.bytes) == (G1, True, "", 2000)
    assert first.windows == (W1,)
    assert second.why_not == "what it replaced was not kept: undo_retention was 0"
    assert ledger.undo_groups(C, "voice-prod", "globex_voice") == []


def test_an_undo_voids_what_was_verified_and_shows_everywhere(
    ledger: SqlLedger, clock: HandClock
) -> None:
    done(ledger, clock)
    assert [one.voided for one in ledger.verified("scorecards", "voice-prod", VOICE, days(0, 20))]
    ledger.undo_begun(G1, ORDER)
    held = ledger.verified("scorecards", "voice-prod", VOICE, days(0, 20))
    assert {one.interval: bool(one.voided) for one in held} == {
        days(0, 10): True,
        days(10, 20): False,
    }
    assert ledger.status(windows=True).undone_at is None
    ledger.undo_ended(G1, "1 partition put back")
    ledger.undo_ended(G1, "1 partition put back")
    view = ledger.status(windows=True)
    assert (view.state, view.undone_at, view.windows_undone) == (State.DONE, clock.now(), 1)
    one, two = view.tenants[0].windows
    assert (one.undone_at, two.undone_at) == (clock.now(), None)
    assert one.state is State.DONE
    assert one.note.startswith("undone")
    assert "jo@desk" in one.note
    assert "wrong range" in one.note
    assert view.tenants[0].note == "1 of 2 windows undone"
    (event,) = [e for e in ledger.events(C, W1) if e.kind == "undone"]
    assert "jo@desk" in event.text
    assert "wrong range" in event.text
    (group, _) = ledger.undo_groups(C)
    assert group.undone
    assert group.undo is not None
    assert group.undo.order == ORDER


def test_whose_work_is_over(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    work(ledger, clock, W1)
    again = work(ledger, clock, W1)
    asked = ledger.create_request("verify", "voice-prod", "{}")
    subjects = [(W1, 1), (W1, again), ("other/x/y", 1), (f"verify/{asked}", 1)]
    dead, live, unknown, question = ledger.standing(subjects)
    assert "given up" in dead
    assert (live, unknown, question) == ("live", "", "live")
    ledger.finish_request(asked, "{}")
    ledger.group_done(G1, [], Verdict.VERIFIED, 1000)
    assert ledger.standing([(W1, again)]) == ["its publish group has ended"]
    assert "answered" in ledger.standing([(f"verify/{asked}", 1)])[0]
    ledger.move(Scope(C), State.CANCELLING)
    ledger.cluster_closed(C, CLUSTER.cluster)
    assert ledger.standing([(W1, again)]) == [f"campaign {C} has ended (cancelled)"]


def test_an_undo_at_work_is_live_though_its_campaign_has_ended(
    ledger: SqlLedger, clock: HandClock
) -> None:
    done(ledger, clock)
    number = ledger.begin_attempt(C, f"{G1}/undo")
    ledger.undo_begun(G1, ORDER)
    assert ledger.standing([(f"{G1}/undo", number)]) == ["live"]
    ledger.undo_ended(G1, "")
    assert ledger.standing([(f"{G1}/undo", number)]) == ["its undo is over"]


@pytest.mark.parametrize(
    ("path", "whole", "why"),
    [
        (Path.SWAP, days(0, 10), ""),
        (Path.DELETE, days(0, 10), ""),
        (Path.SWAP, days(0, 9), "cuts a partition"),
        (Path.IN_PLACE, days(0, 10), "in place"),
        (Path.DELETE_AND_INSERT, days(0, 10), "gap"),
        (Path.APPEND, days(0, 10), "others write"),
    ],
)
def test_only_whole_partitions_offer_undo(path: Path, whole: Interval, why: str) -> None:
    from tests.ledger.world import group

    made = group(VOICE, days(0, 10))
    table = replace(made.tables[1], path=path, whole=(whole,))
    found = why_no_undo(replace(made, tables=(made.tables[0], table)))
    assert (why in found) if why else not found
