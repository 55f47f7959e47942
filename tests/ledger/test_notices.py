"""What people are told of, and that each is told once; on SQLite and PostgreSQL."""

from collections.abc import Iterable
from datetime import timedelta

from tests.ledger.steps import G1, G2, VOICE, W1, W2, C, opened, work
from tests.ledger.world import HandClock, counted
from windlass.domain.notices import Happening, Occasion
from windlass.domain.record import Scope
from windlass.domain.states import State, Verdict
from windlass.ledger.store import SqlLedger

CLUSTER, CHANNEL = "voice-prod", "notify[0]"
HOUR = timedelta(hours=1)


def happened(ledger: SqlLedger, clock: HandClock) -> list[Happening]:
    return ledger.happenings(clock.now() - HOUR)


def keys(found: Iterable[Happening]) -> list[str]:
    return [one.key for one in found]


def test_turns_are_told_with_where_and_why(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    assert happened(ledger, clock) == []
    ledger.event(C, CLUSTER, VOICE, W1, "struggling", "50 rows/s, where history predicts 800")
    ledger.event(C, CLUSTER, VOICE, W1, "recovered", "900 rows/s")
    ledger.group_parked(G1, "permission denied\nnext: ask")
    found = happened(ledger, clock)
    assert [(o.occasion, o.tenant, o.subject) for o in found] == [
        (Occasion.PARKED, "voice-prod/acme/voice", G1),
        (Occasion.STRUGGLING, "voice-prod/acme/voice", W1),
    ]
    assert found[0].text.startswith("permission denied")
    assert len({one.key for one in found}) == 2
    clock.turn(3601)
    assert happened(ledger, clock) == [], "what is old is history"


def test_an_end_is_told_anew_when_it_ends_again(ledger: SqlLedger, clock: HandClock) -> None:
    opened(ledger)
    work(ledger, clock, W1)
    ledger.group_done(G1, [counted()], Verdict.VERIFIED, 1000)
    ledger.group_parked(G2, "no")
    ledger.cluster_closed(C, CLUSTER)
    (first,) = [one for one in happened(ledger, clock) if one.occasion is Occasion.DONE]
    assert first.text == "parked: 1 of 2 windows verified"
    ledger.move(Scope(C, CLUSTER, VOICE, W2), State.QUEUED)
    assert Occasion.DONE not in {one.occasion for one in happened(ledger, clock)}
    work(ledger, clock, W2)
    ledger.group_done(G2, [counted()], Verdict.UNVERIFIED, 1000)
    found = happened(ledger, clock)
    (again,) = [one for one in found if one.occasion is Occasion.DONE]
    assert again.text == "done: 1 of 2 windows verified"
    assert again.key != first.key
    (unproven,) = [one for one in found if one.occasion is Occasion.MISMATCH]
    assert (unproven.subject, unproven.text) == (W2, "unverified")


def test_a_throttle_is_told_while_it_lasts_with_the_figure_of_now(
    ledger: SqlLedger, clock: HandClock
) -> None:
    opened(ledger)
    ledger.event(C, CLUSTER, "", "", "throttled", "clickhouse parts 212 >= 200: 8 -> 4 windows")
    began = clock.now()
    ledger.show_limit(C, CLUSTER, "clickhouse parts 290 >= 200; 1 of 8 windows")
    clock.turn(7200)
    (one,) = happened(ledger, clock)
    assert (one.occasion, one.at, one.cluster, one.tenant) == (
        Occasion.THROTTLED, began, CLUSTER, "",
    )  # fmt: skip
    assert one.text == "clickhouse parts 290 >= 200; 1 of 8 windows"
    ledger.event(C, CLUSTER, "", "", "throttle ended", "all 8 windows")
    assert happened(ledger, clock) == []
    ledger.event(C, CLUSTER, "", "", "throttled", "again")
    assert keys(happened(ledger, clock)) != [one.key]
    ledger.cluster_state(C, CLUSTER, State.PARKED)
    assert Occasion.THROTTLED not in {one.occasion for one in happened(ledger, clock)}


def test_of_several_one_gets_it_and_only_until_its_time_is_over(
    ledger: SqlLedger, clock: HandClock
) -> None:
    assert ledger.unsent(CHANNEL, ["b", "a"]) == ["b", "a"]
    assert ledger.claim_notices(CHANNEL, ["a", "b"], 60) == {"a": 1, "b": 1}
    assert ledger.claim_notices(CHANNEL, ["a", "b", "c"], 60) == {"c": 1}
    assert ledger.unsent(CHANNEL, ["a", "b"]) == []
    assert ledger.unsent("notify[1]", ["a"]) == ["a"], "each place is told by itself"
    clock.turn(60)
    assert ledger.claim_notices(CHANNEL, ["a"], 60) == {"a": 2}, "whoever had it has died"
    ledger.notices_sent(CHANNEL, ["a"])
    clock.turn(3600)
    assert ledger.unsent(CHANNEL, ["a", "b"]) == ["b"]
    assert ledger.claim_notices(CHANNEL, ["a"], 60) == {}


def test_what_could_not_be_sent_waits_and_at_last_is_on_record(
    ledger: SqlLedger, clock: HandClock
) -> None:
    opened(ledger)
    ledger.group_parked(G1, "no")
    found = happened(ledger, clock)
    names = keys(found)
    ledger.claim_notices(CHANNEL, names, 60)
    ledger.notices_failed(CHANNEL, found, "it answered HTTP 500", 10)
    assert ledger.unsent(CHANNEL, names) == []
    clock.turn(10)
    assert ledger.claim_notices(CHANNEL, names, 60) == {names[0]: 2}
    ledger.notices_failed(CHANNEL, found, "it answered HTTP 500", None)
    clock.turn(3600)
    assert ledger.unsent(CHANNEL, names) == []
    (one,) = ledger.facts(C).actions
    assert (one.verb, one.who, one.why) == ("notify", "windlass", "it answered HTTP 500")
    assert (one.before, one.after) == ("parked", "nobody told at notify[0]")
