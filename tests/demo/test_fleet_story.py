"""Which of the ledger's words answer which trouble."""

from datetime import UTC, datetime, timedelta

from windlass.domain.record import Event
from windlass.localstack.fleet import story
from windlass.localstack.fleet.timetable import Kind, Trouble
from windlass.localstack.fleet.troubles import Happening

NOON = datetime(2026, 2, 22, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def happened(kind: Kind, begin: float, end: float, cluster: str = "east") -> Happening:
    trouble = Trouble(kind, "a worker", 0)
    return Happening(trouble, cluster, "", at(begin), at(end), "", struck=True)


def event(kind: str, seconds: float, cluster: str = "east", database: str = "") -> Event:
    return Event("c", kind, f"{kind} at {seconds}", at(seconds), cluster, database)


def test_a_trouble_is_answered_until_the_next_one_of_its_cluster() -> None:
    kill, cut = happened(Kind.KILL, 0, 5), happened(Kind.CUT, 20, 20)
    elsewhere = happened(Kind.STOP, 3, 9, "west")
    everything = [kill, cut, elsewhere]
    last = story._last(kill, everything)
    assert last == at(20)
    assert story._about(kill, last, event("retry", 15))
    assert not story._about(kill, last, event("retry", 25))
    assert story._about(cut, story._last(cut, everything), event("retry", 25))
    assert not story._about(kill, last, event("retry", 15, "west"))
    assert not story._about(kill, last, event("throttled", 15))


def test_what_comes_back_step_by_step_has_its_time() -> None:
    parts, stop = happened(Kind.PARTS, 0, 12), happened(Kind.STOP, 40, 61)
    last = story._last(parts, [parts, stop])
    assert story._about(parts, last, event("throttle ended", 90))


def test_a_throttled_source_is_answered_on_its_own_tenant() -> None:
    slow = Happening(Trouble(Kind.THROTTLE, "acme", 0), "east", "acme_voice", struck=True)
    last = story._last(slow, [slow])
    assert story._about(slow, last, event("split", 500, database="acme_voice"))
    assert not story._about(slow, last, event("split", 500, database="globex_voice"))


def test_an_error_is_told_on_one_line_without_what_to_type() -> None:
    said = story._line("the snapshot is gone\n  why:  no such snapshot\n  next: nothing")
    assert said == "the snapshot is gone; why: no such snapshot"
