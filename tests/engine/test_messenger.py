"""People are told once, whatever dies or refuses; over a real ledger and a place in memory."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.ledger.steps import G1, G2, VOICE, W1, C, opened
from tests.ledger.world import HandClock
from windlass.domain.notices import Message, Occasion
from windlass.engine.worker.messenger import GAP, LEASE, WAITS, Channel, Messenger, told
from windlass.ledger import open_ledger
from windlass.ledger.store import SqlLedger
from windlass.report.notify.recorder import Recorder

CLUSTER = "voice-prod"


@dataclass
class Arrived(Recorder):
    """Says when something came."""

    event: threading.Event = field(default_factory=threading.Event)

    def send(self, message: Message) -> None:
        super().send(message)
        self.event.set()


@dataclass
class Stage:
    ledger: SqlLedger
    clock: HandClock
    place: Recorder = field(default_factory=Recorder)
    on: frozenset[Occasion] = frozenset(Occasion)

    def __post_init__(self) -> None:
        self.messenger = self.worker()

    def worker(self) -> Messenger:
        """Another worker, which remembers nothing."""
        return Messenger(self.ledger, [Channel("notify[0]", self.place, self.on)], self.clock)

    def look(self, seconds: float = 5) -> list[Message]:
        """What is sent at the next look."""
        self.clock.turn(seconds)
        before = len(self.place.sent)
        self.messenger.look()
        return self.place.sent[before:]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    clock = HandClock()
    ledger = open_ledger(f"sqlite:///{tmp_path}/windlass.db", clock)
    opened(ledger)
    yield Stage(ledger, clock)
    ledger.close()


def test_a_message_says_what_where_why_and_what_to_type(stage: Stage) -> None:
    stage.ledger.group_parked(G1, "31,503 rows would go\n  next: look")
    (one,) = stage.look()
    assert one.title == f"{C}: 1 publish group parked, waiting for you"
    assert one.body == (
        f"voice-prod: {G1}: 31,503 rows would go\n"
        f"next: windlass retry {C} --tenant voice-prod/acme/voice, once the cause is gone"
    )
    assert one.urgent


def test_each_is_told_once_by_whichever_worker(stage: Stage) -> None:
    stage.ledger.group_parked(G1, "no")
    assert len(stage.look()) == 1
    assert stage.look() == []
    stage.messenger = stage.worker()
    assert stage.look(LEASE) == [], "a worker that was started again tells nothing twice"
    stage.ledger.event(C, CLUSTER, VOICE, W1, "struggling", "8 rows/s")
    assert [one.title for one in stage.look()] == [f"{C}: 1 window struggling"]


def test_what_happens_at_once_is_told_together(stage: Stage) -> None:
    for number in range(7):
        stage.ledger.event(C, CLUSTER, VOICE, f"{W1}-{number}", "struggling", f"{number} rows/s")
    (one,) = stage.look()
    assert one.title == f"{C}: 7 windows struggling"
    assert "and 2 more" in one.body
    assert "nothing to do for now" in one.body
    assert one.body.endswith(f"next: windlass why {W1}-0")
    stage.ledger.event(C, CLUSTER, VOICE, W1, "struggling", "8 rows/s")
    assert stage.look() == [], "one message a minute is enough"
    assert len(stage.look(GAP)) == 1


def test_a_worker_that_dies_in_between_leaves_it_to_the_next(stage: Stage) -> None:
    stage.ledger.group_parked(G1, "no")
    (one,) = stage.ledger.happenings(stage.clock.now())
    stage.ledger.claim_notices("notify[0]", [one.key], LEASE)
    assert stage.look() == []
    assert len(stage.look(LEASE)) == 1


def test_what_is_refused_is_tried_again_then_given_up_on_record(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.place.refuses = "it answered HTTP 500"
    stage.ledger.group_parked(G1, "no")
    with caplog.at_level(logging.WARNING):
        stage.look()
        for wait in WAITS:
            assert not caplog.records
            stage.look(wait)
    assert caplog.messages == [f"{C}: parked: nobody was told at notify[0]: it answered HTTP 500"]
    (action,) = stage.ledger.facts(C).actions
    assert (action.verb, action.after) == ("notify", "nobody told at notify[0]")
    stage.place.refuses = ""
    assert stage.look() == []


def test_what_is_refused_for_a_while_arrives(stage: Stage) -> None:
    stage.place.refuses = "busy"
    stage.ledger.group_parked(G1, "no")
    stage.look()
    stage.place.refuses = ""
    assert len(stage.look(WAITS[0])) == 1
    assert stage.ledger.facts(C).actions == ()


def test_only_what_was_asked_for_is_told(stage: Stage) -> None:
    stage.on = frozenset({Occasion.DONE})
    stage.messenger = stage.worker()
    stage.ledger.group_parked(G1, "no")
    assert stage.look() == []
    stage.ledger.group_parked(G2, "no")
    stage.ledger.cluster_closed(C, CLUSTER)
    (one,) = stage.look()
    assert one.title == f"{C}: ended parked: 0 of 2 windows verified"
    assert one.body.endswith(f"next: windlass status {C} --needs-me")


def test_a_throttle_is_told_when_it_lasts(stage: Stage) -> None:
    stage.ledger.event(C, CLUSTER, "", "", "throttled", "clickhouse parts 212 >= 200")
    stage.ledger.show_limit(C, CLUSTER, "clickhouse parts 240 >= 200; 2 of 8 windows")
    assert stage.look(590) == []
    (one,) = stage.look(10)
    assert one.title == f"{C}: held back for 10 min"
    assert "voice-prod: clickhouse parts 240 >= 200; 2 of 8 windows" in one.body
    assert not one.urgent
    assert stage.look(3600) == []


def test_a_fleet_that_is_told_for_the_first_time_hears_no_history(stage: Stage) -> None:
    stage.ledger.group_parked(G1, "no")
    assert stage.look(3700) == []


def test_it_looks_aside_and_ends_with_its_worker(stage: Stage) -> None:
    stage.ledger.group_parked(G1, "no")
    arrived = Arrived()
    stage.place = arrived
    with told(stage.worker, every=0.01):
        assert arrived.event.wait(10)
    assert len(arrived.sent) == 1
