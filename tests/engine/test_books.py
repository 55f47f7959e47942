"""Opening a campaign's books: for which servers it was planned, and who begins first."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.world import HandClock, cluster, days, draft, group, plan, tenant
from windlass.domain.states import State
from windlass.engine.activities.books import BookActivities
from windlass.engine.activities.desk import Desk
from windlass.engine.payloads import CampaignInput, CampaignOrder
from windlass.ledger import open_ledger
from windlass.ledger.store import SqlLedger

C = "acme-jan-feb-2026"
NAMES = ("acme", "globex", "initech")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    opened = open_ledger(f"sqlite:///{tmp_path}/windlass.db", HandClock())
    yield opened
    opened.close()


def open_books(ledger: SqlLedger, servers: str = "", **wanted: Any) -> CampaignOrder:
    """A campaign that was planned for the servers `here`, opened by a worker that has `servers`."""
    tenants = [tenant(name, group(f"{name}_voice", days(0, 10))) for name in NAMES]
    made = plan(replace(cluster(*tenants), servers="here"))
    made = replace(made, request=replace(made.request, **wanted))
    ledger.create_campaign(draft(), made)
    none: Any = None
    desk = Desk("voice-prod", none, none, ledger, HandClock(), servers=servers)
    order = CampaignInput(C, "voice-prod", ledger.ledger_id())
    return BookActivities(desk, 8, 2).open_campaign(order)


@pytest.mark.parametrize("servers", ["here", ""])
def test_what_was_planned_for_these_servers_begins(ledger: SqlLedger, servers: str) -> None:
    order = open_books(ledger, servers)
    assert order.databases == tuple(f"{name}_voice" for name in NAMES)
    assert order.order == (), "first come, first served"
    assert ledger.status().state is State.RUNNING


def test_what_was_planned_for_others_parks_with_the_reason(ledger: SqlLedger) -> None:
    assert open_books(ledger, "elsewhere").databases == ()
    ledger.cluster_closed(C, "voice-prod")
    view = ledger.status()
    assert view.state is State.PARKED
    for one in view.tenants:
        assert "another source or target than this was planned for" in one.note
        assert f"windlass cancel {C} and run it again" in one.note


def test_who_goes_first_is_told_and_the_rest_is_queued(ledger: SqlLedger) -> None:
    order = open_books(ledger, "here", canary=("globex",), priority=(("initech", 1),))
    assert order.order == tuple(f"{name}_voice" for name in NAMES), "as the plan has them"
    assert order.orders is not None
    assert (order.orders.gated, order.orders.canaries) == (True, ("globex_voice",))
    assert [order.orders.waits(d) for d in order.databases] == [True, False, True]


def test_a_cluster_whose_tenants_all_wait_is_queued(ledger: SqlLedger) -> None:
    theirs = tenant("cvs", group("cvs_voice", days(0, 10)), cluster="b")
    made = plan(
        cluster(tenant("acme", group("acme_voice", days(0, 10)))), cluster(theirs, name="b")
    )
    made = replace(made, request=replace(made.request, canary=("acme",)))
    ledger.create_campaign(draft(), made)
    none: Any = None
    desk = Desk("b", none, none, ledger, HandClock())
    BookActivities(desk, 8, 2).open_campaign(CampaignInput(C, "b", ledger.ledger_id()))
    assert ledger.status().clusters[1].state is State.QUEUED
