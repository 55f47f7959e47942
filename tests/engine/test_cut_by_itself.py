"""Cuts that no person asked for: what may be cut, and what parks instead."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tests.ledger.steps import G1, VOICE, W1, C, opened, work
from tests.ledger.world import HandClock, cluster, counted, days, draft, group, plan, tenant
from windlass.domain.health import Course
from windlass.domain.record import Scope
from windlass.domain.states import State, Verdict
from windlass.engine.activities.control import ControlActivities
from windlass.engine.activities.desk import Desk
from windlass.engine.payloads import CutInput, CutOrder, TenantRef
from windlass.ledger import open_ledger
from windlass.ledger.store import SqlLedger
from windlass.planner.struggle import BY_ITSELF

CLUSTER = "voice-prod"
CUT = CutOrder(VOICE, G1, W1, 86_400.0, BY_ITSELF, "50 rows/s, where history predicts 800")
G_OTHER = group("globex_voice", days(0, 10))


class Quiet:
    """A server on which nothing of ours is left."""

    def kill(self, *_: object) -> int:
        return 0

    sweep = kill


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    found = open_ledger(f"sqlite:///{tmp_path}/windlass.db", HandClock())
    opened(found)
    attempt = found.begin_attempt(C, W1)
    found.window_started(W1, attempt)
    yield found
    found.close()


def activities(ledger: SqlLedger) -> ControlActivities:
    quiet = cast(Any, Quiet())
    return ControlActivities(Desk(CLUSTER, quiet, quiet, ledger, HandClock()), 8, 2)


def cut(ledger: SqlLedger, order: CutOrder = CUT) -> None:
    activities(ledger).cut(CutInput(TenantRef(C, CLUSTER, VOICE), order))


def test_lineage_and_reason_are_kept_and_attempts_begin_anew(ledger: SqlLedger) -> None:
    cut(ledger)
    windows = ledger.status(C, windows=True).tenants[0].windows
    pieces = [one for one in windows if one.parent == W1]
    assert len(pieces) == 10
    assert {one.attempts for one in pieces} == {0}
    told = [event for event in ledger.events(C) if event.kind == "split"]
    assert "cut by windlass" in told[0].text
    assert CUT.why in told[0].text


def test_what_is_too_small_parks_with_the_next_command(ledger: SqlLedger) -> None:
    cut(ledger, replace(CUT, into_seconds=1_800.0))
    one = next(w for w in ledger.status(C, windows=True).tenants[0].windows if w.id == W1)
    assert one.state is State.PARKED
    assert CUT.why in one.note
    assert f"windlass retry {C} --window {W1}" in one.note


def test_what_has_come_to_its_end_is_left_alone(ledger: SqlLedger) -> None:
    work(ledger, HandClock(), W1)
    ledger.group_done(G1, [counted()], Verdict.VERIFIED, 1000)
    cut(ledger)
    windows = ledger.status(C, windows=True).tenants[0].windows
    assert next(w for w in windows if w.id == W1).state is State.DONE
    assert not any(w.replaced for w in windows)


def test_health_and_struggle_limit_what_is_ordered(ledger: SqlLedger) -> None:
    control = activities(ledger)
    assert control.standing(C).windows == 8
    ledger.govern(CLUSTER, "me", 10)
    ledger.set_course(CLUSTER, Course(0, 1_000, "clickhouse parts 312 >= 300"))
    orders = control.standing(C)
    assert (orders.windows, orders.windows_per_tenant, orders.tenants_at_once) == (0, 1, 1)
    ledger.set_course(CLUSTER, Course(8, spared=(VOICE,)))
    orders = control.standing(C)
    assert (orders.windows, orders.of(VOICE).windows) == (8, 1)


def test_campaigns_share_one_budget(ledger: SqlLedger) -> None:
    """The other campaign is about another tenant of the same cluster."""
    control = activities(ledger)
    other = ledger.create_campaign(draft(name="other"), plan(cluster(tenant("globex", G_OTHER))))
    assert control.standing(C).windows == 8, "it has not begun"
    ledger.cluster_state(other.name, CLUSTER, State.RUNNING)
    assert (control.standing(C).windows, control.standing("other").windows) == (4, 4)
    ledger.set_limits(Scope("other"), {"windows": 1})
    assert (control.standing(C).windows, control.standing("other").windows) == (7, 1)
    ledger.cluster_state(other.name, CLUSTER, State.PARKED)
    assert control.standing(C).windows == 8
