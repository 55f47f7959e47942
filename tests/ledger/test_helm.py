"""One governor a cluster, the course that it sets, and what it sees; on SQLite and PostgreSQL."""

from tests.ledger.steps import VOICE, W1, W2, C, opened
from tests.ledger.world import HandClock, cluster, counted, days, draft, group, plan, tenant
from windlass.domain.health import Course
from windlass.domain.orders import Order, Verb
from windlass.domain.record import Scope
from windlass.domain.states import Health, State, Verdict
from windlass.ledger.store import SqlLedger

CLUSTER = "voice-prod"
LOW = Course(3, 5_000, "clickhouse parts 212 >= 200", "clickhouse_parts")


def test_one_is_at_the_helm_until_it_falls_silent(ledger: SqlLedger, clock: HandClock) -> None:
    assert ledger.govern(CLUSTER, "one", 10) == (True, None)
    assert ledger.govern(CLUSTER, "two", 10) == (False, None)
    ledger.set_course(CLUSTER, LOW)
    clock.turn(9)
    assert ledger.govern(CLUSTER, "one", 10) == (True, LOW)
    assert ledger.govern("other", "two", 10) == (True, None), "each cluster has its own"
    clock.turn(11)
    assert ledger.govern(CLUSTER, "two", 10) == (True, LOW), "it goes on where the other was"
    assert ledger.govern(CLUSTER, "one", 10)[0] is False


def test_the_course_reaches_every_campaign_as_orders_do(
    ledger: SqlLedger, clock: HandClock
) -> None:
    opened(ledger)
    assert ledger.orders(C, CLUSTER).healthy is None
    ledger.govern(CLUSTER, "one", 10)
    ledger.set_course(CLUSTER, LOW)
    ledger.set_limits(Scope(C), {"rows_per_second": 9_000})
    assert ledger.orders(C, CLUSTER).healthy == 3
    assert ledger.paces(C, CLUSTER, VOICE) == {C: 9_000, f"health of {CLUSTER}": 5_000}
    ledger.set_course(CLUSTER, Course(8))
    assert ledger.orders(C, CLUSTER).healthy is None
    assert ledger.paces(C, CLUSTER, VOICE) == {C: 9_000}
    ledger.set_course(CLUSTER, LOW)
    clock.turn(75)
    assert ledger.orders(C, CLUSTER).healthy is None, "nobody is at the helm any more"


def test_smaller_blocks_reach_the_tenant_that_they_are_for(
    ledger: SqlLedger, clock: HandClock
) -> None:
    opened(ledger)
    assert ledger.blocks(CLUSTER, VOICE) == 1
    ledger.govern(CLUSTER, "one", 10)
    ledger.set_course(CLUSTER, Course(8, blocks=((VOICE, 4),)))
    assert ledger.blocks(CLUSTER, VOICE) == 4
    assert ledger.blocks(CLUSTER, "globex_voice") == ledger.blocks("other", VOICE) == 1
    assert ledger.orders(C, CLUSTER).healthy is None
    clock.turn(75)
    assert ledger.blocks(CLUSTER, VOICE) == 1, "nobody is at the helm any more"


def test_what_is_at_work_is_seen_with_its_rate(ledger: SqlLedger, clock: HandClock) -> None:
    assert ledger.at_work(CLUSTER).campaigns == ()
    opened(ledger)
    attempt = ledger.begin_attempt(C, W1)
    ledger.window_started(W1, attempt)
    begun = clock.now()
    for rows in (100, 200, 400):
        clock.turn(10)
        ledger.progress(W1, attempt, rows)
    found = ledger.at_work(CLUSTER)
    assert found.campaigns == (C,)
    assert found.databases == ((C, VOICE),)
    (one,) = found.windows
    assert (one.window, one.rows, one.attempts, one.begun_at) == (W1, 400, 1, begun)
    assert one.recent == 15.0, "over the last ten to twenty seconds"
    assert one.health is Health.HEALTHY
    ledger.window_loaded(W1, 1_000, [])
    assert ledger.at_work(CLUSTER).windows == ()
    ledger.begin_attempt(C, W2)
    ledger.cluster_state(C, CLUSTER, State.PARKED)
    assert ledger.at_work(CLUSTER).campaigns == ()


def test_an_operators_limit_shows_again_once_health_holds_nothing_back(ledger: SqlLedger) -> None:
    opened(ledger)
    ledger.limit([Scope(C)], {"windows": 3}, "ada@ops1", "")
    ledger.show_limit(C, CLUSTER, "clickhouse parts 212 >= 200; 3 of 8 windows")
    assert ledger.status(C).clusters[0].limited_by.startswith("clickhouse parts 212")
    ledger.show_limit(C, CLUSTER, "")
    assert ledger.status(C).clusters[0].limited_by == "an operator's limit: windows=3"


def many(ledger: SqlLedger, windows: int) -> list[str]:
    """A campaign of that many groups of one window."""
    groups = [group(VOICE, days(n, n + 1)) for n in range(windows)]
    made = ledger.create_campaign(draft(), plan(cluster(tenant("acme", *groups))))
    ledger.cluster_state(made.name, CLUSTER, State.RUNNING)
    found = ledger.status(made.name, windows=True).tenants[0].windows
    return [one.group for one in found]


def test_a_campaign_that_mostly_fails_pauses_itself_once(ledger: SqlLedger) -> None:
    groups = many(ledger, 30)
    for one in groups[:9]:
        ledger.group_done(one, [counted()], Verdict.VERIFIED, 10)
    for one in groups[9:19]:
        ledger.group_parked(one, "it failed")
    assert ledger.stop_failing(C) == "", "nineteen have ended"
    ledger.group_parked(groups[19], "it failed")
    assert "11 of 20 windows" in ledger.stop_failing(C)
    assert ledger.orders(C, CLUSTER).paused
    view = ledger.status(C)
    assert view.state in {State.PAUSING, State.PAUSED}
    assert f"windlass resume {C}" in view.note
    assert [a.who for a in ledger.facts(C).actions] == ["windlass"]
    ledger.order(Order(Verb.RESUME, C, (Scope(C),), "ada@ops1"))
    assert ledger.stop_failing(C) == "", "a person has decided"
    assert not ledger.orders(C, CLUSTER).paused


def test_half_of_them_is_not_most(ledger: SqlLedger) -> None:
    groups = many(ledger, 30)
    for one in groups[:10]:
        ledger.group_done(one, [counted()], Verdict.VERIFIED, 10)
    for one in groups[10:20]:
        ledger.group_parked(one, "it failed")
    assert ledger.stop_failing(C) == ""
